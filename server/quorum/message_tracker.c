/* message_tracker.c - two rings of packet types and times. Mirrors util.MessageTracker and CircularBuffer. */
#include "server/quorum/message_tracker.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/mutex.h"
#include "server/quorum/quorum_packet.h"

struct tracked_message {
    int64_t wall_ms;
    int32_t type;
};
struct message_ring {
    struct tracked_message *messages;
    size_t count, next;    /* in it; where the next one goes */
};

struct message_tracker {
    char *peer;
    size_t size;
    struct mutex lock;
    struct message_ring sent GUARDED_BY(lock), received GUARDED_BY(lock);
};

struct message_tracker *message_tracker_new(size_t size, const char *peer)
{
    struct message_tracker *tracker = MEMORY_NEW(struct message_tracker);
    tracker->peer = string_copy(peer);
    tracker->size = size;
    tracker->sent.messages = MEMORY_NEW_ARRAY(size, struct tracked_message);
    tracker->received.messages = MEMORY_NEW_ARRAY(size, struct tracked_message);
    mutex_init(&tracker->lock);
    return tracker;
}

void message_tracker_free(struct message_tracker *tracker)
{
    if (tracker == NULL)
        return;
    mutex_release(&tracker->lock);
    memory_free(tracker->sent.messages);
    memory_free(tracker->received.messages);
    memory_free(tracker->peer);
    memory_free(tracker);
}

static void track(struct message_tracker *tracker, struct message_ring *ring, int32_t type)
{
    mutex_lock(&tracker->lock);
    ring->messages[ring->next] = (struct tracked_message){.wall_ms = clock_wall_ms(), .type = type};
    ring->next = (ring->next + 1) % tracker->size;
    if (ring->count < tracker->size)
        ring->count++;
    mutex_unlock(&tracker->lock);
}

void message_tracker_sent(struct message_tracker *tracker, int32_t type)
{
    track(tracker, &tracker->sent, type);
}

void message_tracker_received(struct message_tracker *tracker, int32_t type)
{
    track(tracker, &tracker->received, type);
}

static void tell(const struct message_tracker *tracker, struct message_ring *ring, const char *way)
{
    if (ring->count == 0) {
        log_info("No buffered timestamps for messages %s %s", way, tracker->peer);
        return;
    }
    log_warn("Last %zu timestamps for messages %s %s:", ring->count, way, tracker->peer);
    for (; ring->count > 0; ring->count--) {
        size_t oldest = (ring->next + tracker->size - ring->count) % tracker->size;
        const struct tracked_message *message = &ring->messages[oldest];
        const char *name = quorum_packet_name(message->type);
        struct tm time;
        char text[32];
        clock_local_time(message->wall_ms, &time);
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &time);
        log_warn("%s %s  TimeStamp: %s,%03d Type: %s", way, tracker->peer, text, (int)(message->wall_ms % 1000),
                 name != NULL ? name : "UNKNOWN");
    }
}

void message_tracker_dump(struct message_tracker *tracker)
{
    mutex_lock(&tracker->lock);
    tell(tracker, &tracker->received, "receivedBuffer from");
    tell(tracker, &tracker->sent, "sentBuffer to");
    mutex_unlock(&tracker->lock);
}
