/*
 * server_stats.c - sums, least and most, each an atomic of its own.
 *
 * As in Java the four are not changed together: who reads in between sees a sample in one and not yet in another.
 */
#include "server/metric/server_stats.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"

#define NO_RESPONSE_YET (-1)
#define LARGEST_HALF 1e11    /* where the sums below are still exact */

static void lower_to(_Atomic int64_t *least, int64_t value)
{
    int64_t current = atomic_load_explicit(least, memory_order_relaxed);
    while (value < current &&
           !atomic_compare_exchange_weak_explicit(least, &current, value, memory_order_relaxed, memory_order_relaxed))
        continue;
}

static void raise_to(_Atomic int64_t *most, int64_t value)
{
    int64_t current = atomic_load_explicit(most, memory_order_relaxed);
    while (value > current &&
           !atomic_compare_exchange_weak_explicit(most, &current, value, memory_order_relaxed, memory_order_relaxed))
        continue;
}

/*
 * To four digits behind the point, halves away from zero, as BigDecimal does it with the exact value of the double. A
 * double is exactly half-way only if it is an odd number of 32nds, and printf would then round to even.
 */
static double round_to_4(double value)
{
    if (value > -LARGEST_HALF && value < LARGEST_HALF) {
        int64_t in_32nds = (int64_t)(value * 32);
        if ((double)in_32nds == value * 32 && in_32nds % 2 != 0)
            return (double)((in_32nds * 625 + (value < 0 ? -1 : 1)) / 2) / 10000;
    }
    char text[400];
    snprintf(text, sizeof(text), "%.4f", value);
    return strtod(text, NULL);
}

static void forget_responses(struct server_stats *stats)
{
    atomic_store(&stats->client_response_last, NO_RESPONSE_YET);
    atomic_store(&stats->client_response_min, NO_RESPONSE_YET);
    atomic_store(&stats->client_response_max, NO_RESPONSE_YET);
}

void latency_stats_init(struct latency_stats *stats)
{
    atomic_init(&stats->total, 0);
    atomic_init(&stats->count, 0);
    atomic_init(&stats->min, INT64_MAX);
    atomic_init(&stats->max, INT64_MIN);
}

void latency_stats_add(struct latency_stats *stats, int64_t value)
{
    latency_stats_add_many(stats, value, 1);
}

void latency_stats_add_many(struct latency_stats *stats, int64_t value, int64_t count)
{
    if (value != 0)    /* most are */
        atomic_fetch_add_explicit(&stats->total, value * count, memory_order_relaxed);
    atomic_fetch_add_explicit(&stats->count, count, memory_order_relaxed);
    lower_to(&stats->min, value);
    raise_to(&stats->max, value);
}

void latency_stats_reset(struct latency_stats *stats)
{
    atomic_store(&stats->count, 0);
    atomic_store(&stats->total, 0);
    atomic_store(&stats->min, INT64_MAX);
    atomic_store(&stats->max, INT64_MIN);
}

int64_t latency_stats_min(const struct latency_stats *stats)
{
    int64_t least = atomic_load(&stats->min);
    return least == INT64_MAX ? 0 : least;
}

int64_t latency_stats_max(const struct latency_stats *stats)
{
    int64_t most = atomic_load(&stats->max);
    return most == INT64_MIN ? 0 : most;
}

double latency_stats_avg(const struct latency_stats *stats)
{
    int64_t count = atomic_load(&stats->count);
    int64_t total = atomic_load(&stats->total);
    return count > 0 ? round_to_4((double)total / (double)count) : 0;
}

void server_stats_init(struct server_stats *stats)
{
    latency_stats_init(&stats->request_latency);
    atomic_init(&stats->packets_sent, 0);
    atomic_init(&stats->packets_received, 0);
    atomic_init(&stats->fsync_threshold_exceed_count, 0);
    atomic_init(&stats->auth_failed_count, 0);
    atomic_init(&stats->non_mtls_remote_conn_count, 0);
    atomic_init(&stats->non_mtls_local_conn_count, 0);
    forget_responses(stats);
    atomic_init(&stats->start_time_ms, clock_elapsed_ms());
}

void server_stats_restart(struct server_stats *stats)
{
    server_stats_reset(stats);
    atomic_store(&stats->fsync_threshold_exceed_count, 0);
    atomic_store(&stats->auth_failed_count, 0);
    atomic_store(&stats->non_mtls_remote_conn_count, 0);
    atomic_store(&stats->non_mtls_local_conn_count, 0);
    atomic_store(&stats->start_time_ms, clock_elapsed_ms());
}

void server_stats_reset(struct server_stats *stats)
{
    latency_stats_reset(&stats->request_latency);
    atomic_store(&stats->packets_sent, 0);
    atomic_store(&stats->packets_received, 0);
    forget_responses(stats);
}

void server_stats_update_client_response_size(struct server_stats *stats, int32_t size)
{
    atomic_store_explicit(&stats->client_response_last, size, memory_order_relaxed);
    int32_t least = atomic_load_explicit(&stats->client_response_min, memory_order_relaxed);
    while ((least == NO_RESPONSE_YET || size < least) &&
           !atomic_compare_exchange_weak(&stats->client_response_min, &least, size))
        continue;
    int32_t most = atomic_load_explicit(&stats->client_response_max, memory_order_relaxed);
    while (size > most && !atomic_compare_exchange_weak(&stats->client_response_max, &most, size))
        continue;
}
