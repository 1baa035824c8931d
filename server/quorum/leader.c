/*
 * leader.c - a leader's life: ticks, what learners ask of it, its end.
 *
 * Mirrors Leader. leader_lead() is QuorumPeer's thread's; it establishes leadership (leader_establish.c), then looks
 * each half tick whether a quorum is still there and pings the learners. Proposals and commits stand in
 * leader_broadcast.c.
 *
 *   acceptor --> handlers, senders --- (this) --- chain of leader_zookeeper_server
 * (1) leader_shutdown() only marks the end, closes connections and wakes; whoever calls it may be one of those that
 *     end.
 * (2) leader_close() joins acceptor, handlers and senders while the chain still drains, so that a handler that waits
 *     for room in Q3 gets it, and takes the chain down after them.
 * (3) Departs from Java: who is to vote in a proposed configuration and observes as yet does not count for its quorum,
 *     as it is sent no proposal and acks none. Else a leader whose reconfiguration can never be committed stays, for
 *     good.
 */
#include "server/quorum/leader.h"

#include <assert.h>
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/wire/zxid.h"
#include "server/quorum/leader_parts.h"

static struct leader *leader_of(struct learner_master *master)
{
    return container_of(master, struct leader, master);
}

/* ---- as the master of learners ---- */

static int get_epoch_to_propose(struct learner_master *master, int64_t sid, int64_t last_accepted_epoch,
                                int64_t *ret_epoch, struct error *error)
{
    struct leader *leader = leader_of(master);
    int err = epoch_agreement_get_epoch(leader->agreement, sid, last_accepted_epoch, ret_epoch, error);
    if (err == ZK_IO || err == ZK_INVALID_STATE)
        leader_shutdown(leader, error->text);    /* nothing can be promised here; or not to all */
    return err;
}

static int wait_for_epoch_ack(struct learner_master *master, int64_t sid, const struct state_summary *summary,
                              struct error *error)
{
    return epoch_agreement_wait_for_epoch_ack(leader_of(master)->agreement, sid, summary, error);
}

static int wait_for_new_leader_ack(struct learner_master *master, int64_t sid, struct error *error)
{
    return epoch_agreement_wait_for_new_leader_ack(leader_of(master)->agreement, sid, error);
}

static int wait_for_startup(struct learner_master *master, struct error *error)
{
    struct leader *leader = leader_of(master);
    mutex_lock(&leader->lock);
    while (!leader->is_serving && !leader->is_shut_down)
        condition_wait(&leader->changed, &leader->lock);
    bool is_serving = !leader->is_shut_down;
    mutex_unlock(&leader->lock);
    return is_serving ? ZK_OK : error_set(error, ZK_CLOSED, "leadership ended");
}

static int64_t last_proposed(struct learner_master *master)
{
    return leader_last_proposed(leader_of(master));
}

static int64_t start_forwarding(struct learner_master *master, struct learner_handler *handler, int64_t last_seen_zxid)
{
    return leader_start_forwarding(leader_of(master), handler, last_seen_zxid);
}

static struct quorum_verifier *new_leader_verifier(struct learner_master *master)
{
    struct quorum_verifier *last_seen = quorum_self_last_seen_verifier(master->self);
    return last_seen != NULL ? last_seen : quorum_self_verifier(master->self);
}

static int64_t current_tick(struct learner_master *master)
{
    return atomic_load(&leader_of(master)->tick);
}

static int64_t sync_timeout_ms(struct learner_master *master)
{
    return quorum_self_sync_limit_ms(master->self);
}

static int64_t tick_of_next_ack_deadline(struct learner_master *master)
{
    return current_tick(master) + master->self->options->sync_limit;
}

static int64_t tick_of_initial_ack_deadline(struct learner_master *master)
{
    return current_tick(master) + master->self->options->init_limit + master->self->options->sync_limit;
}

static bool process_ack(struct learner_master *master, int64_t sid, int64_t zxid)
{
    return leader_process_ack(leader_of(master), sid, zxid);
}

static void touch(struct learner_master *master, int64_t session_id, int32_t timeout_ms)
{
    leader_zookeeper_server_touch(leader_of(master)->zks, session_id, timeout_ms);
}

static void revalidate_session(struct learner_master *master, struct learner_handler *handler, int64_t session_id,
                               int32_t timeout_ms)
{
    bool is_valid = leader_zookeeper_server_revalidate(leader_of(master)->zks, session_id, timeout_ms,
                                                       learner_handler_owner(handler));
    learner_handler_put_revalidation(handler, session_id, is_valid);
    learner_handler_wake(handler);
}

static void submit_learner_request(struct learner_master *master, struct request *request)
{
    leader_zookeeper_server_submit_learner_request(leader_of(master)->zks, request);
}

static void flush(struct learner_master *master)
{
    leader_flush(leader_of(master));
}

static void remove_learner_handler(struct learner_master *master, struct learner_handler *handler)
{
    (void)master;    /* a quorum that is lost with it is missed at the next tick */
    (void)handler;
}

static const struct learner_master_ops leader_ops = {
    .get_epoch_to_propose = get_epoch_to_propose,
    .wait_for_epoch_ack = wait_for_epoch_ack,
    .wait_for_new_leader_ack = wait_for_new_leader_ack,
    .wait_for_startup = wait_for_startup,
    .last_proposed = last_proposed,
    .start_forwarding = start_forwarding,
    .new_leader_verifier = new_leader_verifier,
    .current_tick = current_tick,
    .sync_timeout_ms = sync_timeout_ms,
    .tick_of_next_ack_deadline = tick_of_next_ack_deadline,
    .tick_of_initial_ack_deadline = tick_of_initial_ack_deadline,
    .process_ack = process_ack,
    .touch = touch,
    .revalidate_session = revalidate_session,
    .submit_learner_request = submit_learner_request,
    .flush = flush,
    .remove_learner_handler = remove_learner_handler,
};

static void acceptor_failed(struct learner_cnx_acceptor_hook *self, const char *reason)
{
    leader_shutdown(container_of(self, struct leader, acceptor_hook), reason);
}

/* ---- ticks ---- */

/* Until the deadline; false when leadership ended meanwhile. */
static bool wait_until(struct leader *leader, int64_t deadline_ms)
{
    mutex_lock(&leader->lock);
    while (!leader->is_shut_down && condition_wait_until(&leader->changed, &leader->lock, deadline_ms))
        ;
    bool goes_on = !leader->is_shut_down;
    mutex_unlock(&leader->lock);
    return goes_on;
}

/* Who is in time, in the present configuration and in the one that is proposed. The caller releases. */
static void take_synced(struct leader *leader, struct quorum_verifier *verifier,
                        struct synced_learner_tracker *ret_synced)
{
    struct learner_list *list = &leader->master.learners;
    struct quorum_verifier *next = leader_next_verifier(leader, verifier);
    int64_t sid;
    synced_learner_tracker_add_verifier(ret_synced, verifier);
    if (next != NULL)
        synced_learner_tracker_add_verifier(ret_synced, next);
    synced_learner_tracker_add_ack(ret_synced, leader->self->id);
    mutex_lock(&list->lock);
    LEARNER_LIST_EACH (link, list) {
        struct learner_handler *handler = learner_handler_of(link);
        if (learner_handler_is_forwarding(handler) && learner_handler_is_synced(handler)    /* (3) */
            && learner_handler_sid(handler, &sid))
            synced_learner_tracker_add_ack(ret_synced, sid);
    }
    mutex_unlock(&list->lock);
    quorum_verifier_unref(next);
}

/* An ensemble of two whose oracle lets this server go on alone; what waits for the other is then committed. */
static bool oracle_permits(struct leader *leader, struct quorum_verifier *verifier)
{
    struct sid_set forwarding = { 0 };
    leader_forwarding_sids(leader, &forwarding);
    bool permits = quorum_verifier_override_quorum_decision(verifier, &forwarding);
    sid_set_release(&forwarding);
    if (permits)
        leader_commit_ready(leader);
    return permits;
}

static bool has_quorum(struct leader *leader, struct error *error)
{
    struct quorum_verifier *verifier = quorum_self_verifier(leader->self);
    struct synced_learner_tracker synced = { 0 };
    take_synced(leader, verifier, &synced);
    bool has = synced_learner_tracker_has_all_quorums(&synced) || oracle_permits(leader, verifier);
    if (!has) {
        struct buffer acks = { 0 };
        synced_learner_tracker_print(&synced, &acks);
        error_set(error, ZK_TIMED_OUT, "Not sufficient followers synced, only synced with sids: [ %s ]",
                  buffer_string(&acks));
        buffer_release(&acks);
    }
    synced_learner_tracker_release(&synced);
    quorum_verifier_unref(verifier);
    return has;
}

static void ping_learners(struct leader *leader)
{
    int64_t zxid = leader_last_proposed(leader);
    struct learner_list *list = &leader->master.learners;
    mutex_lock(&list->lock);
    LEARNER_LIST_EACH (link, list)
        learner_handler_ping(learner_handler_of(link), zxid);
    mutex_unlock(&list->lock);
    learner_list_reap(list);
}

static bool is_running(struct leader *leader)
{
    return quorum_self_is_running(leader->self) && zookeeper_server_is_running(leader->server);
}

/* Two rounds a tick: both ping, the second one counts the tick and looks for the quorum. */
static void keep_leading(struct leader *leader, struct error *error)
{
    bool is_second = false;
    while (wait_until(leader, clock_elapsed_ms() + quorum_self_tick_time(leader->self) / 2)) {
        if (is_second)
            atomic_fetch_add(&leader->tick, 1);
        if (!is_running(leader)) {
            error_set(error, ZK_CLOSED, "Unexpected internal error");
            return;
        }
        if (is_second && !has_quorum(leader, error))
            return;
        is_second = !is_second;
        ping_learners(leader);
    }
}

/* ---- life ---- */

int leader_new(struct quorum_self *self, struct zookeeper_server *server, struct leader **ret_leader,
               struct error *error)
{
    struct address addresses[MOST_ADDRESSES];
    size_t count;
    int err = learner_cnx_acceptor_addresses(self, 0, addresses, MOST_ADDRESSES, &count, error);
    if (err != ZK_OK)
        return err;
    struct leader *leader = MEMORY_NEW(struct leader);
    leader->self = self;
    leader->server = server;
    leader->core = zookeeper_server_core(server);
    learner_master_init(&leader->master, &leader_ops, self, leader->core);
    leader->acceptor_hook.failed = acceptor_failed;
    mutex_init(&leader->lock);
    condition_init(&leader->changed);
    leader_proposals_init(&leader->proposals, self->id);
    leader_reset_proposal_sizes(leader);
    leader->agreement = epoch_agreement_new(self);
    leader->zks = leader_zookeeper_server_new(self, server, leader);
    err = learner_cnx_acceptor_new(addresses, count, &leader->master, &leader->acceptor_hook, &leader->acceptor, error);
    if (err != ZK_OK) {
        leader_free(leader);
        return err;
    }
    *ret_leader = leader;
    return ZK_OK;
}

int leader_lead(struct leader *leader, struct error *error)
{
    struct error why = { 0 };
    if (leader_establish(leader, &why) == ZK_OK)
        keep_leading(leader, &why);
    if (why.code != ZK_OK)
        leader_shutdown(leader, why.text);
    mutex_lock(&leader->lock);
    assert(leader->is_shut_down);
    while (!leader->has_let_go)    /* as a LearnerHandler that could not write the epoch: it still uses the acceptor */
        condition_wait(&leader->changed, &leader->lock);
    int err = error_set(error, leader->reason.code, "%s", leader->reason.text);    /* the first reason */
    mutex_unlock(&leader->lock);
    return err;
}

void leader_shutdown(struct leader *leader, const char *reason)
{
    mutex_lock(&leader->lock);
    bool is_first = !leader->is_shut_down;
    leader->is_shut_down = true;
    if (is_first)
        error_set(&leader->reason, ZK_CLOSED, "%s", reason);
    condition_broadcast(&leader->changed);
    mutex_unlock(&leader->lock);
    if (!is_first)
        return;
    log_info("Shutdown called. For the reason %s", reason);
    epoch_agreement_close(leader->agreement);
    learner_cnx_acceptor_shutdown(leader->acceptor);
    learner_list_shutdown(&leader->master.learners);
    mutex_lock(&leader->lock);
    leader->has_let_go = true;
    condition_broadcast(&leader->changed);
    mutex_unlock(&leader->lock);
}

void leader_close(struct leader *leader)
{
    learner_cnx_acceptor_free(leader->acceptor);    /* (2) */
    leader->acceptor = NULL;
    learner_list_join(&leader->master.learners);
    zookeeper_server_shutdown_role(leader->server);
}

void leader_free(struct leader *leader)
{
    if (leader == NULL)
        return;
    learner_cnx_acceptor_free(leader->acceptor);
    leader_zookeeper_server_free(leader->zks);
    epoch_agreement_free(leader->agreement);
    leader_proposals_release(&leader->proposals);
    learner_master_release(&leader->master);
    condition_release(&leader->changed);
    mutex_release(&leader->lock);
    memory_free(leader);
}

/* ---- the election's word ---- */

void leader_set_vote_set(struct leader *leader, const struct synced_learner_tracker *vote_set)
{
    epoch_agreement_set_vote_set(leader->agreement, vote_set);
}

void leader_report_looking_sid(struct leader *leader, int64_t sid)
{
    epoch_agreement_report_looking(leader->agreement, sid);
}

/* ---- questions ---- */

int64_t leader_last_proposed(struct leader *leader)
{
    mutex_lock(&leader->lock);
    int64_t zxid = leader->proposals.last_proposed;
    mutex_unlock(&leader->lock);
    return zxid;
}

int64_t leader_last_committed(struct leader *leader)
{
    mutex_lock(&leader->lock);
    int64_t zxid = leader->proposals.last_committed;
    mutex_unlock(&leader->lock);
    return zxid;
}

static size_t count_learners(struct leader *leader,
                             bool (*counts)(struct leader *leader, struct learner_handler *handler))
{
    struct learner_list *list = &leader->master.learners;
    size_t count = 0;
    mutex_lock(&list->lock);
    LEARNER_LIST_EACH (link, list)
        count += counts(leader, learner_handler_of(link));
    mutex_unlock(&list->lock);
    return count;
}

static bool is_any(struct leader *leader, struct learner_handler *handler)
{
    (void)leader;
    (void)handler;
    return true;
}

static bool is_follower(struct leader *leader, struct learner_handler *handler)
{
    (void)leader;
    return learner_handler_is_forwarding(handler);
}

static bool is_observer(struct leader *leader, struct learner_handler *handler)
{
    (void)leader;
    return learner_handler_is_observing(handler);
}

static bool is_non_voting_follower(struct leader *leader, struct learner_handler *handler)
{
    int64_t sid;
    struct quorum_verifier *verifier = quorum_self_verifier(leader->self);
    bool is = learner_handler_is_forwarding(handler) && learner_handler_sid(handler, &sid)
              && !quorum_verifier_is_voter(verifier, sid);
    quorum_verifier_unref(verifier);
    return is;
}

size_t leader_learner_count(struct leader *leader)
{
    return count_learners(leader, is_any);
}

size_t leader_synced_follower_count(struct leader *leader)
{
    return count_learners(leader, is_follower);
}

size_t leader_synced_observer_count(struct leader *leader)
{
    return count_learners(leader, is_observer);
}

size_t leader_synced_non_voting_follower_count(struct leader *leader)
{
    return count_learners(leader, is_non_voting_follower);
}

size_t leader_pending_sync_count(struct leader *leader)
{
    mutex_lock(&leader->lock);
    size_t count = leader_proposals_pending_sync_count(&leader->proposals);
    mutex_unlock(&leader->lock);
    return count;
}

size_t leader_proposal_count(struct leader *leader)
{
    mutex_lock(&leader->lock);
    size_t count = leader_proposals_outstanding_count(&leader->proposals);
    mutex_unlock(&leader->lock);
    return count;
}

void leader_proposal_sizes(struct leader *leader, int32_t *ret_last, int32_t *ret_min, int32_t *ret_max)
{
    *ret_last = atomic_load(&leader->last_size);
    *ret_min = atomic_load(&leader->min_size);
    *ret_max = atomic_load(&leader->max_size);
}

void leader_reset_proposal_sizes(struct leader *leader)
{
    atomic_store(&leader->last_size, -1);
    atomic_store(&leader->min_size, -1);
    atomic_store(&leader->max_size, -1);
}

int64_t leader_uptime_ms(struct leader *leader)
{
    int64_t start_ms = atomic_load(&leader->start_ms);
    return start_ms > 0 ? clock_elapsed_ms() - start_ms : 0;
}

bool leader_is_quorum_synced(struct leader *leader, struct quorum_verifier *verifier)
{
    struct learner_list *list = &leader->master.learners;
    struct sid_set synced = { 0 };
    int64_t sid;
    if (quorum_verifier_is_voter(verifier, leader->self->id))
        sid_set_add(&synced, leader->self->id);
    mutex_lock(&list->lock);
    LEARNER_LIST_EACH (link, list) {
        struct learner_handler *handler = learner_handler_of(link);
        if (learner_handler_is_forwarding(handler) && learner_handler_is_synced(handler)
            && learner_handler_sid(handler, &sid) && quorum_verifier_is_voter(verifier, sid))
            sid_set_add(&synced, sid);
    }
    mutex_unlock(&list->lock);
    bool is_synced = quorum_verifier_contains_quorum(verifier, &synced);
    sid_set_release(&synced);
    return is_synced;
}
