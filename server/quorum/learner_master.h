/*
 * What a LearnerHandler asks of whom it serves: the leader, or a follower that feeds observers. Mirrors LearnerMaster.
 * Called on handlers' threads.
 */
#ifndef ZKC_SERVER_QUORUM_LEARNER_MASTER_H
#define ZKC_SERVER_QUORUM_LEARNER_MASTER_H

#include <stdbool.h>
#include <stdint.h>

#include "server/quorum/epoch_decision.h"
#include "server/quorum/learner_list.h"
#include "server/quorum/learner_sync_throttler.h"
#include "server/quorum/quorum_self.h"
#include "server/request/server_core.h"

struct learner_handler;
struct learner_master;
struct learner_master_ops {
    bool is_for_observers_only;
    /* Waits until a quorum came (or the time is over): the new epoch. ZK_OK, ZK_TIMED_OUT, ZK_CLOSED, ZK_TOO_LARGE,
     * ZK_IO. */
    int (*get_epoch_to_propose)(struct learner_master *master, int64_t sid, int64_t last_accepted_epoch,
                                int64_t *ret_epoch, struct error *error);
    int (*wait_for_epoch_ack)(struct learner_master *master, int64_t sid, const struct state_summary *summary,
                              struct error *error);
    int (*wait_for_new_leader_ack)(struct learner_master *master, int64_t sid, struct error *error);
    int (*wait_for_startup)(struct learner_master *master, struct error *error);
    int64_t (*last_proposed)(struct learner_master *master);
    /* Queues to the handler what is committed but not applied, and what is proposed, above `last_seen_zxid`; from then
     * on the handler gets everything. The last zxid that was proposed. The committed log is held. */
    int64_t (*start_forwarding)(struct learner_master *master, struct learner_handler *handler,
                                int64_t last_seen_zxid);
    struct quorum_verifier *(*new_leader_verifier)(struct learner_master *master);    /* for NEWLEADER; a reference */
    int64_t (*current_tick)(struct learner_master *master);
    int64_t (*sync_timeout_ms)(struct learner_master *master);
    int64_t (*tick_of_next_ack_deadline)(struct learner_master *master);
    int64_t (*tick_of_initial_ack_deadline)(struct learner_master *master);
    /* False: this was never proposed. */
    bool (*process_ack)(struct learner_master *master, int64_t sid, int64_t zxid);
    void (*touch)(struct learner_master *master, int64_t session_id, int32_t timeout_ms);
    /* REVALIDATE: whether the session is alive (then its owner is the handler) is queued as the answer, now or
     * later. */
    void (*revalidate_session)(struct learner_master *master, struct learner_handler *handler, int64_t session_id,
                               int32_t timeout_ms);
    void (*submit_learner_request)(struct learner_master *master, struct request *request);    /* takes the reference */
    /* End of a batch of packets: what they caused is woken. */
    void (*flush)(struct learner_master *master);
    /* The handler gets nothing any more; the learner is gone. */
    void (*remove_learner_handler)(struct learner_master *master, struct learner_handler *handler);
};
struct learner_master {
    const struct learner_master_ops *ops;
    struct quorum_self *self;
    struct server_core *core;
    struct learner_list learners;
    struct learner_sync_throttler snap_throttler, diff_throttler;
};
void learner_master_init(struct learner_master *master, const struct learner_master_ops *ops, struct quorum_self *self,
                         struct server_core *core);
/* After all handlers are gone. */
void learner_master_release(struct learner_master *master);

#endif
