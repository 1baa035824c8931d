/*
 * bench_fan_out.c - one session changes a node that all others watch.
 *
 * A round: every watcher reads the node and leaves a watch; when the last has its answer, the writer changes the node;
 * each event is timed from when that request was sent, and so is the last of them. (1) Every watcher gets one event a
 * round, neither more nor fewer. (2) What it reads next is at least as new as what the event told of.
 */
#include "client/bench/bench_jobs.h"
#include "common/base/clock.h"

#define NS_PER_MS INT64_C(1000000)

enum { KIND_WATCH, KIND_WRITE };
enum { UNARMED, ARMED, TOLD };    /* a watcher's age */

static uint32_t watchers(const struct bench_worker *worker)
{
    return worker->session_count - 1;
}

static bool is_over(const struct bench_worker *worker)
{
    const struct bench_options *options = worker->crew->options;
    return worker->now_ns >= worker->end_ns || atomic_load(&worker->crew->is_interrupted) ||
           (options->requests > 0 && worker->measured >= worker->budget);
}

/* issued: watches of this round that are set; rotor: events of this round; owns[0].since_ns: when it was written. */
static void begin_round(struct bench_worker *worker)
{
    worker->issued = 0;
    worker->rotor = 0;
    worker->owns[0].age = UNARMED;
    for (uint32_t i = 1; i < worker->session_count; i++) {
        struct bench_session *session = &worker->sessions[i];
        worker->owns[i].age = UNARMED;
        int32_t xid = bench_crew_expect(worker, session, KIND_WATCH, 0, 0, worker->now_ns);
        bench_request_watch(&worker->crew->plan, xid, 0, &session->out);
        bench_session_flush(session);
    }
}

static void write_node(struct bench_worker *worker)
{
    struct bench_session *writer = &worker->sessions[0];
    struct bench_subject subject = {.stamp = bench_crew_random(worker, UINT32_MAX),
                                    .size = worker->crew->plan.size_least};
    worker->owns[0].since_ns = clock_elapsed_ns();
    int32_t xid = bench_crew_expect(worker, writer, KIND_WRITE, 0, 0, worker->owns[0].since_ns);
    bench_request_write(&worker->crew->plan, BENCH_OP_WRITE, xid, &subject, &writer->out);
    bench_session_flush(writer);
}

static void end_round(struct bench_worker *worker)
{
    if (worker->rotor < watchers(worker) || worker->owns[0].age != TOLD)
        return;
    atomic_fetch_add_explicit(&worker->done, 1, memory_order_relaxed);
    if (worker->owns[0].since_ns >= worker->measure_ns) {
        bench_crew_time(&worker->counts.last, worker->counts.ended_ns - worker->owns[0].since_ns);
        worker->measured++;
    }
    if (!is_over(worker))
        begin_round(worker);
}

static void reply(struct bench_worker *worker, struct bench_session *session, const struct bench_pending *pending,
                  int32_t err, const uint8_t *body, size_t size)
{
    bool is_write = pending->kind == KIND_WRITE;
    struct bench_subject subject = {.node = 0};
    int32_t version = -1;
    enum bench_verdict verdict = err != ZK_OK ? BENCH_VERDICT_ERROR
                                              : bench_reply_check(&worker->crew->plan,
                                                                  is_write ? BENCH_OP_WRITE : BENCH_OP_READ, &subject,
                                                                  body, size, &version);
    if (verdict == BENCH_VERDICT_RIGHT && !bench_crew_see(worker, session, 0, version, is_write))
        verdict = BENCH_VERDICT_VERSION;
    if (verdict != BENCH_VERDICT_RIGHT)
        bench_crew_wrong(worker, verdict, "session %u, error %d", session->number, err);
    if (is_write) {
        worker->counts.changes++;
        worker->owns[0].age = TOLD;
        end_round(worker);
        return;
    }
    bench_crew_own(worker, session)->age = ARMED;
    if (++worker->issued == watchers(worker))
        write_node(worker);
}

static void event(struct bench_worker *worker, struct bench_session *session, const uint8_t *body, size_t size)
{
    struct bench_own *own = bench_crew_own(worker, session);
    enum bench_verdict verdict = bench_reply_check_event(&worker->crew->plan, 0, body, size);
    if (verdict == BENCH_VERDICT_RIGHT && own->age != ARMED)
        verdict = BENCH_VERDICT_EVENT;
    if (verdict != BENCH_VERDICT_RIGHT) {
        bench_crew_wrong(worker, verdict, "session %u", session->number);
        return;
    }
    own->age = TOLD;
    worker->rotor++;
    worker->counts.ended_ns = clock_elapsed_ns();
    if (worker->owns[0].since_ns >= worker->measure_ns)
        bench_crew_time(&worker->counts.all, worker->counts.ended_ns - worker->owns[0].since_ns);
    end_round(worker);
}

static void down(struct bench_worker *worker, struct bench_session *session, uint32_t lost, const char *why)
{
    worker->counts.lost += lost;
    bench_crew_fail(worker, "session %u: %s", session->number, why);
}

static void begin(struct bench_worker *worker)
{
    const struct bench_options *options = worker->crew->options;
    worker->begin_ns = worker->now_ns;
    worker->measure_ns = worker->begin_ns + options->warm_up_ms * NS_PER_MS;
    worker->end_ns = options->requests > 0 ? INT64_MAX : worker->measure_ns + options->duration_ms * NS_PER_MS;
    worker->budget = (uint64_t)options->requests;
    worker->measured = 0;
    worker->owns[0].since_ns = worker->now_ns;
    begin_round(worker);
}

static bool next(struct bench_worker *worker, struct bench_session *session)
{
    (void)worker, (void)session;
    return false;
}

static bool is_done(struct bench_worker *worker)
{
    bool is_whole = worker->rotor == watchers(worker) && worker->owns[0].age == TOLD;
    if (is_whole)
        return is_over(worker);
    if (worker->issued < watchers(worker) || worker->now_ns - worker->owns[0].since_ns <
                                                   worker->crew->options->timeout_ms * NS_PER_MS)
        return false;
    for (uint32_t i = 1; i < worker->session_count; i++)
        if (worker->owns[i].age != TOLD)
            bench_crew_wrong(worker, BENCH_VERDICT_EVENT, "session %u was told nothing within the time-out", i);
    return true;
}

const struct bench_job bench_job_fan_out = {
    .name = "measuring", .begin = begin, .next = next, .reply = reply, .event = event, .down = down,
    .is_done = is_done,
};
