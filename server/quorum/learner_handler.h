/*
 * One learner: registering, catching up, then its packets. Mirrors LearnerHandler; thread "LearnerHandler-<addr>".
 * Lives as long as its connection; whoever else has to do with it finds it in its master's list, under the list's lock.
 */
#ifndef ZKC_SERVER_QUORUM_LEARNER_HANDLER_H
#define ZKC_SERVER_QUORUM_LEARNER_HANDLER_H

#include "common/net/stream.h"
#include "server/quorum/learner_master.h"
#include "server/quorum/quorum_packet.h"

/* Takes the stream over. False (and it is closed): the master is coming down, or has too many. */
bool learner_handler_start(struct learner_master *master, struct stream *stream, const struct address *peer);
/* An element of the master's list. */
struct learner_handler *learner_handler_of(struct list *link);

/* ---- under the list's lock, or on its own thread ---- */
/* Its number in place of its address: never used again, so what outlives it means nobody. As an owner of sessions. */
const void *learner_handler_owner(const struct learner_handler *handler);
/* The handler of this owner, or NULL when it is gone. */
struct learner_handler *learner_handler_find(struct learner_list *list, const void *owner);
/* False before it told who it is. */
bool learner_handler_sid(const struct learner_handler *handler, int64_t *ret_sid);
enum learner_type learner_handler_type(const struct learner_handler *handler);
/* In time with its acks and answers to pings. */
bool learner_handler_is_synced(const struct learner_handler *handler);
/* Gets every proposal (a follower), or everything that is committed (an observer). */
bool learner_handler_is_forwarding(const struct learner_handler *handler);
bool learner_handler_is_observing(const struct learner_handler *handler);
void learner_handler_begin_forwarding(struct learner_handler *handler);
/* Q8; woken by _wake(). Never waits. `data` (NULL: null) is referenced. */
void learner_handler_put(struct learner_handler *handler, int32_t type, int64_t zxid, struct blob *data);
void learner_handler_put_prefixed(struct learner_handler *handler, int32_t type, int64_t zxid, int64_t prefix,
                                  struct blob *data);
void learner_handler_wake(struct learner_handler *handler);
/* The answer to REVALIDATE. */
void learner_handler_put_revalidation(struct learner_handler *handler, int64_t session_id, bool is_valid);
/* A PING with the last zxid proposed; a learner that owes the ack of a proposal for too long is cut off instead. */
void learner_handler_ping(struct learner_handler *handler, int64_t last_proposed);
/* Ends it: its connection is closed. */
void learner_handler_shutdown(struct learner_handler *handler);

/* getLearnerHandlerInfo */
struct learner_handler_info {
    char address[ADDRESS_TEXT_SIZE];
    int64_t sid;
    int64_t established_wall_ms;
    size_t queued_packets;
    int64_t queued_packets_size;    /* bytes */
    int64_t packets_received, packets_sent, requests;
    int64_t last_zxid;
};
void learner_handler_get_info(struct learner_handler *handler, struct learner_handler_info *ret_info);
void learner_handler_reset_stats(struct learner_handler *handler);

#endif
