/*
 * server_metrics.c - one slot a row of server_metrics.def.
 *
 * Mirrors ServerMetrics and DefaultMetricsProvider. A counter is a sum; a summary knows sum, count, least and most; an
 * advanced one has a histogram, made with its first sample. A set has such a slot for each key: keys are only added,
 * under a lock, to chains that are searched without one. Departs from Java: a set takes 4096 keys and then no more,
 * since the names of top-level nodes are clients' to choose.
 */
#include "server/metric/server_metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash_map.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/mutex.h"
#include "server/metric/histogram.h"
#include "server/metric/java_map_order.h"
#include "server/metric/server_stats.h"

#define SET_BUCKETS 1024
#define SET_MOST_KEYS 4096

/* In the order in which dump() goes through them. */
enum kind { KIND_COUNTER, KIND_COUNTER_SET, KIND_SUMMARY, KIND_SUMMARY_ADVANCED, KIND_SUMMARY_SET,
            KIND_SUMMARY_SET_ADVANCED, KIND_COUNT };

static const struct row {
    enum kind kind;
    const char *name;
} rows[METRIC_COUNT] = {
#define COUNTER(id, name) [id] = {KIND_COUNTER, name},
#define SUMMARY(id, name) [id] = {KIND_SUMMARY, name},
#define SUMMARY_ADVANCED(id, name) [id] = {KIND_SUMMARY_ADVANCED, name},
#define COUNTER_SET(id, name) [id] = {KIND_COUNTER_SET, name},
#define SUMMARY_SET(id, name) [id] = {KIND_SUMMARY_SET, name},
#define SUMMARY_SET_ADVANCED(id, name) [id] = {KIND_SUMMARY_SET_ADVANCED, name},
#include "server/metric/server_metrics.def"
#undef COUNTER
#undef SUMMARY
#undef SUMMARY_ADVANCED
#undef COUNTER_SET
#undef SUMMARY_SET
#undef SUMMARY_SET_ADVANCED
};

struct slot {
    struct latency_stats stats;               /* of a counter only the total */
    struct histogram *_Atomic histogram;      /* NULL before the first sample of an advanced one */
};

struct keyed_slot {
    struct keyed_slot *next;             /* in its bucket; never changes */
    struct keyed_slot *next_in_order;    /* of arrival; under the lock */
    uint64_t hash;
    struct slot slot;
    int32_t key_size;
    char key[];                          /* terminated */
};

struct key_set {
    struct keyed_slot *_Atomic buckets[SET_BUCKETS];
    _Atomic size_t count;
    struct keyed_slot *first, **last;    /* in the order of arrival; under the lock */
};

struct server_metrics {
    struct slot slots[METRIC_COUNT];
    struct key_set *_Atomic sets[METRIC_COUNT];    /* NULL before the first key */
    struct mutex lock;                             /* held to add a set or a key, and to dump */
};

static bool is_set(enum kind kind)
{
    return kind == KIND_COUNTER_SET || kind == KIND_SUMMARY_SET || kind == KIND_SUMMARY_SET_ADVANCED;
}

static bool is_counter(enum kind kind)
{
    return kind == KIND_COUNTER || kind == KIND_COUNTER_SET;
}

static bool is_advanced(enum kind kind)
{
    return kind == KIND_SUMMARY_ADVANCED || kind == KIND_SUMMARY_SET_ADVANCED;
}

/* ---- a slot ---- */

static void slot_init(struct slot *slot)
{
    latency_stats_init(&slot->stats);
    atomic_init(&slot->histogram, NULL);
}

static void slot_release(struct slot *slot)
{
    histogram_free(atomic_load(&slot->histogram));
}

static struct histogram *slot_histogram(struct slot *slot)
{
    struct histogram *histogram = atomic_load_explicit(&slot->histogram, memory_order_acquire);
    if (histogram != NULL)
        return histogram;
    struct histogram *made = histogram_new();
    if (atomic_compare_exchange_strong(&slot->histogram, &histogram, made))
        return made;
    histogram_free(made);    /* somebody else was first */
    return histogram;
}

static void slot_add_samples(struct slot *slot, enum kind kind, int64_t value, int64_t count)
{
    latency_stats_add_many(&slot->stats, value, count);
    if (is_advanced(kind))
        histogram_add_many(slot_histogram(slot), value, (uint64_t)count);
}

static void slot_add(struct slot *slot, enum kind kind, int64_t value)
{
    if (is_counter(kind))
        atomic_fetch_add_explicit(&slot->stats.total, value, memory_order_relaxed);
    else
        slot_add_samples(slot, kind, value, 1);
}

static void slot_reset(struct slot *slot)
{
    latency_stats_reset(&slot->stats);
    struct histogram *histogram = atomic_load(&slot->histogram);
    if (histogram != NULL)
        histogram_reset(histogram);
}

/* ---- a set ---- */

static struct key_set *get_set(struct server_metrics *metrics, enum metric metric)
{
    struct key_set *set = atomic_load_explicit(&metrics->sets[metric], memory_order_acquire);
    if (set != NULL)
        return set;
    mutex_lock(&metrics->lock);
    set = atomic_load(&metrics->sets[metric]);
    if (set == NULL) {
        set = MEMORY_NEW(struct key_set);
        set->last = &set->first;
        atomic_store_explicit(&metrics->sets[metric], set, memory_order_release);
    }
    mutex_unlock(&metrics->lock);
    return set;
}

static struct keyed_slot *find_key(struct key_set *set, uint64_t hash, struct ustring key)
{
    struct keyed_slot *at = atomic_load_explicit(&set->buckets[hash % SET_BUCKETS], memory_order_acquire);
    while (at != NULL && (at->hash != hash || !ustring_equal((struct ustring){at->key, at->key_size}, key)))
        at = at->next;
    return at;
}

static struct keyed_slot *add_key(struct key_set *set, uint64_t hash, struct ustring key)
{
    size_t size = (size_t)key.size;
    struct keyed_slot *slot = memory_alloc(sizeof(*slot) + size + 1);
    *slot = (struct keyed_slot){.hash = hash, .key_size = key.size};
    if (size > 0)
        memcpy(slot->key, key.bytes, size);
    slot->key[size] = '\0';
    slot_init(&slot->slot);
    struct keyed_slot *_Atomic *bucket = &set->buckets[hash % SET_BUCKETS];
    slot->next = atomic_load(bucket);
    *set->last = slot;
    set->last = &slot->next_in_order;
    atomic_store_explicit(bucket, slot, memory_order_release);
    atomic_fetch_add(&set->count, 1);
    return slot;
}

/* NULL when the set is full. */
static struct slot *get_keyed(struct server_metrics *metrics, enum metric metric, struct ustring key)
{
    struct key_set *set = get_set(metrics, metric);
    uint64_t hash = hash_bytes_whole(0, key.bytes, (size_t)key.size);
    struct keyed_slot *slot = find_key(set, hash, key);
    if (slot == NULL && atomic_load_explicit(&set->count, memory_order_relaxed) < SET_MOST_KEYS) {
        mutex_lock(&metrics->lock);
        slot = find_key(set, hash, key);
        if (slot == NULL)
            slot = add_key(set, hash, key);
        mutex_unlock(&metrics->lock);
    }
    return slot == NULL ? NULL : &slot->slot;
}

static void add_keyed(struct server_metrics *metrics, enum metric metric, struct ustring key, int64_t value)
{
    if (metrics == NULL || key.size < 0)
        return;
    struct slot *slot = get_keyed(metrics, metric, key);
    if (slot != NULL)
        slot_add(slot, rows[metric].kind, value);
}

static void free_set(struct key_set *set)
{
    if (set == NULL)
        return;
    struct keyed_slot *next;
    for (struct keyed_slot *at = set->first; at != NULL; at = next) {
        next = at->next_in_order;
        slot_release(&at->slot);
        memory_free(at);
    }
    memory_free(set);
}

/* ---- dump ---- */

struct dump {
    void (*row)(void *context, const char *name, const char *text);
    void *context;
    struct buffer name;
};

/* "<prefix>_<key>_<name>", with what there is of it. */
static void dump_text(struct dump *dump, const char *prefix, const char *key, const char *name, const char *text)
{
    buffer_clear(&dump->name);
    if (prefix != NULL)
        buffer_printf(&dump->name, "%s_", prefix);
    if (key != NULL)
        buffer_printf(&dump->name, "%s_", key);
    buffer_append_string(&dump->name, name);
    dump->row(dump->context, buffer_string(&dump->name), text);
}

static void dump_number(struct dump *dump, const char *prefix, const char *key, const char *name, int64_t value)
{
    char text[32];
    snprintf(text, sizeof(text), "%" PRId64, value);
    dump_text(dump, prefix, key, name, text);
}

static void dump_percentiles(struct dump *dump, const char *key, const char *name, struct slot *slot)
{
    static const struct {
        const char *prefix;
        double quantile;
    } percentiles[] = {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}};
    const struct histogram *histogram = atomic_load(&slot->histogram);
    for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++) {
        int64_t value = histogram == NULL ? 0 : histogram_percentile(histogram, percentiles[i].quantile);
        dump_number(dump, percentiles[i].prefix, key, name, value);
    }
}

static void dump_slot(struct dump *dump, const struct row *row, const char *key, struct slot *slot)
{
    if (is_counter(row->kind)) {
        dump_number(dump, NULL, key, row->name, atomic_load(&slot->stats.total));
        return;
    }
    char average[32];
    format_java_double(latency_stats_avg(&slot->stats), average);
    dump_text(dump, "avg", key, row->name, average);
    dump_number(dump, "min", key, row->name, latency_stats_min(&slot->stats));
    dump_number(dump, "max", key, row->name, latency_stats_max(&slot->stats));
    dump_number(dump, "cnt", key, row->name, atomic_load(&slot->stats.count));
    dump_number(dump, "sum", key, row->name, atomic_load(&slot->stats.total));
    if (is_advanced(row->kind))
        dump_percentiles(dump, key, row->name, slot);
}

static void dump_set(struct dump *dump, const struct row *row, struct key_set *set)
{
    size_t count = set == NULL ? 0 : atomic_load(&set->count);
    if (count == 0)
        return;
    struct keyed_slot **came = MEMORY_NEW_ARRAY(count, struct keyed_slot *);
    int32_t *hashes = MEMORY_NEW_ARRAY(count, int32_t);
    size_t *order = MEMORY_NEW_ARRAY(count, size_t);
    size_t n = 0;
    for (struct keyed_slot *at = set->first; at != NULL; at = at->next_in_order) {
        came[n] = at;
        hashes[n++] = string_java_hash(at->key, (size_t)at->key_size);
    }
    assert(n == count);
    java_map_order(hashes, count, order);
    for (size_t i = 0; i < count; i++)
        dump_slot(dump, row, came[order[i]]->key, &came[order[i]]->slot);
    memory_free(order);
    memory_free(hashes);
    memory_free(came);
}

static void dump_kind(struct server_metrics *metrics, struct dump *dump, enum kind kind)
{
    enum metric came[METRIC_COUNT];
    int32_t hashes[METRIC_COUNT];
    size_t order[METRIC_COUNT];
    size_t count = 0;
    for (int metric = 0; metric < METRIC_COUNT; metric++) {
        if (rows[metric].kind != kind)
            continue;
        came[count] = (enum metric)metric;
        hashes[count++] = string_java_hash(rows[metric].name, strlen(rows[metric].name));
    }
    java_map_order(hashes, count, order);
    for (size_t i = 0; i < count; i++) {
        enum metric metric = came[order[i]];
        if (is_set(kind))
            dump_set(dump, &rows[metric], atomic_load(&metrics->sets[metric]));
        else
            dump_slot(dump, &rows[metric], NULL, &metrics->slots[metric]);
    }
}

/* ---- Double.toString() ---- */

/* Digits without trailing zeros and the exponent of the first: the shortest that read back as the value. */
static int shortest_digits(double value, char digits[24], int *ret_exponent)
{
    char text[40];
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, value);
        if (strtod(text, NULL) == value)
            break;
    }
    int count = 0;
    const char *at = text;
    for (; *at != 'e'; at++)
        if (*at != '.' && count < 23)
            digits[count++] = *at;
    *ret_exponent = atoi(at + 1);
    while (count > 1 && digits[count - 1] == '0')
        count--;
    digits[count] = '\0';
    return count;
}

/* ---- public ---- */

struct server_metrics *server_metrics_new(void)
{
    struct server_metrics *metrics = MEMORY_NEW(struct server_metrics);
    mutex_init(&metrics->lock);
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        slot_init(&metrics->slots[i]);
        atomic_init(&metrics->sets[i], NULL);
    }
    return metrics;
}

void server_metrics_free(struct server_metrics *metrics)
{
    if (metrics == NULL)
        return;
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        slot_release(&metrics->slots[i]);
        free_set(atomic_load(&metrics->sets[i]));
    }
    mutex_release(&metrics->lock);
    memory_free(metrics);
}

void server_metrics_count(struct server_metrics *metrics, enum metric metric, int64_t by)
{
    if (metrics == NULL)
        return;
    assert(rows[metric].kind == KIND_COUNTER);
    slot_add(&metrics->slots[metric], KIND_COUNTER, by);
}

void server_metrics_sample(struct server_metrics *metrics, enum metric metric, int64_t value)
{
    if (metrics == NULL)
        return;
    assert(rows[metric].kind == KIND_SUMMARY || rows[metric].kind == KIND_SUMMARY_ADVANCED);
    slot_add(&metrics->slots[metric], rows[metric].kind, value);
}

void server_metrics_sample_run(struct server_metrics *metrics, enum metric metric, struct metric_run *run,
                               int64_t value)
{
    if (run->count > 0 && run->value != value)
        server_metrics_end_run(metrics, metric, run);
    run->value = value;
    run->count++;
}

void server_metrics_end_run(struct server_metrics *metrics, enum metric metric, struct metric_run *run)
{
    assert(rows[metric].kind == KIND_SUMMARY || rows[metric].kind == KIND_SUMMARY_ADVANCED);
    if (metrics != NULL && run->count > 0)
        slot_add_samples(&metrics->slots[metric], rows[metric].kind, run->value, run->count);
    *run = (struct metric_run){0};
}

void server_metrics_count_key(struct server_metrics *metrics, enum metric metric, struct ustring key, int64_t by)
{
    assert(rows[metric].kind == KIND_COUNTER_SET);
    add_keyed(metrics, metric, key, by);
}

void server_metrics_sample_key(struct server_metrics *metrics, enum metric metric, struct ustring key, int64_t value)
{
    assert(rows[metric].kind == KIND_SUMMARY_SET || rows[metric].kind == KIND_SUMMARY_SET_ADVANCED);
    add_keyed(metrics, metric, key, value);
}

void server_metrics_reset(struct server_metrics *metrics)
{
    if (metrics == NULL)
        return;
    mutex_lock(&metrics->lock);
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        slot_reset(&metrics->slots[i]);
        struct key_set *set = atomic_load(&metrics->sets[i]);
        for (struct keyed_slot *at = set == NULL ? NULL : set->first; at != NULL; at = at->next_in_order)
            slot_reset(&at->slot);
    }
    mutex_unlock(&metrics->lock);
}

void server_metrics_dump(struct server_metrics *metrics, void (*row)(void *context, const char *name, const char *text),
                         void *context)
{
    struct dump dump = {.row = row, .context = context};
    mutex_lock(&metrics->lock);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        dump_kind(metrics, &dump, (enum kind)kind);
    mutex_unlock(&metrics->lock);
    buffer_release(&dump.name);
}

int64_t server_metrics_value(struct server_metrics *metrics, enum metric metric)
{
    assert(!is_set(rows[metric].kind));
    return atomic_load(&metrics->slots[metric].stats.total);
}

void format_java_double(double value, char text[32])
{
    if (isnan(value)) {
        snprintf(text, 32, "NaN");
        return;
    }
    const char *sign = signbit(value) ? "-" : "";
    value = fabs(value);
    if (isinf(value) || value == 0) {
        snprintf(text, 32, "%s%s", sign, isinf(value) ? "Infinity" : "0.0");
        return;
    }
    char digits[24];
    int exponent;
    int count = shortest_digits(value, digits, &exponent);
    if (value >= 1e-3 && value < 1e7) {
        int behind = count - 1 - exponent;    /* digits behind the point */
        snprintf(text, 32, "%s%.*f", sign, behind > 1 ? behind : 1, value);
    } else {
        snprintf(text, 32, "%s%c.%sE%d", sign, digits[0], count > 1 ? digits + 1 : "0", exponent);
    }
}
