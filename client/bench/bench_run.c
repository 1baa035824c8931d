/*
 * bench_run.c - requests by weight, for a time or a number.
 *
 * Without a rate a session sends as soon as it has room: what is measured are the answers that come within the window.
 * With a rate every request has a time when it is due, whether or not one can be sent then; it is measured if that time
 * lies in the window, from that time on. So a server that stands still for a second is seen by all requests of that
 * second, and not only by those that were on their way (no coordinated omission).
 */
#include "client/bench/bench_jobs.h"
#include "common/base/clock.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S 1e9
#define OF_MULTI (UINT32_C(1) << 31)             /* numbers of nodes that a transaction makes and deletes */
#define DRAIN_NS (INT64_C(10000) * NS_PER_MS)    /* for answers, after the window */
#define AWAY_MOST (INT64_C(3600) * 1000 * NS_PER_MS)

static bool has_rate(const struct bench_worker *worker)
{
    return worker->crew->options->rate > 0;
}

static double rate_of(const struct bench_worker *worker)
{
    return (double)worker->crew->options->rate / worker->crew->worker_count;
}

/* When the request of this number is due; workers take turns. */
static int64_t due_of(const struct bench_worker *worker, uint64_t number)
{
    double turn = (double)worker->number / worker->crew->worker_count;
    return worker->begin_ns + (int64_t)(((double)number + turn) / rate_of(worker) * NS_PER_S);
}

static bool is_over(const struct bench_worker *worker)
{
    return worker->now_ns >= worker->end_ns ||
           atomic_load_explicit(&worker->crew->is_interrupted, memory_order_relaxed) ||
           (worker->crew->options->requests > 0 && worker->measured >= worker->budget);
}

static uint32_t value_size(struct bench_worker *worker)
{
    const struct bench_plan *plan = &worker->crew->plan;
    return plan->size_least + (plan->size_least == plan->size_most
                                   ? 0 : bench_crew_random(worker, plan->size_most - plan->size_least + 1));
}

static void ask(struct bench_worker *worker, struct bench_session *session, enum bench_op op, int64_t since_ns)
{
    struct bench_own *own = bench_crew_own(worker, session);
    struct bench_subject subject = {.node = bench_crew_random(worker, worker->crew->plan.nodes),
                                    .session = session->number};
    if (op == BENCH_OP_DELETE && own->deleted == own->made)
        op = BENCH_OP_CREATE;
    if (op == BENCH_OP_CREATE)
        subject.number = own->made++;
    else if (op == BENCH_OP_DELETE)
        subject.number = own->deleted++;
    else if (op == BENCH_OP_MULTI)
        subject.number = OF_MULTI | own->multis++;
    if (bench_op_is_write(op)) {
        subject.stamp = bench_crew_random(worker, UINT32_MAX);
        subject.size = value_size(worker);
    }
    int32_t xid = bench_crew_expect(worker, session, (uint8_t)op, subject.node, subject.number, since_ns);
    bench_request_write(&worker->crew->plan, op, xid, &subject, &session->out);
    worker->issued++;
}

static bool next(struct bench_worker *worker, struct bench_session *session)
{
    const struct bench_mix *mix = &worker->crew->options->mix;
    int64_t since_ns = worker->now_ns;
    if (has_rate(worker)) {
        since_ns = due_of(worker, worker->issued);
        if (since_ns > worker->now_ns || since_ns >= worker->end_ns)
            return false;
    } else if (is_over(worker)) {
        return false;
    }
    ask(worker, session, bench_mix_pick(mix, bench_crew_random(worker, mix->total)), since_ns);
    return true;
}

/* With a rate: what is due goes to the sessions in turn. */
static void woken(struct bench_worker *worker)
{
    if (!has_rate(worker))
        return;
    uint32_t refused = 0, depth = (uint32_t)worker->crew->options->depth;
    while (refused < worker->session_count) {
        struct bench_session *session = &worker->sessions[worker->rotor];
        worker->rotor = worker->rotor + 1 == worker->session_count ? 0 : worker->rotor + 1;
        if (!bench_session_has_room(session, depth)) {
            refused++;
            continue;
        }
        if (!next(worker, session))
            break;
        refused = 0;
    }
    for (uint32_t i = 0; i < worker->session_count; i++)
        if (worker->sessions[i].out.size > worker->sessions[i].out_at)
            bench_session_flush(&worker->sessions[i]);
}

static int64_t due_ns(struct bench_worker *worker)
{
    if (!has_rate(worker))
        return INT64_MAX;
    int64_t due = due_of(worker, worker->issued);
    return due <= worker->now_ns || due >= worker->end_ns ? worker->now_ns + NS_PER_MS : due;
}

static void measure(struct bench_worker *worker, const struct bench_pending *pending)
{
    const struct bench_options *options = worker->crew->options;
    int64_t now_ns = worker->now_ns, counted_ns = has_rate(worker) ? pending->since_ns : now_ns;
    if (counted_ns < worker->measure_ns || counted_ns >= worker->end_ns ||
        (options->requests > 0 && worker->measured >= worker->budget))
        return;
    if (options->mix.weights[pending->kind] != options->mix.total)
        bench_crew_time(&worker->counts.times[pending->kind], now_ns - pending->since_ns);
    bench_crew_time(&worker->counts.all, now_ns - pending->since_ns);
    worker->counts.ended_ns = now_ns;
    worker->measured++;
}

static void judge(struct bench_worker *worker, struct bench_session *session, const struct bench_pending *pending,
                  const uint8_t *body, size_t size)
{
    enum bench_op op = (enum bench_op)pending->kind;
    struct bench_subject subject = {.node = pending->node, .session = session->number, .number = pending->number};
    int32_t version;
    enum bench_verdict verdict = bench_reply_check(&worker->crew->plan, op, &subject, body, size, &version);
    bool is_change = op == BENCH_OP_WRITE || op == BENCH_OP_MULTI;
    if (verdict == BENCH_VERDICT_RIGHT && version >= 0 &&
        !bench_crew_see(worker, session, pending->node, version, is_change))
        verdict = BENCH_VERDICT_VERSION;
    if (verdict != BENCH_VERDICT_RIGHT)
        bench_crew_wrong(worker, verdict, "session %u, %s of node %u", session->number, bench_op_name(op),
                         pending->node);
    worker->counts.changes += is_change;
}

static void reply(struct bench_worker *worker, struct bench_session *session, const struct bench_pending *pending,
                  int32_t err, const uint8_t *body, size_t size)
{
    if (err == ZK_OK)
        judge(worker, session, pending, body, size);
    else
        bench_crew_wrong(worker, BENCH_VERDICT_ERROR, "session %u, %s: %s (%d)", session->number,
                         bench_op_name((enum bench_op)pending->kind), error_sentence(err), err);
    measure(worker, pending);
    atomic_fetch_add_explicit(&worker->done, 1, memory_order_relaxed);
}

static void begin(struct bench_worker *worker)
{
    const struct bench_options *options = worker->crew->options;
    worker->begin_ns = worker->now_ns;
    worker->measure_ns = worker->begin_ns + options->warm_up_ms * NS_PER_MS;
    worker->end_ns = options->requests > 0 ? worker->begin_ns + AWAY_MOST * 24
                                           : worker->measure_ns + options->duration_ms * NS_PER_MS;
    worker->budget = (uint64_t)options->requests / worker->crew->worker_count +
                     (worker->number < (uint64_t)options->requests % worker->crew->worker_count);
    worker->issued = worker->measured = 0;
    worker->over_ns = 0;
    if (has_rate(worker) && options->requests > 0)    /* so many from when measuring begins */
        worker->end_ns = worker->measure_ns + (int64_t)((double)worker->budget / rate_of(worker) * NS_PER_S);
    for (uint32_t i = 0; i < worker->session_count && !has_rate(worker); i++)
        bench_crew_fill(worker, &worker->sessions[i]);
}

/* Answers that come after all must not be taken for those of the next job. */
static void drop_silent(struct bench_worker *worker)
{
    for (uint32_t i = 0; i < worker->session_count && worker->in_flight > 0; i++)
        if (worker->sessions[i].count > 0)
            bench_session_drop(&worker->sessions[i], "no answer within 10 s of the end");
}

static bool is_done(struct bench_worker *worker)
{
    if (!is_over(worker))
        return false;
    bool is_interrupted = atomic_load_explicit(&worker->crew->is_interrupted, memory_order_relaxed);
    bool waits = has_rate(worker) && !is_interrupted && due_of(worker, worker->issued) < worker->end_ns;
    if (worker->over_ns == 0)
        worker->over_ns = worker->now_ns;
    bool is_late = worker->now_ns > worker->over_ns + DRAIN_NS;
    if ((worker->in_flight > 0 || waits) && !is_late)
        return false;
    if (has_rate(worker) && !is_interrupted) {
        while (due_of(worker, worker->issued) < worker->end_ns) {
            worker->issued++;
            worker->counts.late++;
        }
        worker->counts.late += worker->in_flight;
    }
    drop_silent(worker);
    return true;
}

const struct bench_job bench_job_run = {
    .name = "measuring", .begin = begin, .next = next, .reply = reply, .is_done = is_done,
    .due_ns = due_ns, .woken = woken,
};
