/*
 * commit_pairing.c - holds a session's requests behind its write, and each write until its commit arrives.
 *
 * Mirrors the decisions of org.apache.zookeeper.server.quorum.CommitProcessor.run().
 *
 *   queued ----+--- nothing of its session waits, needs no commit ---> read
 *              +--> [ session: write, read, write ... ] --+
 *   committed ----- the first of queued_writes? ----------+---------> write, then the reads behind it
 * (1) requests of one session go on in the order they came;
 * (2) writes go on in the order of their commits;
 * (3) between two rounds a session is in the map only if it waits for a commit: its first request is a write;
 * (4) a commit is of the first queued write (same session and cxid) or of another server's client.
 */
#include "server/quorum/commit_pairing.h"

#include <assert.h>

#include "common/base/memory.h"
#include "common/wire/op_code.h"
#include "server/metric/server_metrics.h"

/* The requests of a session that wait. */
struct waiting_session {
    struct hash_link link;
    struct list drain_link;    /* in to_drain; empty otherwise */
    int64_t id;
    struct request_fifo requests;
    size_t freed;              /* reads that went on behind a write, this round */
};

/* ---- sessions ---- */

static struct waiting_session *find_session(const struct commit_pairing *pairing, int64_t id)
{
    for (struct hash_link *link = hash_map_find(&pairing->sessions, hash_int64(id)); link != NULL;
         link = hash_map_find_next(link)) {
        struct waiting_session *session = container_of(link, struct waiting_session, link);
        if (session->id == id)
            return session;
    }
    return NULL;
}

static struct waiting_session *add_session(struct commit_pairing *pairing, int64_t id)
{
    struct waiting_session *session = MEMORY_NEW(struct waiting_session);
    session->id = id;
    list_init(&session->drain_link);
    hash_map_insert(&pairing->sessions, &session->link, hash_int64(id));
    return session;
}

static void remove_session(struct commit_pairing *pairing, struct waiting_session *session)
{
    hash_map_remove(&pairing->sessions, &session->link);
    list_remove(&session->drain_link);
    request_fifo_release(&session->requests);
    memory_free(session);
}

/* ---- metrics ---- */

static void sample(const struct commit_pairing *pairing, enum metric metric, size_t value)
{
    server_metrics_sample(pairing->metrics, metric, (int64_t)value);
}

/* ---- public ---- */

bool commit_pairing_needs_commit(const struct request *request, bool match_syncs)
{
    if (request->is_throttled)
        return false;
    if (request->type == OP_SYNC)
        return match_syncs;
    return request_is_quorum(request);
}

void commit_pairing_init(struct commit_pairing *pairing, bool match_syncs, int64_t max_read_batch_size,
                         int64_t max_commit_batch_size, struct server_metrics *metrics)
{
    *pairing = (struct commit_pairing){
        .match_syncs = match_syncs,
        .max_read_batch_size = max_read_batch_size,
        .max_commit_batch_size = max_commit_batch_size,
        .metrics = metrics,
    };
    list_init(&pairing->to_drain);
}

size_t commit_pairing_release(struct commit_pairing *pairing)
{
    size_t count = request_fifo_release(&pairing->queued) + request_fifo_release(&pairing->committed);
    for (struct hash_link *link = hash_map_first(&pairing->sessions), *after; link != NULL; link = after) {
        after = hash_map_after(&pairing->sessions, link);
        struct waiting_session *session = container_of(link, struct waiting_session, link);
        count += session->requests.count;
        remove_session(pairing, session);
    }
    hash_map_release(&pairing->sessions);
    memory_free(pairing->queued_writes.items);    /* borrowed from the others */
    pairing->queued_writes = (struct request_fifo){0};
    return count;
}

void commit_pairing_add_request(struct commit_pairing *pairing, struct request *request)
{
    request_fifo_put(&pairing->queued, request);
    if (commit_pairing_needs_commit(request, pairing->match_syncs)) {
        request_fifo_put(&pairing->queued_writes, request);
        pairing->writes_waiting++;
    } else {
        pairing->reads_waiting++;
    }
}

void commit_pairing_add_commit(struct commit_pairing *pairing, struct request *request)
{
    assert(!request->is_throttled);
    request_fifo_put(&pairing->committed, request);
}

bool commit_pairing_has_work(const struct commit_pairing *pairing)
{
    return pairing->queued.count > 0 || pairing->committed.count > 0;
}

void commit_pairing_begin(struct commit_pairing *pairing)
{
    assert(list_is_empty(&pairing->to_drain));
    pairing->requests_left = pairing->queued.count;
    pairing->requests_done = 0;
    pairing->reads_done = 0;
    pairing->commits_left = pairing->max_commit_batch_size;
    pairing->to_drain_count = pairing->drained_reads = 0;
    sample(pairing, METRIC_READS_QUEUED_IN_COMMIT_PROCESSOR, pairing->reads_waiting);
    sample(pairing, METRIC_WRITES_QUEUED_IN_COMMIT_PROCESSOR, pairing->writes_waiting);
    sample(pairing, METRIC_COMMITS_QUEUED_IN_COMMIT_PROCESSOR, pairing->committed.count);
}

/* May the round look at one more of those that came in? */
static bool may_take_read(const struct commit_pairing *pairing)
{
    if (pairing->requests_left == 0)
        return false;
    if (pairing->max_read_batch_size >= 0)
        return pairing->reads_done <= pairing->max_read_batch_size;
    /* With a commit at hand and a write waiting, the commit is first: it is of that write or of another server's. But
     * one is looked at in every round, for it may be the write that the commit is of. */
    return pairing->requests_done == 0 || pairing->sessions.count == 0 || pairing->committed.count == 0;
}

size_t commit_pairing_take_reads(struct commit_pairing *pairing, struct request **reads, size_t most)
{
    size_t count = 0;
    while (count < most && may_take_read(pairing)) {
        struct request *request = request_fifo_take(&pairing->queued);
        pairing->requests_left--;
        pairing->requests_done++;
        struct waiting_session *session = find_session(pairing, request->session_id);
        if (session == NULL && !commit_pairing_needs_commit(request, pairing->match_syncs)) {
            pairing->reads_waiting--;
            pairing->reads_done++;
            reads[count++] = request;
            continue;
        }
        if (session == NULL)
            session = add_session(pairing, request->session_id);
        request_fifo_put(&session->requests, request);
        sample(pairing, METRIC_REQUESTS_IN_SESSION_QUEUE, session->requests.count);
    }
    if (count == 0)
        sample(pairing, METRIC_READS_ISSUED_IN_COMMIT_PROC, (size_t)pairing->reads_done);
    return count;
}

/* On a leader both are the same request; on a learner the one that came from the leader lends what it has. */
static void lend(struct request *write, const struct request *commit)
{
    if (write == commit)
        return;
    if (commit->txn != NULL)
        write->txn = txn_ref(commit->txn);
    write->zxid = commit->zxid;
    if (write->error == ZK_OK)
        write->error = commit->error;
    write->commit_receive_ms = commit->commit_receive_ms;
}

/* The first queued write goes on; false when something of its session is to go first (1), or it was not looked at
 * yet. */
static bool release_write(struct commit_pairing *pairing, struct request *write)
{
    struct waiting_session *session = find_session(pairing, write->session_id);
    sample(pairing, METRIC_PENDING_SESSION_QUEUE_SIZE, pairing->sessions.count);
    if (session == NULL || request_fifo_first(&session->requests) != write)
        return false;
    sample(pairing, METRIC_REQUESTS_IN_SESSION_QUEUE, session->requests.count);
    request_fifo_take(&session->requests);
    request_fifo_take(&pairing->queued_writes);
    pairing->writes_waiting--;
    if (list_is_empty(&session->drain_link)) {
        list_add_last(&pairing->to_drain, &session->drain_link);
        pairing->to_drain_count++;
    }
    return true;
}

size_t commit_pairing_take_writes(struct commit_pairing *pairing, struct request **writes, size_t most)
{
    size_t count = 0;
    while (count < most && pairing->commits_left > 0 && pairing->committed.count > 0) {
        struct request *commit = request_fifo_first(&pairing->committed);
        struct request *write = request_fifo_first(&pairing->queued_writes);
        /* (4) */
        bool is_ours = write != NULL && write->session_id == commit->session_id && write->cxid == commit->cxid;
        if (is_ours && !release_write(pairing, write))
            break;
        request_fifo_take(&pairing->committed);
        pairing->commits_left--;
        if (is_ours) {
            lend(write, commit);
            request_unref(commit);    /* the session's reference goes on */
        }
        writes[count++] = is_ours ? write : commit;
    }
    if (count == 0)
        sample(pairing, METRIC_WRITES_ISSUED_IN_COMMIT_PROC,
               (size_t)(pairing->max_commit_batch_size - pairing->commits_left));
    return count;
}

/* Nothing of this session goes on any more in this round. */
static void end_drain(struct commit_pairing *pairing, struct waiting_session *session)
{
    list_remove(&session->drain_link);
    sample(pairing, METRIC_READS_AFTER_WRITE_IN_SESSION_QUEUE, session->freed);
    session->freed = 0;
    if (session->requests.count == 0)
        remove_session(pairing, session);
}

size_t commit_pairing_take_freed_reads(struct commit_pairing *pairing, struct request **reads, size_t most)
{
    size_t count = 0;
    while (count < most && !list_is_empty(&pairing->to_drain)) {
        struct waiting_session *session = LIST_ENTRY(pairing->to_drain.next, struct waiting_session, drain_link);
        const struct request *first = request_fifo_first(&session->requests);
        if (first == NULL || commit_pairing_needs_commit(first, pairing->match_syncs)) {
            end_drain(pairing, session);
            continue;
        }
        reads[count++] = request_fifo_take(&session->requests);
        session->freed++;
        pairing->reads_waiting--;
        pairing->drained_reads++;
    }
    if (count == 0) {
        sample(pairing, METRIC_SESSION_QUEUES_DRAINED, pairing->to_drain_count);
        sample(pairing, METRIC_READ_ISSUED_FROM_SESSION_QUEUE, pairing->drained_reads);
    }
    return count;
}
