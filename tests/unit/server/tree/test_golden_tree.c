/*
 * test_golden_tree.c - transactions, watches and questions that Java's DataTree was given, with the same answers.
 *
 * tests/golden/tree/MakeTree.java says what stands in txns.bin and tree.snapshot.
 */
#include <check.h>

#include "server/tree/data_tree.h"
#include "tests/lib/check_main.h"
#include "tests/unit/server/tree/golden.h"
#include "tests/unit/server/watch/fake_watcher.h"

#define WATCHERS 3

enum step { STEP_TXN = 1, STEP_WATCH, STEP_EPHEMERALS, STEP_TEXTS, STEP_UNWATCH, STEP_SNAPSHOT };

struct replay {
    struct data_tree *tree;
    struct jute_reader in;
    struct arena arena;
    struct fake_watcher *watchers;
    int64_t zxid;
    bool is_past_snapshot;    /* Java's ACL cache is no longer to be compared */
};

static void check_stat(struct replay *replay, const struct process_txn_result *result)
{
    struct zk_stat expected;
    jute_read_zk_stat(&replay->in, &expected);
    struct buffer want = {0};
    struct buffer got = {0};
    jute_print_zk_stat(&want, &expected);
    jute_print_zk_stat(&got, &result->stat);
    ck_assert_msg(strcmp(buffer_string(&want), buffer_string(&got)) == 0, "zxid %llx: %s, not %s",
                  (unsigned long long)replay->zxid, buffer_string(&got), buffer_string(&want));
    buffer_release(&want);
    buffer_release(&got);
}

static void check_events(struct replay *replay)
{
    for (int w = 0; w < WATCHERS; w++) {
        struct fake_watcher *watcher = &replay->watchers[w];
        ck_assert_msg((int32_t)watcher->count == jute_read_int32(&replay->in), "zxid %llx: %zu events of watcher %d",
                      (unsigned long long)replay->zxid, watcher->count, w);
        for (size_t i = 0; i < watcher->count; i++) {
            ck_assert_int_eq(watcher->events[i].type, jute_read_int32(&replay->in));
            ck_assert(ustring_is(jute_read_ustring(&replay->in), watcher->events[i].path));
            ck_assert_int_eq(watcher->events[i].zxid, jute_read_int64(&replay->in));
        }
        fake_watcher_forget(watcher);
    }
}

static void check_txn(struct replay *replay)
{
    static const struct txn_rules rules = {.digest_enabled = true};
    struct jute_buffer bytes = jute_read_buffer(&replay->in);
    struct jute_reader reader;
    jute_reader_init(&reader, bytes.bytes, (size_t)bytes.size, &replay->arena);
    struct txn_header header;
    struct txn_body body;
    struct txn_digest digest;
    bool has_digest;
    struct error error = {0};
    int err = txn_body_decode(&reader, &rules, &header, &body, &has_digest, &digest, &error);
    ck_assert_msg(err == ZK_OK, "%s", error.text);
    ck_assert(!has_digest);
    replay->zxid = header.zxid;

    struct process_txn_result result;
    data_tree_process_txn(replay->tree, &header, &body, NULL, &replay->arena, &result);
    int32_t expected_err = jute_read_int32(&replay->in);
    ck_assert_msg(result.err == expected_err, "zxid %llx: %d, not %d", (unsigned long long)header.zxid, result.err,
                  expected_err);
    bool has_stat = jute_read_boolean(&replay->in);
    ck_assert_int_eq(result.has_stat, has_stat);
    if (has_stat)
        check_stat(replay, &result);
    uint64_t tree_digest = (uint64_t)jute_read_int64(&replay->in);
    ck_assert_msg(data_tree_digest(replay->tree) == tree_digest, "zxid %llx: digest",
                  (unsigned long long)header.zxid);
    ck_assert_int_eq(data_tree_node_count(replay->tree), jute_read_int32(&replay->in));
    ck_assert_int_eq(data_tree_approximate_data_size(replay->tree), jute_read_int64(&replay->in));
    ck_assert_int_eq(data_tree_ephemerals_count(replay->tree), jute_read_int32(&replay->in));
    int32_t acls = jute_read_int32(&replay->in);
    if (!replay->is_past_snapshot)
        ck_assert_int_eq(data_tree_acl_cache_size(replay->tree), acls);
    ck_assert_int_eq(data_tree_last_processed_zxid(replay->tree), header.zxid);
    check_events(replay);
}

static void check_watch(struct replay *replay)
{
    struct watcher *watcher = &replay->watchers[jute_read_int32(&replay->in)].base;
    int32_t kind = jute_read_int32(&replay->in);
    struct ustring path = jute_read_ustring(&replay->in);
    struct zk_stat stat;
    struct blob *bytes = NULL;
    int err = ZK_OK;
    if (kind == 1)
        err = data_tree_get_data(replay->tree, path, NULL, watcher, &stat, &bytes);
    else if (kind == 2)
        err = data_tree_stat_node(replay->tree, path, NULL, watcher, &stat);
    else if (kind == 3)
        err = data_tree_get_children(replay->tree, path, NULL, watcher, &stat, &bytes);
    else
        data_tree_add_watch(replay->tree, path, watcher,
                            kind == 4 ? WATCHER_PERSISTENT : WATCHER_PERSISTENT_RECURSIVE);
    blob_unref(bytes);
    ck_assert_int_eq(err, jute_read_int32(&replay->in));
}

static void check_unwatch(struct replay *replay)
{
    struct watcher *watcher = &replay->watchers[jute_read_int32(&replay->in)].base;
    int32_t type = jute_read_int32(&replay->in);
    struct ustring path = jute_read_ustring(&replay->in);
    bool contained = data_tree_contains_watch(replay->tree, path, type, watcher);
    bool removed = data_tree_remove_watch(replay->tree, path, type, watcher);
    ck_assert_int_eq(removed, jute_read_boolean(&replay->in));
    ck_assert(removed || !contained);
}

static void check_paths(struct replay *replay, struct path_list *paths)
{
    ck_assert_int_eq(paths->count, jute_read_int32(&replay->in));
    for (size_t i = 0; i < paths->count; i++) {
        struct ustring path = jute_read_ustring(&replay->in);
        ck_assert_msg(ustring_is(path, paths->paths[i]), "%s is not %.*s", paths->paths[i], (int)path.size, path.bytes);
    }
    path_list_release(paths);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Containers and TTL nodes: whose order nobody sees. */
static void check_path_set(struct replay *replay, struct path_list *paths)
{
    struct ustring_vector vector = jute_read_ustring_vector(&replay->in);
    char **expected = arena_alloc(&replay->arena, ((size_t)vector.count + 1) * sizeof(expected[0]));
    for (int32_t i = 0; i < vector.count; i++)
        expected[i] = arena_string(&replay->arena, vector.items[i].bytes, (size_t)vector.items[i].size);
    ck_assert_int_eq(paths->count, vector.count);
    qsort(expected, paths->count, sizeof(expected[0]), compare_texts);
    qsort(paths->paths, paths->count, sizeof(paths->paths[0]), compare_texts);
    for (size_t i = 0; i < paths->count; i++)
        ck_assert_str_eq(paths->paths[i], expected[i]);
    path_list_release(paths);
}

static void check_ephemerals(struct replay *replay)
{
    struct path_list paths;
    data_tree_get_ephemerals(replay->tree, jute_read_int64(&replay->in), &paths);
    check_paths(replay, &paths);
}

static void check_texts(struct replay *replay)
{
    struct buffer text = {0};
    data_tree_print_ephemerals(replay->tree, &text);
    ck_assert(ustring_is(jute_read_ustring(&replay->in), buffer_string(&text)));
    buffer_clear(&text);
    watch_manager_print_summary(data_tree_data_watches(replay->tree), &text);
    ck_assert(ustring_is(jute_read_ustring(&replay->in), buffer_string(&text)));
    buffer_release(&text);
    struct path_list paths;
    data_tree_get_containers(replay->tree, &paths);
    check_path_set(replay, &paths);
    data_tree_get_ttls(replay->tree, &paths);
    check_path_set(replay, &paths);
}

static void check_snapshot(struct replay *replay)
{
    struct buffer expected = {0};
    struct buffer actual = {0};
    golden_read("tree.snapshot", &expected);
    golden_write(replay->tree, &actual);
    golden_assert_equal(&actual, &expected);
    buffer_release(&expected);
    buffer_release(&actual);
    replay->is_past_snapshot = true;
}

static void check_step(struct replay *replay, enum step step)
{
    switch (step) {
    case STEP_TXN:
        check_txn(replay);
        break;
    case STEP_WATCH:
        check_watch(replay);
        break;
    case STEP_EPHEMERALS:
        check_ephemerals(replay);
        break;
    case STEP_TEXTS:
        check_texts(replay);
        break;
    case STEP_UNWATCH:
        check_unwatch(replay);
        break;
    case STEP_SNAPSHOT:
        check_snapshot(replay);
        break;
    default:
        ck_abort_msg("step %d", (int)step);
    }
}

START_TEST(every_answer_is_that_of_java)
{
    struct buffer steps = {0};
    golden_read("txns.bin", &steps);
    struct replay replay = {.tree = data_tree_new(&golden_options, NULL)};
    replay.watchers = MEMORY_NEW_ARRAY(WATCHERS, struct fake_watcher);
    for (int i = 0; i < WATCHERS; i++)
        fake_watcher_init(&replay.watchers[i], i + 1);
    jute_reader_init(&replay.in, steps.bytes, steps.size, &replay.arena);
    while (jute_left(&replay.in) > 0) {
        check_step(&replay, (enum step)jute_read_int32(&replay.in));
        ck_assert_int_eq(jute_error(&replay.in), ZK_OK);
        arena_release(&replay.arena);
    }
    ck_assert(replay.is_past_snapshot);
    ck_assert(data_tree_digest_is_consistent(replay.tree));
    data_tree_free(replay.tree);
    for (int i = 0; i < WATCHERS; i++)
        ck_assert_int_eq(replay.watchers[i].references, 0);
    memory_free(replay.watchers);
    buffer_release(&steps);
}
END_TEST

START_TEST(a_snapshot_of_java_is_loaded_and_written_again)
{
    struct buffer bytes = {0};
    struct buffer again = {0};
    golden_read("tree.snapshot", &bytes);
    struct data_tree *tree = data_tree_new(&golden_options, NULL);
    ck_assert_int_eq(golden_load(tree, bytes.bytes, bytes.size, GOLDEN_LIMIT), ZK_OK);
    ck_assert(data_tree_digest_is_consistent(tree));

    struct zxid_digest loaded;
    ck_assert(tree_snapshot_pending_digest(tree, &loaded));
    ck_assert_uint_eq(loaded.digest, data_tree_digest(tree));
    tree_snapshot_compare_digest(tree, loaded.zxid);
    ck_assert(!tree_snapshot_pending_digest(tree, &loaded));
    ck_assert(!data_tree_digest_mismatch(tree));

    golden_write(tree, &again);
    again.size -= 20;    /* the digest: no transaction has been applied yet */
    bytes.size -= 20;
    golden_assert_equal(&again, &bytes);
    data_tree_free(tree);
    buffer_release(&bytes);
    buffer_release(&again);
}
END_TEST

static Suite *golden_tree_suite(void)
{
    Suite *suite = suite_create("golden_tree");
    TCase *tcase = tcase_create("golden_tree");
    tcase_add_test(tcase, every_answer_is_that_of_java);
    tcase_add_test(tcase, a_snapshot_of_java_is_loaded_and_written_again);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(golden_tree_suite)
