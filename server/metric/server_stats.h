/*
 * What `srvr` and `stat` tell of one server, and of one connection. Mirrors ServerStats, BufferStats and the statistics
 * in ServerCnxn. Any thread; counted without a lock.
 */
#ifndef ZKC_SERVER_METRIC_SERVER_STATS_H
#define ZKC_SERVER_METRIC_SERVER_STATS_H

#include <stdatomic.h>
#include <stdint.h>

/* AvgMinMaxCounter: min is 0 and avg 0 while nothing was counted. {0} is not ready: see server_stats_init. */
struct latency_stats {
    _Atomic int64_t total, count, min, max;
};
void latency_stats_init(struct latency_stats *stats);
void latency_stats_add(struct latency_stats *stats, int64_t value);
void latency_stats_add_many(struct latency_stats *stats, int64_t value, int64_t count);    /* `count` equal ones */
void latency_stats_reset(struct latency_stats *stats);
int64_t latency_stats_min(const struct latency_stats *stats);
int64_t latency_stats_max(const struct latency_stats *stats);
/* total / count, rounded to 4 digits as AvgMinMaxCounter does. */
double latency_stats_avg(const struct latency_stats *stats);

struct server_stats {
    struct latency_stats request_latency;    /* ms */
    _Atomic int64_t packets_sent, packets_received;
    _Atomic int64_t fsync_threshold_exceed_count;
    _Atomic int64_t auth_failed_count, non_mtls_remote_conn_count, non_mtls_local_conn_count;
    _Atomic int32_t client_response_last, client_response_min, client_response_max;    /* bytes, -1 before the first */
    _Atomic int64_t start_time_ms;    /* elapsed */
};
void server_stats_init(struct server_stats *stats);
/* A role begins: as from the start, while others may be counting. */
void server_stats_restart(struct server_stats *stats);
void server_stats_reset(struct server_stats *stats);    /* srst: latency, packets, response sizes */
void server_stats_update_client_response_size(struct server_stats *stats, int32_t size);

#endif
