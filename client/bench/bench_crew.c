/*
 * bench_crew.c - threads that wait on a poller each, and hand what comes to the job.
 *
 * A worker whose part of a job is done goes on with pings until all are, so that no session dies of waiting.
 */
#include "client/bench/bench_crew.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/base/strings.h"
#include "common/thread/thread.h"

#define EVENTS 256
#define TICK_NS INT64_C(100000000)
#define AGAIN_MS 200                       /* until a session that went down is opened again */
#define SEEN_MOST ((size_t)1 << 21)        /* versions that all sessions together remember */
#define SEEN_OF_SESSION 1024
#define NS_PER_MS INT64_C(1000000)

struct bench_seen {
    uint32_t node_and_one;    /* 0: nothing yet */
    int32_t version;
};

struct bench_own *bench_crew_own(struct bench_worker *worker, const struct bench_session *session)
{
    return &worker->owns[session - worker->sessions];
}

uint32_t bench_crew_random(struct bench_worker *worker, uint32_t bound)
{
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 7;
    worker->random ^= worker->random << 17;
    return (uint32_t)((worker->random >> 32) * bound >> 32);
}

int32_t bench_crew_expect(struct bench_worker *worker, struct bench_session *session, uint8_t kind, uint32_t node,
                          uint32_t number, int64_t since_ns)
{
    worker->in_flight++;
    return bench_session_expect(session, kind, node, number, since_ns);
}

void bench_crew_wrong(struct bench_worker *worker, enum bench_verdict verdict, const char *format, ...)
{
    va_list args;
    worker->counts.wrong[verdict]++;
    if (worker->complaint[0] != '\0')
        return;
    int size = snprintf(worker->complaint, sizeof(worker->complaint), "%s: ", bench_verdict_sentence(verdict));
    va_start(args, format);
    vsnprintf(worker->complaint + size, sizeof(worker->complaint) - (size_t)size, format, args);
    va_end(args);
}

void bench_crew_fail(struct bench_worker *worker, const char *format, ...)
{
    va_list args;
    if (worker->has_failed)
        return;
    worker->has_failed = true;
    va_start(args, format);
    vsnprintf(worker->failure, sizeof(worker->failure), format, args);
    va_end(args);
}

void bench_crew_time(struct bench_histogram **histogram, int64_t ns)
{
    if (*histogram == NULL)
        *histogram = MEMORY_NEW(struct bench_histogram);
    bench_histogram_add(*histogram, ns);
}

static size_t seen_room(const struct bench_crew *crew)
{
    size_t room = SEEN_OF_SESSION;
    while (room > 16 && room * crew->plan.sessions > SEEN_MOST)
        room /= 2;
    return room;
}

bool bench_crew_see(struct bench_worker *worker, struct bench_session *session, uint32_t node, int32_t version,
                    bool is_write)
{
    struct bench_own *own = bench_crew_own(worker, session);
    size_t room = seen_room(worker->crew);
    if (own->seen == NULL)
        own->seen = MEMORY_NEW_ARRAY(room, struct bench_seen);
    struct bench_seen *seen = &own->seen[node & (room - 1)];
    bool is_right = seen->node_and_one != node + 1 || version > seen->version ||
                    (!is_write && version == seen->version);
    if (is_right)
        *seen = (struct bench_seen){node + 1, version};
    return is_right;
}

void bench_crew_fill(struct bench_worker *worker, struct bench_session *session)
{
    const struct bench_job *job = worker->crew->job;
    uint32_t depth = job->depth > 0 ? job->depth : (uint32_t)worker->crew->options->depth;
    while (bench_session_has_room(session, depth) && job->next(worker, session))
        continue;
    if (session->out.size > session->out_at)
        bench_session_flush(session);
}

static void on_ready(void *context, struct bench_session *session)
{
    struct bench_worker *worker = context;
    worker->ready_count++;
    worker->reached_ns = worker->now_ns;
    bench_crew_own(worker, session)->is_ready = true;
    if (worker->crew->job->ready != NULL)
        worker->crew->job->ready(worker, session);
}

static void on_reply(void *context, struct bench_session *session, const struct bench_pending *pending, int32_t err,
                     const uint8_t *body, size_t size)
{
    struct bench_worker *worker = context;
    worker->in_flight--;
    worker->crew->job->reply(worker, session, pending, err, body, size);
}

static void on_event(void *context, struct bench_session *session, const uint8_t *body, size_t size)
{
    struct bench_worker *worker = context;
    if (worker->crew->job->event != NULL)
        worker->crew->job->event(worker, session, body, size);
    else
        bench_crew_wrong(worker, BENCH_VERDICT_EVENT, "session %u", session->number);
}

static void on_out_of_order(void *context, struct bench_session *session, const char *what)
{
    bench_crew_wrong(context, BENCH_VERDICT_ORDER, "session %u, %s", session->number, what);
}

static void on_zxid_back(void *context, struct bench_session *session)
{
    bench_crew_wrong(context, BENCH_VERDICT_ZXID, "session %u", session->number);
}

/* The next session of this number sees what its server knows, not what the last one saw; what was made may be there. */
static void forget(struct bench_own *own)
{
    memory_free(own->seen);
    own->seen = NULL;
    own->deleted = own->made;
}

static void on_down(void *context, struct bench_session *session, uint32_t lost, const char *why)
{
    struct bench_worker *worker = context;
    struct bench_own *own = bench_crew_own(worker, session);
    worker->in_flight -= lost < worker->in_flight ? lost : worker->in_flight;    /* closeSession is not in it */
    if (own->is_ready)
        worker->reached_ns = worker->now_ns;
    worker->ready_count -= own->is_ready;
    own->is_ready = false;
    forget(own);
    if (worker->crew->job->down != NULL) {
        worker->crew->job->down(worker, session, lost, why);
        return;
    }
    worker->counts.lost += lost;
    worker->counts.downs++;
    if (worker->complaint[0] == '\0')
        snprintf(worker->complaint, sizeof(worker->complaint), "session %u: %s", session->number,
                 why == NULL ? "" : why);
}

static const struct bench_session_owner owner = {
    .on_ready = on_ready,
    .on_reply = on_reply,
    .on_event = on_event,
    .on_out_of_order = on_out_of_order,
    .on_zxid_back = on_zxid_back,
    .on_down = on_down,
};

/* Whoever had sessions has none left by now; a job for a number of requests would never end. */
static void give_up_if_alone(struct bench_worker *worker)
{
    int64_t limit_ms = worker->crew->options->timeout_ms;
    if (worker->session_count > 0 && worker->ready_count == 0 &&
        worker->now_ns - worker->reached_ns > limit_ms * NS_PER_MS)
        bench_crew_fail(worker, "no session for %" PRId64 " ms: %s", limit_ms, worker->complaint);
}

static void tick(struct bench_worker *worker)
{
    int64_t now_ms = worker->now_ns / NS_PER_MS;
    for (uint32_t i = 0; i < worker->session_count; i++) {
        struct bench_session *session = &worker->sessions[i];
        bench_session_tick(session, now_ms);
        if (session->state == BENCH_SESSION_DOWN && session->downs > 0 && now_ms - session->began_ms >= AGAIN_MS &&
            worker->crew->job->down == NULL)
            bench_session_open(session);
    }
    give_up_if_alone(worker);
}

static void handle(struct bench_worker *worker, const struct poller_event *event)
{
    if (event->data == NULL)
        return;
    struct bench_session *session = event->data;
    worker->now_ns = clock_elapsed_ns();
    bench_session_handle(session, event->events, &worker->scratch);
    if (session->state == BENCH_SESSION_READY)
        bench_crew_fill(worker, session);
}

static void finish(struct bench_worker *worker)
{
    struct bench_crew *crew = worker->crew;
    if (atomic_fetch_sub(&crew->busy, 1) > 1)
        return;
    for (uint32_t i = 0; i < crew->worker_count; i++)
        poller_wake(crew->workers[i].poller);
}

static void work(void *arg)
{
    struct bench_worker *worker = arg;
    const struct bench_job *job = worker->crew->job;
    struct poller_event events[EVENTS];
    bool is_busy = true;
    worker->now_ns = clock_elapsed_ns();
    int64_t tick_ns = worker->now_ns + TICK_NS;
    worker->reached_ns = worker->now_ns;
    if (job->begin != NULL)
        job->begin(worker);
    for (;;) {
        if (is_busy && (worker->has_failed || job->is_done(worker))) {
            is_busy = false;
            finish(worker);
        }
        if (!is_busy && atomic_load(&worker->crew->busy) == 0)
            break;
        int64_t due_ns = job->due_ns == NULL || !is_busy ? tick_ns : job->due_ns(worker);
        size_t count = poller_wait_ns(worker->poller, events, EVENTS, due_ns < tick_ns ? due_ns : tick_ns);
        worker->now_ns = clock_elapsed_ns();
        for (size_t i = 0; i < count; i++)
            handle(worker, &events[i]);
        if (is_busy && job->woken != NULL)
            job->woken(worker);
        if (worker->now_ns >= tick_ns) {
            tick(worker);
            tick_ns = worker->now_ns + TICK_NS;
        }
    }
}

int bench_crew_run(struct bench_crew *crew, const struct bench_job *job, void (*look)(void *context), void *context,
                   struct error *error)
{
    struct thread **threads = MEMORY_NEW_ARRAY(crew->worker_count, struct thread *);
    crew->job = job;
    atomic_store(&crew->busy, crew->worker_count);
    for (uint32_t i = 0; i < crew->worker_count; i++) {
        char *name = string_format("Bench-%u", i);
        threads[i] = thread_start(name, work, &crew->workers[i]);
        memory_free(name);
    }
    while (atomic_load(&crew->busy) > 0)
        look(context);
    int err = ZK_OK;
    for (uint32_t i = 0; i < crew->worker_count; i++) {
        thread_join(threads[i]);
        if (crew->workers[i].has_failed && err == ZK_OK)
            err = error_set(error, ZK_SYSTEM_ERROR, "%s", crew->workers[i].failure);
    }
    memory_free(threads);
    return err;
}

void bench_crew_init(struct bench_crew *crew, const struct bench_options *options, const struct bench_target *target,
                     const struct bench_plan *plan)
{
    uint32_t count = (uint32_t)options->threads, next = 0;
    *crew = (struct bench_crew){ .options = options, .target = target, .plan = *plan, .worker_count = count,
                                 .workers = MEMORY_NEW_ARRAY(count, struct bench_worker) };
    for (uint32_t i = 0; i < count; i++) {
        struct bench_worker *worker = &crew->workers[i];
        worker->crew = crew;
        worker->number = i;
        worker->poller = poller_new();
        worker->session_count = plan->sessions / count + (i < plan->sessions % count);
        worker->sessions = MEMORY_NEW_ARRAY(worker->session_count, struct bench_session);
        worker->owns = MEMORY_NEW_ARRAY(worker->session_count, struct bench_own);
        worker->random = options->seed > 0 ? (uint64_t)(options->seed + i) * UINT64_C(0x9e3779b97f4a7c15)
                                           : random_uint64() | 1;
        for (uint32_t s = 0; s < worker->session_count; s++) {
            bench_session_init(&worker->sessions[s], next++, BENCH_SETUP_DEPTH > options->depth ? BENCH_SETUP_DEPTH
                               : (uint32_t)options->depth, target, worker->poller);
            worker->sessions[s].owner = &owner;
            worker->sessions[s].context = worker;
        }
    }
}

void bench_crew_release(struct bench_crew *crew)
{
    for (uint32_t i = 0; i < crew->worker_count; i++) {
        struct bench_worker *worker = &crew->workers[i];
        for (uint32_t s = 0; s < worker->session_count; s++) {
            bench_session_release(&worker->sessions[s]);
            memory_free(worker->owns[s].seen);
        }
        memory_free(worker->sessions);
        memory_free(worker->owns);
        buffer_release(&worker->scratch);
        poller_free(worker->poller);
        for (int op = 0; op < BENCH_OP_COUNT; op++)
            memory_free(worker->counts.times[op]);
        memory_free(worker->counts.all);
        memory_free(worker->counts.last);
    }
    memory_free(crew->workers);
    *crew = (struct bench_crew){0};
}
