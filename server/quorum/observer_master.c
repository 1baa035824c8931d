/*
 * observer_master.c - observers of a follower.
 *
 * Mirrors ObserverMaster.
 *
 *   leader --COMMIT--> follower --inform--> [ cached, the last 32 MiB ] --start_forwarding--> Q8 of one that joins
 *                                   '-----> Q8 of all that are there
 * (1) A transaction is in `cached` before the follower's tree has it, so that one who was brought up to the tree finds
 *     what comes next here, or is told that it is too far behind.
 * (2) `cached` has no gap: it holds all behind `before_zxid`.
 * Departs from Java: what was proposed before this master began, and is committed later, reaches observers too (Java
 * passes over it); an answer to REVALIDATE is matched by its session, not by its turn.
 */
#include "server/quorum/observer_master.h"

#include <inttypes.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/thread/periodic_task.h"
#include "common/wire/zxid.h"
#include "server/quorum/learner_cnx_acceptor.h"
#include "server/quorum/learner_handler.h"

#define MOST_ADDRESSES 64
#define PACKET_SIZE 28    /* packetSize of one without data */

struct cached_packet {
    struct list link;
    int64_t zxid;
    bool is_activation;
    int64_t designated_leader;
    struct blob *bytes;
};
struct revalidation {
    struct list link;
    int64_t session_id;
    int32_t timeout_ms;
    const void *owner;    /* learner_handler_owner */
};
struct observer_master {
    struct learner_master master;
    struct learner_cnx_acceptor_hook acceptor_hook;
    struct observer_master_hook *hook;
    struct learner_cnx_acceptor *acceptor;
    struct periodic_task *pinger;

    struct mutex lock;
    struct list cached GUARDED_BY(lock);    /* oldest first */
    int64_t cached_size GUARDED_BY(lock);
    int64_t before_zxid GUARDED_BY(lock);
    int64_t last_zxid GUARDED_BY(lock);     /* lastProposedZxid; 0 before the first */
    struct list revalidations GUARDED_BY(lock);
};

static struct observer_master *om_of(struct learner_master *master)
{
    return container_of(master, struct observer_master, master);
}

/* ---- the cache ---- */

static int64_t size_of(const struct cached_packet *packet)
{
    return PACKET_SIZE + (int64_t)packet->bytes->size;
}

static void drop_oldest(struct observer_master *om) REQUIRES(om->lock)
{
    struct cached_packet *packet = LIST_ENTRY(om->cached.next, struct cached_packet, link);
    om->before_zxid = packet->zxid;
    om->cached_size -= size_of(packet);
    list_remove(&packet->link);
    blob_unref(packet->bytes);
    memory_free(packet);
}

/* Near the limit five go for each that comes, as in Java. */
static void cache(struct observer_master *om, struct cached_packet *packet) REQUIRES(om->lock)
{
    int64_t limit = om->master.self->options->observer_master_size_limit;
    list_add_last(&om->cached, &packet->link);
    om->cached_size += size_of(packet);
    for (int i = 0; i < 5 && om->cached_size > limit / 5 * 4 && !list_is_empty(&om->cached); i++)
        drop_oldest(om);
    while (om->cached_size > limit)
        drop_oldest(om);
}

static void put(struct learner_handler *handler, const struct cached_packet *packet)
{
    if (packet->is_activation)
        learner_handler_put_prefixed(handler, QP_INFORMANDACTIVATE, packet->zxid, packet->designated_leader,
                                     packet->bytes);
    else
        learner_handler_put(handler, QP_INFORM, packet->zxid, packet->bytes);
}

static void inform(struct observer_master *om, struct cached_packet *packet)
{
    struct learner_list *list = &om->master.learners;
    mutex_lock(&om->lock);
    mutex_lock(&list->lock);
    LEARNER_LIST_EACH (link, list) {
        if (learner_handler_is_observing(learner_handler_of(link)))
            put(learner_handler_of(link), packet);
    }
    mutex_unlock(&list->lock);
    om->last_zxid = packet->zxid;
    cache(om, packet);
    mutex_unlock(&om->lock);
}

static struct cached_packet *packet_new(int64_t zxid, struct blob *bytes)
{
    struct cached_packet *packet = MEMORY_NEW(struct cached_packet);
    packet->zxid = zxid;
    packet->bytes = blob_ref(bytes);
    return packet;
}

/* ---- as the master of learners ---- */

static int get_epoch_to_propose(struct learner_master *master, int64_t sid, int64_t last_accepted_epoch,
                                int64_t *ret_epoch, struct error *error)
{
    (void)sid;
    (void)last_accepted_epoch;
    (void)error;
    *ret_epoch = quorum_self_current_epoch(master->self);
    return ZK_OK;
}

/* An active follower has nothing to wait for. */
static int wait_for_epoch_ack(struct learner_master *master, int64_t sid, const struct state_summary *summary,
                              struct error *error)
{
    (void)master;
    (void)sid;
    (void)summary;
    (void)error;
    return ZK_OK;
}

static int wait_for_new_leader_ack(struct learner_master *master, int64_t sid, struct error *error)
{
    (void)master;
    (void)sid;
    (void)error;
    return ZK_OK;
}

static int wait_for_startup(struct learner_master *master, struct error *error)
{
    (void)master;
    (void)error;
    return ZK_OK;
}

static int64_t last_proposed(struct learner_master *master)
{
    struct observer_master *om = om_of(master);
    mutex_lock(&om->lock);
    int64_t zxid = om->last_zxid;
    mutex_unlock(&om->lock);
    return zxid;
}

static int64_t start_forwarding(struct learner_master *master, struct learner_handler *handler, int64_t last_seen_zxid)
{
    struct observer_master *om = om_of(master);
    mutex_lock(&om->lock);
    int64_t before_zxid = om->before_zxid, last_zxid = om->last_zxid;
    bool is_covered = last_seen_zxid >= before_zxid;    /* (2) */
    if (is_covered) {
        LIST_EACH (link, &om->cached) {
            const struct cached_packet *packet = LIST_ENTRY(link, struct cached_packet, link);
            if (packet->zxid > last_seen_zxid)
                put(handler, packet);
        }
        mutex_lock(&master->learners.lock);
        learner_handler_begin_forwarding(handler);
        mutex_unlock(&master->learners.lock);
    }
    mutex_unlock(&om->lock);
    if (!is_covered) {
        log_warn("An observer at 0x%" PRIx64 " is too far behind, transactions are kept from 0x%" PRIx64 " on",
                 (uint64_t)last_seen_zxid, (uint64_t)before_zxid + 1);
        learner_handler_shutdown(handler);
    }
    return last_zxid;
}

static struct quorum_verifier *new_leader_verifier(struct learner_master *master)
{
    struct quorum_verifier *last_seen = quorum_self_last_seen_verifier(master->self);
    return last_seen != NULL ? last_seen : quorum_self_verifier(master->self);
}

/* A follower's ticks are not counted. */
static int64_t no_tick(struct learner_master *master)
{
    (void)master;
    return 0;
}

static int64_t sync_timeout_ms(struct learner_master *master)
{
    return quorum_self_sync_limit_ms(master->self);
}

/* Only that of UPTODATE, under NEWLEADER's zxid. */
static bool process_ack(struct learner_master *master, int64_t sid, int64_t zxid)
{
    (void)master;
    (void)sid;
    return zxid_counter(zxid) == 0;
}

static void touch(struct learner_master *master, int64_t session_id, int32_t timeout_ms)
{
    struct observer_master *om = om_of(master);
    om->hook->touch(om->hook, session_id, timeout_ms);
}

static void revalidate_session(struct learner_master *master, struct learner_handler *handler, int64_t session_id,
                               int32_t timeout_ms)
{
    struct observer_master *om = om_of(master);
    struct revalidation *revalidation = MEMORY_NEW(struct revalidation);
    revalidation->session_id = session_id;
    revalidation->timeout_ms = timeout_ms;
    revalidation->owner = learner_handler_owner(handler);
    mutex_lock(&om->lock);
    list_add_last(&om->revalidations, &revalidation->link);
    mutex_unlock(&om->lock);
    om->hook->revalidate(om->hook, session_id, timeout_ms);
}

static void submit_learner_request(struct learner_master *master, struct request *request)
{
    struct observer_master *om = om_of(master);
    om->hook->submit(om->hook, request);
}

static void flush(struct learner_master *master)
{
    (void)master;    /* what comes of an observer's packets comes by the leader */
}

/* What it asked for and did not get is nobody's any more. */
static void remove_learner_handler(struct learner_master *master, struct learner_handler *handler)
{
    struct observer_master *om = om_of(master);
    mutex_lock(&om->lock);
    LIST_EACH_SAFE (link, &om->revalidations) {
        struct revalidation *revalidation = LIST_ENTRY(link, struct revalidation, link);
        if (revalidation->owner == learner_handler_owner(handler)) {
            list_remove(link);
            memory_free(revalidation);
        }
    }
    mutex_unlock(&om->lock);
}

static const struct learner_master_ops observer_master_ops = {
    .is_for_observers_only = true,
    .get_epoch_to_propose = get_epoch_to_propose,
    .wait_for_epoch_ack = wait_for_epoch_ack,
    .wait_for_new_leader_ack = wait_for_new_leader_ack,
    .wait_for_startup = wait_for_startup,
    .last_proposed = last_proposed,
    .start_forwarding = start_forwarding,
    .new_leader_verifier = new_leader_verifier,
    .current_tick = no_tick,
    .sync_timeout_ms = sync_timeout_ms,
    .tick_of_next_ack_deadline = no_tick,
    .tick_of_initial_ack_deadline = no_tick,
    .process_ack = process_ack,
    .touch = touch,
    .revalidate_session = revalidate_session,
    .submit_learner_request = submit_learner_request,
    .flush = flush,
    .remove_learner_handler = remove_learner_handler,
};

/* ---- life ---- */

static void ping_observers(void *arg)
{
    struct observer_master *om = arg;
    int64_t zxid = last_proposed(&om->master);
    struct learner_list *list = &om->master.learners;
    mutex_lock(&list->lock);
    LEARNER_LIST_EACH (link, list) {
        if (learner_handler_is_observing(learner_handler_of(link)))
            learner_handler_ping(learner_handler_of(link), zxid);
    }
    mutex_unlock(&list->lock);
    learner_list_reap(list);
}

static void acceptor_failed(struct learner_cnx_acceptor_hook *self, const char *reason)
{
    struct observer_master *om = container_of(self, struct observer_master, acceptor_hook);
    om->hook->failed(om->hook, reason);
}

/* Nobody else has it any more. */
static void observer_master_free(struct observer_master *om) NO_THREAD_SAFETY_ANALYSIS
{
    while (!list_is_empty(&om->cached))
        drop_oldest(om);
    LIST_EACH_SAFE (link, &om->revalidations)
        memory_free(LIST_ENTRY(link, struct revalidation, link));
    learner_master_release(&om->master);
    mutex_release(&om->lock);
    memory_free(om);
}

int observer_master_start(struct quorum_self *self, struct server_core *core, uint16_t port, int64_t committed_zxid,
                          struct observer_master_hook *hook, struct observer_master **ret_master, struct error *error)
{
    struct address addresses[MOST_ADDRESSES];
    size_t count;
    int err = learner_cnx_acceptor_addresses(self, port, addresses, MOST_ADDRESSES, &count, error);
    if (err != ZK_OK)
        return err;
    struct observer_master *om = MEMORY_NEW(struct observer_master);
    learner_master_init(&om->master, &observer_master_ops, self, core);
    om->acceptor_hook.failed = acceptor_failed;
    om->hook = hook;
    mutex_init(&om->lock);
    list_init(&om->cached);
    list_init(&om->revalidations);
    om->before_zxid = committed_zxid;
    err = learner_cnx_acceptor_new(addresses, count, &om->master, &om->acceptor_hook, &om->acceptor, error);
    if (err != ZK_OK) {
        observer_master_free(om);
        return err;
    }
    learner_cnx_acceptor_start(om->acceptor);
    int64_t half_tick_ms = quorum_self_tick_time(self) / 2;
    if (half_tick_ms < 1)
        half_tick_ms = 1;
    om->pinger = periodic_task_start("ObserverMasterPinger", half_tick_ms, half_tick_ms, ping_observers, om);
    *ret_master = om;
    return ZK_OK;
}

void observer_master_stop(struct observer_master *om)
{
    if (om == NULL)
        return;
    periodic_task_stop(om->pinger);
    learner_cnx_acceptor_shutdown(om->acceptor);
    learner_cnx_acceptor_free(om->acceptor);
    learner_list_shutdown(&om->master.learners);
    learner_list_join(&om->master.learners);
    observer_master_free(om);
}

/* ---- for the follower ---- */

void observer_master_inform(struct observer_master *om, int64_t zxid, struct blob *bytes)
{
    inform(om, packet_new(zxid, bytes));
}

void observer_master_inform_and_activate(struct observer_master *om, int64_t zxid, int64_t designated_leader,
                                         struct blob *bytes)
{
    struct cached_packet *packet = packet_new(zxid, bytes);
    packet->is_activation = true;
    packet->designated_leader = designated_leader;
    inform(om, packet);
}

void observer_master_flush(struct observer_master *om)
{
    struct learner_list *list = &om->master.learners;
    mutex_lock(&list->lock);
    LEARNER_LIST_EACH (link, list)
        learner_handler_wake(learner_handler_of(link));
    mutex_unlock(&list->lock);
}

static struct revalidation *take_revalidation(struct observer_master *om, int64_t session_id)
{
    struct revalidation *found = NULL;
    mutex_lock(&om->lock);
    LIST_EACH (link, &om->revalidations) {
        struct revalidation *revalidation = LIST_ENTRY(link, struct revalidation, link);
        if (revalidation->session_id == session_id) {
            found = revalidation;
            list_remove(link);
            break;
        }
    }
    mutex_unlock(&om->lock);
    return found;
}

bool observer_master_revalidated(struct observer_master *om, int64_t session_id, bool is_valid)
{
    struct revalidation *revalidation = take_revalidation(om, session_id);
    if (revalidation == NULL)
        return false;
    struct learner_list *list = &om->master.learners;
    mutex_lock(&list->lock);
    struct learner_handler *handler = learner_handler_find(list, revalidation->owner);
    if (handler != NULL) {
        learner_handler_put_revalidation(handler, session_id, is_valid);
        learner_handler_wake(handler);
    }
    mutex_unlock(&list->lock);
    if (is_valid)
        om->hook->touch(om->hook, session_id, revalidation->timeout_ms);
    memory_free(revalidation);
    return true;
}

void observer_master_send_sync(struct observer_master *om, const void *learner_handler)
{
    struct learner_list *list = &om->master.learners;
    mutex_lock(&list->lock);
    struct learner_handler *handler = learner_handler_find(list, learner_handler);
    if (handler != NULL) {
        learner_handler_put(handler, QP_SYNC, 0, NULL);
        learner_handler_wake(handler);
    }
    mutex_unlock(&list->lock);
}

size_t observer_master_observer_count(struct observer_master *om)
{
    struct learner_list *list = &om->master.learners;
    size_t count = 0;
    mutex_lock(&list->lock);
    LEARNER_LIST_EACH (link, list)
        count += learner_handler_is_observing(learner_handler_of(link));
    mutex_unlock(&list->lock);
    return count;
}

uint16_t observer_master_port(const struct observer_master *om)
{
    return learner_cnx_acceptor_port(om->acceptor);
}
