/* test_stream.c - the plain stream is its socket. */
#include "common/net/stream.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/check_main.h"

START_TEST(a_plain_stream_is_its_socket)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    struct stream *a = stream_new_plain(pair[0]), *b = stream_new_plain(pair[1]);
    char bytes[8], ab[] = "ab", c[] = "c";
    size_t size;
    ck_assert_int_eq(a->fd, pair[0]);
    ck_assert_int_eq(stream_read(b, bytes, sizeof(bytes), &size), ZK_AGAIN);
    struct iovec parts[] = { { .iov_base = ab, .iov_len = 2 }, { .iov_base = c, .iov_len = 1 } };
    ck_assert_int_eq(stream_write(a, parts, 2, &size), ZK_OK);
    ck_assert_uint_eq(size, 3);
    ck_assert_int_eq(stream_read(b, bytes, sizeof(bytes), &size), ZK_OK);
    ck_assert_uint_eq(size, 3);
    ck_assert_mem_eq(bytes, "abc", 3);
    ck_assert_uint_eq(stream_wants(a), 0);
    ck_assert_uint_eq(stream_pending(b), 0);
    stream_close(a);
    ck_assert_int_eq(fcntl(pair[0], F_GETFD), -1);
    ck_assert_int_eq(stream_read(b, bytes, sizeof(bytes), &size), ZK_EOF);
    ck_assert_int_eq(stream_write(b, parts, 2, &size), ZK_IO);
    stream_close(b);
}
END_TEST

static Suite *stream_suite(void)
{
    Suite *suite = suite_create("stream");
    TCase *tcase = tcase_create("stream");
    tcase_add_test(tcase, a_plain_stream_is_its_socket);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(stream_suite)
