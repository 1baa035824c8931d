/* test_sim_network_fault.c - cut links, machines that die, and who finds out about it when. */
#include "tests/simulator/test_sim_network.h"

/* ---- connecting over a cut link ---- */

static int silent_near(void *arg)
{
    (void)arg;
    struct address address = far_address();
    struct error error = {0};
    int fd = -1;
    int64_t deadline_ms = clock_elapsed_ms() + 5000;
    ck_assert_int_eq(socket_connect(&address, deadline_ms, &fd, &error), ZK_TIMED_OUT);
    ck_assert_str_eq(error.text, "cannot connect to 10.0.0.2:2181 in time");
    ck_assert_int_ge(clock_elapsed_ms(), deadline_ms);
    ck_assert_int_le(clock_elapsed_ms(), deadline_ms + 1);
    ck_assert_int_eq(socket_connect(&address, INT64_MAX, &fd, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot connect to 10.0.0.2:2181: Connection timed out");
    return 0;
}

static int listen_only_far(void *arg)
{
    (void)arg;
    int fd = listen_at("0.0.0.0", PORT, 0);
    sleep_ms(200000);
    socket_close(fd);
    return 0;
}

static bool cut_the_way_back;

static void silent_driver(void *arg)
{
    (void)arg;
    make_machines();
    near->drift_ppm = 300;
    near->elapsed_offset_ns = 12345 * SIM_MS + 678;
    sim_link_cut(cut_the_way_back ? far : near, cut_the_way_back ? near : far, true);
    run_both(silent_near, listen_only_far);
    join_both();
}

START_TEST(over_a_cut_link_connecting_is_silence)
{
    cut_the_way_back = _i == 1;
    sim_run(1, silent_driver, NULL);
}
END_TEST

static int mended_near(void *arg)
{
    (void)arg;
    struct address address = far_address();
    int fd = -1;
    ck_assert_int_eq(socket_connect(&address, soon_ms(), &fd, NULL), ZK_OK);
    socket_close(fd);
    return 0;
}

static void mended_driver(void *arg)
{
    (void)arg;
    make_machines();
    sim_link_cut(near, far, true);
    run_both(mended_near, accept_and_close_main);
    sim_sleep_until(sim_now_ns() + 2 * SIM_S);
    sim_link_cut(near, far, false);
    join_both();
    ck_assert_msg(sim_now_ns() < 5 * SIM_S, "the third attempt, after three seconds, gets through");
}

START_TEST(an_attempt_outlives_a_cut)
{
    sim_run(1, mended_driver, NULL);
}
END_TEST

/* ---- streams over a cut link ---- */

enum { EARLY = 3, EARLY_SIZE = 1000 };
static size_t accepted_by_send;
static int64_t user_timeout_ms;
static int last_errno;

static int send_more(int fd, size_t size)
{
    static uint8_t bytes[10000];
    size_t sent;
    for (size_t i = 0; i < size; i++)
        bytes[i] = pattern_at(accepted_by_send + i);
    int err = send_some(fd, bytes, size, &sent);
    if (err == ZK_OK)
        accepted_by_send += sent;
    return err;
}

static int fill_near(void *arg)
{
    (void)arg;
    int fd = connect_to_far(), err;
    size_t sent;
    accepted_by_send = 0;
    for (int i = 0; i < EARLY; i++)
        ck_assert_int_eq(send_more(fd, EARLY_SIZE), ZK_OK);
    sleep_ms(1000);    /* they arrive, are acknowledged, and take no room any more; then the link is cut */
    if (user_timeout_ms > 0)
        socket_set_user_timeout(fd, user_timeout_ms);
    while ((err = send_more(fd, 10000)) == ZK_OK)
        continue;
    ck_assert_int_eq(err, ZK_AGAIN);
    ck_assert_int_eq(socket_wait(fd, POLLER_WRITE, clock_elapsed_ms() + 4000), ZK_TIMED_OUT);
    int64_t before_ms = clock_elapsed_ms();
    ck_assert_int_eq(socket_wait(fd, POLLER_WRITE, INT64_MAX), ZK_OK);
    err = send_some(fd, "x", 1, &sent);
    last_errno = err == ZK_IO ? errno : 0;
    int64_t expected_ms = user_timeout_ms > 0 ? user_timeout_ms : 900000;
    if (last_errno != 0)
        ck_assert_int_le(llabs(clock_elapsed_ms() - before_ms + 4000 - expected_ms), 2);
    socket_close(fd);
    return 0;
}

static int drain_far(void *arg)
{
    (void)arg;
    static uint8_t bytes[70000];
    int fd = accept_one(), err;
    size_t at = 0, got;
    while ((err = socket_receive(fd, bytes, sizeof(bytes), &got)) != ZK_EOF && err != ZK_IO) {
        if (err == ZK_AGAIN) {
            if (socket_wait(fd, POLLER_READ, clock_elapsed_ms() + 1200000) != ZK_OK)
                break;
            continue;
        }
        for (size_t i = 0; i < got; i++, at++)
            if (at < accepted_by_send && bytes[i] != pattern_at(at))
                ck_abort_msg("byte %zu is another", at);
    }
    if (last_errno == 0)
        ck_assert_uint_eq(at, accepted_by_send + 1);
    socket_close(fd);
    return 0;
}

static const struct {
    const char *fact;
    bool cuts_back, mends;
    int64_t user_timeout_ms;
    int last_errno;
} cuts[] = {
    {"bytes wait while the way there is cut", false, true, 0, 0},
    {"and while the way back is", true, true, 0, 0},
    {"no longer than the user timeout", false, false, 10000, ETIMEDOUT},
    {"nor when they arrived and nobody could say so", true, false, 10000, ETIMEDOUT},
    {"and a quarter of an hour at most", false, false, 0, ETIMEDOUT},
};
static size_t cut_number;

static void cut_driver(void *arg)
{
    (void)arg;
    make_machines();
    user_timeout_ms = cuts[cut_number].user_timeout_ms;
    run_both(fill_near, drain_far);
    sim_sleep_until(500 * SIM_MS);
    struct sim_node *from = cuts[cut_number].cuts_back ? far : near, *to = cuts[cut_number].cuts_back ? near : far;
    sim_link_cut(from, to, true);
    if (cuts[cut_number].mends) {
        sim_sleep_until(8 * SIM_S);
        sim_link_cut(from, to, false);
    }
    ck_assert(sim_node_join(near, 2000 * SIM_S));
    ck_assert_uint_eq(accepted_by_send, EARLY * EARLY_SIZE + BUFFER);
    ck_assert_int_eq(last_errno, cuts[cut_number].last_errno);
    sim_link_cut(from, to, false);
    join_both();
}

START_TEST(a_cut_link_fills_the_buffer)
{
    cut_number = (size_t)_i;
    sim_run((uint64_t)_i, cut_driver, NULL);
}
END_TEST

static int unread_far_for_long(void *arg)
{
    (void)arg;
    int fd = accept_one();
    sleep_ms(20000);
    socket_close(fd);
    return 0;
}

static int window_near(void *arg)
{
    (void)arg;
    static uint8_t bytes[2 * BUFFER];
    size_t sent, sum = 0;
    int fd = connect_to_far();
    while (socket_wait(fd, POLLER_WRITE, clock_elapsed_ms() + 1000) == ZK_OK) {
        ck_assert_int_eq(send_some(fd, bytes, sizeof(bytes), &sent), ZK_OK);
        sum += sent;
    }
    ck_assert_msg(sum == 2 * BUFFER, "a buffer full at each end: %zu", sum);
    socket_set_user_timeout(fd, user_timeout_ms);
    int64_t before_ms = clock_elapsed_ms();
    ck_assert_int_eq(socket_wait(fd, POLLER_WRITE, INT64_MAX), ZK_OK);
    ck_assert_int_eq(send_some(fd, bytes, 1, &sent), ZK_IO);
    last_errno = errno;
    ck_assert_msg((clock_elapsed_ms() - before_ms < 10000) == (user_timeout_ms > 0), "the timeout holds here, too");
    socket_close(fd);
    return 0;
}

static void window_driver(void *arg)
{
    (void)arg;
    run_to_the_end(window_near, unread_far_for_long);
}

START_TEST(who_does_not_read_stops_who_writes)
{
    user_timeout_ms = _i % 2 == 0 ? 0 : 5000;
    sim_run((uint64_t)_i, window_driver, NULL);
    ck_assert_msg(last_errno == (_i % 2 == 0 ? ECONNRESET : ETIMEDOUT), "closed with unread bytes, or given up");
}
END_TEST

/* ---- machines that die ---- */

static int talk_far(void *arg)
{
    (void)arg;
    char byte;
    int fd = accept_one();
    while (socket_receive_all(fd, &byte, 1, INT64_MAX) == ZK_OK)
        ck_assert_int_eq(socket_send_all(fd, &byte, 1, INT64_MAX), ZK_OK);
    socket_close(fd);
    return 0;
}

static int64_t noticed_ns;
static int noticed_err, noticed_errno;

static int talk_near(void *arg)
{
    (void)arg;
    char byte = 'x';
    int fd = connect_to_far(), err = ZK_OK;
    while (err == ZK_OK) {
        sleep_ms(100);
        err = socket_send_all(fd, "x", 1, INT64_MAX);
        if (err == ZK_OK)
            err = socket_receive_all(fd, &byte, 1, INT64_MAX);
    }
    noticed_errno = errno;
    noticed_err = err;
    noticed_ns = sim_now_ns();
    socket_close(fd);
    return 0;
}

static void kill_driver(void *arg)
{
    (void)arg;
    make_machines();
    run_both(talk_near, talk_far);
    sim_sleep_until(SIM_S + sim_between(0, 100 * SIM_MS));
    int64_t killed_ns = sim_now_ns();
    sim_node_kill(far, false);
    ck_assert(sim_node_join(near, SIM_FOREVER));
    ck_assert_msg(noticed_ns - killed_ns < 200 * SIM_MS, "at once");
    ck_assert(noticed_err == ZK_EOF || (noticed_err == ZK_IO && noticed_errno == ECONNRESET)
              || (noticed_err == ZK_IO && noticed_errno == EPIPE));
    ck_assert_uint_eq(sim_network_open_count(far), 0);
}

START_TEST(a_kernel_closes_for_a_program_that_was_killed)
{
    sim_run((uint64_t)_i, kill_driver, NULL);
}
END_TEST

static void power_driver(void *arg)
{
    (void)arg;
    make_machines();
    run_both(talk_near, talk_far);
    sim_sleep_until(SIM_S + sim_between(0, 100 * SIM_MS));
    sim_node_kill(far, true);
    ck_assert_msg(!sim_node_join(near, 60 * SIM_S), "nothing is heard of it");
    sim_node_start(far, idle_main, NULL);    /* runs and ends; then its kernel answers */
    ck_assert(sim_node_join(near, 500 * SIM_S));
    ck_assert_int_eq(noticed_err, ZK_IO);
    ck_assert_int_eq(noticed_errno, ECONNRESET);
    ck_assert_int_ge(noticed_ns, 60 * SIM_S);
}

START_TEST(a_machine_without_power_is_silent_until_it_runs)
{
    sim_run((uint64_t)_i, power_driver, NULL);
}
END_TEST

static void dark_driver(void *arg)
{
    (void)arg;
    make_machines();
    sim_node_start(far, idle_main, NULL);
    sim_node_kill(far, true);
    sim_node_start(near, silent_near, NULL);
    ck_assert(sim_node_join(near, SIM_FOREVER));
}

START_TEST(connecting_to_a_machine_without_power_is_silence)
{
    sim_run(1, dark_driver, NULL);
}
END_TEST

/* Both ends, as no way is cut. */
static int reset_near(void *arg)
{
    (void)arg;
    char byte;
    int fd = connect_to_far();
    ck_assert_int_eq(socket_receive_all(fd, &byte, 1, INT64_MAX), ZK_IO);
    ck_assert_int_eq(errno, ECONNRESET);
    socket_close(fd);
    return 0;
}

static int reset_far(void *arg)
{
    (void)arg;
    char byte;
    int fd = accept_one();
    ck_assert_int_eq(socket_receive_all(fd, &byte, 1, INT64_MAX), ZK_IO);
    ck_assert_int_eq(errno, ECONNRESET);
    socket_close(fd);
    return 0;
}

static void reset_driver(void *arg)
{
    (void)arg;
    make_machines();
    run_both(reset_near, reset_far);
    sim_sleep_until(SIM_S);
    sim_network_reset(near, NULL, 0);
    ck_assert(!sim_node_join(near, 2 * SIM_S));
    sim_network_reset(far, near, 1);
    join_both();
}

START_TEST(a_test_resets_connections)
{
    sim_run(1, reset_driver, NULL);
}
END_TEST

static Suite *fault_suite(void)
{
    Suite *suite = suite_create("sim_network_fault");
    TCase *tcase = tcase_create("sim_network_fault");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, over_a_cut_link_connecting_is_silence, 0, 2);
    tcase_add_test(tcase, an_attempt_outlives_a_cut);
    tcase_add_loop_test(tcase, a_cut_link_fills_the_buffer, 0, (int)ARRAY_SIZE(cuts));
    tcase_add_loop_test(tcase, who_does_not_read_stops_who_writes, 0, 4);
    tcase_add_loop_test(tcase, a_kernel_closes_for_a_program_that_was_killed, 0, 20);
    tcase_add_loop_test(tcase, a_machine_without_power_is_silent_until_it_runs, 0, 20);
    tcase_add_test(tcase, connecting_to_a_machine_without_power_is_silence);
    tcase_add_test(tcase, a_test_resets_connections);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(fault_suite)
