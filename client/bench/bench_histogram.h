/*
 * How times are spread, for percentiles: every one is counted, exactly below 256 ns and above within 1/128 of it, in
 * the manner of HdrHistogram. One thread at a time. 37 KiB.
 */
#ifndef ZKC_CLIENT_BENCH_HISTOGRAM_H
#define ZKC_CLIENT_BENCH_HISTOGRAM_H

#include <stdint.h>

#define BENCH_HISTOGRAM_STEPS 128                              /* of equal width, between two powers of two */
#define BENCH_HISTOGRAM_TOP_BIT 42                             /* values from 2^42 ns on, 73 minutes, share one cell */
#define BENCH_HISTOGRAM_CELLS (BENCH_HISTOGRAM_STEPS * (BENCH_HISTOGRAM_TOP_BIT - 6))

/* {0} is an empty one. */
struct bench_histogram {
    uint64_t count;
    int64_t least, most;    /* exact; 0 while there is none */
    double sum;
    uint64_t cells[BENCH_HISTOGRAM_CELLS];
};

void bench_histogram_add(struct bench_histogram *histogram, int64_t value);    /* below 0 counts as 0 */
void bench_histogram_merge(struct bench_histogram *into, const struct bench_histogram *from);
double bench_histogram_mean(const struct bench_histogram *histogram);
/* The smallest value that so many in a hundred (0 to 100) do not exceed, or up to 1/128 more, never more than the
 * greatest; 0 when there is none. */
int64_t bench_histogram_percentile(const struct bench_histogram *histogram, double percent);

#endif
