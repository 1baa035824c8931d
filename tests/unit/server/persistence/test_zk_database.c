/* test_zk_database.c - one server's state through its life. */
#include "server/persistence/zk_database.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/unit/server/persistence/persistence_test.h"

static struct zk_database *database;

static void open_database(int64_t expected_zxid)
{
    zk_database_free(database);
    const struct file_txn_snap_log_options options = snap_log_options();
    const struct data_tree_options tree_options = {.digest_enabled = true};
    struct file_txn_snap_log *files;
    struct error error = {0};
    ck_assert_msg(file_txn_snap_log_open(directory(), directory(), &options, NULL, NULL, &files, &error) == ZK_OK, "%s",
                  error.text);
    database = zk_database_new(files, &tree_options, 3, NULL);
    ck_assert(!zk_database_is_initialized(database));
    int64_t zxid;
    ck_assert_msg(zk_database_load(database, &zxid, &error) == ZK_OK, "%s", error.text);
    ck_assert(zk_database_is_initialized(database));
    ck_assert_int_eq(zxid, expected_zxid);
}

static void set_up(void)
{
    make_directory();
    open_database(0);
}

static void tear_down(void)
{
    zk_database_free(database);
    database = NULL;
    remove_directory();
}

/* As a server does with a write: to the log, to the disk, to the tree. */
static void write_txn(struct txn *txn)
{
    struct arena arena = {0};
    struct process_txn_result result;
    ck_assert_int_eq(zk_database_append(database, txn, NULL), ZK_OK);
    ck_assert_int_eq(zk_database_commit(database, NULL), ZK_OK);
    zk_database_process_txn(database, txn, &arena, &result);
    ck_assert_int_eq(result.err, ZK_OK);
    ck_assert_int_eq(result.zxid, txn->header.zxid);
    arena_release(&arena);
    txn_unref(txn);
}

START_TEST(what_was_committed_is_there_after_a_restart)
{
    write_txn(session_txn(1, 0x55, 4000));
    for (int64_t zxid = 2; zxid <= 6; zxid++)
        write_txn(create_txn(zxid));
    struct data_tree *tree = zk_database_tree(database);
    uint64_t digest = data_tree_digest(tree);
    size_t nodes = data_tree_node_count(tree);
    ck_assert_int_eq(committed_log_min_zxid(zk_database_committed_log(database)), 4);
    open_database(6);
    tree = zk_database_tree(database);
    ck_assert_uint_eq(data_tree_digest(tree), digest);
    ck_assert_uint_eq(data_tree_node_count(tree), nodes);
    ck_assert_uint_eq(session_table_count(zk_database_sessions(database)), 1);
    ck_assert_int_eq(committed_log_min_zxid(zk_database_committed_log(database)), 4);
    ck_assert_int_eq(committed_log_max_zxid(zk_database_committed_log(database)), 6);
}
END_TEST

START_TEST(a_snapshot_spares_the_replay)
{
    for (int64_t zxid = 1; zxid <= 5; zxid++)
        write_txn(create_txn(zxid));
    zk_database_roll_log(database);
    ck_assert_int_eq(zk_database_take_snapshot(database, NULL), ZK_OK);
    ck_assert(exists("version-2/snapshot.5"));
    write_txn(create_txn(6));
    ck_assert(exists("version-2/log.1") && exists("version-2/log.6"));
    open_database(6);
    ck_assert_uint_eq(committed_log_count(zk_database_committed_log(database)), 1);
    int64_t zxid, wall_ms;
    file_txn_snap_log_last_snapshot(zk_database_snap_log(database), &zxid, &wall_ms);
    ck_assert_int_eq(zxid, 5);
}
END_TEST

START_TEST(transactions_are_counted_since_the_roll)
{
    ck_assert_int_eq(zk_database_txn_count(database), 0);
    for (int64_t zxid = 1; zxid <= 5; zxid++)
        write_txn(create_txn(zxid));
    ck_assert_int_eq(zk_database_txn_count(database), 5);
    int64_t size = zk_database_txn_size(database);
    ck_assert_int_gt(size, 5 * 45);
    ck_assert_int_lt(size, 5 * 200);
    zk_database_roll_log(database);
    ck_assert_int_eq(zk_database_txn_count(database), 0);
    ck_assert_int_eq(zk_database_txn_size(database), 0);
}
END_TEST

START_TEST(sessions_end_with_their_transaction)
{
    int32_t timeout_ms = 0;
    write_txn(session_txn(1, 0x55, 4000));
    ck_assert(session_table_get(zk_database_sessions(database), 0x55, &timeout_ms));
    write_txn(session_txn(2, 0x55, -1));
    ck_assert(!session_table_get(zk_database_sessions(database), 0x55, &timeout_ms));
}
END_TEST

START_TEST(a_transaction_that_does_not_fit_is_told)
{
    struct txn *txn = create_path_txn(1, "/none/child", "", 0);
    struct arena arena = {0};
    struct process_txn_result result;
    zk_database_process_txn(database, txn, &arena, &result);
    ck_assert_int_eq(result.err, ZK_NO_NODE);
    ck_assert_int_eq(committed_log_max_zxid(zk_database_committed_log(database)), 1);
    arena_release(&arena);
    txn_unref(txn);
}
END_TEST

static Suite *zk_database_suite(void)
{
    Suite *suite = suite_create("zk_database");
    TCase *tcase = tcase_create("zk_database");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_was_committed_is_there_after_a_restart);
    tcase_add_test(tcase, a_snapshot_spares_the_replay);
    tcase_add_test(tcase, transactions_are_counted_since_the_roll);
    tcase_add_test(tcase, sessions_end_with_their_transaction);
    tcase_add_test(tcase, a_transaction_that_does_not_fit_is_told);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(zk_database_suite)
