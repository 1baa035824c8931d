/*
 * election_channel.c - SendWorker:n and RecvWorker:n.
 *
 * (1) A message is last_sent before its first byte leaves, so that the next channel of the peer can repeat it: a peer
 *     that restarts while we wait up to a minute for its vote would otherwise hear nothing;
 * (2) whoever finds the link broken finishes both threads; the socket is closed only when both are joined.
 * SendWorker sleeps in the outbox, RecvWorker in the socket; finish() wakes both.
 */
#include "server/quorum/election_channel.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/socket.h"
#include "common/thread/thread.h"
#include "server/quorum/election_message.h"

struct election_channel {
    int fd;
    int64_t my_id, sid, send_timeout_ms;
    struct election_outbox *outbox;
    const struct election_channel_events *events;
    void *owner;
    _Atomic bool is_finished;
    _Atomic int running;    /* threads that have not left */
    struct thread *sender, *receiver;
};

static void put_length(uint8_t bytes[4], uint32_t length)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(length >> (24 - 8 * i));
}

static int send_message(struct election_channel *channel, const struct blob *message)
{
    struct buffer frame = {0};
    put_length(buffer_extend(&frame, 4), message->size);
    buffer_append(&frame, message->bytes, message->size);
    int err = socket_send_all(channel->fd, frame.bytes, frame.size, clock_elapsed_ms() + channel->send_timeout_ms);
    buffer_release(&frame);
    return err;
}

/* What the peer may have missed: the last message, if nothing newer waits. A reference, or NULL. */
static struct blob *message_to_repeat(struct election_outbox *outbox)
{
    mutex_lock(&outbox->lock);
    struct blob *message = outbox->waiting == NULL && outbox->last_sent != NULL ? blob_ref(outbox->last_sent) : NULL;
    mutex_unlock(&outbox->lock);
    return message;
}

/* Waits for one. A reference, or NULL when the channel is finished. */
static struct blob *next_message(struct election_channel *channel)
{
    struct election_outbox *outbox = channel->outbox;
    struct blob *message = NULL;
    mutex_lock(&outbox->lock);
    while (outbox->waiting == NULL && !atomic_load(&channel->is_finished))
        condition_wait(&outbox->changed, &outbox->lock);
    if (!atomic_load(&channel->is_finished)) {
        message = outbox->waiting;
        outbox->waiting = NULL;
        blob_unref(outbox->last_sent);
        outbox->last_sent = blob_ref(message);
    }
    mutex_unlock(&outbox->lock);
    return message;
}

/* The end of a thread: the other one goes too. */
static void leave(struct election_channel *channel)
{
    election_channel_finish(channel);
    channel->events->ended(channel->owner, channel);
    atomic_fetch_sub(&channel->running, 1);
}

static void send_run(void *arg)
{
    struct election_channel *channel = arg;
    int err = ZK_OK;
    struct blob *message = message_to_repeat(channel->outbox);
    if (message == NULL)
        message = next_message(channel);
    while (message != NULL && err == ZK_OK) {
        err = send_message(channel, message);
        blob_unref(message);
        message = err == ZK_OK ? next_message(channel) : NULL;
    }
    if (err != ZK_OK && !atomic_load(&channel->is_finished))
        log_warn("Exception when using channel: for id %" PRId64 " my id = %" PRId64 ": %s", channel->sid,
                 channel->my_id, error_sentence(err));
    log_debug("Send worker leaving thread id %" PRId64 " my id = %" PRId64, channel->sid, channel->my_id);
    leave(channel);
}

static int receive_message(struct election_channel *channel, struct error *error)
{
    uint8_t head[4];
    int err = socket_receive_all(channel->fd, head, sizeof(head), INT64_MAX);
    if (err != ZK_OK)
        return error_set(error, err, "%s", error_sentence(err));
    uint32_t length = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
    if (length == 0 || length > ELECTION_MESSAGE_LIMIT)
        return error_set(error, ZK_MARSHALLING_ERROR, "Received packet with invalid packet: %" PRId32,
                         (int32_t)length);
    struct blob *message = blob_new(length);
    err = socket_receive_all(channel->fd, message->bytes, length, INT64_MAX);
    if (err != ZK_OK) {
        blob_unref(message);
        return error_set(error, err, "%s in the middle of a message", error_sentence(err));
    }
    channel->events->received(channel->owner, channel->sid, message);
    return ZK_OK;
}

static void receive_run(void *arg)
{
    struct election_channel *channel = arg;
    struct error error = {0};
    int err = ZK_OK;
    while (err == ZK_OK && !atomic_load(&channel->is_finished))
        err = receive_message(channel, &error);
    if (!atomic_load(&channel->is_finished))
        log_warn("Connection broken for id %" PRId64 ", my id = %" PRId64 ": %s", channel->sid, channel->my_id,
                 error.text);
    leave(channel);
}

static struct thread *start_worker(struct election_channel *channel, const char *kind, void (*run)(void *arg))
{
    char *name = string_format("%s:%" PRId64, kind, channel->sid);
    struct thread *thread = thread_start(name, run, channel);
    memory_free(name);
    return thread;
}

void election_outbox_init(struct election_outbox *outbox)
{
    *outbox = (struct election_outbox){0};
    mutex_init(&outbox->lock);
    condition_init(&outbox->changed);
}

void election_outbox_release(struct election_outbox *outbox)
{
    blob_unref(outbox->waiting);
    blob_unref(outbox->last_sent);
    condition_release(&outbox->changed);
    mutex_release(&outbox->lock);
}

void election_outbox_put(struct election_outbox *outbox, struct blob *message)
{
    mutex_lock(&outbox->lock);
    struct blob *displaced = outbox->waiting;
    outbox->waiting = message;
    condition_broadcast(&outbox->changed);
    mutex_unlock(&outbox->lock);
    blob_unref(displaced);
}

bool election_outbox_is_empty(struct election_outbox *outbox)
{
    mutex_lock(&outbox->lock);
    bool is_empty = outbox->waiting == NULL;
    mutex_unlock(&outbox->lock);
    return is_empty;
}

struct election_channel *election_channel_new(int fd, int64_t my_id, int64_t sid, struct election_outbox *outbox,
                                              int64_t send_timeout_ms, const struct election_channel_events *events,
                                              void *owner)
{
    struct election_channel *channel = MEMORY_NEW(struct election_channel);
    channel->fd = fd;
    channel->my_id = my_id;
    channel->sid = sid;
    channel->outbox = outbox;
    channel->send_timeout_ms = send_timeout_ms;
    channel->events = events;
    channel->owner = owner;
    return channel;
}

void election_channel_start(struct election_channel *channel)
{
    atomic_store(&channel->running, 2);
    channel->sender = start_worker(channel, "SendWorker", send_run);
    channel->receiver = start_worker(channel, "RecvWorker", receive_run);
}

int64_t election_channel_sid(const struct election_channel *channel)
{
    return channel->sid;
}

int election_channel_fd(const struct election_channel *channel)
{
    return channel->fd;
}

void election_channel_finish(struct election_channel *channel)
{
    mutex_lock(&channel->outbox->lock);
    atomic_store(&channel->is_finished, true);
    condition_broadcast(&channel->outbox->changed);
    mutex_unlock(&channel->outbox->lock);
    socket_shutdown(channel->fd);
}

bool election_channel_is_over(struct election_channel *channel)
{
    return atomic_load(&channel->running) == 0;
}

void election_channel_free(struct election_channel *channel)
{
    if (channel == NULL)
        return;
    election_channel_finish(channel);
    thread_join(channel->sender);
    thread_join(channel->receiver);
    socket_close(channel->fd);
    memory_free(channel);
}
