/* fake_leader.c - the functions of leader.h that processors call. */
#include "tests/unit/server/quorum/fake_leader.h"

#include <assert.h>

struct leader fake_leader;

void fake_leader_set_up(void)
{
    fake_leader = (struct leader){0};
    mutex_init(&fake_leader.lock);
}

void fake_leader_tear_down(void)
{
    request_fifo_release(&fake_leader.proposals);
    mutex_release(&fake_leader.lock);
}

static void commit_acked(struct leader *leader) REQUIRES(leader->lock)
{
    struct request *first;
    while (!leader->holds_commits && (first = request_fifo_first(&leader->proposals)) != NULL &&
           first->zxid <= leader->acked) {
        leader_zookeeper_server_commit(leader->zks, first);
        request_unref(request_fifo_take(&leader->proposals));
    }
}

void fake_leader_hold_commits(bool hold)
{
    mutex_lock(&fake_leader.lock);
    fake_leader.holds_commits = hold;
    commit_acked(&fake_leader);
    mutex_unlock(&fake_leader.lock);
    leader_zookeeper_server_wake_commit(fake_leader.zks);
}

bool leader_propose(struct leader *leader, struct request *request)
{
    if (leader->is_over)
        return false;
    assert(request->zxid == request->txn->header.zxid && request->zxid > atomic_load(&leader->last_zxid));
    atomic_store(&leader->last_zxid, request->zxid);
    atomic_store(&leader->last_type, request->txn->header.type);
    atomic_fetch_add(&leader->proposed, 1);
    mutex_lock(&leader->lock);
    request_fifo_put(&leader->proposals, request_ref(request));
    mutex_unlock(&leader->lock);
    return true;
}

void leader_flush(struct leader *leader)
{
    atomic_fetch_add(&leader->flushed, 1);
}

bool leader_process_ack(struct leader *leader, int64_t sid, int64_t zxid)
{
    assert(sid == 1);
    mutex_lock(&leader->lock);
    assert(zxid > leader->acked);
    leader->acked = zxid;
    commit_acked(leader);
    mutex_unlock(&leader->lock);
    return true;
}

void leader_process_sync(struct leader *leader, struct request *request)
{
    atomic_fetch_add(&leader->synced, 1);
    request_unref(request);
}

void leader_request_applied(struct leader *leader, int64_t zxid)
{
    assert(zxid > atomic_load(&leader->last_applied));
    atomic_store(&leader->last_applied, zxid);
    atomic_fetch_add(&leader->applied, 1);
}

bool leader_is_quorum_synced(struct leader *leader, struct quorum_verifier *verifier)
{
    (void)verifier;
    return leader->has_quorum_synced;
}

/* ---- for words ---- */

size_t leader_learner_count(struct leader *leader)
{
    (void)leader;
    return 1;
}

int64_t leader_uptime_ms(struct leader *leader)
{
    (void)leader;
    return 2;
}

size_t leader_synced_follower_count(struct leader *leader)
{
    (void)leader;
    return 3;
}

size_t leader_synced_observer_count(struct leader *leader)
{
    (void)leader;
    return 4;
}

size_t leader_synced_non_voting_follower_count(struct leader *leader)
{
    (void)leader;
    return 5;
}

size_t leader_pending_sync_count(struct leader *leader)
{
    (void)leader;
    return 6;
}

void leader_proposal_sizes(struct leader *leader, int32_t *ret_last, int32_t *ret_min, int32_t *ret_max)
{
    (void)leader;
    *ret_last = 7;
    *ret_min = 8;
    *ret_max = 9;
}

void leader_reset_proposal_sizes(struct leader *leader)
{
    (void)leader;
}
