/*
 * Counters and timers as rows. Mirrors ServerMetrics and the default MetricsProvider (DefaultMetricsProvider,
 * AvgMinMaxCounter, AvgMinMaxPercentileCounter, SimpleCounter and their sets). Every call may be made from any thread;
 * counting takes no lock.
 */
#ifndef ZKC_SERVER_METRIC_SERVER_METRICS_H
#define ZKC_SERVER_METRIC_SERVER_METRICS_H

#include <stdint.h>

#include "common/wire/jute.h"

struct server_metrics;    /* one a server */

/* Rows of server_metrics.def: COUNTER(METRIC_SNAP_COUNT, "snap_count"), SUMMARY(METRIC_FSYNC_TIME, "fsynctime"),
 * SUMMARY_ADVANCED(...), COUNTER_SET(...), SUMMARY_SET(...), SUMMARY_SET_ADVANCED(...), in the order of ServerMetrics.
 * The constant is METRIC_ and the Java field's name, so that METRIC_FSYNC_TIME is ServerMetrics.FSYNC_TIME. */
enum metric {
#define COUNTER(id, name) id,
#define SUMMARY(id, name) id,
#define SUMMARY_ADVANCED(id, name) id,
#define COUNTER_SET(id, name) id,
#define SUMMARY_SET(id, name) id,
#define SUMMARY_SET_ADVANCED(id, name) id,
#include "server/metric/server_metrics.def"
#undef COUNTER
#undef SUMMARY
#undef SUMMARY_ADVANCED
#undef COUNTER_SET
#undef SUMMARY_SET
#undef SUMMARY_SET_ADVANCED
    METRIC_COUNT
};

struct server_metrics *server_metrics_new(void);
void server_metrics_free(struct server_metrics *metrics);

/* A NULL metrics is accepted by both, for rooms that run without a server. */
void server_metrics_count(struct server_metrics *metrics, enum metric metric, int64_t by);
void server_metrics_sample(struct server_metrics *metrics, enum metric metric, int64_t value);
/* Equal samples one behind the other, which are counted together: for who works through a batch. {0} has none. */
struct metric_run {
    int64_t value, count;
};
void server_metrics_sample_run(struct server_metrics *metrics, enum metric metric, struct metric_run *run,
                               int64_t value);
/* Counts what the run has; before anybody could miss it. */
void server_metrics_end_run(struct server_metrics *metrics, enum metric metric, struct metric_run *run);
/* For the sets; the key is copied. */
void server_metrics_count_key(struct server_metrics *metrics, enum metric metric, struct ustring key, int64_t by);
void server_metrics_sample_key(struct server_metrics *metrics, enum metric metric, struct ustring key, int64_t value);
void server_metrics_reset(struct server_metrics *metrics);

/*
 * Calls `row` for every value in the order and under the names Java's DefaultMetricsProvider.dump gives them: a counter
 * under its name; a summary as avg_, min_, max_, cnt_, sum_<name>; an advanced one with p50_, p95_, p99_, p999_ too; a
 * set as <key>_<name> forms. `text` is the value as Java prints it (a double as Double.toString, a long as decimal).
 */
void server_metrics_dump(struct server_metrics *metrics, void (*row)(void *context, const char *name, const char *text),
                         void *context);

/* One number of a plain counter or the sum of a summary; for tests and words. */
int64_t server_metrics_value(struct server_metrics *metrics, enum metric metric);

/* A double as Java's Double.toString() prints it: "0.0", "1.5", "1.0E10". */
void format_java_double(double value, char text[32]);

#endif
