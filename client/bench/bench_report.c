/* bench_report.c - counts of all workers added up, and written. */
#include "client/bench/bench_report.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"

#define NS_PER_US 1e3
#define NS_PER_S 1e9
#define MS_PER_S 1e3

static const struct {
    const char *name, *key;
    double percent;
} percentiles[] = {
    { "p50", "p50", 50 }, { "p90", "p90", 90 }, { "p99", "p99", 99 }, { "p99.9", "p99_9", 99.9 },
    { "p99.99", "p99_99", 99.99 },
};

static void merge_times(struct bench_histogram **into, const struct bench_histogram *from)
{
    if (from == NULL)
        return;
    if (*into == NULL)
        *into = MEMORY_NEW(struct bench_histogram);
    bench_histogram_merge(*into, from);
}

static void merge(struct bench_counts *into, const struct bench_counts *from)
{
    for (int op = 0; op < BENCH_OP_COUNT; op++)
        merge_times(&into->times[op], from->times[op]);
    merge_times(&into->all, from->all);
    merge_times(&into->last, from->last);
    for (int i = 0; i < BENCH_VERDICT_COUNT; i++)
        into->wrong[i] += from->wrong[i];
    into->lost += from->lost;
    into->downs += from->downs;
    into->late += from->late;
    into->changes += from->changes;
    if (from->ended_ns > into->ended_ns)
        into->ended_ns = from->ended_ns;
}

/* The window, or until the last answer where that is what ended it. */
static double seconds_of(const struct bench_report *report, const struct bench_crew *crew)
{
    const struct bench_options *options = report->options;
    double window = (double)options->duration_ms / MS_PER_S;
    double until_last = (double)(report->counts.ended_ns - crew->workers[0].measure_ns) / NS_PER_S;
    if (until_last < 0)
        until_last = 0;
    if (options->requests > 0 || crew->is_interrupted || options->mix.shape == BENCH_SHAPE_FAN_OUT)
        return until_last;
    return options->rate > 0 && until_last > window ? until_last : window;
}

void bench_report_init(struct bench_report *report, const struct bench_crew *crew)
{
    *report = (struct bench_report){.options = crew->options};
    for (uint32_t i = 0; i < crew->worker_count; i++) {
        merge(&report->counts, &crew->workers[i].counts);
        if (report->complaint == NULL && crew->workers[i].complaint[0] != '\0')
            report->complaint = crew->workers[i].complaint;
    }
    if (report->counts.all == NULL)
        report->counts.all = MEMORY_NEW(struct bench_histogram);
    for (int i = 0; i < BENCH_VERDICT_COUNT; i++)
        report->wrong += report->counts.wrong[i];
    report->seconds = seconds_of(report, crew);
}

void bench_report_release(struct bench_report *report)
{
    for (int op = 0; op < BENCH_OP_COUNT; op++)
        memory_free(report->counts.times[op]);
    memory_free(report->counts.all);
    memory_free(report->counts.last);
    *report = (struct bench_report){0};
}

void bench_report_audit(struct bench_report *report, uint64_t versions_before, uint64_t versions_after)
{
    uint64_t least = versions_before + report->counts.changes, most = least + report->counts.lost, off = 0;
    if (versions_after < least)
        off = least - versions_after;
    else if (versions_after > most)
        off = versions_after - most;
    report->counts.wrong[BENCH_VERDICT_TALLY] += off;
    report->wrong += off;
    if (off > 0 && report->complaint == NULL)
        report->complaint = bench_verdict_sentence(BENCH_VERDICT_TALLY);
}

void bench_report_print_times(const char *name, const struct bench_histogram *times, struct buffer *out)
{
    buffer_printf(out, "%-10s", name);
    for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++)
        buffer_printf(out, "  %s %.1f", percentiles[i].name,
                      (double)bench_histogram_percentile(times, percentiles[i].percent) / NS_PER_US);
    buffer_printf(out, "  max %.1f  mean %.1f\n", (double)times->most / NS_PER_US,
                  bench_histogram_mean(times) / NS_PER_US);
}

void bench_report_print_times_json(const struct bench_histogram *times, struct buffer *out)
{
    buffer_printf(out, "{\"count\":%" PRIu64, times->count);
    for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++)
        buffer_printf(out, ",\"%s\":%.3f", percentiles[i].key,
                      (double)bench_histogram_percentile(times, percentiles[i].percent) / NS_PER_US);
    buffer_printf(out, ",\"max\":%.3f,\"mean\":%.3f}", (double)times->most / NS_PER_US,
                  bench_histogram_mean(times) / NS_PER_US);
}

static double throughput(const struct bench_report *report)
{
    return report->seconds > 0 ? (double)report->counts.all->count / report->seconds : 0;
}

static const char *unit_of(const struct bench_report *report)
{
    return report->options->mix.shape == BENCH_SHAPE_FAN_OUT   ? "events"
           : report->options->mix.shape == BENCH_SHAPE_CONNECT ? "sessions"
                                                               : "requests";
}

static void print_faults(const struct bench_report *report, struct buffer *out)
{
    const struct bench_counts *counts = &report->counts;
    if (report->wrong == 0)
        buffer_append_string(out, "every answer was right\n");
    else
        buffer_printf(out, "%" PRIu64 " answers were WRONG\n", report->wrong);
    for (int i = 0; i < BENCH_VERDICT_COUNT; i++)
        if (counts->wrong[i] > 0)
            buffer_printf(out, "  %" PRIu64 "  %s\n", counts->wrong[i], bench_verdict_sentence((enum bench_verdict)i));
    if (counts->downs > 0)
        buffer_printf(out, "%" PRIu64 " connections were lost, and %" PRIu64 " requests with them\n", counts->downs,
                      counts->lost);
    if (counts->late > 0)
        buffer_printf(out, "%" PRIu64 " requests that were due have no answer: the rate is too high\n", counts->late);
    if (report->complaint != NULL)
        buffer_printf(out, "first: %s\n", report->complaint);
}

void bench_report_print(const struct bench_report *report, struct buffer *out)
{
    const struct bench_options *options = report->options;
    const struct bench_counts *counts = &report->counts;
    buffer_printf(out, "%s: %" PRIu64 " %s in %.3f s, %.1f a second\n", options->workload, counts->all->count,
                  unit_of(report), report->seconds, throughput(report));
    if (counts->all->count > 0) {
        buffer_append_string(out, "latency in us\n");
        bench_report_print_times("  all", counts->all, out);
    }
    for (int op = 0; op < BENCH_OP_COUNT; op++)
        if (counts->times[op] != NULL) {
            char name[16] = "  ";
            for (size_t i = 0; i < sizeof(name) - 3 && bench_op_name((enum bench_op)op)[i] != '\0'; i++)
                name[i + 2] = bench_op_name((enum bench_op)op)[i];
            bench_report_print_times(name, counts->times[op], out);
        }
    if (counts->last != NULL)
        bench_report_print_times("  the last", counts->last, out);
    print_faults(report, out);
}

/* Text of the user's, which may hold anything. */
static void print_string(const char *text, struct buffer *out)
{
    bool is_text = utf8_is_valid(text, strlen(text));
    buffer_append_byte(out, '"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            buffer_printf(out, "\\%c", c);
        else if (c < ' ' || c == 0x7f || (c > 0x7f && !is_text))
            buffer_printf(out, "\\u%04x", c);
        else
            buffer_append_byte(out, c);
    }
    buffer_append_byte(out, '"');
}

void bench_report_print_json(const struct bench_report *report, struct buffer *out)
{
    const struct bench_options *options = report->options;
    const struct bench_counts *counts = &report->counts;
    buffer_append_string(out, "{\"workload\":");
    print_string(options->workload, out);
    buffer_append_string(out, ",\"server\":");
    print_string(options->server, out);
    buffer_printf(out, ",\"sessions\":%" PRId64 ",\"depth\":%" PRId64 ",\"threads\":%" PRId64 ",\"nodes\":%" PRId64
                  ",\"size_least\":%" PRId64 ",\"size_most\":%" PRId64 ",\"rate\":%" PRId64, options->sessions,
                  options->depth, options->threads, options->nodes, options->size_least, options->size_most,
                  options->rate);
    buffer_printf(out, ",\"seconds\":%.6f,\"count\":%" PRIu64 ",\"throughput\":%.3f,\"latency_us\":", report->seconds,
                  counts->all->count, throughput(report));
    bench_report_print_times_json(counts->all, out);
    buffer_append_string(out, ",\"operations_us\":{");
    bool is_first = true;
    for (int op = 0; op < BENCH_OP_COUNT; op++)
        if (counts->times[op] != NULL) {
            buffer_printf(out, "%s\"%s\":", is_first ? "" : ",", bench_op_name((enum bench_op)op));
            bench_report_print_times_json(counts->times[op], out);
            is_first = false;
        }
    buffer_append_string(out, "}");
    if (counts->last != NULL) {
        buffer_append_string(out, ",\"last_delivery_us\":");
        bench_report_print_times_json(counts->last, out);
    }
    buffer_printf(out, ",\"wrong\":%" PRIu64 ",\"wrong_by\":{", report->wrong);
    for (int i = BENCH_VERDICT_RIGHT + 1; i < BENCH_VERDICT_COUNT; i++)
        buffer_printf(out, "%s\"%s\":%" PRIu64, i == BENCH_VERDICT_RIGHT + 1 ? "" : ",",
                      bench_verdict_key((enum bench_verdict)i), counts->wrong[i]);
    buffer_printf(out, "},\"lost\":%" PRIu64 ",\"connections_lost\":%" PRIu64 ",\"late\":%" PRIu64 ",\"first\":",
                  counts->lost, counts->downs, counts->late);
    if (report->complaint != NULL)
        print_string(report->complaint, out);
    else
        buffer_append_string(out, "null");
    buffer_append_string(out, "}\n");
}
