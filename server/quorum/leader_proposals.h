/*
 * What is proposed, acked, committed, and in what order. Mirrors outstandingProposals, toBeApplied, pendingSyncs,
 * lastCommitted, tryToCommit and getDesignatedLeader of Leader. Without threads; the leader's lock guards it.
 *
 *   propose --> [ outstanding, by zxid ] -- quorum --> [ to be applied ] -- applied --> gone
 */
#ifndef ZKC_SERVER_QUORUM_LEADER_PROPOSALS_H
#define ZKC_SERVER_QUORUM_LEADER_PROPOSALS_H

#include "server/quorum/flexible/synced_learner_tracker.h"
#include "server/request/request.h"

struct proposal {
    int64_t zxid;
    struct request *request;                /* a reference */
    struct synced_learner_tracker acks;
    struct request **syncs;                 /* asked for while this one was the last; a reference each */
    size_t sync_count, sync_taken, sync_capacity;
};

struct leader_proposals {
    int64_t self_id;
    int64_t last_proposed, last_committed;
    bool is_allowed_to_commit;              /* false once a reconfiguration made another the leader */
    /* One ring, zxids without a gap: first what is committed but not applied, then what is outstanding. */
    struct proposal **ring;
    size_t first, count, committed, capacity;
};
void leader_proposals_init(struct leader_proposals *proposals, int64_t self_id);
void leader_proposals_release(struct leader_proposals *proposals);
/* Before the first proposal: the zxid of NEWLEADER. */
void leader_proposals_begin(struct leader_proposals *proposals, int64_t zxid);

/* Takes references to request and verifiers. `next` is the configuration that was proposed but is not committed yet
 * (the request's own, if it is a reconfiguration), or NULL: then both must ack. */
void leader_proposals_propose(struct leader_proposals *proposals, struct request *request,
                              struct quorum_verifier *verifier, struct quorum_verifier *next);

enum proposal_ack {
    PROPOSAL_ACK_COUNTED,     /* ask leader_proposals_ready() */
    PROPOSAL_ACK_LATE,        /* committed already, or of NEWLEADER, or of another leader's time */
    PROPOSAL_ACK_UNKNOWN      /* of what was never proposed */
};
enum proposal_ack leader_proposals_ack(struct leader_proposals *proposals, int64_t sid, int64_t zxid);
const struct proposal *leader_proposals_find(const struct leader_proposals *proposals, int64_t zxid); /* outstanding */
/* The oldest outstanding proposal if it has its quorums; NULL when there is none, or no more may be committed. */
struct proposal *leader_proposals_ready(const struct leader_proposals *proposals);
/* The one that is ready is committed from now on, and to be applied; good until it is. Then ask again. */
void leader_proposals_commit(struct leader_proposals *proposals);
/* A reconfiguration made another server the leader: nothing is committed here any more. */
void leader_proposals_end_commits(struct leader_proposals *proposals);
bool proposal_is_reconfig(const struct proposal *proposal);
/* The configuration that a reconfiguration activates. */
struct quorum_verifier *proposal_new_verifier(const struct proposal *proposal);
/*
 * getDesignatedLeader: who leads once this reconfiguration is committed, or NEWLEADER is acked. This
 * server if it is fit (a voter of the new configuration under its present address), otherwise the voter that acked it
 * and then the most of what is outstanding. `acks`: who acked it in the new configuration.
 */
int64_t leader_proposals_designate(const struct leader_proposals *proposals, const struct sid_set *acks,
                                   bool is_self_fit);
/* Who acked a reconfiguration in the configuration that it activates. */
const struct sid_set *proposal_new_acks(const struct proposal *proposal);

/* A sync: false when nothing is outstanding, it may be answered now and is still the caller's; else it is kept. */
bool leader_proposals_sync(struct leader_proposals *proposals, struct request *request);
/* The syncs that waited for this proposal, one after the other, the reference with it; NULL: no more. */
struct request *proposal_take_sync(struct proposal *proposal);

/* The tree has it: false when it is not the next that was to be applied. */
bool leader_proposals_applied(struct leader_proposals *proposals, int64_t zxid);

size_t leader_proposals_outstanding_count(const struct leader_proposals *proposals);
size_t leader_proposals_to_be_applied_count(const struct leader_proposals *proposals);
size_t leader_proposals_pending_sync_count(const struct leader_proposals *proposals);    /* zxids with syncs */
/* All of them from the oldest; those below to_be_applied_count() are committed. */
const struct proposal *leader_proposals_at(const struct leader_proposals *proposals, size_t index);

#endif
