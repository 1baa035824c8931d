/*
 * leader_proposals.c - the ring of proposals between prep and the tree.
 *
 * Mirrors Leader.propose, processAck, tryToCommit, processSync, getDesignatedLeader and ToBeAppliedRequestProcessor, as
 * far as they decide and do not send.
 * (1) zxids in the ring rise by one;
 * (2) a proposal is committed after the one before it, and with a quorum of each configuration it was proposed under;
 * (3) after a commit that makes another server the leader nothing is committed here.
 * Departs from Java: after every commit the next one is looked at, so that an ack that came early cannot leave a
 * proposal behind that has its quorum; Java does so after a reconfiguration only.
 */
#include "server/quorum/leader_proposals.h"

#include <assert.h>
#include <inttypes.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/wire/op_code.h"
#include "common/wire/zxid.h"

#define FIRST_CAPACITY 64

static struct proposal *at(const struct leader_proposals *proposals, size_t index)
{
    assert(index < proposals->count);
    return proposals->ring[(proposals->first + index) % proposals->capacity];
}

static void append(struct leader_proposals *proposals, struct proposal *proposal)
{
    if (proposals->count == proposals->capacity) {
        size_t capacity = proposals->capacity > 0 ? 2 * proposals->capacity : FIRST_CAPACITY;
        struct proposal **ring = MEMORY_NEW_ARRAY(capacity, struct proposal *);
        for (size_t i = 0; i < proposals->count; i++)
            ring[i] = at(proposals, i);
        memory_free(proposals->ring);
        proposals->ring = ring;
        proposals->first = 0;
        proposals->capacity = capacity;
    }
    proposals->ring[(proposals->first + proposals->count++) % proposals->capacity] = proposal;
}

static void proposal_free(struct proposal *proposal)
{
    struct request *sync;
    while ((sync = proposal_take_sync(proposal)) != NULL)
        request_unref(sync);
    memory_free(proposal->syncs);
    synced_learner_tracker_release(&proposal->acks);
    request_unref(proposal->request);
    memory_free(proposal);
}

static void drop_first(struct leader_proposals *proposals)
{
    proposal_free(at(proposals, 0));
    proposals->first = (proposals->first + 1) % proposals->capacity;
    proposals->count--;
    if (proposals->committed > 0)
        proposals->committed--;
}

/* The outstanding proposal with this zxid, or NULL. */
static struct proposal *find(const struct leader_proposals *proposals, int64_t zxid)
{
    if (proposals->committed == proposals->count)
        return NULL;
    int64_t first = at(proposals, proposals->committed)->zxid;
    if (zxid < first || (uint64_t)(zxid - first) >= proposals->count - proposals->committed)
        return NULL;
    return at(proposals, proposals->committed + (size_t)(zxid - first));
}

static void keep_only(struct sid_set *candidates, const struct sid_set *acks)
{
    for (size_t i = candidates->count; i-- > 0;) {
        if (!sid_set_contains(acks, candidates->ids[i]))
            sid_set_remove(candidates, candidates->ids[i]);
    }
}

/* Of `candidates` (not empty) the one that acked the most of what is outstanding, in order. */
static int64_t best_candidate(const struct leader_proposals *proposals, struct sid_set *candidates)
{
    int64_t best = candidates->ids[0];
    for (size_t i = proposals->committed; i < proposals->count; i++) {
        const struct proposal *proposal = at(proposals, i);
        for (size_t j = 0; j < proposal->acks.count; j++) {
            keep_only(candidates, &proposal->acks.pairs[j].acks);
            if (candidates->count == 0)
                return best;
            best = candidates->ids[0];
        }
    }
    return best;
}

void leader_proposals_init(struct leader_proposals *proposals, int64_t self_id)
{
    *proposals = (struct leader_proposals){ .self_id = self_id, .last_committed = -1, .is_allowed_to_commit = true };
}

void leader_proposals_release(struct leader_proposals *proposals)
{
    while (proposals->count > 0)
        drop_first(proposals);
    memory_free(proposals->ring);
}

void leader_proposals_begin(struct leader_proposals *proposals, int64_t zxid)
{
    assert(proposals->count == 0);
    proposals->last_proposed = zxid;
}

void leader_proposals_propose(struct leader_proposals *proposals, struct request *request,
                              struct quorum_verifier *verifier, struct quorum_verifier *next)
{
    assert(proposals->count > 0 ? request->zxid == proposals->last_proposed + 1
                                : request->zxid > proposals->last_proposed);
    struct proposal *proposal = MEMORY_NEW(struct proposal);
    proposal->zxid = request->zxid;
    proposal->request = request_ref(request);
    synced_learner_tracker_add_verifier(&proposal->acks, verifier);
    if (next != NULL)
        synced_learner_tracker_add_verifier(&proposal->acks, next);
    append(proposals, proposal);
    proposals->last_proposed = proposal->zxid;
}

enum proposal_ack leader_proposals_ack(struct leader_proposals *proposals, int64_t sid, int64_t zxid)
{
    if (zxid > proposals->last_proposed)
        return PROPOSAL_ACK_UNKNOWN;
    struct proposal *proposal = proposals->is_allowed_to_commit ? find(proposals, zxid) : NULL;
    if (proposal == NULL)
        return PROPOSAL_ACK_LATE;
    synced_learner_tracker_add_ack(&proposal->acks, sid);
    return PROPOSAL_ACK_COUNTED;
}

const struct proposal *leader_proposals_find(const struct leader_proposals *proposals, int64_t zxid)
{
    return find(proposals, zxid);
}

struct proposal *leader_proposals_ready(const struct leader_proposals *proposals)
{
    if (!proposals->is_allowed_to_commit || proposals->committed == proposals->count)
        return NULL;
    struct proposal *proposal = at(proposals, proposals->committed);
    return synced_learner_tracker_has_all_quorums(&proposal->acks) ? proposal : NULL;
}

void leader_proposals_commit(struct leader_proposals *proposals)
{
    proposals->last_committed = at(proposals, proposals->committed++)->zxid;
}

void leader_proposals_end_commits(struct leader_proposals *proposals)
{
    proposals->is_allowed_to_commit = false;
}

bool proposal_is_reconfig(const struct proposal *proposal)
{
    return proposal->request->txn->header.type == OP_RECONFIG;
}

struct quorum_verifier *proposal_new_verifier(const struct proposal *proposal)
{
    return proposal->acks.pairs[proposal->acks.count - 1].verifier;
}

int64_t leader_proposals_designate(const struct leader_proposals *proposals, const struct sid_set *acks,
                                   bool is_self_fit)
{
    if (is_self_fit)
        return proposals->self_id;
    struct sid_set candidates = { 0 };
    for (size_t i = 0; i < acks->count; i++) {
        if (acks->ids[i] != proposals->self_id)
            sid_set_add(&candidates, acks->ids[i]);
    }
    int64_t leader = candidates.count > 0 ? best_candidate(proposals, &candidates) : proposals->self_id;
    sid_set_release(&candidates);
    return leader;
}

const struct sid_set *proposal_new_acks(const struct proposal *proposal)
{
    return &proposal->acks.pairs[proposal->acks.count - 1].acks;
}

bool leader_proposals_sync(struct leader_proposals *proposals, struct request *request)
{
    if (proposals->committed == proposals->count)
        return false;
    struct proposal *last = at(proposals, proposals->count - 1);
    if (last->sync_count == last->sync_capacity) {
        last->sync_capacity = last->sync_capacity > 0 ? 2 * last->sync_capacity : 4;
        last->syncs = memory_realloc(last->syncs, last->sync_capacity * sizeof(*last->syncs));
    }
    last->syncs[last->sync_count++] = request;
    return true;
}

struct request *proposal_take_sync(struct proposal *proposal)
{
    return proposal->sync_taken < proposal->sync_count ? proposal->syncs[proposal->sync_taken++] : NULL;
}

bool leader_proposals_applied(struct leader_proposals *proposals, int64_t zxid)
{
    if (proposals->committed == 0 || at(proposals, 0)->zxid != zxid) {
        log_error("0x%" PRIx64 " was applied, but was not the next to be applied", (uint64_t)zxid);
        return false;
    }
    drop_first(proposals);
    return true;
}

size_t leader_proposals_outstanding_count(const struct leader_proposals *proposals)
{
    return proposals->count - proposals->committed;
}

size_t leader_proposals_to_be_applied_count(const struct leader_proposals *proposals)
{
    return proposals->committed;
}

size_t leader_proposals_pending_sync_count(const struct leader_proposals *proposals)
{
    size_t count = 0;
    for (size_t i = 0; i < proposals->count; i++)
        count += at(proposals, i)->sync_taken < at(proposals, i)->sync_count;
    return count;
}

const struct proposal *leader_proposals_at(const struct leader_proposals *proposals, size_t index)
{
    return at(proposals, index);
}
