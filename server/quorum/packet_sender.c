/*
 * packet_sender.c - the queue of packets to a learner, bounded by bytes, and its thread.
 *
 * Mirrors LearnerHandler.sendPackets, queuePacket and packetSize.
 * (1) The bound in bytes is below what the ring can hold, so that no put finds it full.
 * (2) Packets are flushed when none is left to write.
 * (3) Held commits leave in their order: who finds that they are held decides under the lock, and letting them go is
 *     one step under it.
 * Departs from Java: a learner that does not keep up is cut off at a bound, it will sync again; Java queues without
 * end. The packets whose time in the queue is measured, one of a thousand, are not extra elements. No COMMIT goes out
 * between NEWLEADER and UPTODATE.
 */
#include "server/quorum/packet_sender.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/blocking_queue.h"
#include "common/thread/mutex.h"
#include "common/thread/thread.h"

#define PACKET_SIZE 64    /* of one without data, as it counts against the bound */
#define BATCH_SIZE 64
#define MEASURED_OF 1000
#define NS_PER_MS INT64_C(1000000)

struct queued_packet {
    int32_t type;
    bool has_prefix;
    int64_t zxid, prefix;
    struct blob *data;
    int64_t queued_ns;    /* 0: not measured */
};
BLOCKING_QUEUE_OF(packet_queue, struct queued_packet);

struct packet_sender {
    struct quorum_channel *channel;
    struct sync_limit_check *sync_check;
    struct server_metrics *metrics;
    char *name;
    char sid[24];
    struct packet_queue *queue;
    struct thread *thread;
    _Atomic bool is_started, is_cut_off;
    _Atomic int64_t size, limit;    /* bytes */
    _Atomic uint64_t counter;
    _Atomic int64_t sent, last_zxid;
    struct mutex lock;
    _Atomic bool is_holding GUARDED_BY(lock);
    struct queued_packet *held GUARDED_BY(lock);
    size_t held_count GUARDED_BY(lock), held_capacity GUARDED_BY(lock);
};

static int64_t size_of(const struct queued_packet *packet)
{
    return PACKET_SIZE + (packet->data != NULL ? (int64_t)packet->data->size : 0);
}

static int write_packet(struct packet_sender *sender, const struct queued_packet *packet, struct error *error)
{
    uint8_t prefix[8];
    store_be64(prefix, (uint64_t)packet->prefix);
    struct slice before = { .bytes = prefix, .size = packet->has_prefix ? sizeof(prefix) : 0 };
    if (packet->data != NULL)
        return quorum_channel_write_packet_blob(sender->channel, packet->type, packet->zxid, before, packet->data,
                                                error);
    return quorum_channel_write_packet(sender->channel, packet->type, packet->zxid, packet->has_prefix ? &before : NULL,
                                       NULL, error);
}

static int send_packet(struct packet_sender *sender, const struct queued_packet *packet, struct error *error)
{
    if (packet->queued_ns != 0)
        server_metrics_sample_key(sender->metrics, METRIC_LEARNER_HANDLER_QP_TIME, ustring_of(sender->sid),
                                  (clock_elapsed_ns() - packet->queued_ns) / NS_PER_MS);
    if (packet->type == QP_PROPOSAL && sender->sync_check != NULL)
        sync_limit_check_sent(sender->sync_check, packet->zxid, clock_elapsed_ms());
    if (packet->zxid > 0)
        atomic_store_explicit(&sender->last_zxid, packet->zxid, memory_order_relaxed);
    int err = write_packet(sender, packet, error);
    if (err == ZK_OK)
        atomic_fetch_add_explicit(&sender->sent, 1, memory_order_relaxed);
    return err;
}

static void drop(struct packet_sender *sender, struct queued_packet *packet)
{
    atomic_fetch_sub(&sender->size, size_of(packet));
    blob_unref(packet->data);
}

static void sender_run(void *arg)
{
    struct packet_sender *sender = arg;
    struct queued_packet batch[BATCH_SIZE];
    struct error error = { 0 };
    int err = ZK_OK;
    while (err == ZK_OK) {
        size_t count = packet_queue_poll(sender->queue, batch, BATCH_SIZE, 0);
        if (count == 0) {
            err = quorum_channel_flush(sender->channel, &error);    /* (2) */
            count = err == ZK_OK ? packet_queue_take(sender->queue, batch, BATCH_SIZE) : 0;
            if (count == 0)
                break;
        }
        server_metrics_sample_key(sender->metrics, METRIC_LEARNER_HANDLER_QP_SIZE, ustring_of(sender->sid),
                                  (int64_t)(packet_queue_size(sender->queue) + count - 1));
        for (size_t i = 0; i < count; i++) {
            if (err == ZK_OK)
                err = send_packet(sender, &batch[i], &error);
            drop(sender, &batch[i]);
        }
    }
    if (err != ZK_OK && err != ZK_CLOSED)
        log_error("Sending to %s failed: %s", sender->name, error.text);
    quorum_channel_shutdown(sender->channel);    /* the handler notices */
}

static void cut_off(struct packet_sender *sender)
{
    if (atomic_exchange(&sender->is_cut_off, true))
        return;
    log_warn("%s is %" PRId64 " bytes behind, it is cut off and may sync again", sender->name,
             atomic_load(&sender->size));
    quorum_channel_shutdown(sender->channel);
}

static bool is_commit(int32_t type)
{
    return type == QP_COMMIT || type == QP_COMMITANDACTIVATE;
}

/* (3) False when commits are not held any more. */
static bool hold(struct packet_sender *sender, const struct queued_packet *packet)
{
    mutex_lock(&sender->lock);
    bool is_held = atomic_load(&sender->is_holding);
    if (is_held && sender->held_count == sender->held_capacity) {
        sender->held_capacity = sender->held_capacity == 0 ? BATCH_SIZE : sender->held_capacity * 2;
        sender->held = memory_realloc(sender->held, sender->held_capacity * sizeof(*sender->held));
    }
    if (is_held)
        sender->held[sender->held_count++] = *packet;
    mutex_unlock(&sender->lock);
    return is_held;
}

static bool enqueue(struct packet_sender *sender, const struct queued_packet *packet)
{
    if (is_commit(packet->type) && atomic_load(&sender->is_holding) && hold(sender, packet))
        return true;
    return packet_queue_put_quiet(sender->queue, *packet) == ZK_OK;
}

static void put(struct packet_sender *sender, struct queued_packet *packet)
{
    if (atomic_load(&sender->is_cut_off))
        return;
    if (atomic_fetch_add_explicit(&sender->counter, 1, memory_order_relaxed) % MEASURED_OF == 0)
        packet->queued_ns = clock_elapsed_ns();
    if (packet->data != NULL)
        blob_ref(packet->data);
    int64_t size = atomic_fetch_add(&sender->size, size_of(packet)) + size_of(packet);
    bool fits = size <= atomic_load(&sender->limit);
    if (!fits || !enqueue(sender, packet))
        drop(sender, packet);
    if (!fits)
        cut_off(sender);
}

struct packet_sender *packet_sender_new(struct quorum_channel *channel, const char *name,
                                        struct sync_limit_check *sync_check, struct server_metrics *metrics)
{
    struct packet_sender *sender = MEMORY_NEW(struct packet_sender);
    sender->channel = channel;
    sender->sync_check = sync_check;
    sender->metrics = metrics;
    sender->name = string_copy(name);
    sender->queue = packet_queue_new(PACKET_SENDER_LIMIT_CATCHING_UP / PACKET_SIZE + 1);    /* (1) */
    atomic_store(&sender->limit, PACKET_SENDER_LIMIT_CATCHING_UP);
    atomic_store(&sender->last_zxid, -1);
    mutex_init(&sender->lock);
    return sender;
}

void packet_sender_put(struct packet_sender *sender, int32_t type, int64_t zxid, struct blob *data)
{
    put(sender, &(struct queued_packet){ .type = type, .zxid = zxid, .data = data });
}

void packet_sender_put_prefixed(struct packet_sender *sender, int32_t type, int64_t zxid, int64_t prefix,
                                struct blob *data)
{
    put(sender, &(struct queued_packet){
        .type = type, .zxid = zxid, .data = data, .has_prefix = true, .prefix = prefix });
}

void packet_sender_wake(struct packet_sender *sender)
{
    packet_queue_wake(sender->queue);
}

void packet_sender_hold_commits(struct packet_sender *sender)
{
    mutex_lock(&sender->lock);
    atomic_store(&sender->is_holding, true);
    mutex_unlock(&sender->lock);
}

void packet_sender_let_commits_go(struct packet_sender *sender)
{
    mutex_lock(&sender->lock);
    for (size_t i = 0; i < sender->held_count; i++)
        if (packet_queue_put_quiet(sender->queue, sender->held[i]) != ZK_OK)
            drop(sender, &sender->held[i]);
    atomic_store(&sender->is_holding, false);
    memory_free(sender->held);
    sender->held = NULL;
    sender->held_count = sender->held_capacity = 0;
    mutex_unlock(&sender->lock);
}

void packet_sender_caught_up(struct packet_sender *sender)
{
    atomic_store(&sender->limit, PACKET_SENDER_LIMIT);
}

void packet_sender_start(struct packet_sender *sender, int64_t sid)
{
    assert(sender->thread == NULL);
    snprintf(sender->sid, sizeof(sender->sid), "%" PRId64, sid);
    char *name = string_format("Sender-%s", sender->name);
    sender->thread = thread_start(name, sender_run, sender);
    memory_free(name);
    atomic_store(&sender->is_started, true);
}

bool packet_sender_is_started(const struct packet_sender *sender)
{
    return atomic_load(&sender->is_started);
}

void packet_sender_stop(struct packet_sender *sender)
{
    if (sender == NULL)
        return;
    packet_queue_close(sender->queue);
    thread_join(sender->thread);
    struct queued_packet packet;
    while (packet_queue_take(sender->queue, &packet, 1) > 0)
        drop(sender, &packet);
    packet_sender_let_commits_go(sender);    /* nowhere: the queue is closed */
    packet_queue_free(sender->queue);
    mutex_release(&sender->lock);
    memory_free(sender->name);
    memory_free(sender);
}

size_t packet_sender_queued(struct packet_sender *sender)
{
    return packet_queue_size(sender->queue);
}

int64_t packet_sender_queued_size(const struct packet_sender *sender)
{
    return atomic_load(&sender->size);
}

int64_t packet_sender_sent(const struct packet_sender *sender)
{
    return atomic_load_explicit(&sender->sent, memory_order_relaxed);
}

int64_t packet_sender_last_zxid(const struct packet_sender *sender)
{
    return atomic_load_explicit(&sender->last_zxid, memory_order_relaxed);
}

void packet_sender_reset_stats(struct packet_sender *sender)
{
    atomic_store_explicit(&sender->sent, 0, memory_order_relaxed);
    atomic_store_explicit(&sender->last_zxid, -1, memory_order_relaxed);
}
