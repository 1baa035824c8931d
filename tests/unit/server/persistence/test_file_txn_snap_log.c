/* test_file_txn_snap_log.c - from snapshots and logs to a tree, or to a refusal that says why. */
#include "server/persistence/file_txn_snap_log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/unit/server/persistence/persistence_test.h"

static struct file_txn_snap_log_options options;
static struct error error;

/* What one start of a server makes of the directory. */
static struct {
    struct file_txn_snap_log *log;
    struct data_tree *tree;
    struct session_table *sessions;
    struct playback_listener listener;
    struct buffer told;    /* zxids the listener heard */
    int64_t zxid;
} server;

static void hear(struct playback_listener *self, struct txn *txn)
{
    (void)self;
    buffer_printf(&server.told, "%llx ", (unsigned long long)txn->header.zxid);
}

static void stop(void)
{
    file_txn_snap_log_close(server.log);
    data_tree_free(server.tree);
    session_table_free(server.sessions);
    buffer_release(&server.told);
    memset(&server, 0, sizeof(server));
}

static int start(void)
{
    stop();
    error = (struct error){0};
    server.zxid = -77;
    server.listener = (struct playback_listener){hear, 3};
    int err = file_txn_snap_log_open(directory(), directory(), &options, NULL, NULL, &server.log, &error);
    if (err != ZK_OK)
        return err;
    server.tree = new_tree();
    server.sessions = session_table_new();
    return file_txn_snap_log_restore(server.log, server.tree, server.sessions, &server.listener, &server.zxid, &error);
}

/* The server has the transactions 1 ... zxid, of which each made a node. */
static void assert_starts(int64_t zxid)
{
    ck_assert_msg(start() == ZK_OK, "%s", error.text);
    ck_assert_int_eq(server.zxid, zxid);
    ck_assert_int_eq(data_tree_last_processed_zxid(server.tree), zxid);
    ck_assert_uint_eq(data_tree_node_count(server.tree), 5 + (size_t)zxid);
    ck_assert(data_tree_digest_is_consistent(server.tree));
}

static void assert_refuses(const char *naming)
{
    ck_assert_int_eq(start(), ZK_CORRUPT);
    ck_assert_msg(strstr(error.text, naming) != NULL, "%s", error.text);
}

static void set_up(void)
{
    make_directory();
    options = snap_log_options();
    ck_assert_int_eq(mkdir(in_directory("version-2"), 0700), 0);
}

static void tear_down(void)
{
    stop();
    remove_directory();
}

/* A snapshot as a server wrote it after the transactions 1 ... zxid. */
static void write_snapshot(int64_t zxid)
{
    struct data_tree *tree = new_tree();
    struct session_table *sessions = session_table_new();
    for (int64_t i = 1; i <= zxid; i++) {
        struct txn *txn = create_txn(i);
        struct arena arena = {0};
        struct process_txn_result result;
        data_tree_process_txn(tree, &txn->header, &txn->body, NULL, &arena, &result);
        arena_release(&arena);
        txn_unref(txn);
    }
    char *name = string_format("version-2/snapshot.%llx", (unsigned long long)zxid);
    ck_assert_int_eq(file_snap_serialize(tree, sessions, in_directory(name), &options.snap, NULL), ZK_OK);
    memory_free(name);
    data_tree_free(tree);
    session_table_free(sessions);
}

static void flip_byte(const char *name, size_t at)
{
    struct buffer bytes = {0};
    read_file(in_directory(name), &bytes);
    ck_assert_uint_lt(at, bytes.size);
    bytes.bytes[at] ^= 0x10;
    write_file(in_directory(name), bytes.bytes, bytes.size);
    buffer_release(&bytes);
}

static void cut(const char *name, size_t by)
{
    struct buffer bytes = {0};
    read_file(in_directory(name), &bytes);
    write_file(in_directory(name), bytes.bytes, bytes.size - by);
    buffer_release(&bytes);
}

START_TEST(an_empty_directory_gets_a_first_snapshot)
{
    ck_assert_int_eq(rmdir(in_directory("version-2")), 0);
    assert_starts(0);
    ck_assert(exists("version-2/snapshot.0"));
    int64_t zxid, wall_ms;
    file_txn_snap_log_last_snapshot(server.log, &zxid, &wall_ms);
    ck_assert_int_eq(zxid, 0);
    ck_assert_int_gt(wall_ms, 0);
    ck_assert_str_eq(file_txn_snap_log_snap_dir(server.log), in_directory("version-2"));
    ck_assert_str_eq(file_txn_snap_log_data_log_dir(server.log), in_directory("version-2"));
    assert_starts(0);
}
END_TEST

START_TEST(without_permission_no_empty_database_begins)
{
    options.db_autocreate = false;
    ck_assert_int_eq(start(), ZK_OK);
    ck_assert_int_eq(server.zxid, -1);
    ck_assert(!exists("version-2/snapshot.0"));
    write_file(in_directory("initialize"), "", 0);
    assert_starts(0);
    ck_assert(exists("version-2/snapshot.0") && !exists("initialize"));
    assert_starts(0);
}
END_TEST

START_TEST(a_missing_directory_is_made_or_missed)
{
    ck_assert_int_eq(rmdir(in_directory("version-2")), 0);
    options.data_dir_autocreate = false;
    ck_assert_int_eq(start(), ZK_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(error.text, "zookeeper.datadir.autocreate"));
    write_file(in_directory("version-2"), "", 0);
    options.data_dir_autocreate = true;
    ck_assert_int_eq(start(), ZK_IO);
    ck_assert_ptr_nonnull(strstr(error.text, "version-2"));
}
END_TEST

START_TEST(a_second_server_is_kept_out)
{
    assert_starts(0);
    struct file_txn_snap_log *second;
    ck_assert_int_eq(file_txn_snap_log_open(directory(), directory(), &options, NULL, NULL, &second, &error),
                     ZK_EXISTS);
    ck_assert_ptr_nonnull(strstr(error.text, "another zkc server"));
    char *same = string_format("%s/", directory());    /* another spelling */
    stop();
    ck_assert_int_eq(file_txn_snap_log_open(same, directory(), &options, NULL, NULL, &second, &error), ZK_OK);
    file_txn_snap_log_close(second);
    memory_free(same);
}
END_TEST

START_TEST(directories_must_not_be_mixed_up)
{
    struct file_txn_snap_log *log;
    const char *snaps = in_directory("snaps"), *logs = in_directory("logs");
    ck_assert_int_eq(file_txn_snap_log_open(snaps, logs, &options, NULL, NULL, &log, &error), ZK_OK);
    ck_assert(exists("snaps/version-2/zkc.lock") && exists("logs/version-2/zkc.lock"));
    file_txn_snap_log_close(log);
    write_file(in_directory("snaps/version-2/log.1"), "", 0);
    ck_assert_int_eq(file_txn_snap_log_open(snaps, logs, &options, NULL, NULL, &log, &error), ZK_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(error.text, "Snapshot directory has log files"));
    ck_assert_int_eq(file_txn_snap_log_open(logs, snaps, &options, NULL, NULL, &log, &error), ZK_OK);
    file_txn_snap_log_close(log);
    write_file(in_directory("snaps/version-2/snapshot.1"), "", 0);
    ck_assert_int_eq(file_txn_snap_log_open(logs, snaps, &options, NULL, NULL, &log, &error), ZK_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(error.text, "Log directory has snapshot files"));
}
END_TEST

START_TEST(leftovers_of_snapshots_go)
{
    static const char *const gone[] = {"version-2/snapshot.5.tmp", "version-2/snapshot.a.gz.tmp"};
    static const char *const kept[] = {"version-2/log.5.tmp", "version-2/mine.tmp", "version-2/snapshot.x.tmp"};
    for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
        write_file(in_directory(gone[i]), "x", 1);
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        write_file(in_directory(kept[i]), "x", 1);
    assert_starts(0);
    for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
        ck_assert(!exists(gone[i]));
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        ck_assert(exists(kept[i]));
}
END_TEST

START_TEST(a_directory_from_java_is_restored)
{
    copy_file(golden("snapshot.0"), in_directory("version-2/snapshot.0"));
    copy_file(golden("log.1"), in_directory("version-2/log.1"));
    ck_assert_msg(start() == ZK_OK, "%s", error.text);
    struct buffer expected = {0}, actual = {0};
    read_file(golden("tree.txt"), &expected);
    print_tree(server.tree, server.sessions, server.zxid, &actual);
    ck_assert_str_eq(buffer_string(&actual), buffer_string(&expected));
    ck_assert_str_eq(buffer_string(&server.told), "1e 1f 20 ");
    ck_assert(!data_tree_digest_mismatch(server.tree));
    buffer_release(&expected);
    buffer_release(&actual);
}
END_TEST

START_TEST(logs_are_replayed_behind_the_snapshot)
{
    write_snapshot(0);
    write_snapshot(4);
    write_log("version-2", 1, 3, 8192);
    write_log("version-2", 4, 6, 0);
    write_log("version-2", 7, 7, 8192);
    assert_starts(7);
    ck_assert_str_eq(buffer_string(&server.told), "5 6 7 ");
    int64_t zxid, wall_ms;
    file_txn_snap_log_last_snapshot(server.log, &zxid, &wall_ms);
    ck_assert_int_eq(zxid, 4);
}
END_TEST

START_TEST(a_torn_tail_is_cut)
{
    write_snapshot(0);
    write_log("version-2", 1, 5, 0);
    cut("version-2/log.1", 1);
    assert_starts(4);
    ck_assert_uint_eq((size_t)1, (size_t)exists("version-2/log.1"));
    write_log("version-2", 5, 6, 8192);    /* and it goes on */
    assert_starts(6);
}
END_TEST

START_TEST(damage_in_a_log_is_refused)
{
    write_snapshot(0);
    write_log("version-2", 1, 5, 8192);
    flip_byte("version-2/log.1", 150);
    assert_refuses("log.1");
    flip_byte("version-2/log.1", 150);
    assert_starts(5);
}
END_TEST

START_TEST(an_older_snapshot_serves_when_the_logs_lead_on)
{
    write_snapshot(0);
    write_snapshot(3);
    write_snapshot(5);
    write_log("version-2", 1, 4, 8192);
    write_log("version-2", 5, 8, 8192);
    flip_byte("version-2/snapshot.5", 300);
    assert_starts(8);
    ck_assert(exists("version-2/damaged.snapshot.5") && !exists("version-2/snapshot.5"));
    cut("version-2/snapshot.3", 7);
    assert_starts(8);
    ck_assert(exists("version-2/damaged.snapshot.3") && exists("version-2/snapshot.0"));
    flip_byte("version-2/snapshot.0", 100);    /* which is known to hold nothing */
    assert_starts(8);
    ck_assert(exists("version-2/snapshot.0"));    /* logs without any snapshot would need trust */
    assert_starts(8);
}
END_TEST

START_TEST(an_older_snapshot_does_not_hide_a_hole)
{
    write_snapshot(0);
    write_snapshot(5);
    write_log("version-2", 6, 8, 8192);
    assert_starts(8);
    flip_byte("version-2/snapshot.5", 300);
    assert_refuses("missing");
    write_log("version-2", 1, 4, 8192);
    assert_refuses("missing");
}
END_TEST

START_TEST(an_epoch_that_begins_does_not_hide_one_either)
{
    write_snapshot(0);
    write_snapshot(5);
    write_log("version-2", 1, 4, 8192);
    write_log("version-2", 0x100000001, 0x100000003, 8192);
    flip_byte("version-2/snapshot.5", 300);
    assert_refuses("do not hold 0x5");
    write_log("version-2", 5, 5, 8192);
    ck_assert_msg(start() == ZK_OK, "%s", error.text);
    ck_assert_int_eq(server.zxid, 0x100000003);
}
END_TEST

START_TEST(an_older_snapshot_needs_logs_up_to_the_newer)
{
    write_snapshot(0);
    write_snapshot(5);
    write_log("version-2", 1, 4, 8192);
    assert_starts(5);
    flip_byte("version-2/snapshot.5", 300);
    assert_refuses("snapshot.5");
    write_file(in_directory("version-2/snapshot.5"), "", 0);
    assert_refuses("snapshot.5");
}
END_TEST

START_TEST(damaged_snapshots_alone_are_no_empty_database)
{
    write_snapshot(5);
    flip_byte("version-2/snapshot.5", 300);
    assert_refuses("snapshot.5");
    options.snap.limit = 10;    /* a tree that cannot be read for another reason */
    flip_byte("version-2/snapshot.5", 300);
    assert_refuses("snapshot.5");
}
END_TEST

START_TEST(a_log_without_a_snapshot_needs_trust)
{
    write_log("version-2", 1, 5, 8192);
    assert_refuses("No snapshot found");
    options.trust_empty_snapshot = true;
    assert_starts(5);
    ck_assert_int_eq(unlink(in_directory("version-2/log.1")), 0);
    write_log("version-2", 3, 5, 8192);    /* trust does not go so far */
    assert_refuses("missing");
}
END_TEST

START_TEST(an_empty_log_is_no_log)
{
    write_file(in_directory("version-2/log.1"), "", 0);
    assert_starts(0);
    ck_assert(!exists("version-2/log.1"));
    write_file(in_directory("version-2/log.1"), "ZKLG\0\0\0\2\0\0\0\0\0\0\0\0", 16);
    assert_starts(0);
    ck_assert(!exists("version-2/log.1"));
}
END_TEST

START_TEST(a_record_that_comes_again_is_left_out)
{
    write_snapshot(0);
    write_log("version-2", 1, 5, 8192);
    write_log("version-2", 4, 7, 8192);
    assert_starts(7);
    ck_assert_str_eq(buffer_string(&server.told), "5 6 7 ");
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
    write_snapshot(0);
    write_log("version-2", 1, 5, 8192);
    ck_assert_int_eq(mkfifo(in_directory("version-2/log.6"), 0600), 0);
    ck_assert_int_eq(mkfifo(in_directory("version-2/snapshot.6"), 0600), 0);
    assert_refuses("log.6");
    ck_assert_int_eq(unlink(in_directory("version-2/log.6")), 0);
    assert_starts(5);
}
END_TEST

START_TEST(a_snapshot_is_taken_and_found)
{
    write_snapshot(0);
    write_log("version-2", 1, 5, 8192);
    assert_starts(5);
    options.snap.compression = (enum snap_compression)_i;
    assert_starts(5);
    char *path = NULL;
    ck_assert_int_eq(file_txn_snap_log_save(server.log, server.tree, server.sessions, &path, &error), ZK_OK);
    static const char *const names[] = { "version-2/snapshot.5", "version-2/snapshot.5.gz",
                                         "version-2/snapshot.5.snappy" };
    ck_assert_str_eq(path, in_directory(names[_i]));
    memory_free(path);
    ck_assert_int_eq(unlink(in_directory("version-2/log.1")), 0);
    assert_starts(5);
}
END_TEST

START_TEST(truncating_takes_newer_snapshots_along)
{
    write_snapshot(0);
    write_snapshot(3);
    write_snapshot(5);
    write_log("version-2", 1, 4, 8192);
    write_log("version-2", 5, 6, 8192);
    assert_starts(6);
    ck_assert_int_eq(file_txn_snap_log_truncate(server.log, 7, &error), ZK_NOT_FOUND);
    ck_assert(exists("version-2/snapshot.5"));
    ck_assert_int_eq(file_txn_snap_log_truncate(server.log, 4, &error), ZK_OK);
    ck_assert(!exists("version-2/snapshot.5") && exists("version-2/snapshot.3") && !exists("version-2/log.5"));
    struct txn *txn = create_txn(5);
    ck_assert_int_eq(file_txn_log_append(file_txn_snap_log_log(server.log), txn, &error), ZK_OK);
    ck_assert_int_eq(file_txn_log_commit(file_txn_snap_log_log(server.log), &error), ZK_OK);
    txn_unref(txn);
    assert_starts(5);
}
END_TEST

START_TEST(truncating_leaves_a_snapshot_to_stand_on)
{
    write_snapshot(5);
    write_log("version-2", 1, 6, 8192);
    assert_starts(6);
    ck_assert_int_eq(file_txn_snap_log_truncate(server.log, 4, &error), ZK_NOT_FOUND);
    assert_starts(6);
    write_file(in_directory("version-2/snapshot.3"), "ZKSN, and no end", 16);
    ck_assert_int_eq(file_txn_snap_log_truncate(server.log, 4, &error), ZK_NOT_FOUND);
    assert_starts(6);
}
END_TEST

/* A snapshot of a leader behind an older history, and a transaction behind it that the next leader does not have. */
START_TEST(truncating_may_end_at_a_snapshot_that_no_log_leads_to)
{
    write_snapshot(0);
    write_log("version-2", 1, 3, 8192);
    write_snapshot(7);
    write_log("version-2", 8, 9, 8192);
    assert_starts(9);
    ck_assert_int_eq(file_txn_snap_log_truncate(server.log, 6, &error), ZK_CORRUPT);
    assert_starts(9);
    ck_assert_int_eq(file_txn_snap_log_truncate(server.log, 7, &error), ZK_OK);
    ck_assert(!exists("version-2/log.8") && exists("version-2/log.1"));
    assert_starts(7);
}
END_TEST

/* The only snapshot has the zxid of an epoch in which nothing happened; the next leader's state is called by an older
 * one. */
START_TEST(snapshots_stay_until_another_is_saved)
{
    write_snapshot(3);
    write_log("version-2", 4, 4, 8192);
    write_snapshot(7);
    write_log("version-2", 8, 8, 8192);
    assert_starts(8);
    ck_assert_int_eq(file_txn_snap_log_drop_log_behind(server.log, 5, &error), ZK_OK);
    ck_assert(exists("version-2/log.4") && !exists("version-2/log.8"));
    assert_starts(7);
    write_snapshot(5);
    ck_assert_int_eq(file_txn_snap_log_drop_snapshots_behind(server.log, 5, &error), ZK_OK);
    ck_assert(!exists("version-2/snapshot.7"));
    assert_starts(5);
}
END_TEST

START_TEST(sessions_are_restored)
{
    write_snapshot(0);
    struct file_txn_log *log = file_txn_log_new(in_directory("version-2"), &options.log, NULL, NULL);
    struct txn *txns[] = {session_txn(1, 0x11, 4000), session_txn(2, 0x22, 5000), session_txn(3, 0x11, -1)};
    for (size_t i = 0; i < ARRAY_SIZE(txns); i++) {
        ck_assert_int_eq(file_txn_log_append(log, txns[i], NULL), ZK_OK);
        txn_unref(txns[i]);
    }
    ck_assert_int_eq(file_txn_log_commit(log, NULL), ZK_OK);
    file_txn_log_free(log);
    ck_assert_int_eq(start(), ZK_OK);
    int32_t timeout_ms = 0;
    ck_assert_uint_eq(session_table_count(server.sessions), 1);
    ck_assert(session_table_get(server.sessions, 0x22, &timeout_ms));
    ck_assert_int_eq(timeout_ms, 5000);
}
END_TEST

static Suite *file_txn_snap_log_suite(void)
{
    Suite *suite = suite_create("file_txn_snap_log");
    TCase *tcase = tcase_create("file_txn_snap_log");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, an_empty_directory_gets_a_first_snapshot);
    tcase_add_test(tcase, without_permission_no_empty_database_begins);
    tcase_add_test(tcase, a_missing_directory_is_made_or_missed);
    tcase_add_test(tcase, a_second_server_is_kept_out);
    tcase_add_test(tcase, directories_must_not_be_mixed_up);
    tcase_add_test(tcase, leftovers_of_snapshots_go);
    tcase_add_test(tcase, a_directory_from_java_is_restored);
    tcase_add_test(tcase, logs_are_replayed_behind_the_snapshot);
    tcase_add_test(tcase, a_torn_tail_is_cut);
    tcase_add_test(tcase, damage_in_a_log_is_refused);
    tcase_add_test(tcase, an_older_snapshot_serves_when_the_logs_lead_on);
    tcase_add_test(tcase, an_older_snapshot_does_not_hide_a_hole);
    tcase_add_test(tcase, an_epoch_that_begins_does_not_hide_one_either);
    tcase_add_test(tcase, an_older_snapshot_needs_logs_up_to_the_newer);
    tcase_add_test(tcase, damaged_snapshots_alone_are_no_empty_database);
    tcase_add_test(tcase, a_log_without_a_snapshot_needs_trust);
    tcase_add_test(tcase, an_empty_log_is_no_log);
    tcase_add_test(tcase, a_record_that_comes_again_is_left_out);
    tcase_add_test(tcase, what_is_no_file_is_refused);
    tcase_add_loop_test(tcase, a_snapshot_is_taken_and_found, 0, 3);
    tcase_add_test(tcase, truncating_takes_newer_snapshots_along);
    tcase_add_test(tcase, truncating_leaves_a_snapshot_to_stand_on);
    tcase_add_test(tcase, truncating_may_end_at_a_snapshot_that_no_log_leads_to);
    tcase_add_test(tcase, snapshots_stay_until_another_is_saved);
    tcase_add_test(tcase, sessions_are_restored);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(file_txn_snap_log_suite)
