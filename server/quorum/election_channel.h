/*
 * One connection to a peer for elections, and what waits to be sent to that peer. Mirrors QuorumCnxManager.SendWorker
 * and RecvWorker, and queueSendMap with lastMessageSent for one peer.
 */
#ifndef ZKC_SERVER_QUORUM_ELECTION_CHANNEL_H
#define ZKC_SERVER_QUORUM_ELECTION_CHANNEL_H

#include "common/base/blob.h"
#include "common/thread/mutex.h"

/* Q9: room for one message, a newer one displaces it. Outlives the connections of its peer. Any thread. */
struct election_outbox {
    struct mutex lock;
    struct condition changed;
    struct blob *waiting GUARDED_BY(lock);
    struct blob *last_sent GUARDED_BY(lock);
};
void election_outbox_init(struct election_outbox *outbox);
void election_outbox_release(struct election_outbox *outbox);
void election_outbox_put(struct election_outbox *outbox, struct blob *message);    /* takes the reference */
bool election_outbox_is_empty(struct election_outbox *outbox);

struct election_channel;
struct election_channel_events {
    /* A message arrived; the reference is the owner's. RecvWorker. */
    void (*received)(void *owner, int64_t sid, struct blob *message);
    /* It carries nothing any more. From each of its threads as it leaves; no lock is held. */
    void (*ended)(void *owner, struct election_channel *channel);
};
/* Takes the socket over; starts nothing yet. A write that the peer does not take in send_timeout_ms ends it. */
struct election_channel *election_channel_new(int fd, int64_t my_id, int64_t sid, struct election_outbox *outbox,
                                              int64_t send_timeout_ms, const struct election_channel_events *events,
                                              void *owner);
/* Threads "SendWorker:<sid>", which begins with the last message if nothing newer waits, and "RecvWorker:<sid>". */
void election_channel_start(struct election_channel *channel);
int64_t election_channel_sid(const struct election_channel *channel);
int election_channel_fd(const struct election_channel *channel);
/* Any thread, any number of times: both threads leave soon. Does not wait. */
void election_channel_finish(struct election_channel *channel);
/* Both have left, or were never started: free() does not wait. */
bool election_channel_is_over(struct election_channel *channel);
/* Joins both, closes the socket. Not from one of the two. */
void election_channel_free(struct election_channel *channel);

#endif
