/*
 * test_data_tree.c - what the comparison with Java (test_golden_tree.c) does not reach: access checks, replay over a
 * fuzzy snapshot, where Java's own mistakes are not ours, and odd input.
 */
#include "server/tree/data_tree.h"

#include <stdio.h>

#include "tests/lib/check_main.h"
#include "tests/unit/server/tree/golden.h"
#include "tests/unit/server/tree/tree_driver.h"
#include "tests/unit/server/watch/fake_watcher.h"

static struct data_tree *tree;
static struct fake_watcher watcher;

static struct zk_acl one_item[] = {{.perms = 1, .id = {{"ip", 2}, {"10.0.0.1", 8}}}};
static const struct zk_acl_vector one = {one_item, 1};

static void set_up(void)
{
    tree = data_tree_new(&golden_options, NULL);
    fake_watcher_init(&watcher, 1);
}

static void tear_down(void)
{
    ck_assert(data_tree_digest_is_consistent(tree));
    data_tree_free(tree);
    ck_assert_int_eq(watcher.references, 0);
    fake_watcher_forget(&watcher);
}

START_TEST(a_new_tree_is_that_of_java)
{
    ck_assert_uint_eq(data_tree_node_count(tree), 5);
    ck_assert_int_eq(data_tree_approximate_data_size(tree), 44);
    ck_assert_uint_eq(data_tree_digest(tree), 1371985504);
    ck_assert_int_eq(data_tree_all_children_number(tree, ustring_of("/")), 3);
    ck_assert_int_eq(data_tree_all_children_number(tree, ustring_of("/zookeeper")), 2);
    ck_assert_int_eq(data_tree_all_children_number(tree, ustring_of("/none")), 0);
    ck_assert_int_eq(stat_of(tree, "/zookeeper/config").aversion, -1);
    ck_assert_int_eq(stat_of(tree, "").num_children, stat_of(tree, "/").num_children);
}
END_TEST

static int deny(const struct access_check *self, const struct acl_list *acl)
{
    (void)self;
    return acl->is_open ? ZK_OK : ZK_NO_AUTH;
}

START_TEST(nothing_is_told_or_watched_without_permission)
{
    static const struct access_check check = {deny};
    struct ustring path = ustring_of("/closed");
    struct blob *bytes = NULL;
    struct acl_list *acl = NULL;
    ck_assert_int_eq(create_acl(tree, 1, "/closed", "secret", &one), ZK_OK);
    ck_assert_int_eq(data_tree_get_data(tree, path, &check, &watcher.base, NULL, &bytes), ZK_NO_AUTH);
    ck_assert_int_eq(data_tree_get_children(tree, path, &check, &watcher.base, NULL, &bytes), ZK_NO_AUTH);
    ck_assert_int_eq(data_tree_stat_node(tree, path, &check, &watcher.base, NULL), ZK_NO_AUTH);
    ck_assert_int_eq(data_tree_get_acl(tree, path, &check, NULL, &acl), ZK_NO_AUTH);
    ck_assert_ptr_null(bytes);
    ck_assert_ptr_null(acl);
    ck_assert_uint_eq(data_tree_watch_count(tree), 0);
    ck_assert_int_eq(data_tree_get_acl(tree, path, NULL, NULL, &acl), ZK_OK);
    ck_assert(acl_vector_equal(&acl->acl, &one));
    acl_list_unref(acl);
}
END_TEST

START_TEST(exists_watches_what_is_not_there_yet)
{
    static const struct access_check check = {deny};
    ck_assert_int_eq(data_tree_stat_node(tree, ustring_of("/new"), &check, &watcher.base, NULL), ZK_NO_NODE);
    create_acl(tree, 1, "/new", "x", &one);
    ck_assert_uint_eq(watcher.count, 1);
    ck_assert_int_eq(watcher.events[0].type, EVENT_NODE_CREATED);
    ck_assert_ptr_nonnull(watcher.events[0].acl);    /* to be checked at delivery */
    struct blob *bytes;
    ck_assert_int_eq(data_tree_get_data(tree, ustring_of("/none"), NULL, &watcher.base, NULL, &bytes), ZK_NO_NODE);
    ck_assert_uint_eq(data_tree_watch_count(tree), 0);
}
END_TEST

START_TEST(null_data_is_not_empty_data)
{
    create_acl(tree, 1, "/null", NULL, &acl_open_unsafe);
    create_acl(tree, 2, "/empty", "", &acl_open_unsafe);
    assert_data(tree, "/null", NULL);
    assert_data(tree, "/empty", "");
    set_data_of(tree, 3, "/empty", NULL, 1);
    set_data_of(tree, 4, "/null", "text", 1);
    assert_data(tree, "/empty", NULL);
    assert_data(tree, "/null", "text");
}
END_TEST

START_TEST(the_list_of_children_follows_every_change)
{
    struct blob *before;
    struct blob *after;
    struct blob *same;
    create(tree, 1, "/p");
    ck_assert_int_eq(data_tree_get_children(tree, ustring_of("/p"), NULL, NULL, NULL, &before), ZK_OK);
    ck_assert_uint_eq(before->size, 4);
    create(tree, 2, "/p/a");
    ck_assert_int_eq(data_tree_get_children(tree, ustring_of("/p"), NULL, NULL, NULL, &after), ZK_OK);
    ck_assert_int_eq(data_tree_get_children(tree, ustring_of("/p"), NULL, NULL, NULL, &same), ZK_OK);
    ck_assert_ptr_eq(after, same);    /* made once */
    ck_assert_uint_eq(after->size, 9);
    ck_assert(memcmp(after->bytes, "\0\0\0\1\0\0\0\1a", 9) == 0);
    delete_path(tree, 3, "/p/a");
    blob_unref(same);
    ck_assert_int_eq(data_tree_get_children(tree, ustring_of("/p"), NULL, NULL, NULL, &same), ZK_OK);
    ck_assert_uint_eq(same->size, 4);
    blob_unref(same);
    blob_unref(before);
    blob_unref(after);
}
END_TEST

START_TEST(a_view_has_all_that_prep_needs)
{
    struct node_view view;
    create_acl(tree, 5, "/v", "data", &one);
    create(tree, 6, "/v/c");
    ck_assert(data_tree_view(tree, ustring_of("/v"), &view));
    ck_assert_int_eq(view.child_count, 1);
    ck_assert_int_eq(view.stat.czxid, 5);
    ck_assert_int_eq(view.stat.cversion, 1);
    ck_assert_int_eq(view.stat.pzxid, 6);
    ck_assert(acl_vector_equal(&view.acl->acl, &one));
    ck_assert_uint_eq(view.data->size, 4);
    ck_assert_uint_ne(view.digest, 0);
    delete_path(tree, 7, "/v/c");
    delete_path(tree, 8, "/v");
    ck_assert_uint_eq(view.data->bytes[0], 'd');    /* ours until we let it go */
    node_view_release(&view);
    ck_assert(!data_tree_view(tree, ustring_of("/v"), &view));
}
END_TEST

/* ---- replay ---- */

static void apply_history(int64_t from)
{
    static const char *const paths[] = {"/a", "/a/b", "/a/b/c"};
    for (int64_t zxid = from; zxid <= 12; zxid++) {
        if (zxid <= 3)
            create_cversion(tree, zxid, paths[zxid - 1], 1);
        else if (zxid == 4)
            set_data_of(tree, zxid, "/a", "first", 1);
        else if (zxid == 5)
            delete_path(tree, zxid, "/a/b/c");
        else if (zxid == 6)
            delete_path(tree, zxid, "/a/b");
        else if (zxid == 7)
            delete_path(tree, zxid, "/a");
        else if (zxid <= 10)
            create_cversion(tree, zxid, paths[zxid - 8], zxid == 8 ? 2 : 1);
        else if (zxid == 11)
            set_data_of(tree, zxid, "/a", "second", 1);
        else
            set_acl_of(tree, zxid, "/a/b", &one, 1);
    }
}

START_TEST(replay_from_anywhere_gives_the_same_tree)
{
    struct buffer once = {0};
    struct buffer twice = {0};
    create_acl(tree, 0, "/keep", "x", &one);    /* so that lists keep their ids */
    create(tree, 0, "/keep/open");
    apply_history(1);
    golden_write(tree, &once);
    for (int64_t from = 1; from <= 12; from++) {
        apply_history(from);
        ck_assert(data_tree_digest_is_consistent(tree));
        buffer_clear(&twice);
        golden_write(tree, &twice);
        golden_assert_equal(&twice, &once);
    }
    buffer_release(&once);
    buffer_release(&twice);
}
END_TEST

/* Java leaves children of a deleted node in its table and in no list; here they go, and the log makes them again. */
START_TEST(a_deletion_leaves_no_orphans)
{
    create(tree, 1, "/a");
    create(tree, 2, "/a/b");
    create(tree, 3, "/a/b/c");
    create(tree, 4, "/a/d");
    create_ephemeral(tree, 5, "/a/b/e", 77);
    ck_assert_int_eq(delete_path(tree, 6, "/a"), ZK_OK);
    ck_assert(!exists(tree, "/a/b/c") && !exists(tree, "/a/d") && !exists(tree, "/a/b/e"));
    ck_assert_uint_eq(data_tree_node_count(tree), 5);
    ck_assert_uint_eq(data_tree_ephemerals_count(tree), 0);
    ck_assert_int_eq(data_tree_approximate_data_size(tree), 44);
}
END_TEST

START_TEST(a_repeated_creation_changes_only_permissions)
{
    create_acl(tree, 1, "/a", "old", &acl_open_unsafe);
    set_data_of(tree, 2, "/a", "new", 1);
    ck_assert_int_eq(create_acl(tree, 1, "/a", "old", &one), ZK_NODE_EXISTS);
    assert_data(tree, "/a", "new");
    struct acl_list *acl;
    ck_assert_int_eq(data_tree_get_acl(tree, ustring_of("/a"), NULL, NULL, &acl), ZK_OK);
    ck_assert(acl_vector_equal(&acl->acl, &one));
    acl_list_unref(acl);
    ck_assert_uint_eq(data_tree_acl_cache_size(tree), 2);    /* read-only of /zookeeper/config, and this */
    delete_path(tree, 3, "/a");
    ck_assert_uint_eq(data_tree_acl_cache_size(tree), 1);    /* ZOOKEEPER-4689: counted once, gone with its node */
}
END_TEST

START_TEST(a_deletion_of_what_is_gone_still_tells_the_parent)
{
    create(tree, 1, "/a");
    create(tree, 2, "/a/b");
    ck_assert_int_eq(delete_path(tree, 9, "/a/none"), ZK_NO_NODE);
    ck_assert_int_eq(stat_of(tree, "/a").pzxid, 9);
    ck_assert_int_eq(delete_path(tree, 5, "/a/none"), ZK_NO_NODE);
    ck_assert_int_eq(stat_of(tree, "/a").pzxid, 9);    /* never back */
}
END_TEST

START_TEST(a_multi_moves_the_zxid_at_its_end)
{
    struct txn_part parts[] = {
        {OP_CREATE,
         {.is_present = true, .record.create = {ustring_of("/m"), bytes_of("1"), acl_open_unsafe, false, -1}}},
        {OP_SET_DATA, {.is_present = true, .record.set_data = {ustring_of("/m"), bytes_of("2"), 1}}},
        {OP_DELETE, {.is_present = true, .record.remove = {ustring_of("/none")}}},
    };
    struct txn_body body = {.record.multi = {parts, 3}};
    struct process_txn_result result;
    ck_assert_int_eq(apply_txn(tree, OP_MULTI, 40, 1, body, &result), ZK_NO_NODE);
    ck_assert_int_eq(result.multi_count, 3);
    ck_assert_int_eq(data_tree_last_processed_zxid(tree), 40);
    assert_data(tree, "/m", "2");
    apply_txn(tree, OP_MULTI, 39, 1, (struct txn_body){0}, &result);
    ck_assert_ptr_nonnull(result.multi);
    ck_assert_int_eq(data_tree_last_processed_zxid(tree), 40);    /* never back */
}
END_TEST

static int64_t zxid_within;    /* of the tree, when an event was delivered */

static void look_at_zxid(struct watcher *self, const struct watch_event *event)
{
    (void)self;
    (void)event;
    zxid_within = data_tree_last_processed_zxid(tree);
}

/* A snapshot that begins between two parts of a multi takes its name, and what is replayed over it, from there. */
START_TEST(between_the_parts_of_a_multi_the_zxid_is_that_before_it)    /* ZOOKEEPER-3127 */
{
    struct txn_part parts[] = {
        {OP_CREATE,
         {.is_present = true, .record.create = {ustring_of("/a"), bytes_of("1"), acl_open_unsafe, false, -1}}},
        {OP_CREATE,
         {.is_present = true, .record.create = {ustring_of("/b"), bytes_of("2"), acl_open_unsafe, false, -1}}},
    };
    struct txn_body body = {.record.multi = {parts, 2}};
    struct process_txn_result result;
    struct watcher_ops ops = *watcher.base.ops;
    ops.process = look_at_zxid;
    watcher.base.ops = &ops;
    ck_assert_int_eq(create(tree, 7, "/before"), ZK_OK);
    struct zk_stat stat;
    ck_assert_int_eq(data_tree_stat_node(tree, ustring_of("/b"), NULL, &watcher.base, &stat), ZK_NO_NODE);
    zxid_within = -1;
    ck_assert_int_eq(apply_txn(tree, OP_MULTI, 8, 1, body, &result), ZK_OK);
    ck_assert_int_eq(zxid_within, 7);
    ck_assert_int_eq(data_tree_last_processed_zxid(tree), 8);
    watcher.base.ops = &fake_watcher_ops;
}
END_TEST

/* ---- sessions ---- */

START_TEST(close_session_deletes_in_the_order_of_its_record)
{
    static const char *const paths[] = {"/e3", "/e1", "/e2", "/left"};
    for (int i = 0; i < 4; i++)
        create_ephemeral(tree, i + 1, paths[i], 77);
    create_ephemeral(tree, 5, "/other", 78);
    data_tree_add_watch(tree, ustring_of("/"), &watcher.base, WATCHER_PERSISTENT_RECURSIVE);
    struct ustring named[] = {ustring_of("/e1"), ustring_of("/gone"), ustring_of("/e3"), ustring_of("/e2")};
    ck_assert_int_eq(close_session(tree, 6, 77, named, 4), ZK_OK);
    static const char *const expected[] = {"/e1", "/e3", "/e2", "/left"};
    ck_assert_uint_eq(watcher.count, 4);
    for (int i = 0; i < 4; i++)
        ck_assert_str_eq(watcher.events[i].path, expected[i]);
    ck_assert(exists(tree, "/other"));
    size_t count;
    int64_t *sessions = data_tree_get_sessions(tree, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(sessions[0], 78);
    memory_free(sessions);
    close_session(tree, 7, 99, NULL, 0);    /* of a session without ephemerals */
}
END_TEST

START_TEST(set_watches_tells_what_was_missed)
{
    create(tree, 1, "/same");
    create(tree, 2, "/changed");
    set_data_of(tree, 10, "/changed", "x", 1);
    create(tree, 3, "/parent");
    create(tree, 11, "/parent/c");
    struct ustring data[] = {ustring_of("/same"), ustring_of("/changed"), ustring_of("/gone")};
    struct ustring exist[] = {ustring_of("/same"), ustring_of("/not-yet")};
    struct ustring child[] = {ustring_of("/parent"), ustring_of("/same"), ustring_of("/gone")};
    struct ustring persistent[] = {ustring_of("/same")};
    struct set_watches2 watches = {5, {data, 3}, {exist, 2}, {child, 3}, {persistent, 1}, {NULL, -1}};
    data_tree_set_watches(tree, &watches, &watcher.base);
    static const struct {
        int32_t type;
        const char *path;
    } expected[] = {
        {EVENT_NODE_DATA_CHANGED, "/changed"}, {EVENT_NODE_DELETED, "/gone"},  {EVENT_NODE_CREATED, "/same"},
        {EVENT_NODE_CHILDREN_CHANGED, "/parent"}, {EVENT_NODE_DELETED, "/gone"},
    };
    ck_assert_uint_eq(watcher.count, ARRAY_SIZE(expected));
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        ck_assert_int_eq(watcher.events[i].type, expected[i].type);
        ck_assert_str_eq(watcher.events[i].path, expected[i].path);
        ck_assert_int_eq(watcher.events[i].zxid, -1);
    }
    ck_assert(data_tree_contains_watch(tree, ustring_of("/not-yet"), 2, &watcher.base));
    ck_assert(data_tree_contains_watch(tree, ustring_of("/same"), 4, &watcher.base));
    ck_assert(data_tree_contains_watch(tree, ustring_of("/same"), 1, &watcher.base));
    data_tree_remove_watcher(tree, &watcher.base);
    ck_assert_uint_eq(data_tree_watch_count(tree), 0);
}
END_TEST

/* ---- quotas ---- */

static void set_quota(const char *path)
{
    char text[256];
    snprintf(text, sizeof(text), "/zookeeper/quota%s", path);
    create(tree, 100, text);
    snprintf(text, sizeof(text), "/zookeeper/quota%s/zookeeper_limits", path);
    create_acl(tree, 101, text, "count=10,bytes=100", &acl_open_unsafe);
    snprintf(text, sizeof(text), "/zookeeper/quota%s/zookeeper_stats", path);
    create_acl(tree, 102, text, "count=0,bytes=0", &acl_open_unsafe);
}

START_TEST(a_quota_counts_its_subtree)
{
    create(tree, 1, "/q");
    create(tree, 2, "/q/a");
    set_quota("/q");
    assert_data(tree, "/zookeeper/quota/q/zookeeper_stats", "count=2,bytes=2");
    create(tree, 103, "/q/a/b");
    set_data_of(tree, 104, "/q/a", "12345", 1);
    assert_data(tree, "/zookeeper/quota/q/zookeeper_stats", "count=3,bytes=7");
    ck_assert_uint_eq(data_tree_max_prefix_with_quota(tree, ustring_of("/q/a/b")), 2);
    ck_assert_uint_eq(data_tree_max_prefix_with_quota(tree, ustring_of("/other")), 0);
    delete_path(tree, 105, "/q/a/b");
    assert_data(tree, "/zookeeper/quota/q/zookeeper_stats", "count=2,bytes=6");
    delete_path(tree, 106, "/zookeeper/quota/q/zookeeper_limits");
    ck_assert_uint_eq(data_tree_max_prefix_with_quota(tree, ustring_of("/q/a")), 0);
}
END_TEST

START_TEST(statistics_that_cannot_be_read_stop_nobody)
{
    create(tree, 1, "/q");
    set_quota("/q");
    set_data_of(tree, 103, "/zookeeper/quota/q/zookeeper_stats", "nonsense", 1);
    ck_assert_int_eq(create(tree, 104, "/q/a"), ZK_OK);
    assert_data(tree, "/zookeeper/quota/q/zookeeper_stats", "nonsense");
    set_data_of(tree, 105, "/zookeeper/quota/q/zookeeper_stats", NULL, 2);
    ck_assert_int_eq(create(tree, 106, "/q/b"), ZK_OK);
    assert_data(tree, "/zookeeper/quota/q/zookeeper_stats", "count=0,bytes=0");
    delete_path(tree, 107, "/zookeeper/quota/q/zookeeper_stats");
    ck_assert_int_eq(create(tree, 108, "/q/c"), ZK_OK);
}
END_TEST

/* Each of these ends a Java server. */
START_TEST(quota_nodes_in_odd_places_stop_nobody)
{
    ck_assert_int_eq(create(tree, 1, "/zookeeper/zookeeper_limits"), ZK_OK);
    ck_assert_int_eq(delete_path(tree, 2, "/zookeeper/zookeeper_limits"), ZK_OK);
    ck_assert_int_eq(create(tree, 3, "/zookeeper/quota/zookeeper_limits"), ZK_OK);
    ck_assert_int_eq(create(tree, 4, "/zookeeper/quota/zookeeper_stats"), ZK_OK);
    ck_assert_int_eq(create(tree, 5, "/any"), ZK_OK);
    ck_assert_int_eq(delete_path(tree, 6, "/zookeeper/quota/zookeeper_limits"), ZK_OK);
    ck_assert_int_eq(create(tree, 7, "/zookeeper/quotas"), ZK_OK);
    ck_assert_int_eq(create(tree, 8, "/zookeeper/quotas/zookeeper_limits"), ZK_OK);
}
END_TEST

/* ---- the rest ---- */

START_TEST(paths_that_are_none_are_refused)
{
    ck_assert_int_eq(create(tree, 1, "no slash"), ZK_NO_NODE);
    ck_assert_int_eq(create(tree, 1, ""), ZK_NO_NODE);
    ck_assert_int_eq(create(tree, 1, "/"), ZK_NODE_EXISTS);
    ck_assert_int_eq(delete_path(tree, 1, "/"), ZK_BAD_ARGUMENTS);
    ck_assert_int_eq(delete_path(tree, 1, "none"), ZK_NO_NODE);
    ck_assert_int_eq(delete_path(tree, 1, NULL), ZK_NO_NODE);
    ck_assert_int_eq(set_data_of(tree, 1, NULL, "x", 1), ZK_NO_NODE);
    ck_assert(!exists(tree, NULL));
    ck_assert_int_eq(create(tree, 1, "/a/b"), ZK_NO_NODE);
    ck_assert_uint_eq(data_tree_node_count(tree), 5);
}
END_TEST

START_TEST(a_digest_that_differs_is_told)
{
    struct arena arena = {0};
    struct txn_header header = {.zxid = 128, .type = OP_ERROR};
    struct txn_body body = {.is_present = true};
    struct process_txn_result result;
    struct txn_digest digest = {2, (int64_t)data_tree_digest(tree)};
    data_tree_process_txn(tree, &header, &body, &digest, &arena, &result);
    ck_assert(!data_tree_digest_mismatch(tree));
    digest.tree_digest++;
    digest.version = 3;
    data_tree_process_txn(tree, &header, &body, &digest, &arena, &result);
    ck_assert(!data_tree_digest_mismatch(tree));    /* of another version: not compared */
    digest.version = 2;
    data_tree_process_txn(tree, &header, &body, &digest, &arena, &result);
    ck_assert(data_tree_digest_mismatch(tree));
}
END_TEST

START_TEST(every_128th_digest_is_kept_1024_of_them)
{
    static struct zxid_digest log[2000];
    for (int64_t zxid = 1; zxid <= 128 * 1030; zxid++)
        apply_txn(tree, OP_ERROR, zxid, 0, (struct txn_body){0}, NULL);
    ck_assert_uint_eq(data_tree_digest_log(tree, log, ARRAY_SIZE(log)), 1024);
    ck_assert_int_eq(log[0].zxid, 128 * 7);
    ck_assert_int_eq(log[1023].zxid, 128 * 1030);
    ck_assert_uint_eq(log[1023].digest, data_tree_digest(tree));
    ck_assert_uint_eq(data_tree_digest_log(tree, log, 2), 2);
    ck_assert_int_eq(log[1].zxid, 128 * 1030);
}
END_TEST

START_TEST(a_tree_may_be_as_deep_as_a_path_is_long)
{
    struct buffer path = {0};
    for (int depth = 0; depth < 3000; depth++) {
        buffer_append_string(&path, "/d");
        ck_assert_int_eq(create(tree, depth + 1, buffer_string(&path)), ZK_OK);
    }
    ck_assert_int_eq(data_tree_all_children_number(tree, ustring_of("/d")), 2999);
    struct buffer bytes = {0};
    golden_write(tree, &bytes);
    struct data_tree *loaded = data_tree_new(&golden_options, NULL);
    ck_assert_int_eq(golden_load(loaded, bytes.bytes, bytes.size, GOLDEN_LIMIT), ZK_OK);
    ck_assert_uint_eq(data_tree_digest(loaded), data_tree_digest(tree));
    ck_assert_int_eq(delete_path(loaded, 5000, "/d"), ZK_OK);
    ck_assert_uint_eq(data_tree_node_count(loaded), 5);
    data_tree_free(loaded);
    buffer_release(&bytes);
    buffer_release(&path);
}
END_TEST

START_TEST(a_configuration_is_stored_with_its_version)
{
    struct slice config = {(const uint8_t *)"version=100", 11};
    data_tree_set_config(tree, config, 0x100);
    assert_data(tree, "/zookeeper/config", "version=100");
    ck_assert_int_eq(stat_of(tree, "/zookeeper/config").version, -1);
    ck_assert_int_eq(stat_of(tree, "/zookeeper/config").mzxid, 0x100);
    delete_path(tree, 1, "/zookeeper/config");
    data_tree_set_config(tree, config, 0x101);
    assert_data(tree, "/zookeeper/config", "version=100");
}
END_TEST

static Suite *data_tree_suite(void)
{
    Suite *suite = suite_create("data_tree");
    TCase *tcase = tcase_create("data_tree");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_new_tree_is_that_of_java);
    tcase_add_test(tcase, nothing_is_told_or_watched_without_permission);
    tcase_add_test(tcase, exists_watches_what_is_not_there_yet);
    tcase_add_test(tcase, null_data_is_not_empty_data);
    tcase_add_test(tcase, the_list_of_children_follows_every_change);
    tcase_add_test(tcase, a_view_has_all_that_prep_needs);
    tcase_add_test(tcase, replay_from_anywhere_gives_the_same_tree);
    tcase_add_test(tcase, a_deletion_leaves_no_orphans);
    tcase_add_test(tcase, a_repeated_creation_changes_only_permissions);
    tcase_add_test(tcase, a_deletion_of_what_is_gone_still_tells_the_parent);
    tcase_add_test(tcase, a_multi_moves_the_zxid_at_its_end);
    tcase_add_test(tcase, between_the_parts_of_a_multi_the_zxid_is_that_before_it);
    tcase_add_test(tcase, close_session_deletes_in_the_order_of_its_record);
    tcase_add_test(tcase, set_watches_tells_what_was_missed);
    tcase_add_test(tcase, a_quota_counts_its_subtree);
    tcase_add_test(tcase, statistics_that_cannot_be_read_stop_nobody);
    tcase_add_test(tcase, quota_nodes_in_odd_places_stop_nobody);
    tcase_add_test(tcase, paths_that_are_none_are_refused);
    tcase_add_test(tcase, a_digest_that_differs_is_told);
    tcase_add_test(tcase, every_128th_digest_is_kept_1024_of_them);
    tcase_add_test(tcase, a_tree_may_be_as_deep_as_a_path_is_long);
    tcase_add_test(tcase, a_configuration_is_stored_with_its_version);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(data_tree_suite)
