/*
 * Sends to the leader from a thread of its own, so that no processor waits for the network. Mirrors LearnerSender;
 * thread "LearnerSender:<sid>"; only where learner.asyncSending is set.
 */
#ifndef ZKC_SERVER_QUORUM_LEARNER_SENDER_H
#define ZKC_SERVER_QUORUM_LEARNER_SENDER_H

#include "server/auth/auth_info.h"
#include "server/quorum/quorum_packet.h"

struct learner_sender;
/* The channel is borrowed; nobody else writes to it from now on. */
struct learner_sender *learner_sender_start(int64_t sid, struct quorum_channel *channel);
/* Waits while very much is queued. Data is copied, ids are referenced (NULL: none). Flushed when nothing more waits. */
void learner_sender_queue(struct learner_sender *sender, int32_t type, int64_t zxid, const struct slice *data,
                          struct auth_info *ids);
/* After quorum_channel_shutdown(): drops what waits, joins, frees. NULL is accepted. */
void learner_sender_stop(struct learner_sender *sender);

#endif
