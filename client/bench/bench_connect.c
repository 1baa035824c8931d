/* bench_connect.c - sessions come, stay, and go. */
#include <stdio.h>

#include "client/bench/bench_jobs.h"
#include "common/base/clock.h"

#define NS_PER_MS INT64_C(1000000)
#define CLOSE_NS (INT64_C(5000) * NS_PER_MS)
#define AGAIN_MS 200        /* until one that failed is tried again */
#define OPENING_MOST 64     /* connections on their way at a time: those beyond a backlog would wait a second */

static bool nothing(struct bench_worker *worker, struct bench_session *session)
{
    (void)worker, (void)session;
    return false;
}

static void no_reply(struct bench_worker *worker, struct bench_session *session, const struct bench_pending *pending,
                     int32_t err, const uint8_t *body, size_t size)
{
    (void)worker, (void)session, (void)pending, (void)err, (void)body, (void)size;
}

/* ---- open ---- */

static void open_more(struct bench_worker *worker)
{
    while (worker->issued < worker->session_count && worker->issued - worker->ready_count < OPENING_MOST)
        bench_session_open(&worker->sessions[worker->issued++]);
}

static void open_begin(struct bench_worker *worker)
{
    worker->issued = 0;
    worker->begin_ns = worker->now_ns;
    open_more(worker);
}

static void open_ready(struct bench_worker *worker, struct bench_session *session)
{
    (void)session;
    open_more(worker);
}

static void open_down(struct bench_worker *worker, struct bench_session *session, uint32_t lost, const char *why)
{
    (void)lost;
    bench_crew_fail(worker, "session %u of %u: %s", session->number + 1, worker->crew->plan.sessions, why);
}

static bool open_is_done(struct bench_worker *worker)
{
    return worker->ready_count == worker->session_count;
}

const struct bench_job bench_job_open = {
    .name = "connecting", .begin = open_begin, .next = nothing, .reply = no_reply, .ready = open_ready,
    .down = open_down, .is_done = open_is_done,
};

/* ---- close ---- */

static void close_begin(struct bench_worker *worker)
{
    worker->begin_ns = worker->now_ns;
    for (uint32_t i = 0; i < worker->session_count; i++)
        bench_session_close(&worker->sessions[i]);
}

static void close_down(struct bench_worker *worker, struct bench_session *session, uint32_t lost, const char *why)
{
    (void)worker, (void)session, (void)lost, (void)why;
}

static bool close_is_done(struct bench_worker *worker)
{
    return worker->ready_count == 0 || worker->now_ns - worker->begin_ns > CLOSE_NS;
}

const struct bench_job bench_job_close = {
    .name = "closing", .begin = close_begin, .next = nothing, .reply = no_reply, .down = close_down,
    .is_done = close_is_done,
};

/* ---- connect: the time from the first packet to the answer of closeSession ---- */

static void begin_window(struct bench_worker *worker)
{
    const struct bench_options *options = worker->crew->options;
    worker->begin_ns = worker->now_ns;
    worker->measure_ns = worker->begin_ns + options->warm_up_ms * NS_PER_MS;
    worker->end_ns = options->requests > 0 ? INT64_MAX : worker->measure_ns + options->duration_ms * NS_PER_MS;
    worker->budget = (uint64_t)options->requests / worker->crew->worker_count +
                     (worker->number < (uint64_t)options->requests % worker->crew->worker_count);
    worker->measured = worker->issued = 0;
}

static bool connect_is_over(const struct bench_worker *worker)
{
    return worker->now_ns >= worker->end_ns ||
           atomic_load_explicit(&worker->crew->is_interrupted, memory_order_relaxed) ||
           (worker->crew->options->requests > 0 && worker->measured >= worker->budget);
}

static void come(struct bench_worker *worker, struct bench_session *session)
{
    bench_crew_own(worker, session)->since_ns = clock_elapsed_ns();
    bench_session_open(session);
}

static void connect_begin(struct bench_worker *worker)
{
    begin_window(worker);
    for (uint32_t i = 0; i < worker->session_count; i++)
        come(worker, &worker->sessions[i]);
}

static void connect_ready(struct bench_worker *worker, struct bench_session *session)
{
    (void)worker;
    bench_session_close(session);
}

static void connect_down(struct bench_worker *worker, struct bench_session *session, uint32_t lost, const char *why)
{
    (void)lost;
    int64_t now_ns = clock_elapsed_ns();
    bench_crew_own(worker, session)->age = why != NULL;
    if (why != NULL) {
        worker->counts.downs++;
        worker->counts.lost++;
        if (worker->complaint[0] == '\0')
            snprintf(worker->complaint, sizeof(worker->complaint), "session %u: %s", session->number, why);
    } else if (now_ns >= worker->measure_ns && now_ns < worker->end_ns && !connect_is_over(worker)) {
        bench_crew_time(&worker->counts.all, now_ns - bench_crew_own(worker, session)->since_ns);
        worker->counts.ended_ns = now_ns;
        worker->measured++;
        atomic_fetch_add_explicit(&worker->done, 1, memory_order_relaxed);
    }
}

/* Sessions that went are opened here and not where they went, so that one that fails at once does not call itself. */
static void connect_woken(struct bench_worker *worker)
{
    for (uint32_t i = 0; i < worker->session_count && !connect_is_over(worker); i++)
        if (worker->sessions[i].state == BENCH_SESSION_DOWN && (worker->owns[i].age == 0 || worker->now_ns / NS_PER_MS -
            worker->sessions[i].began_ms >= AGAIN_MS))
            come(worker, &worker->sessions[i]);
}

static bool connect_is_done(struct bench_worker *worker)
{
    if (!connect_is_over(worker))
        return false;
    for (uint32_t i = 0; i < worker->session_count; i++)
        if (worker->sessions[i].state != BENCH_SESSION_DOWN)
            return false;
    return true;
}

const struct bench_job bench_job_connect = {
    .name = "measuring", .begin = connect_begin, .next = nothing, .reply = no_reply, .ready = connect_ready,
    .down = connect_down, .is_done = connect_is_done, .woken = connect_woken,
};

/* ---- idle ---- */

static bool idle_is_done(struct bench_worker *worker)
{
    return connect_is_over(worker);
}

const struct bench_job bench_job_idle = {
    .name = "measuring", .begin = begin_window, .next = nothing, .reply = no_reply, .is_done = idle_is_done,
};
