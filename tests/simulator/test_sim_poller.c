/* test_sim_poller.c - who is ready, and wake-ups. */
#include "tests/simulator/test_sim_network.h"

#include "common/thread/thread.h"

/* ---- pollers ---- */

static struct poller *poller;
static struct poller_event events[4];

static size_t poll_now(void)
{
    return poller_wait(poller, events, 4, 0);
}

static size_t poll_soon(void)
{
    return poller_wait(poller, events, 4, soon_ms());
}

static int poller_near(void *arg)
{
    (void)arg;
    struct error error = {0};
    int data, other, fd = connect_to_far();
    char bytes[8];
    poller_free(NULL);
    poller = poller_new();
    ck_assert_int_eq(poller_add(poller, fd, POLLER_READ, &data, NULL), ZK_OK);
    ck_assert_int_eq(poller_add(poller, fd, POLLER_READ, &data, &error), ZK_IO);
    ck_assert_ptr_nonnull(strstr(error.text, "cannot poll descriptor"));
    ck_assert_uint_eq(poll_now(), 0);
    for (int i = 0; i < 2; i++) {    /* as long as it is ready */
        ck_assert_uint_eq(poll_soon(), 1);
        ck_assert(events[0].data == &data && events[0].events == POLLER_READ);
    }
    poller_modify(poller, fd, POLLER_READ | POLLER_WRITE, &other);
    ck_assert_uint_eq(poll_soon(), 1);
    ck_assert(events[0].data == &other && events[0].events == (POLLER_READ | POLLER_WRITE));
    ck_assert_int_eq(socket_receive_all(fd, bytes, 2, 0), ZK_OK);
    ck_assert_uint_eq(poll_now(), 1);
    ck_assert_uint_eq(events[0].events, POLLER_WRITE);
    poller_modify(poller, fd, 0, &data);
    ck_assert_uint_eq(poll_now(), 0);
    ck_assert_int_eq(socket_send_all(fd, "go", 2, 0), ZK_OK);
    sleep_ms(100);
    ck_assert_msg(poll_now() == 0, "only what was asked for");
    socket_shutdown_send(fd);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(poll_soon(), 1);
        ck_assert_msg(events[0].events == POLLER_HANGUP, "asked for or not");
    }
    poller_remove(poller, fd);
    ck_assert_uint_eq(poll_now(), 0);
    poller_remove(poller, fd);
    poller_modify(poller, fd, POLLER_READ, &data);
    ck_assert_int_eq(poller_add(poller, fd, POLLER_READ, &data, NULL), ZK_OK);
    socket_close(fd);
    ck_assert_msg(poll_now() == 0, "a closed one is out of it");
    poller_modify(poller, fd, POLLER_READ, &data);
    poller_remove(poller, fd);
    poller_free(poller);
    return 0;
}

static int poller_far(void *arg)
{
    (void)arg;
    char bytes[4];
    int fd = accept_one();
    sleep_ms(50);
    ck_assert_int_eq(socket_send_all(fd, "ab", 2, 0), ZK_OK);
    ck_assert_int_eq(socket_receive_all(fd, bytes, 2, soon_ms()), ZK_OK);
    socket_close(fd);
    return 0;
}

static void poller_driver(void *arg)
{
    (void)arg;
    run_to_the_end(poller_near, poller_far);
}

START_TEST(a_poller_tells_who_is_ready_as_long_as_it_is)
{
    sim_run((uint64_t)_i, poller_driver, NULL);
}
END_TEST

static void wake_three_times(void *arg)
{
    (void)arg;
    sleep_ms(30);
    for (int i = 0; i < 3; i++)
        poller_wake(poller);
}

static int wake_main(void *arg)
{
    (void)arg;
    poller = poller_new();
    for (int i = 0; i < 3; i++)
        poller_wake(poller);
    ck_assert_uint_eq(poll_soon(), 1);
    ck_assert_ptr_null(events[0].data);
    ck_assert_msg(poll_now() == 0, "several count once");
    int64_t deadline_ns = clock_elapsed_ns() + 300 * SIM_US;
    ck_assert_uint_eq(poller_wait_ns(poller, events, 4, deadline_ns), 0);
    ck_assert_int_ge(clock_elapsed_ns(), deadline_ns);
    ck_assert_int_le(clock_elapsed_ns(), deadline_ns + 20 * SIM_US);
    struct thread *waker = thread_start("waker", wake_three_times, NULL);
    ck_assert_uint_eq(poller_wait(poller, events, 4, INT64_MAX), 1);
    ck_assert_ptr_null(events[0].data);
    thread_join(waker);
    poll_now();
    ck_assert_uint_eq(poll_now(), 0);
    poller_free(poller);
    return 0;
}

static void wake_driver(void *arg)
{
    (void)arg;
    make_machines();
    near->drift_ppm = -200;
    run_both(wake_main, idle_main);
    join_both();
}

START_TEST(a_poller_can_be_woken)
{
    sim_run((uint64_t)_i, wake_driver, NULL);
}
END_TEST

enum { CROWD = 6 };

static int crowd_near(void *arg)
{
    (void)arg;
    int fds[CROWD], seen[CROWD] = {0};
    poller = poller_new();
    for (int i = 0; i < CROWD; i++) {
        fds[i] = connect_to_far();
        ck_assert_int_eq(poller_add(poller, fds[i], POLLER_WRITE, &seen[i], NULL), ZK_OK);
    }
    for (int round = 0; round < 4 * CROWD; round++) {
        ck_assert_uint_eq(poller_wait(poller, events, 2, 0), 2);
        for (int i = 0; i < 2; i++)
            ++*(int *)events[i].data;
    }
    for (int i = 0; i < CROWD; i++) {
        ck_assert_msg(seen[i] == 8, "each has its turn: %d had %d", i, seen[i]);
        socket_close(fds[i]);
    }
    poller_free(poller);
    return 0;
}

static int crowd_far(void *arg)
{
    (void)arg;
    int fds[CROWD], listener = listen_at("0.0.0.0", PORT, 0);
    for (int i = 0; i < CROWD; i++)
        fds[i] = accept_from(listener);
    sleep_ms(100);
    for (int i = 0; i < CROWD; i++)
        socket_close(fds[i]);
    socket_close(listener);
    return 0;
}

static void crowd_driver(void *arg)
{
    (void)arg;
    run_to_the_end(crowd_near, crowd_far);
}

START_TEST(a_poller_leaves_nobody_out)
{
    sim_run((uint64_t)_i, crowd_driver, NULL);
}
END_TEST

static Suite *poller_suite(void)
{
    Suite *suite = suite_create("sim_poller");
    TCase *tcase = tcase_create("sim_poller");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_poller_tells_who_is_ready_as_long_as_it_is, 0, 10);
    tcase_add_loop_test(tcase, a_poller_can_be_woken, 0, 10);
    tcase_add_loop_test(tcase, a_poller_leaves_nobody_out, 0, 10);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(poller_suite)
