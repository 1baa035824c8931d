/*
 * histogram.c - cells of width 1 up to 64, of width 2 up to 128, of width 4 up to 256, and so on.
 *
 * The cell of a value is its highest five bits behind the leading one, and where that one stands.
 */
#include "server/metric/histogram.h"

#include <stdatomic.h>

#include "common/base/memory.h"

#define STEP_BITS 5    /* log2(HISTOGRAM_STEPS) */

static unsigned cell_of(int64_t value)
{
    if (value < 2 * HISTOGRAM_STEPS)
        return value < 0 ? 0 : (unsigned)value;
    unsigned top_bit = 63 - (unsigned)__builtin_clzll((uint64_t)value);
    if (top_bit >= HISTOGRAM_TOP_BIT)
        return HISTOGRAM_CELLS - 1;
    unsigned shift = top_bit - STEP_BITS;
    return shift * HISTOGRAM_STEPS + (unsigned)(value >> shift);
}

/* The middle of a cell. */
static double value_of(unsigned cell)
{
    if (cell < 2 * HISTOGRAM_STEPS)
        return cell;
    unsigned shift = cell / HISTOGRAM_STEPS - 1;
    uint64_t least = (uint64_t)(cell - shift * HISTOGRAM_STEPS) << shift;
    return (double)(least + ((UINT64_C(1) << shift) - 1) / 2);
}

/* The sample of that rank, from 1 on. */
static double value_at(const uint64_t *counts, uint64_t rank)
{
    uint64_t passed = 0;
    unsigned cell = 0;
    for (; cell < HISTOGRAM_CELLS - 1; cell++) {
        passed += counts[cell];
        if (passed >= rank)
            break;
    }
    return value_of(cell);
}

struct histogram *histogram_new(void)
{
    return MEMORY_NEW(struct histogram);
}

void histogram_free(struct histogram *histogram)
{
    memory_free(histogram);
}

void histogram_add_many(struct histogram *histogram, int64_t value, uint64_t count)
{
    atomic_fetch_add_explicit(&histogram->cells[cell_of(value)], count, memory_order_relaxed);
}

void histogram_reset(struct histogram *histogram)
{
    for (unsigned i = 0; i < HISTOGRAM_CELLS; i++)
        atomic_store_explicit(&histogram->cells[i], 0, memory_order_relaxed);
}

int64_t histogram_percentile(const struct histogram *histogram, double quantile)
{
    uint64_t counts[HISTOGRAM_CELLS];
    uint64_t count = 0;
    for (unsigned i = 0; i < HISTOGRAM_CELLS; i++) {
        counts[i] = atomic_load_explicit(&histogram->cells[i], memory_order_relaxed);
        count += counts[i];
    }
    if (count == 0)
        return 0;
    double position = quantile * (double)(count + 1);
    uint64_t rank = (uint64_t)position;
    if (rank < 1)
        return (int64_t)value_at(counts, 1);
    if (rank >= count)
        return (int64_t)value_at(counts, count);
    double lower = value_at(counts, rank);
    double upper = value_at(counts, rank + 1);
    return (int64_t)(lower + (position - (double)rank) * (upper - lower) + 0.5);
}
