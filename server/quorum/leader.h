/*
 * Leading: epoch agreement, proposals, acks, commits, learners. Mirrors quorum.Leader. leader_lead() runs on
 * QuorumPeer's thread; LearnerCnxAcceptor, LearnerHandlers and their Senders beside it.
 *
 * Lock order: committed_log -> leader -> learner list -> Q8. Whoever completes a quorum hands out the commit under the
 * lock, so that COMMITs leave, and requests reach the commit processor, in the order of zxids.
 */
#ifndef ZKC_SERVER_QUORUM_LEADER_H
#define ZKC_SERVER_QUORUM_LEADER_H

#include "server/quorum/flexible/synced_learner_tracker.h"
#include "server/quorum/quorum_self.h"
#include "server/zookeeper_server.h"

struct leader;
/* Binds the port for learners; ZK_IO names the address. Self and server are borrowed. */
int leader_new(struct quorum_self *self, struct zookeeper_server *server, struct leader **ret_leader,
               struct error *error);
/* lead(): until leadership ends, for whatever reason; the reason is in `error` and logged. QuorumPeer's thread. */
int leader_lead(struct leader *leader, struct error *error);
/* Ends lead() from any thread: nobody is proposed to any more. The first reason counts. */
void leader_shutdown(struct leader *leader, const char *reason);
/* After lead() has returned: handlers and acceptor are joined, the server's role is taken down. */
void leader_close(struct leader *leader);
void leader_free(struct leader *leader);

/* ---- for the processors of its chain ---- */
/*
 * propose(): numbers are prep's; a PROPOSAL goes to every follower in sync. Takes references of its own. False:
 * leadership ends (zxid counter rolled over, leader is coming down), nothing was proposed. ProcessThread only. Senders
 * are woken by leader_flush().
 */
bool leader_propose(struct leader *leader, struct request *request);
void leader_flush(struct leader *leader);
/* processAck; AckRequestProcessor calls it for this server. Any thread; leader_flush() after it. False: that was never
 * proposed. */
bool leader_process_ack(struct leader *leader, int64_t sid, int64_t zxid);
/* processSync: answered once everything proposed so far is committed. Takes the reference. ProcessThread. */
void leader_process_sync(struct leader *leader, struct request *request);
/* ToBeAppliedRequestProcessor: the tree has it. */
void leader_request_applied(struct leader *leader, int64_t zxid);
int64_t leader_last_proposed(struct leader *leader);
int64_t leader_last_committed(struct leader *leader);

/* ---- questions of words and metrics; any thread ---- */
size_t leader_learner_count(struct leader *leader);
int64_t leader_uptime_ms(struct leader *leader);    /* since it serves; 0 before */
size_t leader_synced_follower_count(struct leader *leader);
size_t leader_synced_observer_count(struct leader *leader);
size_t leader_synced_non_voting_follower_count(struct leader *leader);
size_t leader_pending_sync_count(struct leader *leader);
size_t leader_proposal_count(struct leader *leader);    /* outstanding */
/* Proposal sizes as `stat` and mntr print them (BufferStats): -1 before the first. */
void leader_proposal_sizes(struct leader *leader, int32_t *ret_last, int32_t *ret_min, int32_t *ret_max);
void leader_reset_proposal_sizes(struct leader *leader);
bool leader_is_quorum_synced(struct leader *leader, struct quorum_verifier *verifier);    /* for reconfig */

/* ---- for the election; any thread ---- */
/* setLeadingVoteSet: who voted for this server; copied. */
void leader_set_vote_set(struct leader *leader, const struct synced_learner_tracker *vote_set);
/* reportLookingSid: this one looks for a leader (again). */
void leader_report_looking_sid(struct leader *leader, int64_t sid);

#endif
