/* What a run has shown, for people and as JSON. Main thread. */
#ifndef ZKC_CLIENT_BENCH_REPORT_H
#define ZKC_CLIENT_BENCH_REPORT_H

#include "client/bench/bench_crew.h"

struct bench_report {
    const struct bench_options *options;
    struct bench_counts counts;    /* of all workers; the report's own */
    double seconds;                /* that were measured */
    uint64_t wrong;                /* answers, of all kinds */
    const char *complaint;         /* the first of them; NULL: none */
};

/* `measure_ns` is when measuring began. */
void bench_report_init(struct bench_report *report, const struct bench_crew *crew);
void bench_report_release(struct bench_report *report);
/* The audit's: what is there against what was acknowledged. */
void bench_report_audit(struct bench_report *report, uint64_t versions_before, uint64_t versions_after);
void bench_report_print(const struct bench_report *report, struct buffer *out);
void bench_report_print_json(const struct bench_report *report, struct buffer *out);

/* Times in microseconds, one line. */
void bench_report_print_times(const char *name, const struct bench_histogram *times, struct buffer *out);
void bench_report_print_times_json(const struct bench_histogram *times, struct buffer *out);

#endif
