/*
 * Durable first, then passed on. The next processor looks, at the moment it is handed a write, whether the log holds
 * it. Where a delay counts the clock stands and is moved.
 */
#include "server/request/sync_request_processor.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/mutex.h"
#include "common/thread/thread.h"
#include "server/persistence/file_txn_log.h"
#include "server/request/exit_code.h"
#include "tests/unit/server/request/core_test.h"

enum { PASSED_MOST = 4096 };

/* ---- what comes next ---- */

struct passed {
    int32_t cxid;
    int64_t zxid, time_ms;    /* zxid 0: a read */
    bool is_durable;
    uintptr_t thread_id;      /* that passed it on */
};
struct next_processor {
    struct request_processor base;
    bool looks_into_log;
    struct mutex lock;
    struct condition changed;
    struct passed items[PASSED_MOST] GUARDED_BY(lock);
    size_t count GUARDED_BY(lock), flushes GUARDED_BY(lock), shutdowns GUARDED_BY(lock);
    _Atomic int inside, most_inside;    /* calls at a time */
};
static struct next_processor next;
static struct request_processor *sync_processor;
static char log_directory[2 * TEST_DIRECTORY_SIZE];

static bool log_holds(int64_t zxid)
{
    struct txn_iterator *iterator;
    struct txn *txn;
    struct file_txn_log_options options = {.max_record_size = INT32_MAX, .rules = {.digest_enabled = true}};
    if (txn_iterator_open(log_directory, zxid, true, &options, &iterator, NULL) != ZK_OK)
        return false;
    bool is_there = txn_iterator_next(iterator, &txn, NULL) == ZK_OK;
    if (is_there) {
        is_there = txn->header.zxid == zxid;
        txn_unref(txn);
    }
    txn_iterator_close(iterator);
    return is_there;
}

static void next_process(struct request_processor *self, struct request *request)
{
    (void)self;
    int inside = atomic_fetch_add(&next.inside, 1) + 1;
    if (inside > atomic_load(&next.most_inside))
        atomic_store(&next.most_inside, inside);
    int64_t zxid = request->txn == NULL ? 0 : request->txn->header.zxid;
    bool is_durable = zxid == 0 || !next.looks_into_log || log_holds(zxid);
    mutex_lock(&next.lock);
    assert(next.count < PASSED_MOST);
    next.items[next.count++] =
        (struct passed){request->cxid, zxid, clock_elapsed_ms(), is_durable, thread_current_id()};
    condition_broadcast(&next.changed);
    mutex_unlock(&next.lock);
    request_unref(request);
    atomic_fetch_sub(&next.inside, 1);
}

static void next_flush(struct request_processor *self)
{
    (void)self;
    mutex_lock(&next.lock);
    next.flushes++;
    condition_broadcast(&next.changed);
    mutex_unlock(&next.lock);
}

static void next_shutdown(struct request_processor *self)
{
    (void)self;
    mutex_lock(&next.lock);
    next.shutdowns++;
    mutex_unlock(&next.lock);
}

/* ---- life ---- */

static void set_up(void)
{
    core_set_up();
    snprintf(log_directory, sizeof log_directory, "%s/version-2", core_directory);
    next.base = (struct request_processor){next_process, next_flush, next_shutdown, NULL};
    next.looks_into_log = true;
    mutex_init(&next.lock);
    condition_init(&next.changed);
    core_options.flush_delay = 0;
    core_options.max_write_queue_poll_time = 0;
    core_options.max_batch_size = 1000;
}

static void start(void)
{
    sync_processor = sync_request_processor_start(&core, &next.base, false);
}

static void stop(void)
{
    if (sync_processor == NULL)
        return;
    sync_processor->shutdown(sync_processor);
    sync_processor->free(sync_processor);
    sync_processor = NULL;
}

static void tear_down(void)
{
    stop();
    condition_release(&next.changed);
    mutex_release(&next.lock);
    core_tear_down();
    clock_thaw();
}

/* ---- requests ---- */

static void put(struct request *request)
{
    request_processor_process(sync_processor, request);
}

/* A transaction that changes nothing; returns its zxid. */
static int64_t put_write(int32_t cxid)
{
    struct request *request = core_request(OP_SET_DATA, NULL);
    int64_t zxid = server_core_next_zxid(&core);
    struct txn_header header = {CORE_SESSION, cxid, zxid, CORE_TIME, OP_ERROR};
    struct txn_body body = {.is_present = true};
    request->cxid = cxid;
    body.record.error.err = ZK_NO_NODE;
    request->txn = txn_new(&header, &body, NULL);
    put(request);
    return zxid;
}

static void put_read(int32_t cxid)
{
    struct request *request = core_request(OP_EXISTS, NULL);
    request->cxid = cxid;
    put(request);
}

static void flush(void)
{
    request_processor_flush(sync_processor);
}

static size_t wait_passed(size_t least)
{
    mutex_lock(&next.lock);
    while (next.count < least)
        condition_wait(&next.changed, &next.lock);
    size_t count = next.count;
    mutex_unlock(&next.lock);
    return count;
}

static struct passed passed(size_t index)
{
    mutex_lock(&next.lock);
    ck_assert_uint_lt(index, next.count);
    struct passed item = next.items[index];
    mutex_unlock(&next.lock);
    return item;
}

static void assert_passed_in_order(int32_t count)
{
    ck_assert_uint_eq(wait_passed((size_t)count), (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        struct passed item = passed((size_t)i);
        ck_assert_int_eq(item.cxid, i);
        ck_assert_msg(item.is_durable, "request %d was passed on before it was durable", i);
    }
}

/* ---- tests ---- */

START_TEST(a_write_is_in_the_log_when_it_is_passed_on)
{
    start();
    for (int32_t i = 0; i < 20; i++) {
        put_write(i);
        flush();
        wait_passed((size_t)i + 1);
    }
    assert_passed_in_order(20);
}
END_TEST

START_TEST(so_it_is_in_batches)
{
    start();
    for (int32_t i = 0; i < 300; i++)
        put_write(i);
    flush();
    assert_passed_in_order(300);
    mutex_lock(&next.lock);
    ck_assert_msg(next.flushes < 100, "%zu flushes for 300 requests", next.flushes);
    mutex_unlock(&next.lock);
}
END_TEST

START_TEST(reads_keep_their_place_behind_writes)
{
    start();
    for (int32_t i = 0; i < 300; i++) {
        if (i % 3 == 1)
            put_write(i);
        else
            put_read(i);
    }
    flush();
    assert_passed_in_order(300);
}
END_TEST

START_TEST(a_read_passes_when_nothing_is_pending)
{
    clock_freeze(1000, 0);
    core_options.flush_delay = 60000;
    core_options.max_write_queue_poll_time = 60000;
    start();
    put_read(0);
    flush();
    wait_passed(1);
    ck_assert_int_eq(passed(0).time_ms, 1000);
}
END_TEST

static size_t flushes(void)
{
    mutex_lock(&next.lock);
    size_t count = next.flushes;
    mutex_unlock(&next.lock);
    return count;
}

START_TEST(a_read_with_nothing_in_front_is_passed_on_by_who_brings_it)
{
    start();
    put_read(0);
    ck_assert_uint_eq(wait_passed(0), 1);
    ck_assert_uint_eq(passed(0).thread_id, thread_current_id());
    ck_assert_uint_eq(flushes(), 0);
    flush();
    ck_assert_uint_eq(flushes(), 1);
    flush();
    ck_assert_msg(flushes() == 1, "a flush with nothing behind it goes no further");
}
END_TEST

/* The thread that brings them goes on while the other has one in hand. */
START_TEST(no_read_overtakes_a_write_or_runs_beside_it)
{
    start();
    for (int32_t i = 0; i < 1500; i++) {
        if (i % 5 == 0)
            put_write(i);
        else
            put_read(i);
        if (i % 7 == 0)
            flush();
    }
    flush();
    assert_passed_in_order(1500);
    ck_assert_msg(atomic_load(&next.most_inside) == 1, "%d at a time", atomic_load(&next.most_inside));
    put_write(1500);
    ck_assert_uint_eq(wait_passed(0), 1500);    /* not flushed: it is in hand */
    put_read(1501);
    flush();
    assert_passed_in_order(1502);
    ck_assert_uint_ne(passed(1501).thread_id, thread_current_id());
}
END_TEST

START_TEST(a_batch_waits_for_its_delay)
{
    clock_freeze(1000, 0);
    core_options.flush_delay = 60000;
    core_options.max_write_queue_poll_time = 60000;
    start();
    put_read(0);
    flush();
    wait_passed(1);
    put_write(1);
    put_read(2);
    flush();
    clock_advance_ms(59999);
    ck_assert_uint_eq(wait_passed(0), 1);
    clock_advance_ms(1);
    assert_passed_in_order(3);
    ck_assert_int_eq(passed(1).time_ms, 61000);
    ck_assert_int_eq(passed(2).time_ms, 61000);
}
END_TEST

START_TEST(or_until_nothing_has_come_for_a_while)
{
    clock_freeze(1000, 0);
    core_options.flush_delay = 60000;
    core_options.max_write_queue_poll_time = 20000;
    start();
    put_read(0);
    flush();
    wait_passed(1);
    put_write(1);
    put_read(2);
    flush();
    clock_advance_ms(19999);
    ck_assert_uint_eq(wait_passed(0), 1);
    clock_advance_ms(60000);
    assert_passed_in_order(3);
}
END_TEST

START_TEST(or_for_its_size)
{
    clock_freeze(1000, 0);
    core_options.flush_delay = 60000;
    core_options.max_write_queue_poll_time = 60000;
    core_options.max_batch_size = 5;
    start();
    for (int32_t i = 0; i < 10; i++)
        put_write(i);
    flush();
    assert_passed_in_order(10);
    ck_assert_int_eq(server_metrics_value(core.metrics, METRIC_BATCH_SIZE), 10);
}
END_TEST

START_TEST(what_stands_in_the_queue_is_passed_on_before_shutdown)
{
    start();
    for (int32_t i = 0; i < 100; i++)
        put_write(i);
    sync_processor->shutdown(sync_processor);    /* not flushed */
    assert_passed_in_order(100);
    mutex_lock(&next.lock);
    ck_assert_uint_eq(next.shutdowns, 1);
    mutex_unlock(&next.lock);
    put_write(100);    /* dropped: nobody will answer it */
    flush();
    ck_assert_uint_eq(wait_passed(100), 100);
    sync_processor->free(sync_processor);
    sync_processor = NULL;
}
END_TEST

START_TEST(a_throttled_write_is_not_logged)
{
    start();
    struct request *request = core_request(OP_SET_DATA, NULL);
    request->cxid = 0;
    request->is_throttled = true;
    put(request);
    flush();
    assert_passed_in_order(1);
    put_write(1);
    flush();
    assert_passed_in_order(2);
}
END_TEST

static size_t snapshots(void)
{
    struct name_list list;
    size_t count = 0;
    ck_assert_int_eq(directory_list(log_directory, &list, NULL), ZK_OK);
    for (size_t i = 0; i < list.count; i++)
        count += string_starts_with(list.names[i], "snapshot.") ? 1 : 0;
    name_list_release(&list);
    return count;
}

START_TEST(after_so_many_transactions_a_snapshot_is_taken)
{
    next.looks_into_log = false;
    core_options.snap_count = 100;
    start();
    size_t before = snapshots();
    int64_t zxid = 0;
    for (int32_t i = 0; i < 50; i++)
        zxid = put_write(i);    /* half of the limit */
    flush();
    assert_passed_in_order(50);
    ck_assert_int_eq(zk_database_txn_count(core.database), 50);
    data_tree_set_last_processed_zxid(zk_database_tree(core.database), zxid);    /* the snapshot's name */
    for (int32_t i = 50; i < 101; i++)
        put_write(i);
    flush();
    assert_passed_in_order(101);
    stop();    /* waits for it */
    ck_assert_uint_gt(snapshots(), before);
    ck_assert_int_lt(zk_database_txn_count(core.database), 51);
}
END_TEST

START_TEST(a_snapshot_that_is_due_is_written_beside_the_first_requests)
{
    size_t before = snapshots();
    data_tree_set_last_processed_zxid(zk_database_tree(core.database), 5);    /* the snapshot's name */
    sync_processor = sync_request_processor_start(&core, &next.base, true);
    put_write(0);
    flush();
    assert_passed_in_order(1);
    stop();    /* waits for it */
    ck_assert_uint_eq(snapshots(), before + 1);
}
END_TEST

START_TEST(an_observer_has_nothing_behind_its_log)
{
    sync_processor = sync_request_processor_start(&core, NULL, false);
    int64_t zxid = 0;
    put_read(0);
    for (int32_t i = 1; i < 100; i++)
        zxid = put_write(i);
    put_read(100);
    flush();
    stop();
    ck_assert(log_holds(zxid));
    ck_assert_uint_eq(wait_passed(0), 0);
}
END_TEST

/* ---- a disk that fails ---- */

static void assert_failed_for_good(size_t passed_before)
{
    stop();    /* when all was looked at */
    ck_assert_int_eq(atomic_load(&core_events.failures), 1);
    ck_assert_int_eq(atomic_load(&core_events.last_exit_code), EXIT_CODE_UNEXPECTED_ERROR);
    ck_assert_uint_eq(wait_passed(0), passed_before);
}

START_TEST(without_a_directory_for_the_log_nothing_is_passed_on)
{
    ck_assert_int_eq(file_rename(log_directory, test_directory_entry(core_directory, "away"), NULL), ZK_OK);
    start();
    put_read(0);
    flush();
    wait_passed(1);
    for (int32_t i = 1; i < 10; i++)
        put_write(i);
    put_read(10);
    flush();
    put_write(11);
    put_read(12);
    flush();
    assert_failed_for_good(1);
}
END_TEST

START_TEST(when_the_disk_is_full_nothing_more_is_passed_on)
{
    start();
    for (int32_t i = 0; i < 10; i++)
        put_write(i);
    flush();
    assert_passed_in_order(10);
    next.looks_into_log = false;
    struct rlimit usual, limit;    /* no file grows beyond; Check's own may, so that nothing is asserted meanwhile */
    ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &usual), 0);
    limit = (struct rlimit){8192, usual.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    int32_t cxid = 10;
    while (atomic_load(&core_events.failures) == 0 && cxid < PASSED_MOST) {
        put_write(cxid++);
        flush();
    }
    int64_t deadline_ms = clock_elapsed_ms() + 20000;    /* what was put may not be on its way to the disk yet */
    while (atomic_load(&core_events.failures) == 0 && clock_elapsed_ms() < deadline_ms)
        clock_sleep_ms(1);
    setrlimit(RLIMIT_FSIZE, &usual);
    ck_assert_int_eq(atomic_load(&core_events.failures), 1);
    size_t count = wait_passed(0);
    put_write(cxid);
    put_read(cxid);
    flush();
    assert_failed_for_good(count);
}
END_TEST

static Suite *sync_request_processor_suite(void)
{
    Suite *suite = suite_create("sync_request_processor");
    TCase *tcase = tcase_create("sync_request_processor");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_write_is_in_the_log_when_it_is_passed_on);
    tcase_add_test(tcase, so_it_is_in_batches);
    tcase_add_test(tcase, reads_keep_their_place_behind_writes);
    tcase_add_test(tcase, a_read_passes_when_nothing_is_pending);
    tcase_add_test(tcase, a_read_with_nothing_in_front_is_passed_on_by_who_brings_it);
    tcase_add_test(tcase, no_read_overtakes_a_write_or_runs_beside_it);
    tcase_add_test(tcase, a_batch_waits_for_its_delay);
    tcase_add_test(tcase, or_until_nothing_has_come_for_a_while);
    tcase_add_test(tcase, or_for_its_size);
    tcase_add_test(tcase, what_stands_in_the_queue_is_passed_on_before_shutdown);
    tcase_add_test(tcase, a_throttled_write_is_not_logged);
    tcase_add_test(tcase, after_so_many_transactions_a_snapshot_is_taken);
    tcase_add_test(tcase, a_snapshot_that_is_due_is_written_beside_the_first_requests);
    tcase_add_test(tcase, an_observer_has_nothing_behind_its_log);
    tcase_add_test(tcase, without_a_directory_for_the_log_nothing_is_passed_on);
    tcase_add_test(tcase, when_the_disk_is_full_nothing_more_is_passed_on);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(sync_request_processor_suite)
