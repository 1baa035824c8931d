/*
 * What the files of a learner share: learner.c (packets out, revalidation, life), learner_connect.c (to the leader and
 * into its epoch), learner_sync.c (catching up), follower.c and observer.c (the loop). Nobody else includes it.
 */
#ifndef ZKC_SERVER_QUORUM_LEARNER_PARTS_H
#define ZKC_SERVER_QUORUM_LEARNER_PARTS_H

#include "common/base/hash_map.h"
#include "common/thread/mutex.h"
#include "server/quorum/follower_zookeeper_server.h"
#include "server/quorum/learner.h"
#include "server/quorum/learner_sender.h"
#include "server/quorum/observer_zookeeper_server.h"

struct learner {
    struct quorum_self *self;
    struct zookeeper_server *server;
    struct follower_zookeeper_server *follower;    /* one of the two; NULL before the first and after the last word */
    struct observer_zookeeper_server *observer;
    bool is_observer;
    bool is_serving;                               /* the chain runs */
    int32_t leader_protocol_version;
    char leader_name[ADDRESS_TEXT_SIZE];           /* for log lines */
    _Atomic int64_t master_id;                     /* of the leader or observer master; -1 before it is known */
    int64_t last_queued;                           /* zxid of the last transaction taken in; 0 before the first */
    struct txn_rules rules;
    struct received_packet packet;                 /* the one in hand */

    struct mutex write_lock;                       /* one writes at a time; outside of `lock` */
    struct learner_sender *sender;                 /* learner.asyncSending; NULL otherwise */

    struct mutex lock;
    struct condition ended;
    struct quorum_channel *channel GUARDED_BY(lock);        /* set once, freed with the learner */
    bool is_shut_down GUARDED_BY(lock);
    struct hash_map pending_revalidations GUARDED_BY(lock);
};

void learner_init(struct learner *learner, struct quorum_self *self, struct zookeeper_server *server,
                  bool is_observer);
/* The link is closed, the server's role taken down, what was asked of the leader forgotten. Joined when it returns. */
void learner_close(struct learner *learner);
void learner_release(struct learner *learner);
bool learner_is_shut_down(struct learner *learner);
/* False when it was shut down meanwhile. */
bool learner_pause(struct learner *learner, int64_t ms);

/* learner_connect.c */
/* findLeader, connectToLeader: as often as Java tries, within connectToLearnerMasterLimit or initLimit. */
int learner_connect(struct learner *learner, const struct quorum_address *addresses, size_t count, struct error *error);
/* registerWithLeader: the zxid the new epoch begins with. The accepted epoch is durable before it is acked. */
int learner_register(struct learner *learner, enum quorum_packet_type type, int64_t *ret_new_leader_zxid,
                     struct error *error);

/* learner_sync.c: syncWithLeader; serving when it returns ZK_OK. */
int learner_sync_with_leader(struct learner *learner, int64_t new_leader_zxid, struct error *error);
/* Whether a configuration that came with NEWLEADER may be lived by. A version is the zxid of its transaction, or of an
 * epoch's beginning, or whatever a person wrote into the first file. */
bool learner_config_is_committed(int64_t version, int64_t new_leader_zxid, int64_t committed_zxid);

/* learner.c */
int learner_read_packet(struct learner *learner, struct error *error);    /* into learner->packet */
bool learner_has_packet(struct learner *learner);    /* the next read does not wait: the batch goes on */
int learner_write_packet(struct learner *learner, int32_t type, int64_t zxid, const struct slice *data, bool flush);
/* The transaction of a PROPOSAL or INFORM in hand: its data from `offset` on. */
int learner_read_txn(struct learner *learner, size_t offset, struct txn **ret_txn, struct error *error);
/*
 * Each transaction follows the one before, the first one what this server has, or begins a later epoch: a log with a
 * gap could not be read again. Behind SNAP and TRUNC the first may be any, as a snapshot is written. ZK_CORRUPT, and
 * nothing noted.
 */
int learner_take_order(struct learner *learner, int64_t zxid, struct error *error);
/* The configuration a reconfig transaction carries. */
int learner_config_of(struct learner *learner, const struct txn *txn, struct quorum_verifier **ret_verifier,
                      struct error *error);
int learner_parse_config(struct learner *learner, struct slice text, struct quorum_verifier **ret_verifier,
                         struct error *error);
/* PING: answered with what was touched since the last one. */
void learner_answer_ping(struct learner *learner);
/* REVALIDATE: the leader's word on a session. */
int learner_revalidate(struct learner *learner, struct error *error);
/* What the packets in hand handed on is woken, and what they wrote sent: end of a batch. */
void learner_end_batch(struct learner *learner);

#endif
