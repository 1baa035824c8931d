/* A stall in front of the chain: how many go in, who is dropped, who has waited too long. The clock stands. */
#include "server/request/request_throttler.h"

#include "common/base/clock.h"
#include "tests/unit/server/cnxn/cnxn_test.h"
#include "tests/unit/server/request/core_test.h"

enum { PASSED_MOST = 64, START_MS = 1000000 };

/* What comes next keeps what it is handed until the test says that it is done. */
struct chain {
    struct request_processor base;
    struct mutex lock;
    struct condition changed;
    struct request *items[PASSED_MOST] GUARDED_BY(lock);
    size_t count GUARDED_BY(lock), flushed GUARDED_BY(lock), finished GUARDED_BY(lock);
};
static struct chain chain;
static struct request_throttler *throttler;
static struct raw_client client;
static struct server_cnxn *cnxn;

static void chain_process(struct request_processor *self, struct request *request)
{
    (void)self;
    mutex_lock(&chain.lock);
    if (request->cnxn != NULL)
        atomic_fetch_add(&core.requests_in_process, 1);
    chain.items[chain.count++] = request;
    mutex_unlock(&chain.lock);
}

static void chain_flush(struct request_processor *self)
{
    (void)self;
    mutex_lock(&chain.lock);
    chain.flushed = chain.count;
    condition_broadcast(&chain.changed);
    mutex_unlock(&chain.lock);
}

/* The first `count` of those not done yet leave the chain. */
static void finish(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mutex_lock(&chain.lock);
        struct request *request = chain.items[chain.finished++];
        mutex_unlock(&chain.lock);
        server_core_request_finished(&core, request);
        request_unref(request);
    }
}

/* How many went in, once as many have, and been flushed; a test that waits for more than come fails by its time-out. */
static void wait_flushed(size_t count)
{
    mutex_lock(&chain.lock);
    while (chain.flushed < count)
        condition_wait(&chain.changed, &chain.lock);
    ck_assert_uint_eq(chain.flushed, count);
    mutex_unlock(&chain.lock);
}

static const struct request *passed(size_t index)
{
    mutex_lock(&chain.lock);
    const struct request *request = chain.items[index];
    mutex_unlock(&chain.lock);
    return request;
}

static int64_t counted(enum metric metric)
{
    return server_metrics_value(core.metrics, metric);
}

static void wait_counted(enum metric metric, int64_t least)
{
    while (counted(metric) < least)
        clock_sleep_ms(1);
}

static void set_up(void)
{
    core_set_up();
    cnxn_set_up();
    cnxn_start(0);
    raw_client_init(&client);
    cnxn_join(&client);
    cnxn = cnxn_only();
    mutex_init(&chain.lock);
    condition_init(&chain.changed);
    chain.base = (struct request_processor){.process = chain_process, .flush = chain_flush};
    chain.count = chain.flushed = chain.finished = 0;
    core_options.request_throttle_limit = 2;
    core_options.request_throttle_stall_time = INT32_MAX;
}

static void start(void)
{
    throttler = core.throttler = request_throttler_start(&core, &chain.base);
}

static void tear_down(void)
{
    if (core.throttler != NULL)
        request_throttler_shutdown(throttler, 0);
    mutex_lock(&chain.lock);
    size_t left = chain.count - chain.finished;
    mutex_unlock(&chain.lock);
    finish(left);
    request_throttler_free(throttler);
    ck_assert_int_eq(atomic_load(&core.requests_waiting), 0);
    ck_assert_int_eq(atomic_load(&core.requests_in_process), 0);
    condition_release(&chain.changed);
    mutex_release(&chain.lock);
    server_cnxn_unref(cnxn);
    raw_client_release(&client);
    cnxn_tear_down();
    core_tear_down();
}

static void submit(int32_t first_xid, int32_t last_xid)
{
    for (int32_t xid = first_xid; xid <= last_xid; xid++)
        request_throttler_submit(throttler, core_request_from(cnxn, xid, OP_GET_DATA, NULL));
    request_throttler_flush(throttler);
}

START_TEST(so_many_go_in_and_the_next_when_one_is_done)
{
    start();
    submit(1, 5);
    wait_flushed(2);
    wait_counted(METRIC_REQUEST_THROTTLE_WAIT_COUNT, 1);
    ck_assert_int_eq(atomic_load(&core.requests_waiting), 3);
    finish(1);
    wait_flushed(3);
    ck_assert_int_eq(passed(2)->cxid, 3);
    finish(2);
    wait_flushed(5);
    ck_assert_int_eq(passed(4)->cxid, 5);
    ck_assert_int_eq(counted(METRIC_THROTTLED_OPS), 0);
}
END_TEST

START_TEST(after_the_stall_it_looks_again)
{
    core_options.request_throttle_stall_time = 5;
    start();
    submit(1, 3);
    wait_counted(METRIC_REQUEST_THROTTLE_WAIT_COUNT, 3);
    ck_assert_int_eq(atomic_load(&core.requests_waiting), 1);
}
END_TEST

START_TEST(without_a_limit_all_go_in)
{
    core_options.request_throttle_limit = 0;
    start();
    submit(1, 20);
    while (atomic_load(&core.requests_waiting) > 0)
        clock_sleep_ms(1);
    wait_flushed(20);
}
END_TEST

/* Stale while it waits: dropped, and its connection with all that follows. */
START_TEST(a_stale_one_is_dropped_with_all_behind_it)
{
    start();
    submit(1, 4);
    wait_flushed(2);
    atomic_store(&cnxn->is_stale, true);    /* as when it closes */
    finish(1);
    wait_counted(METRIC_STALE_REQUESTS_DROPPED, 1);
    submit(5, 5);
    while (atomic_load(&core.requests_waiting) > 0)
        clock_sleep_ms(1);
    ck_assert(atomic_load(&cnxn->is_invalid));
    ck_assert_int_eq(counted(METRIC_STALE_REQUESTS_DROPPED), 1);    /* the others must be, whatever they are */
    wait_flushed(2);
    atomic_store(&cnxn->is_stale, false);
}
END_TEST

START_TEST(unless_stale_ones_are_welcome)
{
    core_options.request_throttle_drop_stale = false;
    start();
    atomic_store(&cnxn->is_stale, true);
    submit(1, 2);
    wait_flushed(2);
    ck_assert_int_eq(counted(METRIC_STALE_REQUESTS), 2);
    atomic_store(&cnxn->is_stale, false);
}
END_TEST

START_TEST(the_end_of_a_session_is_never_stale_and_age_counts_when_told_so)
{
    struct request *read = core_request_from(cnxn, 1, OP_GET_DATA, NULL);
    struct request *end = core_request_from(cnxn, 2, OP_CLOSE_SESSION, NULL);
    struct request *own = core_request(OP_GET_DATA, NULL);
    read->create_time_ms = end->create_time_ms = own->create_time_ms = clock_elapsed_ms() - SESSION_TIMEOUT_MS - 1;
    ck_assert(!server_core_is_stale(&core, read));
    core_options.request_stale_latency_check = true;
    ck_assert(server_core_is_stale(&core, read));
    atomic_store(&cnxn->is_invalid, true);
    ck_assert(!server_core_is_stale(&core, end));
    ck_assert(!server_core_is_stale(&core, own));
    core_options.request_stale_latency_check = false;
    ck_assert(server_core_is_stale(&core, read));
    core_options.request_stale_connection_check = false;
    ck_assert(!server_core_is_stale(&core, read));
    request_unref(read);
    request_unref(end);
    request_unref(own);
}
END_TEST

START_TEST(who_waited_too_long_is_marked_but_not_pings_and_sessions)
{
    static const int32_t types[] = {OP_GET_DATA, OP_SET_DATA, OP_PING, OP_CREATE_SESSION, OP_CLOSE_SESSION};
    core_options.throttled_op_wait_time = 50;
    core_options.request_throttle_limit = 1;
    core_options.request_throttle_stall_time = 1;
    clock_freeze(START_MS, START_MS);
    start();
    submit(1, 1);
    wait_flushed(1);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        request_throttler_submit(throttler, core_request_from(cnxn, 10 + (int32_t)i, types[i], NULL));
    request_throttler_flush(throttler);
    clock_advance_ms(51);
    for (size_t i = 0; i <= ARRAY_SIZE(types); i++) {
        wait_flushed(1 + i);
        ck_assert_msg(passed(i)->is_throttled == (i == 1 || i == 2), "request %zu", i);
        finish(1);
        clock_advance_ms(1);
    }
    ck_assert_int_eq(counted(METRIC_THROTTLED_OPS), 2);
    clock_thaw();
}
END_TEST

START_TEST(what_waits_at_the_end_is_given_time_then_dropped)
{
    start();
    submit(1, 4);
    wait_flushed(2);
    request_throttler_shutdown(throttler, 20);
    core.throttler = NULL;
    wait_flushed(2);
    ck_assert(atomic_load(&cnxn->is_invalid));
    ck_assert_int_eq(atomic_load(&core.requests_waiting), 0);
    request_throttler_submit(throttler, core_request_from(cnxn, 9, OP_GET_DATA, NULL));    /* too late */
    ck_assert_int_eq(atomic_load(&core.requests_waiting), 0);
}
END_TEST

static Suite *request_throttler_suite(void)
{
    Suite *suite = suite_create("request_throttler");
    TCase *tcase = tcase_create("request_throttler");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, so_many_go_in_and_the_next_when_one_is_done);
    tcase_add_test(tcase, after_the_stall_it_looks_again);
    tcase_add_test(tcase, without_a_limit_all_go_in);
    tcase_add_test(tcase, a_stale_one_is_dropped_with_all_behind_it);
    tcase_add_test(tcase, unless_stale_ones_are_welcome);
    tcase_add_test(tcase, the_end_of_a_session_is_never_stale_and_age_counts_when_told_so);
    tcase_add_test(tcase, who_waited_too_long_is_marked_but_not_pings_and_sessions);
    tcase_add_test(tcase, what_waits_at_the_end_is_given_time_then_dropped);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(request_throttler_suite)
