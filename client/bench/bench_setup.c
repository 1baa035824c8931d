/*
 * bench_setup.c - nodes are made before a run, read and deleted after it: lists that all sessions work at together.
 *
 * Each takes the next item as soon as it has room. The path above all nodes is made, and deleted, by one session alone,
 * as its parts must come one after another.
 */
#include <string.h>

#include "client/bench/bench_jobs.h"
#include "client/bench/bench_value.h"
#include "common/wire/op_code.h"

enum { KIND_MAKE, KIND_FILL, KIND_SYNC, KIND_READ, KIND_DROP };

static uint32_t stamp_of(struct bench_worker *worker)
{
    return bench_crew_random(worker, UINT32_MAX);
}

static uint32_t size_of(struct bench_worker *worker)
{
    const struct bench_plan *plan = &worker->crew->plan;
    return plan->size_least + (plan->size_least == plan->size_most
                                   ? 0 : bench_crew_random(worker, plan->size_most - plan->size_least + 1));
}

/* How many nodes of the root's path are to be made, and the path of one of them, from the top. */
static uint32_t root_parts(const struct bench_plan *plan)
{
    uint32_t parts = 0;
    for (size_t i = 0; i < plan->root_size; i++)
        parts += plan->root[i] == '/';
    return parts - plan->given_parts;
}

static void root_part(const struct bench_plan *plan, uint32_t part, char path[BENCH_PATH_SIZE])
{
    size_t size = 1;
    part += plan->given_parts;
    memcpy(path, plan->root, plan->root_size + 1);
    for (;; size++)
        if (plan->root[size] == '\0' || (plan->root[size] == '/' && part-- == 0))
            break;
    path[size] = '\0';
}

static void make(struct bench_worker *worker, struct bench_session *session, const char *path)
{
    int32_t xid = bench_crew_expect(worker, session, KIND_MAKE, 0, 0, 0);
    bench_request_make(xid, path, (struct jute_buffer){(const uint8_t *)"", 0}, &session->out);
}

static void drop(struct bench_worker *worker, struct bench_session *session, const char *path)
{
    bench_request_drop(bench_crew_expect(worker, session, KIND_DROP, 0, 0, 0), path, &session->out);
}

static void make_node(struct bench_worker *worker, struct bench_session *session, uint32_t node)
{
    const struct bench_plan *plan = &worker->crew->plan;
    char path[BENCH_PATH_SIZE];
    uint32_t size = size_of(worker);
    buffer_clear(&worker->scratch);
    bench_value_write(plan->pattern, node, stamp_of(worker), buffer_extend(&worker->scratch, size), size);
    bench_plan_node_path(plan, node, path);
    bench_request_make(bench_crew_expect(worker, session, KIND_MAKE, node, 0, 0), path,
                       (struct jute_buffer){worker->scratch.bytes, (int32_t)size}, &session->out);
}

static void ask(struct bench_worker *worker, struct bench_session *session, uint8_t kind, enum bench_op op,
                uint32_t node)
{
    struct bench_subject subject = {.node = node};
    if (op == BENCH_OP_WRITE) {
        subject.size = size_of(worker);
        subject.stamp = stamp_of(worker);
    }
    bench_request_write(&worker->crew->plan, op, bench_crew_expect(worker, session, kind, node, 0, 0), &subject,
                        &session->out);
}

/* Directories of nodes come first in their list, then those of sessions. */
static void directory_path(const struct bench_plan *plan, uint32_t item, char path[BENCH_PATH_SIZE])
{
    uint32_t directories = bench_plan_directories(plan);
    if (item < directories)
        bench_plan_directory_path(plan, item, path);
    else
        bench_plan_session_path(plan, item - directories, path);
}

static void take_item(struct bench_worker *worker, struct bench_session *session, uint32_t item)
{
    const struct bench_plan *plan = &worker->crew->plan;
    char path[BENCH_PATH_SIZE];
    switch (worker->crew->list) {
    case BENCH_LIST_ROOT:
        root_part(plan, item, path);
        make(worker, session, path);
        break;
    case BENCH_LIST_DIRECTORIES:
        directory_path(plan, item, path);
        make(worker, session, path);
        break;
    case BENCH_LIST_NODES:
        make_node(worker, session, item);
        break;
    case BENCH_LIST_FILL:
        ask(worker, session, KIND_FILL, BENCH_OP_WRITE, item);
        break;
    case BENCH_LIST_AUDIT:
        ask(worker, session, KIND_READ, BENCH_OP_READ, item);
        break;
    case BENCH_LIST_DROP_NODES:
        bench_plan_node_path(plan, item, path);
        drop(worker, session, path);
        break;
    case BENCH_LIST_DROP_SESSIONS:
        bench_plan_session_path(plan, item, path);
        drop(worker, session, path);
        break;
    case BENCH_LIST_DROP_DIRECTORIES:
        bench_plan_directory_path(plan, item, path);
        drop(worker, session, path);
        break;
    default:
        memcpy(path, plan->root, plan->root_size + 1);
        drop(worker, session, path);
        break;
    }
}

static bool is_for_one(int list)
{
    return list == BENCH_LIST_ROOT || list == BENCH_LIST_DROP_ROOT;
}

static const struct bench_session *first_ready(const struct bench_worker *worker)
{
    const struct bench_session *session = worker->sessions;
    while (session < worker->sessions + worker->session_count - 1 && session->state != BENCH_SESSION_READY)
        session++;
    return session;
}

/* What the session itself has to do before it takes of the list. */
static bool next_of_own(struct bench_worker *worker, struct bench_session *session)
{
    struct bench_own *own = bench_crew_own(worker, session);
    bool is_synced = worker->crew->list == BENCH_LIST_SYNC || worker->crew->list == BENCH_LIST_AUDIT;
    if (is_synced && own->age == 0) {    /* servers of an ensemble may be behind */
        own->age = 1;
        ask(worker, session, KIND_SYNC, BENCH_OP_SYNC, 0);
        return true;
    }
    if (worker->crew->list == BENCH_LIST_DROP_MADE && own->deleted < own->made) {
        char path[BENCH_PATH_SIZE];
        bench_plan_made_path(&worker->crew->plan, session->number, own->deleted++, path);
        drop(worker, session, path);
        return true;
    }
    return false;
}

static bool next(struct bench_worker *worker, struct bench_session *session)
{
    struct bench_crew *crew = worker->crew;
    if (is_for_one(crew->list) && (worker->number != 0 || session != first_ready(worker)))
        return false;
    if (next_of_own(worker, session))
        return true;
    if (atomic_load_explicit(&crew->next_item, memory_order_relaxed) >= crew->list_size)
        return false;
    uint64_t item = atomic_fetch_add(&crew->next_item, 1);
    if (item >= crew->list_size)
        return false;
    take_item(worker, session, (uint32_t)item);
    return true;
}

static void take_read(struct bench_worker *worker, struct bench_session *session, const struct bench_pending *pending,
                      const uint8_t *body, size_t size)
{
    struct bench_subject subject = {.node = pending->node};
    int32_t version;
    enum bench_verdict verdict = bench_reply_check(&worker->crew->plan, BENCH_OP_READ, &subject, body, size, &version);
    if (verdict != BENCH_VERDICT_RIGHT)
        bench_crew_wrong(worker, verdict, "session %u, node %u, read after all", session->number, pending->node);
    else
        worker->counts.versions += (uint32_t)version;
}

static void reply(struct bench_worker *worker, struct bench_session *session, const struct bench_pending *pending,
                  int32_t err, const uint8_t *body, size_t size)
{
    atomic_fetch_add_explicit(&worker->done, 1, memory_order_relaxed);
    bool is_fine = err == ZK_OK;
    if (pending->kind == KIND_MAKE && err == ZK_NODE_EXISTS) {
        if (worker->crew->list == BENCH_LIST_NODES)
            atomic_store(&worker->crew->found_nodes, true);
        is_fine = true;
    }
    if (pending->kind == KIND_DROP && err == ZK_NO_NODE)
        is_fine = true;
    if (!is_fine)
        bench_crew_fail(worker, "%s: %s (%d)", worker->crew->job->name, error_sentence(err), err);
    else if (pending->kind == KIND_READ)
        take_read(worker, session, pending, body, size);
}

static void down(struct bench_worker *worker, struct bench_session *session, uint32_t lost, const char *why)
{
    (void)lost;
    bench_crew_fail(worker, "%s: session %u: %s", worker->crew->job->name, session->number, why);
}

static void begin(struct bench_worker *worker)
{
    for (uint32_t i = 0; i < worker->session_count; i++) {
        worker->owns[i].age = 0;
        if (worker->sessions[i].downs > 0)
            worker->owns[i].deleted = 0;    /* nobody knows what is there */
    }
    for (uint32_t i = 0; i < worker->session_count; i++)
        bench_crew_fill(worker, &worker->sessions[i]);
}

/* A worker that has lost all its sessions leaves the list to the others. */
static bool is_done(struct bench_worker *worker)
{
    const struct bench_crew *crew = worker->crew;
    return worker->in_flight == 0 && (worker->ready_count == 0 || atomic_load(&crew->next_item) >= crew->list_size ||
                                      (is_for_one(crew->list) && worker->number != 0));
}

static const struct bench_job job_make = {
    .name = "making nodes", .depth = BENCH_SETUP_DEPTH, .begin = begin, .next = next, .reply = reply, .down = down,
    .is_done = is_done,
};
static const struct bench_job job_audit = {
    .name = "reading all nodes", .depth = BENCH_SETUP_DEPTH, .begin = begin, .next = next, .reply = reply,
    .down = down, .is_done = is_done,
};
static const struct bench_job job_drop = {
    .name = "deleting nodes", .depth = BENCH_SETUP_DEPTH, .begin = begin, .next = next, .reply = reply, .down = down,
    .is_done = is_done,
};

static uint64_t size_of_list(const struct bench_plan *plan, enum bench_list list)
{
    switch (list) {
    case BENCH_LIST_ROOT:
        return root_parts(plan);
    case BENCH_LIST_DROP_ROOT:
        return 1;
    case BENCH_LIST_DIRECTORIES:
        return bench_plan_directories(plan) + plan->sessions;
    case BENCH_LIST_DROP_DIRECTORIES:
        return bench_plan_directories(plan);
    case BENCH_LIST_SYNC: case BENCH_LIST_DROP_MADE:    /* each session has its own to do */
        return 0;
    case BENCH_LIST_DROP_SESSIONS:
        return plan->sessions;
    default:
        return plan->nodes;
    }
}

int bench_setup_run(struct bench_crew *crew, enum bench_list list, void (*look)(void *context), void *context,
                    struct error *error)
{
    crew->list = list;
    crew->list_size = size_of_list(&crew->plan, list);
    atomic_store(&crew->next_item, 0);
    const struct bench_job *job = list <= BENCH_LIST_SYNC      ? &job_make
                                  : list == BENCH_LIST_AUDIT   ? &job_audit
                                                               : &job_drop;
    int err = bench_crew_run(crew, job, look, context, error);
    if (err == ZK_OK && atomic_load(&crew->next_item) < crew->list_size)
        err = error_set(error, ZK_CONNECTION_LOSS, "%s: no session is left", job->name);
    return err;
}
