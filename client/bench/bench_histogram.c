/*
 * bench_histogram.c - counts by size, in cells whose width grows with the value.
 *
 * Values below 2^8 have a cell each. From there on each power of two is cut into 128 cells: a value stands in the cell
 * of its eight leading bits.
 */
#include "client/bench/bench_histogram.h"

#include <stddef.h>

#define EXACT_BITS 8    /* STEPS is half of what they can say: above, the first of them is always set */

static size_t cell_of(int64_t value)
{
    if (value < (INT64_C(1) << EXACT_BITS))
        return (size_t)value;
    if (value >= (INT64_C(1) << BENCH_HISTOGRAM_TOP_BIT))
        return BENCH_HISTOGRAM_CELLS - 1;
    int shift = 63 - __builtin_clzll((unsigned long long)value) - (EXACT_BITS - 1);
    return (size_t)shift * BENCH_HISTOGRAM_STEPS + (size_t)(value >> shift);
}

/* The greatest value that stands in the cell. */
static int64_t top_of(size_t cell)
{
    if (cell < 2 * BENCH_HISTOGRAM_STEPS)
        return (int64_t)cell;
    int shift = (int)(cell / BENCH_HISTOGRAM_STEPS) - 1;
    int64_t leading = (int64_t)(cell - (size_t)shift * BENCH_HISTOGRAM_STEPS);
    return ((leading + 1) << shift) - 1;
}

void bench_histogram_add(struct bench_histogram *histogram, int64_t value)
{
    value = value < 0 ? 0 : value;
    if (histogram->count == 0 || value < histogram->least)
        histogram->least = value;
    if (value > histogram->most)
        histogram->most = value;
    histogram->count++;
    histogram->sum += (double)value;
    histogram->cells[cell_of(value)]++;
}

void bench_histogram_merge(struct bench_histogram *into, const struct bench_histogram *from)
{
    if (from->count == 0)
        return;
    if (into->count == 0 || from->least < into->least)
        into->least = from->least;
    if (from->most > into->most)
        into->most = from->most;
    into->count += from->count;
    into->sum += from->sum;
    for (size_t i = 0; i < BENCH_HISTOGRAM_CELLS; i++)
        into->cells[i] += from->cells[i];
}

double bench_histogram_mean(const struct bench_histogram *histogram)
{
    return histogram->count == 0 ? 0 : histogram->sum / (double)histogram->count;
}

int64_t bench_histogram_percentile(const struct bench_histogram *histogram, double percent)
{
    double exact = percent / 100 * (double)histogram->count;
    uint64_t rank = (uint64_t)exact;
    if ((double)rank < exact || rank == 0)
        rank++;
    uint64_t seen = 0;
    for (size_t i = 0; i < BENCH_HISTOGRAM_CELLS; i++) {
        seen += histogram->cells[i];
        if (seen >= rank) {
            int64_t top = i == BENCH_HISTOGRAM_CELLS - 1 ? histogram->most : top_of(i);
            return top < histogram->most ? top : histogram->most;
        }
    }
    return histogram->most;
}
