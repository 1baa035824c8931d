/*
 * fuzz_learner_handler.c - libFuzzer target: a leader's end of a connection, whose learner says whatever the input has.
 *
 * Everything that learner_handler.c, learner_registration.c and learner_handler_sync.c do, with their threads; the
 * master is played here and lets every learner come. The first byte says what the master is like, the second in what
 * pieces the stream comes. Oracle: the handler ends and is gone from the list, and nothing counts it any more; what it
 * wrote are whole packets.
 */
#include <assert.h>
#include <limits.h>
#include <string.h>

#include "common/thread/mutex.h"
#include "common/wire/zxid.h"
#include "server/quorum/learner_handler.h"
#include "tests/fuzz/fed_server.h"
#include "tests/fuzz/fed_stream.h"

enum { OBSERVERS_ONLY = 1, HAS_LITTLE = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fake_master {
    struct learner_master base;
    struct learner_handler *handler;    /* the one there is, on its thread */
    int64_t epoch, last_proposed;
    struct mutex lock;
    struct condition changed;
    bool is_removed GUARDED_BY(lock);
};

static struct fake_master *fake_of(struct learner_master *master)
{
    return container_of(master, struct fake_master, base);
}

/* ---- what a handler asks ---- */

static int get_epoch_to_propose(struct learner_master *master, int64_t sid, int64_t last_accepted_epoch,
                                int64_t *ret_epoch, struct error *error)
{
    (void)sid;
    if (last_accepted_epoch < 0 || last_accepted_epoch >= INT32_MAX)
        return error_set(error, ZK_TOO_LARGE, "no epoch is left");
    *ret_epoch = fake_of(master)->epoch = last_accepted_epoch + 1;
    return ZK_OK;
}

static int wait_for_epoch_ack(struct learner_master *master, int64_t sid, const struct state_summary *summary,
                              struct error *error)
{
    (void)master, (void)sid, (void)summary, (void)error;
    return ZK_OK;
}

static int wait_for_new_leader_ack(struct learner_master *master, int64_t sid, struct error *error)
{
    (void)master, (void)sid, (void)error;
    return ZK_OK;
}

static int wait_for_startup(struct learner_master *master, struct error *error)
{
    (void)master, (void)error;
    return ZK_OK;
}

static int64_t last_proposed(struct learner_master *master)
{
    return fake_of(master)->last_proposed;
}

static int64_t start_forwarding(struct learner_master *master, struct learner_handler *handler, int64_t last_seen_zxid)
{
    (void)last_seen_zxid;
    mutex_lock(&master->learners.lock);
    fake_of(master)->handler = handler;
    learner_handler_begin_forwarding(handler);
    mutex_unlock(&master->learners.lock);
    return fake_of(master)->last_proposed;
}

static struct quorum_verifier *new_leader_verifier(struct learner_master *master)
{
    return quorum_self_verifier(master->self);
}

static int64_t current_tick(struct learner_master *master)
{
    (void)master;
    return 0;
}

static int64_t sync_timeout_ms(struct learner_master *master)
{
    return quorum_self_sync_limit_ms(master->self);
}

static int64_t tick_of_ack_deadline(struct learner_master *master)
{
    return master->self->options->sync_limit;
}

static bool process_ack(struct learner_master *master, int64_t sid, int64_t zxid)
{
    (void)sid;
    return zxid_counter(zxid) == 0 || zxid <= fake_of(master)->last_proposed;
}

/* A proposal for each session that is touched, a ping for every other one. */
static void touch(struct learner_master *master, int64_t session_id, int32_t timeout_ms)
{
    struct learner_handler *handler = fake_of(master)->handler;
    struct blob *data = blob_new_copy(&timeout_ms, sizeof(timeout_ms));
    learner_handler_put(handler, QP_PROPOSAL, session_id, data);
    if (session_id % 2 == 0)
        learner_handler_ping(handler, session_id);
    blob_unref(data);
}

static void revalidate_session(struct learner_master *master, struct learner_handler *handler, int64_t session_id,
                               int32_t timeout_ms)
{
    (void)master;
    learner_handler_put_revalidation(handler, session_id, timeout_ms > 0);
}

static void submit_learner_request(struct learner_master *master, struct request *request)
{
    assert(request->owner == learner_handler_owner(fake_of(master)->handler));
    assert((request->learner_handler != NULL) == (request->type == OP_SYNC));
    assert(request->payload.size == 0 || request->payload.bytes >= request->chunk->bytes);
    learner_handler_put_prefixed(fake_of(master)->handler, QP_INFORMANDACTIVATE, request->cxid, request->session_id,
                                 request->chunk);
    request_unref(request);
}

static void flush(struct learner_master *master)
{
    learner_handler_wake(fake_of(master)->handler);
}

static void remove_learner_handler(struct learner_master *master, struct learner_handler *handler)
{
    struct fake_master *fake = fake_of(master);
    (void)handler;
    mutex_lock(&fake->lock);
    assert(!fake->is_removed);
    fake->is_removed = true;
    condition_broadcast(&fake->changed);
    mutex_unlock(&fake->lock);
}

#define MASTER_OPS(observers_only) { \
        .is_for_observers_only = (observers_only), .get_epoch_to_propose = get_epoch_to_propose, \
        .wait_for_epoch_ack = wait_for_epoch_ack, .wait_for_new_leader_ack = wait_for_new_leader_ack, \
        .wait_for_startup = wait_for_startup, .last_proposed = last_proposed, .start_forwarding = start_forwarding, \
        .new_leader_verifier = new_leader_verifier, .current_tick = current_tick, .sync_timeout_ms = sync_timeout_ms, \
        .tick_of_next_ack_deadline = tick_of_ack_deadline, .tick_of_initial_ack_deadline = tick_of_ack_deadline, \
        .process_ack = process_ack, .touch = touch, .revalidate_session = revalidate_session, \
        .submit_learner_request = submit_learner_request, .flush = flush, \
        .remove_learner_handler = remove_learner_handler}
static const struct learner_master_ops leader_ops = MASTER_OPS(false), observer_master_ops = MASTER_OPS(true);

/* ---- one learner ---- */

static void wait_until_gone(struct fake_master *fake)
{
    mutex_lock(&fake->lock);
    while (!fake->is_removed)
        condition_wait(&fake->changed, &fake->lock);
    mutex_unlock(&fake->lock);
    mutex_lock(&fake->base.learners.lock);
    assert(list_is_empty(&fake->base.learners.handlers));
    mutex_unlock(&fake->base.learners.lock);
    learner_list_shutdown(&fake->base.learners);
    learner_list_join(&fake->base.learners);
    assert(learner_sync_throttler_in_progress(&fake->base.snap_throttler) == 0);
    assert(learner_sync_throttler_in_progress(&fake->base.diff_throttler) == 0);
}

/* Whole packets; a tree is not looked into. */
static void check_written(const struct buffer *written)
{
    struct fed_stream stream;
    fed_stream_init(&stream, written->bytes, written->size, 0, NULL);
    struct quorum_channel *channel = quorum_channel_new(&stream.stream, 0);
    struct received_packet packet = {0};
    int err;
    while ((err = quorum_channel_read_packet(channel, &packet, NULL)) == ZK_OK && packet.type != QP_SNAP)
        assert(quorum_packet_name(packet.type) != NULL);
    assert(err == ZK_OK || (err == ZK_EOF && stream.at == stream.end));
    received_packet_release(&packet);
    quorum_channel_free(channel);
}

/* Servers are made once: nothing here changes them. */
static struct fed_server *server_of(bool has_little)
{
    static struct fed_server *server;
    static bool is_little;
    if (server != NULL && is_little == has_little)
        return server;
    if (server != NULL)
        fed_server_release(server);
    else
        server = MEMORY_NEW(struct fed_server);
    is_little = has_little;
    fed_server_make(server, has_little ? FED_LITTLE : FED_MUCH, FED_LEADER, true, true);
    return server;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct fed_server *fed = server_of((data[0] & HAS_LITTLE) != 0);
    struct fake_master fake = {.last_proposed = data_tree_last_processed_zxid(zk_database_tree(fed->core->database))};
    struct buffer written = {0};
    struct fed_stream stream;
    struct address peer;
    address_any(1, &peer);
    mutex_init(&fake.lock);
    condition_init(&fake.changed);
    learner_master_init(&fake.base, data[0] & OBSERVERS_ONLY ? &observer_master_ops : &leader_ops, &fed->self,
                        fed->core);
    fed_stream_init(&stream, data + 2, size - 2, data[1], &written);
    bool is_started = learner_handler_start(&fake.base, &stream.stream, &peer);
    assert(is_started);
    (void)is_started;
    wait_until_gone(&fake);
    learner_master_release(&fake.base);
    check_written(&written);
    buffer_release(&written);
    condition_release(&fake.changed);
    mutex_release(&fake.lock);
    return 0;
}
