/*
 * bench_load.c - one job after another, and a line that says how far it is.
 *
 * The audit compares what all nodes say of their versions, before and after, with how many changes were acknowledged: a
 * write that was acknowledged and lost shows, and so does one that was made twice.
 */
#include "client/bench/bench_load.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "client/bench/bench_jobs.h"
#include "client/bench/bench_report.h"
#include "client/bench/bench_value.h"
#include "common/base/clock.h"
#include "common/base/console.h"
#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/thread/thread.h"

#define LOOK_MS 20
#define SHOW_MS 250
#define TOKENS (1 << 24)

struct load {
    const struct bench_options *options;
    struct bench_target target;
    struct bench_crew crew;
    uint8_t *pattern;
    bool shows;              /* progress, on a terminal */
    int64_t begun_ms;        /* the present job */
    int64_t shown_ms;
    uint64_t shown_done;
    const char *marked;      /* the last phase that was told */
    uint64_t before;         /* versions of all nodes, added up */
};

static void mark(struct load *load, const char *phase)
{
    if (!load->options->tells_phases || load->marked == phase)
        return;
    load->marked = phase;
    fprintf(stderr, "%s\n", phase);
    fflush(stderr);
}

static uint64_t done(const struct bench_crew *crew)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < crew->worker_count; i++)
        sum += atomic_load_explicit(&crew->workers[i].done, memory_order_relaxed);
    return sum;
}

static void show(struct load *load, int64_t now_ms)
{
    uint64_t sum = done(&load->crew);
    double seconds = (double)(now_ms - load->shown_ms) / 1e3;
    fprintf(stderr, "\r%-16s %6.1f s  %12.0f a second  %14" PRIu64 " done ", load->crew.job->name,
            (double)(now_ms - load->begun_ms) / 1e3, (double)(sum - load->shown_done) / seconds, sum);
    fflush(stderr);
    load->shown_ms = now_ms;
    load->shown_done = sum;
}

static void clear_line(const struct load *load)
{
    if (load->shows)
        fputs("\r\033[K", stderr);
}

/* Between looks: sleeps, unless somebody wants an end. */
static void look(void *context)
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct load *load = context;
    if (thread_wait_signal(signals, ARRAY_SIZE(signals), LOOK_MS) != 0)
        atomic_store(&load->crew.is_interrupted, true);
    int64_t now_ms = clock_elapsed_ms();
    bool is_measured = strcmp(load->crew.job->name, "measuring") == 0;
    if (is_measured) {
        int64_t since_ms = now_ms - load->begun_ms - load->options->warm_up_ms;
        if (since_ms >= 0)
            mark(load, load->options->requests == 0 && since_ms >= load->options->duration_ms ? "measured"
                                                                                              : "measuring");
    }
    if (load->shows && now_ms - load->shown_ms >= SHOW_MS)
        show(load, now_ms);
}

static void begin(struct load *load, const char *phase)
{
    mark(load, phase);
    load->begun_ms = load->shown_ms = clock_elapsed_ms();
    load->shown_done = done(&load->crew);
}

static int do_job(struct load *load, const struct bench_job *job, const char *phase, struct error *error)
{
    begin(load, phase);
    return bench_crew_run(&load->crew, job, look, load, error);
}

static int do_list(struct load *load, enum bench_list list, const char *phase, struct error *error)
{
    begin(load, phase);
    return bench_setup_run(&load->crew, list, look, load, error);
}

static bool has_nodes(const struct load *load)
{
    return load->options->mix.shape == BENCH_SHAPE_REQUESTS || load->options->mix.shape == BENCH_SHAPE_FAN_OUT ||
           (load->options->mix.shape == BENCH_SHAPE_IDLE && load->options->keeps);
}

static bool is_audited(const struct load *load)
{
    return load->options->mix.shape == BENCH_SHAPE_FAN_OUT || bench_mix_writes(&load->options->mix);
}

static int audit(struct load *load, uint64_t *ret_versions, struct error *error)
{
    for (uint32_t i = 0; i < load->crew.worker_count; i++)
        load->crew.workers[i].counts.versions = 0;
    int err = do_list(load, BENCH_LIST_AUDIT, "auditing", error);
    *ret_versions = 0;
    for (uint32_t i = 0; i < load->crew.worker_count; i++)
        *ret_versions += load->crew.workers[i].counts.versions;
    return err;
}

static int make_nodes(struct load *load, struct error *error)
{
    static const enum bench_list lists[] = {BENCH_LIST_ROOT, BENCH_LIST_DIRECTORIES, BENCH_LIST_NODES};
    int err = ZK_OK;
    for (size_t i = 0; i < ARRAY_SIZE(lists) && err == ZK_OK; i++)
        err = do_list(load, lists[i], "making", error);
    if (err == ZK_OK && load->crew.found_nodes)
        err = do_list(load, BENCH_LIST_FILL, "making", error);
    if (err == ZK_OK)
        err = do_list(load, BENCH_LIST_SYNC, "making", error);
    return err == ZK_OK && load->crew.found_nodes && is_audited(load) ? audit(load, &load->before, error) : err;
}

static int drop_nodes(struct load *load, struct error *error)
{
    static const enum bench_list lists[] = {BENCH_LIST_DROP_MADE, BENCH_LIST_DROP_SESSIONS, BENCH_LIST_DROP_NODES,
                                            BENCH_LIST_DROP_DIRECTORIES, BENCH_LIST_DROP_ROOT};
    size_t count = load->options->keeps ? 2 : ARRAY_SIZE(lists);
    int err = ZK_OK;
    for (size_t i = 0; i < count && err == ZK_OK; i++)
        err = do_list(load, lists[i], "deleting", error);
    return err;
}

static const struct bench_job *job_of(enum bench_shape shape)
{
    return shape == BENCH_SHAPE_CONNECT   ? &bench_job_connect
           : shape == BENCH_SHAPE_FAN_OUT ? &bench_job_fan_out
           : shape == BENCH_SHAPE_IDLE    ? &bench_job_idle
                                          : &bench_job_run;
}

/* From open sessions on; what follows the measuring is tried even if something of it fails. */
static int measure(struct load *load, struct buffer *out, bool *ret_is_right, struct error *error)
{
    const struct bench_options *options = load->options;
    struct bench_report report;
    uint64_t after = 0;
    int err = has_nodes(load) ? make_nodes(load, error) : ZK_OK;
    if (err == ZK_OK)
        err = do_job(load, job_of(options->mix.shape), "warming", error);
    mark(load, "measured");
    if (err != ZK_OK)
        return err;
    if (is_audited(load))
        err = audit(load, &after, error);
    bench_report_init(&report, &load->crew);
    if (is_audited(load) && err == ZK_OK)
        bench_report_audit(&report, load->before, after);
    if (has_nodes(load) && err == ZK_OK)
        err = drop_nodes(load, error);
    clear_line(load);
    if (options->is_json)
        bench_report_print_json(&report, out);
    else
        bench_report_print(&report, out);
    *ret_is_right = report.wrong == 0 && report.counts.downs == 0 && report.counts.late == 0;
    bench_report_release(&report);
    return err;
}

static int make_plan(struct load *load, struct bench_plan *ret_plan, struct error *error)
{
    const struct bench_options *options = load->options;
    struct bench_plan plan = {
        .token = (uint32_t)random_below(TOKENS), .nodes = (uint32_t)options->nodes,
        .sessions = (uint32_t)options->sessions, .size_least = (uint32_t)options->size_least,
        .size_most = (uint32_t)options->size_most, .pattern = load->pattern,
    };
    const char *chroot = load->target.chroot == NULL ? "" : load->target.chroot;
    int size = options->path != NULL ? snprintf(plan.root, sizeof(plan.root), "%s%s", chroot, options->path)
                                     : snprintf(plan.root, sizeof(plan.root), "%s/zkbench-%06x", chroot, plan.token);
    if (size < 0 || (size_t)size >= sizeof(plan.root))
        return error_set(error, ZK_BAD_ARGUMENTS, "chroot and path have more than %d bytes together", BENCH_ROOT_MOST);
    plan.root_size = (size_t)size;
    for (; *chroot != '\0'; chroot++)
        plan.given_parts += *chroot == '/';
    *ret_plan = plan;
    return ZK_OK;
}

static int run(struct load *load, struct buffer *out, bool *ret_is_right, struct error *error)
{
    struct bench_plan plan;
    int err = make_plan(load, &plan, error);
    if (err != ZK_OK)
        return err;
    bench_crew_init(&load->crew, load->options, &load->target, &plan);
    if (load->options->mix.shape != BENCH_SHAPE_CONNECT)
        err = do_job(load, &bench_job_open, "connecting", error);
    if (err == ZK_OK)
        err = measure(load, out, ret_is_right, error);
    struct error ignored = {0};
    do_job(load, &bench_job_close, "closing", &ignored);
    clear_line(load);
    bench_crew_release(&load->crew);
    return err;
}

static int load_properties(const struct bench_options *options, struct properties *properties, struct error *error)
{
    int err = options->client_configuration == NULL ? ZK_OK
                                                    : properties_load(properties, options->client_configuration, error);
    for (size_t i = 0; i < options->properties.count && err == ZK_OK; i++)
        properties_set(properties, options->properties.items[i].key, options->properties.items[i].value, 0);
    return err;
}

int bench_load_run(const struct bench_options *options, struct buffer *out, bool *ret_is_right, struct error *error)
{
    struct load load = {
        .options = options, .pattern = bench_value_pattern_new((size_t)options->size_most),
        .shows = !options->is_quiet && !options->tells_phases && console_is_terminal(CONSOLE_ERROR),
    };
    struct properties properties = {0};
    int err = load_properties(options, &properties, error);
    if (err == ZK_OK)
        err = bench_target_init(&load.target, options->server, (int32_t)options->timeout_ms, &properties, error);
    if (err == ZK_OK) {
        err = run(&load, out, ret_is_right, error);
        bench_target_release(&load.target);
    }
    properties_release(&properties);
    memory_free(load.pattern);
    return err;
}
