/*
 * What a server of an ensemble knows of itself and of the others: state, vote, epochs, configuration. The part of
 * QuorumPeer that election, leader and learner all ask ("self" in their classes); its loop stands in quorum_peer.c.
 * Any thread; own lock, innermost but for the epoch files'.
 */
#ifndef ZKC_SERVER_QUORUM_QUORUM_SELF_H
#define ZKC_SERVER_QUORUM_QUORUM_SELF_H

#include <stdatomic.h>

#include "common/thread/mutex.h"
#include "server/config/server_options.h"
#include "server/metric/server_metrics.h"
#include "server/quorum/epoch_files.h"
#include "server/quorum/flexible/quorum_verifier.h"
#include "server/quorum/vote.h"

enum zab_state { ZAB_ELECTION, ZAB_DISCOVERY, ZAB_SYNCHRONIZATION, ZAB_BROADCAST };
enum sync_mode { SYNC_NONE, SYNC_DIFF, SYNC_SNAP, SYNC_TRUNC };
const char *zab_state_name(enum zab_state state);    /* "election" ... as zabstate and mntr print it */

struct quorum_self;
/* Upcalls to quorum_peer; a test leaves them NULL. */
struct quorum_self_ops {
    /* The last transaction in log or tree (getLastLoggedZxid). */
    int64_t (*last_logged_zxid)(void *owner);
    /* A configuration was taken over: role of this server, client port, election. Called without the lock. */
    void (*config_changed)(void *owner, struct quorum_verifier *old_config, struct quorum_verifier *new_config,
                           bool restart_election);
    /* initConfigInZKDatabase: /zookeeper/config of the tree is to hold this, if it holds nothing newer. */
    void (*store_config)(void *owner, struct quorum_verifier *verifier);
    /* A configuration with new servers was proposed: connect to them for elections (connectNewPeers). */
    void (*new_peers)(void *owner);
    /* A voter looks for a leader while this server does not; one that leads may have lost its quorum
     * (reportLookingSid). */
    void (*looking_peer)(void *owner, int64_t sid);
    /* Nothing can be trusted any more; the process ends with this code. Returns. */
    void (*fail)(void *owner, int exit_code, const struct error *error);
};

struct quorum_self {
    /* Set at birth and never again. */
    const struct server_options *options;
    struct server_metrics *metrics;
    const struct quorum_self_ops *ops;
    void *owner;
    int64_t id;
    struct epoch_files *epochs;

    _Atomic bool is_running;          /* false from the moment the server is told to end */
    _Atomic int state;                /* enum peer_state */
    _Atomic int zab_state, sync_mode;
    _Atomic int learner_type;
    _Atomic bool is_reconfig_flag;    /* a reconfiguration ended the role; no back-off in the next election */
    _Atomic bool is_shutting_down_election;    /* shuttingDownLE */
    _Atomic int64_t start_fle_ms;    /* on the clock that only goes on: when this election began */
    _Atomic int64_t snapshot_epoch;    /* this epoch's leader is to send its whole state; 0: no leader */
    _Atomic int64_t observer_master_port;
    _Atomic int64_t unavailable_since_ms;    /* elapsed; 0 while it serves */

    /* Held while a configuration changes and its files are written, by nobody else; before `lock`. */
    struct mutex config_lock;
    struct mutex lock;
    struct vote current_vote GUARDED_BY(lock);
    bool has_current_vote GUARDED_BY(lock);
    struct quorum_verifier *verifier GUARDED_BY(lock);              /* the committed configuration */
    struct quorum_verifier *last_seen_verifier GUARDED_BY(lock);    /* the last proposed one */
    struct quorum_verifier *own_verifier GUARDED_BY(lock);          /* the last one that has this server; NULL: none */
};

/* `verifier` is the configuration at the start, also the last seen one; references of its own are taken. `epochs` is
 * borrowed, NULL in tests that need none. Members of ops may be NULL. */
void quorum_self_init(struct quorum_self *self, const struct server_options *options, int64_t id,
                      struct quorum_verifier *verifier, struct epoch_files *epochs, struct server_metrics *metrics,
                      const struct quorum_self_ops *ops, void *owner);
void quorum_self_release(struct quorum_self *self);

/* ---- state ---- */
static inline bool quorum_self_is_running(struct quorum_self *self) { return atomic_load(&self->is_running); }
static inline enum peer_state quorum_self_state(struct quorum_self *self)
{
    return (enum peer_state)atomic_load(&self->state);
}
void quorum_self_set_state(struct quorum_self *self, enum peer_state state);    /* LOOKING also resets the zab state */
/* getDetailedPeerState: "following - synchronization - diff". */
void quorum_self_print_state(struct quorum_self *self, struct buffer *out);
void quorum_self_set_zab_state(struct quorum_self *self, enum zab_state state);
static inline enum learner_type quorum_self_learner_type(struct quorum_self *self)
{
    return (enum learner_type)atomic_load(&self->learner_type);
}
/* False while there is none yet. */
bool quorum_self_current_vote(struct quorum_self *self, struct vote *ret_vote);
void quorum_self_set_current_vote(struct quorum_self *self, const struct vote *vote);
/* updateElectionVote: the current vote with this peer epoch. */
void quorum_self_update_election_vote(struct quorum_self *self, int64_t new_epoch);

/* ---- times; ms ---- */
int64_t quorum_self_tick_time(const struct quorum_self *self);
int64_t quorum_self_init_limit_ms(const struct quorum_self *self);
int64_t quorum_self_sync_limit_ms(const struct quorum_self *self);

/* ---- epochs; both are durable before a set returns ZK_OK ---- */
int64_t quorum_self_current_epoch(struct quorum_self *self);
int64_t quorum_self_accepted_epoch(struct quorum_self *self);
int quorum_self_set_current_epoch(struct quorum_self *self, int64_t epoch, struct error *error);
int quorum_self_set_accepted_epoch(struct quorum_self *self, int64_t epoch, struct error *error);
int64_t quorum_self_last_logged_zxid(struct quorum_self *self);

/* ---- configuration; each returns a reference, last_seen NULL when there is none ---- */
struct quorum_verifier *quorum_self_verifier(struct quorum_self *self);
struct quorum_verifier *quorum_self_last_seen_verifier(struct quorum_self *self);
/* setLastSeenQuorumVerifier: takes it over, also one that is older than the last one seen, which a leader may have,
 * and which is warned of; nothing where reconfiguration is disabled or the version is the same. With `write_to_disk`
 * zoo.cfg.dynamic.next is durable on ZK_OK; after a failure nothing has changed and the server must not acknowledge
 * it. */
int quorum_self_set_last_seen_verifier(struct quorum_self *self, struct quorum_verifier *verifier, bool write_to_disk,
                                       struct error *error);
/*
 * processReconfig: `verifier` is committed. Becomes the configuration if it is newer than the present one (written to
 * disk; a failure is logged, as the transaction log has it too), this server's type follows. True if the role has to
 * end: leader changed (suggested_leader, -1: none), or this server's part in the ensemble. `zxid` -1: not known. False
 * and nothing where reconfiguration is disabled.
 */
bool quorum_self_process_reconfig(struct quorum_self *self, struct quorum_verifier *verifier, int64_t suggested_leader,
                                  int64_t zxid, bool restart_election);
/* The member of this id in the present configuration, or else in the last seen one, or else, for this server, in the
 * last that had it. It belongs to *ret_holder, a reference that the caller gives back. False: unknown. */
bool quorum_self_find_server(struct quorum_self *self, int64_t id, struct quorum_verifier **ret_holder,
                             const struct quorum_server **ret_server);
/* getCurrentAndNextConfigVoters, into a set that is empty. */
void quorum_self_current_and_next_voters(struct quorum_self *self, struct sid_set *ret_voters);
/* How a text that comes from another server is read. Valid as long as `verifier`, whose oracle it names. */
struct quorum_parse_options quorum_self_parse_options(const struct quorum_self *self,
                                                      const struct quorum_verifier *verifier);

/* ops->fail, for threads that cannot go on. */
void quorum_self_fail(struct quorum_self *self, int exit_code, const struct error *error);

#endif
