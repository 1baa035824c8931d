/*
 * A follower that feeds observers, so that the leader need not. Mirrors ObserverMaster. Observers come to
 * observerMasterPort; each gets a LearnerHandler whose master this is. Threads: LearnerCnxAcceptorHandler-<addr>,
 * handlers and their senders, a pinger. Lock order: committed_log -> observer master -> learner list -> Q8.
 */
#ifndef ZKC_SERVER_QUORUM_OBSERVER_MASTER_H
#define ZKC_SERVER_QUORUM_OBSERVER_MASTER_H

#include "server/quorum/learner_master.h"

struct observer_master;
/* What it asks of the follower. On handlers' threads. */
struct observer_master_hook {
    /* REVALIDATE to the leader; the answer comes back by observer_master_revalidated(). */
    void (*revalidate)(struct observer_master_hook *self, int64_t session_id, int32_t timeout_ms);
    void (*touch)(struct observer_master_hook *self, int64_t session_id, int32_t timeout_ms);
    /* processObserverRequest: takes the reference; its learner_handler is set for a sync. */
    void (*submit)(struct observer_master_hook *self, struct request *request);
    /* No observer can come in any more. */
    void (*failed)(struct observer_master_hook *self, const char *reason);
};
/*
 * Binds `port` of this server's addresses and serves; ZK_IO names what could not be bound. `committed_zxid`: everything
 * up to it was handed to this follower's chain already, everything behind it will be told by observer_master_inform().
 */
int observer_master_start(struct quorum_self *self, struct server_core *core, uint16_t port, int64_t committed_zxid,
                          struct observer_master_hook *hook, struct observer_master **ret_master, struct error *error);
/* Observers are cut off, everything is joined and freed. While the follower's chain still runs. NULL is accepted. */
void observer_master_stop(struct observer_master *master);

/* ---- QuorumPeer's thread, in the order of zxids, before the commit goes to the chain ---- */
/* `bytes` (referenced) are the transaction's, as PROPOSAL had them. Kept for observers that catch up, up to
 * observerMaster.sizeLimit bytes, and sent to those that have. */
void observer_master_inform(struct observer_master *master, int64_t zxid, struct blob *bytes);
void observer_master_inform_and_activate(struct observer_master *master, int64_t zxid, int64_t designated_leader,
                                         struct blob *bytes);
/* End of a batch: what was put is sent. */
void observer_master_flush(struct observer_master *master);
/* The leader's answer to REVALIDATE; false: it was not asked for an observer. */
bool observer_master_revalidated(struct observer_master *master, int64_t session_id, bool is_valid);
/* SYNC came for a request that an observer sent (request->learner_handler). Any thread. */
void observer_master_send_sync(struct observer_master *master, const void *learner_handler);

size_t observer_master_observer_count(struct observer_master *master);    /* any thread */
uint16_t observer_master_port(const struct observer_master *master);      /* as bound; for tests */

#endif
