/* test_tls_transfer.c - how bytes come and go through a client's TLS: one by one, in part, much at once. */
#include "common/net/tls_stream.h"

#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/net/out_buffer.h"
#include "tests/lib/check_main.h"
#include "tests/unit/common/net/tls_ends.h"

/* One byte from one socket to the other; false: there was none. */
static bool carry_a_byte(int from, int to)
{
    char byte;
    if (recv(from, &byte, 1, MSG_DONTWAIT) != 1)
        return false;
    ck_assert_int_eq(send(to, &byte, 1, 0), 1);
    return true;
}

START_TEST(a_handshake_may_come_byte_by_byte)    /* _i: a version */
{
    int near[2], far[2];
    make_pair(near);
    make_pair(far);
    struct server_rules rules = { .identity = &identities.server, .version = versions[_i] };
    struct tls_client_options options = { .trust_path = files.ca, .verifies_host = true };
    struct tls_context *context = new_context(&options);
    struct stream *client = stream_new_tls_client(near[0], context, HOST);
    SSL_CTX *server_context;
    SSL *at_server = new_server(&server_context, &rules, far[1]);
    int err = ZK_AGAIN, server_result = 0;
    for (int turn = 0; turn < MOST_TURNS && (err != ZK_OK || server_result != 1); turn++) {
        if (err == ZK_AGAIN)
            err = stream_tls_handshake(client, NULL);
        ck_assert_int_ne(err, ZK_IO);
        if (server_result != 1)
            server_result = SSL_do_handshake(at_server);
        carry_a_byte(near[1], far[0]);
        carry_a_byte(far[0], near[1]);
    }
    ck_assert_int_eq(err, ZK_OK);
    ck_assert_int_eq(server_result, 1);

    char bytes[8];
    size_t size = 0;
    ck_assert_int_eq(SSL_write(at_server, "trickle", 7), 7);
    int turn = 0;
    while ((err = stream_read(client, bytes, sizeof(bytes), &size)) == ZK_AGAIN) {
        ck_assert_uint_eq(stream_pending(client), 0);    /* a part of a record is nothing to read */
        ck_assert(carry_a_byte(far[0], near[1]));
        ck_assert_int_lt(turn++, MOST_TURNS);
    }
    ck_assert_int_eq(err, ZK_OK);
    ck_assert_uint_eq(size, 7);
    stream_close(client);
    tls_context_unref(context);
    SSL_free(at_server);
    SSL_CTX_free(server_context);
    close(near[1]);
    close(far[0]);
    close(far[1]);
}
END_TEST

START_TEST(what_was_received_is_pending_until_read)    /* _i: a version */
{
    struct server_rules rules = { .identity = &identities.server, .version = versions[_i] };
    struct tls_client_options options = { .trust_path = files.ca };
    struct ends ends = ends_new(&rules, &options, HOST);
    char bytes[4];
    size_t size;
    assert_hands_shaken(&ends);
    ck_assert_int_eq(SSL_write(ends.server, "abcdef", 6), 6);
    ck_assert_int_eq(SSL_write(ends.server, "ghi", 3), 3);
    ck_assert_int_eq(read_client(&ends, bytes, 4, &size), ZK_OK);
    ck_assert_uint_eq(stream_pending(ends.client), 2);
    struct pollfd polled = { .fd = ends.client_fd, .events = POLLIN };
    ck_assert_int_eq(poll(&polled, 1, 0), 0);    /* the poller would sleep on it */
    ck_assert_int_eq(stream_read(ends.client, bytes, 4, &size), ZK_OK);
    ck_assert_uint_eq(size, 2);
    ck_assert_uint_gt(stream_pending(ends.client), 0);    /* the second record, still as it came */
    ck_assert_int_eq(stream_read(ends.client, bytes, 4, &size), ZK_OK);
    ck_assert_mem_eq(bytes, "ghi", 3);
    ck_assert_int_eq(stream_read(ends.client, bytes, 4, &size), ZK_AGAIN);
    ck_assert_uint_eq(stream_pending(ends.client), 0);
    ends_release(&ends);
}
END_TEST

static uint8_t byte_at(size_t offset, unsigned salt)
{
    return (uint8_t)((offset * 2654435761u + salt) >> 13);
}

/* One assertion for all, as Check takes note of each. */
static void assert_bytes(const uint8_t *bytes, size_t size, size_t offset, unsigned salt)
{
    size_t i = 0;
    while (i < size && bytes[i] == byte_at(offset + i, salt))
        i++;
    ck_assert_uint_eq(i, size);
}

/* What the client has to say, in an out_buffer: parts of many sizes, some by reference. */
static void fill(struct out_buffer *out, size_t size)
{
    size_t offset = 0;
    for (size_t part = 1; offset < size; part = part * 7 % 100003 + 1) {
        size_t step = part < size - offset ? part : size - offset;
        struct blob *blob = blob_new(step);
        for (size_t i = 0; i < step; i++)
            blob->bytes[i] = byte_at(offset + i, 1);
        out_buffer_append_blob(out, blob, 0, step);
        blob_unref(blob);
        offset += step;
    }
}

/* All the server can take now, held against what was said. */
static void take_at_server(SSL *ssl, size_t *at, size_t most)
{
    static uint8_t bytes[20000];
    int got;
    ERR_clear_error();
    for (size_t taken = 0; taken < most && (got = SSL_read(ssl, bytes, sizeof(bytes))) > 0; taken += (size_t)got) {
        assert_bytes(bytes, (size_t)got, *at, 1);
        *at += (size_t)got;
    }
}

static void say_at_server(SSL *ssl, size_t *at, size_t size)
{
    static uint8_t bytes[16384];
    ERR_clear_error();
    while (*at < size) {
        size_t step = size - *at < sizeof(bytes) ? size - *at : sizeof(bytes);
        for (size_t i = 0; i < step; i++)
            bytes[i] = byte_at(*at + i, 2);
        int written = SSL_write(ssl, bytes, (int)step);
        if (written <= 0)
            return;
        *at += (size_t)written;
    }
}

START_TEST(much_goes_both_ways_at_once)    /* _i: a version */
{
    enum { SIZE = 8 << 20 };
    struct server_rules rules = { .identity = &identities.server, .version = versions[_i] };
    struct tls_client_options options = { .trust_path = files.ca };
    struct ends ends = ends_new(&rules, &options, HOST);
    struct out_buffer out = { 0 };
    static uint8_t bytes[5000];
    size_t taken = 0, said = 0, heard = 0;
    int full = 0, empty = 0, size_of_socket = 8192;
    setsockopt(ends.client_fd, SOL_SOCKET, SO_SNDBUF, &size_of_socket, sizeof(size_of_socket));
    setsockopt(ends.server_fd, SOL_SOCKET, SO_SNDBUF, &size_of_socket, sizeof(size_of_socket));
    assert_hands_shaken(&ends);
    fill(&out, SIZE);
    for (int turn = 0; taken < SIZE || heard < SIZE; turn++) {
        uint64_t written;
        size_t size;
        int err;
        ck_assert_int_lt(turn, MOST_TURNS);
        if (out.size > 0) {
            err = out_buffer_write(&out, ends.client, &written);
            ck_assert(err == ZK_OK || err == ZK_AGAIN);
            if (err == ZK_AGAIN) {
                full++;
                ck_assert_uint_eq(stream_wants(ends.client) & POLLER_WRITE, POLLER_WRITE);
            }
        }
        say_at_server(ends.server, &said, SIZE);
        while ((err = stream_read(ends.client, bytes, sizeof(bytes), &size)) == ZK_OK) {
            assert_bytes(bytes, size, heard, 2);
            heard += size;
        }
        ck_assert_int_eq(err, ZK_AGAIN);
        empty++;
        take_at_server(ends.server, &taken, turn % 3 == 0 ? SIZE : 1);
    }
    ck_assert_uint_eq(out.size, 0);
    ck_assert_uint_eq(taken, SIZE);
    ck_assert_uint_eq(heard, SIZE);
    ck_assert_int_gt(full, 10);
    ck_assert_int_gt(empty, 10);
    assert_talk(&ends);
    ends_release(&ends);
}
END_TEST

/* A close in the middle of a record must not wait, crash or say farewell. */
START_TEST(a_close_may_come_while_much_is_unsent)
{
    struct server_rules rules = { .identity = &identities.server };
    struct tls_client_options options = { .trust_path = files.ca };
    struct ends ends = ends_new(&rules, &options, HOST);
    static char much[4 << 20];
    struct iovec part = { much, sizeof(much) };
    size_t size;
    assert_hands_shaken(&ends);
    int err, turn = 0;
    while ((err = stream_write(ends.client, &part, 1, &size)) == ZK_OK)
        ck_assert_int_lt(turn++, MOST_TURNS);
    ck_assert_int_eq(err, ZK_AGAIN);
    ends_release(&ends);
}
END_TEST

static Suite *tls_transfer_suite(void)
{
    Suite *suite = suite_create("tls_transfer");
    TCase *tcase = tcase_create("tls_transfer");
    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, tls_files_make, tls_files_remove);
    tcase_add_loop_test(tcase, a_handshake_may_come_byte_by_byte, 0, 2);
    tcase_add_loop_test(tcase, what_was_received_is_pending_until_read, 0, 2);
    tcase_add_loop_test(tcase, much_goes_both_ways_at_once, 0, 2);
    tcase_add_test(tcase, a_close_may_come_while_much_is_unsent);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(tls_transfer_suite)
