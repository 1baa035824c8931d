/* test_watch_registry.c - who is told of what, who stays, and what goes out again after a reconnect. */
#include "client/watch_registry.h"

#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/wire/records.h"
#include "tests/lib/check_main.h"

enum { CREATED = 1, DELETED = 2, CHANGED = 3, CHILD = 4 };
#define MANY 100000

static void watcher_a(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)zh, (void)type, (void)state, (void)path, (void)context;
}
static void watcher_b(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)zh, (void)type, (void)state, (void)path, (void)context;
    ck_abort_msg("nobody calls this");    /* and no linker makes one function of the two */
}

static void *context_of(size_t number)
{
    return (void *)(uintptr_t)(number + 1);
}

static bool has(const struct watch_callbacks *callbacks, watcher_fn watcher, void *context)
{
    size_t found = 0;
    for (size_t i = 0; i < callbacks->count; i++)
        found += callbacks->items[i].watcher == watcher && callbacks->items[i].context == context;
    ck_assert_uint_le(found, 1);
    return found == 1;
}

static const char *const kind_names[] = { "data", "exist", "child", "persistent", "recursive" };

/* One watcher of each kind on /n; its context is its kind. '1': told and gone; 'p': told and stays. */
static const struct {
    int event;
    const char *path;
    const char told[WATCH_KINDS + 1];
} events[] = {
    { CREATED, "/n", "11-pp" },
    { CHANGED, "/n", "11-pp" },
    { DELETED, "/n", "111pp" },
    { CHILD, "/n", "--1p-" },
    { CREATED, "/n/below", "----p" },
    { CHANGED, "/n/below/it", "----p" },
    { DELETED, "/n/below", "----p" },
    { CHILD, "/n/below", "-----" },
    { CREATED, "/", "-----" },
    { CREATED, "/m", "-----" },
    { CREATED, "/nn", "-----" },
    { CREATED, "/nn/x", "-----" },
    { CREATED, "", "-----" },
    { CREATED, "n", "-----" },
    { CREATED, "//n", "-----" },
    { -1, "/n", "-----" },
    { -2, "/n", "-----" },
    { 0, "/n", "-----" },
    { 5, "/n", "-----" },
};
START_TEST(an_event_is_told_to_those_it_concerns)
{
    struct watch_registry *registry = watch_registry_new();
    struct watch_callbacks callbacks = { 0 };
    size_t left = WATCH_KINDS;
    for (size_t kind = 0; kind < WATCH_KINDS; kind++)
        watch_registry_add(registry, (enum watch_kind)kind, "/n", watcher_a, context_of(kind));
    watch_registry_materialize(registry, events[_i].event, events[_i].path, &callbacks);
    for (size_t kind = 0; kind < WATCH_KINDS; kind++) {
        bool is_told = events[_i].told[kind] != '-';
        ck_assert_msg(has(&callbacks, watcher_a, context_of(kind)) == is_told, "event %d on %s, %s watch",
                      events[_i].event, events[_i].path, kind_names[kind]);
        left -= events[_i].told[kind] == '1';
    }
    ck_assert_uint_eq(watch_registry_count(registry), left);
    watch_callbacks_release(&callbacks);
    watch_registry_free(registry);
}
END_TEST

START_TEST(recursive_watches_hear_of_all_below_them)
{
    static const struct {
        const char *watched, *path;
        bool is_told;
    } rows[] = {
        { "/", "/", true },          { "/", "/a", true },       { "/", "/a/b/c", true }, { "/a", "/", false },
        { "/a", "/a", true },        { "/a", "/a/b/c", true },  { "/a", "/ab", false },  { "/a/b", "/a", false },
        { "/a/b", "/a/b/c/d", true }, { "/a/b", "/a/bb", false }, { "/a", "a", false },   { "/", "", false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct watch_registry *registry = watch_registry_new();
        struct watch_callbacks callbacks = { 0 };
        watch_registry_add(registry, WATCH_PERSISTENT_RECURSIVE, rows[i].watched, watcher_a, NULL);
        for (int round = 0; round < 2; round++)
            watch_registry_materialize(registry, CHANGED, rows[i].path, &callbacks);
        ck_assert_msg(callbacks.count == rows[i].is_told, "%s of %s", rows[i].watched, rows[i].path);
        watch_callbacks_release(&callbacks);
        watch_registry_free(registry);
    }
}
END_TEST

START_TEST(a_hostile_path_costs_its_length)
{
    struct watch_registry *registry = watch_registry_new();
    struct watch_callbacks callbacks = { 0 };
    size_t size = 1 << 16;    /* strict_string_checks makes its square of it */
    char *path = memory_alloc(size + 1);
    memset(path, '/', size);
    path[size] = '\0';
    watch_registry_add(registry, WATCH_PERSISTENT_RECURSIVE, "/", watcher_a, NULL);
    watch_registry_add(registry, WATCH_PERSISTENT_RECURSIVE, path, watcher_b, NULL);
    watch_registry_materialize(registry, CHANGED, path, &callbacks);
    ck_assert_uint_eq(callbacks.count, 2);
    for (size_t i = 1; i < size; i += 2)
        path[i] = 'a';
    watch_callbacks_release(&callbacks);
    watch_registry_materialize(registry, CHANGED, path, &callbacks);
    ck_assert_uint_eq(callbacks.count, 1);
    watch_callbacks_release(&callbacks);
    watch_registry_free(registry);
    memory_free(path);
}
END_TEST

START_TEST(nobody_is_told_twice)
{
    struct watch_registry *registry = watch_registry_new();
    struct watch_callbacks callbacks = { 0 };
    for (int round = 0; round < 2; round++) {
        for (size_t kind = 0; kind < WATCH_KINDS; kind++)
            watch_registry_add(registry, (enum watch_kind)kind, "/n", watcher_a, registry);
    }
    watch_registry_add(registry, WATCH_PERSISTENT_RECURSIVE, "/", watcher_a, registry);
    watch_registry_add(registry, WATCH_DATA, "/n", watcher_a, NULL);    /* another context is another watcher */
    watch_registry_add(registry, WATCH_DATA, "/n", watcher_b, registry);
    ck_assert_uint_eq(watch_registry_count(registry), WATCH_KINDS + 1);
    watch_registry_collect_all(registry, &callbacks);
    ck_assert_uint_eq(callbacks.count, 3);
    ck_assert_uint_eq(watch_registry_count(registry), WATCH_KINDS + 1);
    watch_callbacks_release(&callbacks);
    watch_registry_materialize(registry, DELETED, "/n", &callbacks);
    ck_assert_uint_eq(callbacks.count, 3);
    watch_callbacks_release(&callbacks);
    watch_registry_materialize(registry, DELETED, "/n", &callbacks);
    ck_assert_uint_eq(callbacks.count, 1);
    watch_callbacks_release(&callbacks);
    watch_registry_free(registry);
    watch_registry_free(NULL);
}
END_TEST

static const enum watcher_type types[] = { WATCHER_CHILDREN, WATCHER_DATA, WATCHER_ANY, WATCHER_PERSISTENT,
                                           WATCHER_PERSISTENT_RECURSIVE };
/* Whether removing a type is about a kind: data, exist, child, persistent, recursive. */
static const bool is_about[][WATCH_KINDS] = {
    { false, false, true, false, false },
    { true, true, false, false, false },
    { true, true, true, true, true },
    { false, false, false, true, false },
    { false, false, false, false, true },
};
START_TEST(removing_is_about_the_kinds_of_its_type)    /* _i: type and kind */
{
    size_t row = (size_t)_i / WATCH_KINDS;
    enum watch_kind kind = (enum watch_kind)(_i % WATCH_KINDS);
    enum watcher_type type = types[row];
    bool is_hit = is_about[row][kind];
    struct watch_registry *registry = watch_registry_new();
    struct watch_callbacks callbacks = { 0 };
    watch_registry_add(registry, kind, "/n", watcher_a, NULL);
    watch_registry_add(registry, kind, "/n", watcher_b, NULL);

    ck_assert_int_eq(watch_registry_contains(registry, type, "/n", watcher_a, NULL), is_hit);
    ck_assert_int_eq(watch_registry_contains(registry, type, "/n", NULL, NULL), is_hit);
    ck_assert(!watch_registry_contains(registry, type, "/n", watcher_a, registry));
    ck_assert(!watch_registry_contains(registry, type, "/m", NULL, NULL));
    ck_assert(watch_registry_is_last(registry, type, "/n", NULL, NULL));
    ck_assert_int_eq(watch_registry_is_last(registry, type, "/n", watcher_a, NULL), !is_hit);
    ck_assert_int_eq(watch_registry_is_last(registry, type, "/n", watcher_a, registry), !is_hit);

    watch_registry_remove(registry, type, "/n", watcher_a, registry, &callbacks);    /* nobody has that context */
    watch_registry_remove(registry, type, "/m", NULL, NULL, &callbacks);
    ck_assert_uint_eq(callbacks.count, 0);
    watch_registry_remove(registry, type, "/n", watcher_a, NULL, &callbacks);
    ck_assert_int_eq(has(&callbacks, watcher_a, NULL), is_hit);
    ck_assert_uint_eq(callbacks.count, is_hit);
    ck_assert_int_eq(watch_registry_contains(registry, type, "/n", watcher_b, NULL), is_hit);
    ck_assert(watch_registry_is_last(registry, type, "/n", watcher_b, NULL));
    ck_assert_uint_eq(watch_registry_count(registry), 1);
    watch_registry_remove(registry, type, "/n", NULL, NULL, NULL);
    ck_assert_uint_eq(watch_registry_count(registry), !is_hit);
    ck_assert(!watch_registry_contains(registry, type, "/n", NULL, NULL));
    watch_callbacks_release(&callbacks);
    watch_registry_free(registry);
}
END_TEST

START_TEST(the_last_watcher_is_asked_for_over_all_kinds_of_a_type)
{
    struct watch_registry *registry = watch_registry_new();
    watch_registry_add(registry, WATCH_DATA, "/n", watcher_a, NULL);
    watch_registry_add(registry, WATCH_EXIST, "/n", watcher_b, NULL);
    ck_assert(!watch_registry_is_last(registry, WATCHER_DATA, "/n", watcher_a, NULL));
    watch_registry_remove(registry, WATCHER_DATA, "/n", watcher_b, NULL, NULL);
    ck_assert(watch_registry_is_last(registry, WATCHER_DATA, "/n", watcher_a, NULL));
    watch_registry_add(registry, WATCH_EXIST, "/n", watcher_a, NULL);
    ck_assert(watch_registry_is_last(registry, WATCHER_DATA, "/n", watcher_a, NULL));
    watch_registry_add(registry, WATCH_CHILD, "/n", watcher_b, NULL);
    ck_assert(watch_registry_is_last(registry, WATCHER_DATA, "/n", watcher_a, NULL));
    ck_assert(!watch_registry_is_last(registry, WATCHER_ANY, "/n", watcher_a, NULL));
    watch_registry_free(registry);
}
END_TEST

/* Random steps against a plain array: what is in a set of callbacks, slots and all. */
START_TEST(a_set_of_callbacks_loses_nothing)
{
    enum { CONTEXTS = 300, STEPS = 200000 };
    static bool is_in[CONTEXTS];
    size_t count = 0;
    uint64_t state = 1;
    struct watch_registry *registry = watch_registry_new();
    for (int step = 0; step < STEPS; step++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        size_t number = (size_t)(state >> 33) % CONTEXTS;
        bool is_added = (state >> 60) % 16 < (step / 5000 % 2 == 0 ? 10 : 6);
        ck_assert_int_eq(watch_registry_contains(registry, WATCHER_PERSISTENT, "/n", watcher_a, context_of(number)),
                         is_in[number]);
        if (is_added)
            watch_registry_add(registry, WATCH_PERSISTENT, "/n", watcher_a, context_of(number));
        else
            watch_registry_remove(registry, WATCHER_PERSISTENT, "/n", watcher_a, context_of(number), NULL);
        count = count + (is_added && !is_in[number]) - (!is_added && is_in[number]);
        is_in[number] = is_added;
        if (step % 1000 != 0)
            continue;
        struct watch_callbacks callbacks = { 0 };
        watch_registry_collect_all(registry, &callbacks);
        ck_assert_uint_eq(callbacks.count, count);
        for (size_t i = 0; i < count; i++)
            ck_assert(is_in[(uintptr_t)callbacks.items[i].context - 1]);
        watch_callbacks_release(&callbacks);
    }
    watch_registry_free(registry);
}
END_TEST

/* The next frame of `out`: its bytes behind the length, which are taken off. */
static size_t next_frame(const struct buffer *out, size_t *at, const uint8_t **ret_bytes)
{
    ck_assert_uint_le(*at + 4, out->size);
    size_t size = load_be32(out->bytes + *at);
    ck_assert_uint_le(*at + 4 + size, out->size);
    *ret_bytes = out->bytes + *at + 4;
    *at += 4 + size;
    return size;
}

static void assert_paths(struct ustring_vector paths, const char *path)
{
    ck_assert_int_eq(paths.count, path != NULL);
    ck_assert(path == NULL || ustring_is(paths.items[0], path));
}

START_TEST(watches_go_out_again_by_their_kind)    /* _i: with the persistent ones, or without */
{
    static const char *const paths[] = { "/d", "/e\xf0\x9f\x98\x80", "/c", "/p", "/r" };
    int kinds = _i == 0 ? WATCH_PERSISTENT : WATCH_KINDS;
    struct watch_registry *registry = watch_registry_new();
    struct buffer out = { 0 };
    const uint8_t *bytes;
    size_t at = 0;
    for (int kind = 0; kind < kinds; kind++) {
        for (size_t who = 0; who < 3; who++)
            watch_registry_add(registry, (enum watch_kind)kind, paths[kind], watcher_a, context_of(who));
    }
    ck_assert_uint_eq(watch_registry_write_set_watches(registry, 0x123456789a, &out), 1);
    size_t size = next_frame(&out, &at, &bytes);
    ck_assert_uint_eq(at, out.size);

    struct arena arena;
    struct jute_reader reader;
    arena_init(&arena, NULL, 0);
    jute_reader_init(&reader, bytes, size, &arena);
    ck_assert_int_eq(jute_read_int32(&reader), -8);
    ck_assert_int_eq(jute_read_int32(&reader), _i == 0 ? 101 : 105);
    ck_assert_int_eq(jute_read_int64(&reader), 0x123456789a);
    for (int kind = 0; kind < kinds; kind++)
        assert_paths(jute_read_ustring_vector(&reader), paths[kind]);
    ck_assert_int_eq(jute_error(&reader), ZK_OK);
    ck_assert_uint_eq(jute_left(&reader), 0);
    arena_release(&arena);
    buffer_release(&out);
    watch_registry_free(registry);
}
END_TEST

START_TEST(no_watch_no_frame)
{
    struct watch_registry *registry = watch_registry_new();
    struct buffer out = { 0 };
    ck_assert_uint_eq(watch_registry_write_set_watches(registry, 1, &out), 0);
    ck_assert_uint_eq(out.size, 0);
    watch_registry_free(registry);
}
END_TEST

/* Counts the paths of all frames by kind, and holds each frame against the rules of chunks. */
static void count_in_frames(const struct buffer *out, size_t frames, size_t counts[WATCH_KINDS])
{
    size_t at = 0;
    for (size_t frame = 0; frame < frames; frame++) {
        const uint8_t *bytes;
        size_t size = next_frame(out, &at, &bytes), chunk = 0, last_path = 0, persistent = 0;
        struct arena arena;
        struct jute_reader reader;
        arena_init(&arena, NULL, 0);
        jute_reader_init(&reader, bytes, size, &arena);
        ck_assert_int_eq(jute_read_int32(&reader), -8);
        int32_t type = jute_read_int32(&reader);
        jute_read_int64(&reader);
        for (int kind = 0; kind < (type == 105 ? WATCH_KINDS : WATCH_PERSISTENT); kind++) {
            struct ustring_vector paths = jute_read_ustring_vector(&reader);
            counts[kind] += (size_t)paths.count;
            persistent += kind >= WATCH_PERSISTENT ? (size_t)paths.count : 0;
            for (int32_t i = 0; i < paths.count; i++) {
                last_path = (size_t)paths.items[i].size;
                chunk += last_path;
            }
        }
        ck_assert_int_eq(jute_error(&reader), ZK_OK);
        ck_assert_uint_eq(jute_left(&reader), 0);
        ck_assert_int_eq(persistent > 0, type == 105);
        ck_assert_uint_lt(chunk - last_path, SET_WATCHES_CHUNK);
        ck_assert(chunk >= SET_WATCHES_CHUNK || frame + 1 == frames);
        arena_release(&arena);
    }
    ck_assert_uint_eq(at, out->size);
}

START_TEST(many_watches_are_quick)
{
    struct watch_registry *registry = watch_registry_new();
    struct watch_callbacks callbacks = { 0 };
    struct buffer out = { 0 };
    char path[64];
    int64_t start_ms = clock_elapsed_ms();
    for (size_t i = 0; i < MANY; i++) {
        snprintf(path, sizeof(path), "/app/services/instance-%zu", i);
        watch_registry_add(registry, (enum watch_kind)(i % WATCH_KINDS), path, watcher_a, context_of(i));
    }
    ck_assert_uint_eq(watch_registry_count(registry), MANY);
    watch_registry_collect_all(registry, &callbacks);
    ck_assert_uint_eq(callbacks.count, MANY);
    watch_callbacks_release(&callbacks);

    size_t frames = watch_registry_write_set_watches(registry, 7, &out), counts[WATCH_KINDS] = { 0 };
    count_in_frames(&out, frames, counts);
    for (int kind = 0; kind < WATCH_KINDS; kind++)
        ck_assert_uint_eq(counts[kind], MANY / WATCH_KINDS);
    buffer_release(&out);

    for (size_t i = 0; i < MANY; i++) {
        snprintf(path, sizeof(path), "/app/services/instance-%zu", i);
        watch_registry_materialize(registry, DELETED, path, &callbacks);
    }
    ck_assert_uint_eq(callbacks.count, MANY);
    watch_callbacks_release(&callbacks);
    ck_assert_uint_eq(watch_registry_count(registry), 2 * MANY / WATCH_KINDS);
    watch_registry_free(registry);

    registry = watch_registry_new();    /* as many watchers on one path, and they go one by one */
    for (size_t i = 0; i < MANY; i++)
        watch_registry_add(registry, WATCH_CHILD, "/", watcher_a, context_of(i));
    for (size_t i = 0; i < MANY; i++)
        watch_registry_remove(registry, WATCHER_CHILDREN, "/", watcher_a, context_of(i), &callbacks);
    ck_assert_uint_eq(callbacks.count, MANY);
    ck_assert_uint_eq(watch_registry_count(registry), 0);
    watch_callbacks_release(&callbacks);
    watch_registry_free(registry);
    int64_t took_ms = clock_elapsed_ms() - start_ms;
    ck_assert_msg(took_ms < 20000, "%d ms", (int)took_ms);    /* some 200; much more than this if anything walks */
}
END_TEST

static Suite *watch_registry_suite(void)
{
    Suite *suite = suite_create("watch_registry");
    TCase *tcase = tcase_create("watch_registry");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, an_event_is_told_to_those_it_concerns, 0, ARRAY_SIZE(events));
    tcase_add_test(tcase, recursive_watches_hear_of_all_below_them);
    tcase_add_test(tcase, a_hostile_path_costs_its_length);
    tcase_add_test(tcase, nobody_is_told_twice);
    tcase_add_loop_test(tcase, removing_is_about_the_kinds_of_its_type, 0, ARRAY_SIZE(types) * WATCH_KINDS);
    tcase_add_test(tcase, the_last_watcher_is_asked_for_over_all_kinds_of_a_type);
    tcase_add_test(tcase, a_set_of_callbacks_loses_nothing);
    tcase_add_loop_test(tcase, watches_go_out_again_by_their_kind, 0, 2);
    tcase_add_test(tcase, no_watch_no_frame);
    tcase_add_test(tcase, many_watches_are_quick);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(watch_registry_suite)
