/*
 * The last packets of a connection, for the log when it ends. Mirrors util.MessageTracker; off unless
 * zookeeper.messageTracker.Enabled. Any thread.
 */
#ifndef ZKC_SERVER_QUORUM_MESSAGE_TRACKER_H
#define ZKC_SERVER_QUORUM_MESSAGE_TRACKER_H

#include <stddef.h>
#include <stdint.h>

struct message_tracker;
/* Keeps `size` types and times each way; `peer` is for log lines. */
struct message_tracker *message_tracker_new(size_t size, const char *peer);
void message_tracker_free(struct message_tracker *tracker);    /* NULL is accepted */
void message_tracker_sent(struct message_tracker *tracker, int32_t type);
void message_tracker_received(struct message_tracker *tracker, int32_t type);
/* Java's lines, received first, oldest first; what was told is forgotten. */
void message_tracker_dump(struct message_tracker *tracker);

#endif
