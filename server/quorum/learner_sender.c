/*
 * learner_sender.c - a queue of packets and the thread that writes them.
 *
 * Mirrors org.apache.zookeeper.server.quorum.LearnerSender. What is taken in one go is flushed in one go. A write that
 * fails shuts the channel down: the reader notices, and ends the role.
 */
#include "server/quorum/learner_sender.h"

#include <inttypes.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/blocking_queue.h"
#include "common/thread/thread.h"

#define QUEUED_BOUND 8192
#define BATCH_SIZE 64

struct outgoing {
    int32_t type;
    int64_t zxid;
    struct blob *data;           /* NULL: null */
    struct auth_info *ids;       /* NULL: null */
};
BLOCKING_QUEUE_OF(outgoing_queue, struct outgoing);

struct learner_sender {
    struct quorum_channel *channel;
    struct outgoing_queue *queued;
    struct thread *thread;
};

static void drop(struct outgoing *packet)
{
    blob_unref(packet->data);
    auth_info_unref(packet->ids);
}

static int write_one(struct learner_sender *sender, const struct outgoing *packet, struct error *error)
{
    struct slice data = {NULL, 0};
    if (packet->data != NULL)
        data = (struct slice){packet->data->bytes, packet->data->size};
    return quorum_channel_write_packet(sender->channel, packet->type, packet->zxid, packet->data == NULL ? NULL : &data,
                                       packet->ids == NULL ? NULL : &packet->ids->ids, error);
}

static void sender_run(void *arg)
{
    struct learner_sender *sender = arg;
    struct outgoing batch[BATCH_SIZE];
    struct error error = {0};
    int err = ZK_OK;
    size_t count;
    while ((count = outgoing_queue_take(sender->queued, batch, BATCH_SIZE)) > 0) {
        for (size_t i = 0; i < count; i++) {
            if (err == ZK_OK)
                err = write_one(sender, &batch[i], &error);
            drop(&batch[i]);
        }
        if (err == ZK_OK && outgoing_queue_size(sender->queued) == 0)
            err = quorum_channel_flush(sender->channel, &error);
        if (err != ZK_OK && !quorum_channel_is_shut_down(sender->channel)) {
            log_warn("Cannot send to the leader: %s", error.text);
            quorum_channel_shutdown(sender->channel);
        }
    }
    log_info("LearnerSender exited");
}

struct learner_sender *learner_sender_start(int64_t sid, struct quorum_channel *channel)
{
    struct learner_sender *sender = MEMORY_NEW(struct learner_sender);
    sender->channel = channel;
    sender->queued = outgoing_queue_new(QUEUED_BOUND);
    char *name = string_format("LearnerSender:%" PRId64, sid);
    sender->thread = thread_start(name, sender_run, sender);
    memory_free(name);
    return sender;
}

void learner_sender_queue(struct learner_sender *sender, int32_t type, int64_t zxid, const struct slice *data,
                          struct auth_info *ids)
{
    struct outgoing packet = {
        .type = type,
        .zxid = zxid,
        .data = data == NULL ? NULL : blob_new_copy(data->bytes, data->size),
        .ids = ids == NULL ? NULL : auth_info_ref(ids),
    };
    if (outgoing_queue_put(sender->queued, packet) != ZK_OK)
        drop(&packet);    /* the role is coming down */
}

void learner_sender_stop(struct learner_sender *sender)
{
    if (sender == NULL)
        return;
    outgoing_queue_close(sender->queued);
    thread_join(sender->thread);
    outgoing_queue_free(sender->queued);
    memory_free(sender);
}
