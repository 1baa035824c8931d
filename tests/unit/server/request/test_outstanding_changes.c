/* Changes on their way to the tree: what prep finds, what final takes away, what a failed multi leaves. */
#include "server/request/outstanding_changes.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/thread/thread.h"
#include "tests/unit/server/request/core_test.h"

static struct outstanding_changes *changes;

static void set_up(void)
{
    core_set_up();
    changes = core.outstanding_changes;
}

static struct change_record *add(const char *path, int64_t zxid)
{
    struct change_record *record = change_record_new(NULL, ustring_of(path));
    record->zxid = zxid;
    record->exists = true;
    record->stat.mzxid = zxid;
    record->tree_digest = (uint64_t)zxid * 10;
    outstanding_changes_add(changes, record);
    return record;
}

static void add_removal(const char *path, int64_t zxid)
{
    struct change_record *record = change_record_new(NULL, ustring_of(path));
    record->zxid = zxid;
    outstanding_changes_add(changes, record);
}

/* zxid of the newest record of the path, 0 when there is none. */
static int64_t newest(const char *path)
{
    struct change_record *record = outstanding_changes_find(changes, ustring_of(path));
    int64_t zxid = record == NULL ? 0 : record->zxid;
    change_record_unref(record);
    return zxid;
}

START_TEST(the_newest_change_of_a_path_is_found)
{
    ck_assert_int_eq(newest("/a"), 0);
    add("/a", 1);
    add("/b", 2);
    add("/a", 3);
    ck_assert_int_eq(newest("/a"), 3);
    ck_assert_int_eq(newest("/b"), 2);
    ck_assert_int_eq(newest("/"), 0);
    ck_assert_uint_eq(outstanding_changes_count(changes), 3);
}
END_TEST

START_TEST(changes_leave_up_to_a_zxid)
{
    add("/a", 1);
    add("/b", 2);
    add("/a", 3);
    outstanding_changes_remove_up_to(changes, 2);
    ck_assert_int_eq(newest("/a"), 3);
    ck_assert_int_eq(newest("/b"), 0);
    ck_assert_uint_eq(outstanding_changes_count(changes), 1);
    outstanding_changes_remove_up_to(changes, 3);
    ck_assert_int_eq(newest("/a"), 0);
    outstanding_changes_remove_up_to(changes, 100);
    ck_assert_uint_eq(outstanding_changes_count(changes), 0);
    ck_assert_int_eq(server_metrics_value(core.metrics, METRIC_OUTSTANDING_CHANGES_QUEUED), 3);
    ck_assert_int_eq(server_metrics_value(core.metrics, METRIC_OUTSTANDING_CHANGES_REMOVED), 3);
}
END_TEST

START_TEST(a_change_found_outlives_its_place)
{
    add("/a", 1);
    struct change_record *record = outstanding_changes_find(changes, ustring_of("/a"));
    outstanding_changes_remove_up_to(changes, 1);
    ck_assert_int_eq(record->stat.mzxid, 1);
    ck_assert(!record->is_listed);
    change_record_unref(record);
}
END_TEST

START_TEST(the_digest_is_that_of_the_last_change)
{
    uint64_t digest = 77;
    ck_assert(!outstanding_changes_tree_digest(changes, &digest));
    ck_assert_uint_eq(digest, 77);
    add("/a", 1);
    add("/b", 2);
    ck_assert(outstanding_changes_tree_digest(changes, &digest));
    ck_assert_uint_eq(digest, 20);
    outstanding_changes_remove_up_to(changes, 2);
    ck_assert(!outstanding_changes_tree_digest(changes, &digest));
}
END_TEST

START_TEST(a_duplicate_shares_data_and_lists_and_has_its_own_zxid)
{
    struct change_record *record = change_record_new(NULL, ustring_of("/a"));
    record->exists = true;
    struct blob *owner = blob_new_copy("some data", 9);
    change_record_set_data(record, (struct slice){owner->bytes + 5, 4}, owner);
    blob_unref(owner);
    record->acl = acl_vector_copy(&acl_open_unsafe);
    record->child_count = 3;
    record->claimed_owner = 9;
    record->stat.version = 5;
    record->node_digest = 11;
    struct change_record *copy = change_record_duplicate(record, 42);
    ck_assert_int_eq(copy->zxid, 42);
    ck_assert(copy->exists);
    ck_assert_ptr_eq(copy->data.bytes, record->data.bytes);
    ck_assert_int_eq(copy->child_count, 3);
    ck_assert_int_eq(copy->claimed_owner, 9);
    ck_assert_int_eq(copy->stat.version, 5);
    ck_assert_uint_eq(copy->node_digest, 11);
    ck_assert_uint_eq(copy->path_size, 2);
    ck_assert_mem_eq(copy->path, "/a", 2);
    change_record_unref(record);
    ck_assert(acl_vector_equal(change_record_acl(copy), &acl_open_unsafe));
    ck_assert_uint_eq(copy->data.size, 4);
    ck_assert_mem_eq(copy->data.bytes, "data", 4);
    change_record_unref(copy);
}
END_TEST

/* ---- rolling back ---- */

START_TEST(rolling_back_brings_the_changes_before_it_to_light)
{
    add("/a", 1);
    add("/b", 2);
    struct change_record *previous[] = {outstanding_changes_find(changes, ustring_of("/a")),
                                        outstanding_changes_find(changes, ustring_of("/b"))};
    add("/a", 3);
    add("/b", 3);
    add("/c", 3);
    outstanding_changes_roll_back(changes, 3, previous, 2);
    ck_assert_int_eq(newest("/a"), 1);
    ck_assert_int_eq(newest("/b"), 2);
    ck_assert_int_eq(newest("/c"), 0);
    ck_assert_uint_eq(outstanding_changes_count(changes), 2);
    uint64_t digest;
    ck_assert(outstanding_changes_tree_digest(changes, &digest));
    ck_assert_uint_eq(digest, 20);
    change_record_unref(previous[0]);
    change_record_unref(previous[1]);
    outstanding_changes_remove_up_to(changes, 1);
    ck_assert_int_eq(newest("/a"), 0);
}
END_TEST

START_TEST(what_the_tree_has_meanwhile_does_not_come_back)
{
    add("/a", 1);
    add("/b", 2);
    struct change_record *previous[] = {outstanding_changes_find(changes, ustring_of("/a")),
                                        outstanding_changes_find(changes, ustring_of("/b"))};
    add("/a", 3);
    add("/b", 3);
    outstanding_changes_remove_up_to(changes, 1);
    outstanding_changes_roll_back(changes, 3, previous, 2);
    ck_assert_int_eq(newest("/a"), 0);
    ck_assert_int_eq(newest("/b"), 2);
    change_record_unref(previous[0]);
    change_record_unref(previous[1]);
}
END_TEST

START_TEST(rolling_back_leaves_other_zxids_alone)
{
    add("/a", 1);
    outstanding_changes_roll_back(changes, 2, NULL, 0);
    ck_assert_int_eq(newest("/a"), 1);
    outstanding_changes_remove_up_to(changes, 1);
    outstanding_changes_roll_back(changes, 2, NULL, 0);
    ck_assert_uint_eq(outstanding_changes_count(changes), 0);
}
END_TEST

/* ---- ephemerals ---- */

static void assert_ephemerals(const char *expected)
{
    struct path_list paths;
    struct buffer text = {0};
    outstanding_changes_ephemerals(changes, zk_database_tree(core.database), CORE_SESSION, &paths);
    for (size_t i = 0; i < paths.count; i++)
        buffer_printf(&text, "%s%s", i == 0 ? "" : " ", paths.paths[i]);
    ck_assert_str_eq(buffer_string(&text), expected);
    buffer_release(&text);
    path_list_release(&paths);
}

START_TEST(a_sessions_ephemerals_are_those_of_the_tree_and_those_to_come)
{
    assert_ephemerals("");
    core_make("/e1", "", NULL, CORE_SESSION);
    core_make("/e2", "", NULL, CORE_SESSION);
    core_make("/other", "", NULL, CORE_OTHER);
    core_make("/persistent", "", NULL, 0);
    assert_ephemerals("/e2 /e1");    /* as they stand in Java's clone of a set of two, which has four buckets */
    add("/e3", 10)->stat.ephemeral_owner = CORE_SESSION;
    add("/e4", 10)->stat.ephemeral_owner = CORE_OTHER;
    add_removal("/e1", 11);
    add_removal("/nothing", 11);
    assert_ephemerals("/e2 /e3");
    add("/e1", 12)->stat.ephemeral_owner = CORE_SESSION;
    add_removal("/e3", 13);
    assert_ephemerals("/e2 /e1");
}
END_TEST

/* ---- threads ---- */

enum { MANY = 3000 };

static void add_many(void *arg)
{
    _Atomic int64_t *last = arg;
    for (int64_t zxid = 1; zxid <= MANY; zxid++) {
        add(zxid % 2 == 0 ? "/even" : "/odd", zxid);
        atomic_store(last, zxid);
    }
}

START_TEST(one_adds_while_another_removes_and_looks)
{
    static _Atomic int64_t last;
    struct thread *thread = thread_start("adder", add_many, (void *)&last);
    int64_t removed = 0;
    while (removed < MANY) {
        int64_t found = newest("/even");
        ck_assert(found == 0 || found > removed);
        removed = atomic_load(&last);
        outstanding_changes_remove_up_to(changes, removed);
    }
    thread_join(thread);
    ck_assert_uint_eq(outstanding_changes_count(changes), 0);
}
END_TEST

static Suite *outstanding_changes_suite(void)
{
    Suite *suite = suite_create("outstanding_changes");
    TCase *tcase = tcase_create("outstanding_changes");
    tcase_add_checked_fixture(tcase, set_up, core_tear_down);
    tcase_add_test(tcase, the_newest_change_of_a_path_is_found);
    tcase_add_test(tcase, changes_leave_up_to_a_zxid);
    tcase_add_test(tcase, a_change_found_outlives_its_place);
    tcase_add_test(tcase, the_digest_is_that_of_the_last_change);
    tcase_add_test(tcase, a_duplicate_shares_data_and_lists_and_has_its_own_zxid);
    tcase_add_test(tcase, rolling_back_brings_the_changes_before_it_to_light);
    tcase_add_test(tcase, what_the_tree_has_meanwhile_does_not_come_back);
    tcase_add_test(tcase, rolling_back_leaves_other_zxids_alone);
    tcase_add_test(tcase, a_sessions_ephemerals_are_those_of_the_tree_and_those_to_come);
    tcase_add_test(tcase, one_adds_while_another_removes_and_looks);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(outstanding_changes_suite)
