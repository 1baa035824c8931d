/* test_sim_stream.c - bytes arrive as they were sent, and streams end as those of TCP do. */
#include "tests/simulator/test_sim_network.h"

#include "common/thread/thread.h"

/* ---- bytes ---- */

static size_t stream_size;
static int64_t reads_after_ms;
static uint64_t pieces_read;

static int send_pattern_main(void *arg)
{
    (void)arg;
    static uint8_t bytes[100000];
    int fd = connect_to_far();
    for (uint64_t at = 0; at < stream_size;) {
        size_t size = 1 + sim_below(sizeof(bytes));
        if (size > stream_size - at)
            size = stream_size - at;
        for (size_t i = 0; i < size; i++)
            bytes[i] = pattern_at(at + i);
        ck_assert_int_eq(socket_send_all(fd, bytes, size, INT64_MAX), ZK_OK);
        at += size;
    }
    socket_close(fd);
    return 0;
}

static int check_pattern_main(void *arg)
{
    (void)arg;
    static uint8_t bytes[100000];
    int fd = accept_one();
    uint64_t at = 0;
    size_t got;
    sleep_ms(reads_after_ms);
    int err;
    /* No assertion for each piece: Check writes a line to a file where it passes one. */
    while ((err = socket_receive(fd, bytes, 1 + sim_below(sizeof(bytes)), &got)) != ZK_EOF) {
        if (err == ZK_AGAIN && socket_wait(fd, POLLER_READ, INT64_MAX) == ZK_OK)
            continue;
        if (err != ZK_OK)
            ck_abort_msg("a read fails: %s", error_name(err));
        pieces_read++;
        for (size_t i = 0; i < got; i++)
            if (bytes[i] != pattern_at(at + i))
                ck_abort_msg("byte %llu is another", (unsigned long long)(at + i));
        at += got;
    }
    ck_assert_uint_eq(at, stream_size);
    ck_assert_int_eq(socket_receive(fd, bytes, 1, &got), ZK_EOF);
    socket_close(fd);
    return 0;
}

static const struct {
    const char *fact;
    size_t size;
    uint32_t largest_piece;
    int64_t bytes_per_s, reads_after_ms;
} streams[] = {
    {"megabytes arrive as they were sent, whole", 4000000, 0, 0, 0},
    {"byte by byte, too", 100000, 1, 0, 0},
    {"in small pieces", 1000000, 7, 0, 0},
    {"in large pieces", 4000000, 30000, 0, 0},
    {"over a slow link", 1000000, 1000, 1000000, 0},
    {"and to one who begins late to read", 1000000, 0, 0, 3000},
};
static size_t stream_number;

static void stream_driver(void *arg)
{
    (void)arg;
    make_machines();
    stream_size = streams[stream_number].size;
    reads_after_ms = streams[stream_number].reads_after_ms;
    pieces_read = 0;
    sim_link(near, far)->largest_piece = streams[stream_number].largest_piece;
    sim_link(near, far)->bytes_per_s = streams[stream_number].bytes_per_s;
    run_both(send_pattern_main, check_pattern_main);
    join_both();
}

START_TEST(bytes_arrive_in_order)
{
    stream_number = (size_t)_i % ARRAY_SIZE(streams);
    sim_run((uint64_t)_i + 1, stream_driver, NULL);
    ck_assert_msg(streams[stream_number].largest_piece != 1 || pieces_read > 1000, "%llu pieces",
                  (unsigned long long)pieces_read);
}
END_TEST

static void slow_link_driver(void *arg)
{
    stream_number = 4;
    stream_driver(arg);
    ck_assert_int_ge(sim_now_ns(), SIM_S);    /* a megabyte, a megabyte a second */
    ck_assert_int_le(sim_now_ns(), 3 * SIM_S);
}

START_TEST(a_link_carries_no_more_than_it_can)
{
    sim_run(3, slow_link_driver, NULL);
}
END_TEST

/* ---- the end of a connection ---- */

static int half_close_near(void *arg)
{
    (void)arg;
    char bytes[8];
    size_t size;
    int fd = connect_to_far();
    ck_assert_int_eq(socket_send_all(fd, "ab", 2, soon_ms()), ZK_OK);
    socket_shutdown_send(fd);
    ck_assert_int_eq(send_some(fd, "c", 1, &size), ZK_IO);
    ck_assert_int_eq(errno, EPIPE);
    ck_assert_int_eq(socket_receive_all(fd, bytes, 2, soon_ms()), ZK_OK);
    ck_assert_mem_eq(bytes, "cd", 2);
    ck_assert_int_eq(socket_receive_all(fd, bytes, 1, soon_ms()), ZK_EOF);
    socket_close(fd);
    return 0;
}

static int half_close_far(void *arg)
{
    (void)arg;
    char bytes[8];
    int fd = accept_one();
    ck_assert_int_eq(socket_receive_all(fd, bytes, 4, soon_ms()), ZK_EOF);
    ck_assert_int_eq(socket_send_all(fd, "cd", 2, soon_ms()), ZK_OK);
    socket_close(fd);
    return 0;
}

static void half_close_driver(void *arg)
{
    (void)arg;
    run_to_the_end(half_close_near, half_close_far);
}

START_TEST(one_half_can_be_closed)
{
    sim_run((uint64_t)_i, half_close_driver, NULL);
}
END_TEST

static int unread_near(void *arg)
{
    (void)arg;
    char bytes[8];
    size_t size;
    int fd = connect_to_far();
    struct address address;
    ck_assert_int_eq(socket_send_all(fd, "question", 8, soon_ms()), ZK_OK);
    sleep_ms(1000);
    ck_assert_int_eq(socket_receive_all(fd, bytes, 2, soon_ms()), ZK_OK);    /* what came before it is there */
    ck_assert_mem_eq(bytes, "an", 2);
    ck_assert_int_eq(socket_receive(fd, bytes, 1, &size), ZK_IO);
    ck_assert_int_eq(errno, ECONNRESET);
    ck_assert_msg(socket_receive(fd, bytes, 1, &size) == ZK_EOF, "told once");
    ck_assert_int_eq(send_some(fd, "x", 1, &size), ZK_IO);
    ck_assert_int_eq(errno, EPIPE);
    ck_assert_int_eq(socket_peer_address(fd, &address), ZK_IO);
    ck_assert_int_eq(errno, ENOTCONN);
    ck_assert_int_eq(socket_local_address(fd, &address), ZK_OK);
    socket_close(fd);
    return 0;
}

static int unread_far(void *arg)
{
    (void)arg;
    char bytes[8];
    int fd = accept_one();
    ck_assert_int_eq(socket_receive_all(fd, bytes, 4, soon_ms()), ZK_OK);
    ck_assert_int_eq(socket_send_all(fd, "an", 2, soon_ms()), ZK_OK);
    sleep_ms(100);
    socket_close(fd);
    return 0;
}

static void unread_driver(void *arg)
{
    (void)arg;
    run_to_the_end(unread_near, unread_far);
}

START_TEST(a_close_with_unread_bytes_is_a_reset)
{
    sim_run((uint64_t)_i, unread_driver, NULL);
}
END_TEST

static int late_near(void *arg)
{
    (void)arg;
    char byte;
    size_t size;
    int fd = connect_to_far();
    ck_assert_int_eq(socket_receive_all(fd, &byte, 1, soon_ms()), ZK_EOF);
    ck_assert_msg(send_some(fd, "x", 1, &size) == ZK_OK, "it may still have been listening");
    sleep_ms(100);
    ck_assert_int_eq(send_some(fd, "x", 1, &size), ZK_IO);
    ck_assert_int_eq(errno, EPIPE);
    socket_close(fd);
    return 0;
}

static void late_driver(void *arg)
{
    (void)arg;
    run_to_the_end(late_near, accept_and_close_main);
}

START_TEST(who_closed_answers_bytes_with_a_reset)
{
    sim_run((uint64_t)_i, late_driver, NULL);
}
END_TEST

static int shared_fd, reader_result;

static void read_shared(void *arg)
{
    (void)arg;
    char byte;
    reader_result = socket_receive_all(shared_fd, &byte, 1, INT64_MAX);
}

static int shutdown_near(void *arg)
{
    (void)arg;
    shared_fd = connect_to_far();
    reader_result = 1;
    struct thread *reader = thread_start("reader", read_shared, NULL);
    sleep_ms(50);
    ck_assert_int_eq(reader_result, 1);
    socket_shutdown(shared_fd);
    thread_join(reader);
    ck_assert_int_eq(reader_result, ZK_EOF);
    socket_close(shared_fd);
    return 0;
}

static void shutdown_driver(void *arg)
{
    (void)arg;
    run_to_the_end(shutdown_near, half_close_far);
}

START_TEST(a_shutdown_wakes_a_reader)
{
    sim_run((uint64_t)_i, shutdown_driver, NULL);
}
END_TEST

static struct error attempt_error;

static void connect_shared(void *arg)
{
    (void)arg;
    struct address address = far_address();
    reader_result = socket_connect_wait(shared_fd, &address, INT64_MAX, &attempt_error);
}

static int attempt_near(void *arg)
{
    (void)arg;
    struct address address = far_address();
    ck_assert_int_eq(socket_connect_start(&address, &shared_fd, NULL), ZK_OK);
    reader_result = 1;
    struct thread *waiter = thread_start("waiter", connect_shared, NULL);
    sleep_ms(50);
    ck_assert_int_eq(reader_result, 1);
    socket_shutdown(shared_fd);
    thread_join(waiter);
    ck_assert_int_eq(reader_result, ZK_IO);
    ck_assert_str_eq(attempt_error.text, "cannot connect to 10.0.0.2:2181: Connection reset by peer");
    socket_close(shared_fd);
    return 0;
}

static void attempt_driver(void *arg)
{
    (void)arg;
    make_machines();
    sim_link_cut(near, far, true);
    run_both(attempt_near, idle_main);
    join_both();
}

START_TEST(a_shutdown_ends_an_attempt_to_connect)
{
    sim_run(1, attempt_driver, NULL);
}
END_TEST

/* ---- one seed, one run ---- */

static uint64_t hash_of(uint64_t seed, size_t number)
{
    stream_number = number;
    sim_run(seed, stream_driver, NULL);
    return sim_trace_hash();
}

START_TEST(a_seed_is_a_run)
{
    for (size_t number = 0; number < ARRAY_SIZE(streams); number++) {
        uint64_t first = hash_of(7, number);
        ck_assert_uint_eq(hash_of(7, number), first);
        ck_assert_uint_ne(hash_of(8, number), first);
    }
}
END_TEST

static Suite *stream_suite(void)
{
    Suite *suite = suite_create("sim_stream");
    TCase *tcase = tcase_create("sim_stream");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, bytes_arrive_in_order, 0, 2 * (int)ARRAY_SIZE(streams));
    tcase_add_test(tcase, a_link_carries_no_more_than_it_can);
    tcase_add_loop_test(tcase, one_half_can_be_closed, 0, 10);
    tcase_add_loop_test(tcase, a_close_with_unread_bytes_is_a_reset, 0, 10);
    tcase_add_loop_test(tcase, who_closed_answers_bytes_with_a_reset, 0, 10);
    tcase_add_loop_test(tcase, a_shutdown_wakes_a_reader, 0, 10);
    tcase_add_test(tcase, a_shutdown_ends_an_attempt_to_connect);
    tcase_add_test(tcase, a_seed_is_a_run);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(stream_suite)
