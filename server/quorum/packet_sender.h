/*
 * Packets to one learner (Q8) and the thread "Sender-<addr>" that writes them. Mirrors LearnerHandler.queuedPackets and
 * sendPackets. Putting never waits: a learner that is too far behind, in bytes, is cut off.
 */
#ifndef ZKC_SERVER_QUORUM_PACKET_SENDER_H
#define ZKC_SERVER_QUORUM_PACKET_SENDER_H

#include "server/metric/server_metrics.h"
#include "server/quorum/quorum_packet.h"
#include "server/quorum/sync_limit_check.h"

#define PACKET_SENDER_LIMIT ((int64_t)64 << 20)              /* bytes */
#define PACKET_SENDER_LIMIT_CATCHING_UP ((int64_t)1 << 30)

struct packet_sender;
/* No thread yet. The channel is borrowed; `name` is for log lines, `sync_check` (borrowed, may be NULL) is told of each
 * PROPOSAL that leaves. A learner that catches up may be PACKET_SENDER_LIMIT_CATCHING_UP behind. */
struct packet_sender *packet_sender_new(struct quorum_channel *channel, const char *name,
                                        struct sync_limit_check *sync_check, struct server_metrics *metrics);
/* Queued, not yet woken. `data` (NULL: null) is referenced. Any thread; never waits. */
void packet_sender_put(struct packet_sender *sender, int32_t type, int64_t zxid, struct blob *data);
/* Eight bytes in front of the data: INFORMANDACTIVATE. */
void packet_sender_put_prefixed(struct packet_sender *sender, int32_t type, int64_t zxid, int64_t prefix,
                                struct blob *data);
/* COMMIT and COMMITANDACTIVATE wait from now on, whatever else is put overtakes them, until they are let go: a Java
 * learner does not survive a commit, between NEWLEADER and UPTODATE, of what was proposed before NEWLEADER (4394). */
void packet_sender_hold_commits(struct packet_sender *sender);
void packet_sender_let_commits_go(struct packet_sender *sender);
void packet_sender_wake(struct packet_sender *sender);
/* It has caught up: PACKET_SENDER_LIMIT holds from now on. */
void packet_sender_caught_up(struct packet_sender *sender);
/* From now on the sender's thread alone writes to the channel. `sid` is for metrics. */
void packet_sender_start(struct packet_sender *sender, int64_t sid);
bool packet_sender_is_started(const struct packet_sender *sender);
/* After the channel was shut down: joined and freed with what was queued. NULL is accepted. */
void packet_sender_stop(struct packet_sender *sender);

size_t packet_sender_queued(struct packet_sender *sender);          /* packets */
int64_t packet_sender_queued_size(const struct packet_sender *sender);    /* bytes */
int64_t packet_sender_sent(const struct packet_sender *sender);     /* packets */
int64_t packet_sender_last_zxid(const struct packet_sender *sender);      /* of the last packet with one; -1 */
void packet_sender_reset_stats(struct packet_sender *sender);

#endif
