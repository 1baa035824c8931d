/* TLS or not, by the first byte. */
#include "common/net/unified_stream.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/net/tls_stream.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/test_directory.h"

static char directory[TEST_DIRECTORY_SIZE], path[512];
static struct tls_context *context;
static int pair[2];
static struct stream *unified;

static void set_up(void)
{
    struct tls_server_options options = { .key_store_path = path };
    test_directory_make(directory);
    snprintf(path, sizeof(path), "%s/server.pem", directory);
    struct test_identity server = test_identity_make(&(struct test_identity_rules){ .name = "server" });
    test_identity_write_key(&server, NULL, path);
    test_identity_write_certificate(&server, path);
    test_identity_release(&server);
    ck_assert_int_eq(tls_context_new_server(&options, &context, NULL), ZK_OK);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    unified = stream_new_unified(pair[1], context, "somebody");
}

static void tear_down(void)
{
    stream_close(unified);
    ck_assert_int_eq(fcntl(pair[1], F_GETFD), -1);
    close(pair[0]);
    tls_context_unref(context);
    test_directory_remove(directory);
}

START_TEST(nothing_is_known_until_a_byte_came)
{
    char byte = 'x';
    size_t size;
    bool is_tls;
    struct iovec part = { &byte, 1 };
    ck_assert_int_eq(stream_unified_settle(&unified, &is_tls), ZK_AGAIN);
    ck_assert_int_eq(unified->fd, pair[1]);
    ck_assert_uint_eq(stream_wants(unified), POLLER_READ);
    ck_assert_int_eq(stream_read(unified, &byte, 1, &size), ZK_AGAIN);
    ck_assert_int_eq(stream_write(unified, &part, 1, &size), ZK_AGAIN);
    ck_assert_uint_eq(stream_pending(unified), 0);
    shutdown(pair[0], SHUT_WR);
    ck_assert_int_eq(stream_unified_settle(&unified, &is_tls), ZK_EOF);
}
END_TEST

START_TEST(any_byte_but_one_is_plain_and_none_is_lost)    /* _i: the byte */
{
    char bytes[3] = { (char)_i, 'u', 'o' }, heard[8];
    size_t size;
    bool is_tls;
    ck_assert_int_eq(send(pair[0], bytes, sizeof(bytes), 0), 3);
    ck_assert_int_eq(stream_unified_settle(&unified, &is_tls), ZK_OK);
    ck_assert_int_eq(unified->fd, pair[1]);
    ck_assert(is_tls == (_i == 0x16));
    if (is_tls)
        return;
    ck_assert_int_eq(stream_read(unified, heard, sizeof(heard), &size), ZK_OK);
    ck_assert_uint_eq(size, 3);
    ck_assert_mem_eq(heard, bytes, 3);
}
END_TEST

START_TEST(a_client_of_tls_shakes_hands)
{
    struct tls_client_options options = { .trust_path = path };
    struct tls_context *client_context;
    struct error error = { 0 };
    int at_client = ZK_AGAIN, at_server = ZK_AGAIN;
    bool is_tls = false;
    ck_assert_int_eq(tls_context_new_client(&options, &client_context, NULL), ZK_OK);
    struct stream *client = stream_new_tls_client(pair[0], client_context, "server");
    pair[0] = -1;
    ck_assert_int_eq(stream_tls_handshake(client, &error), ZK_AGAIN);
    ck_assert_int_eq(stream_unified_settle(&unified, &is_tls), ZK_OK);
    ck_assert(is_tls);
    for (int turn = 0; turn < 100 && (at_client == ZK_AGAIN || at_server == ZK_AGAIN); turn++) {
        at_client = at_client == ZK_AGAIN ? stream_tls_handshake(client, &error) : at_client;
        at_server = at_server == ZK_AGAIN ? stream_tls_handshake(unified, &error) : at_server;
    }
    ck_assert_msg(at_client == ZK_OK && at_server == ZK_OK, "%s", error.text);
    stream_close(client);
    tls_context_unref(client_context);
}
END_TEST

static Suite *unified_stream_suite(void)
{
    Suite *suite = suite_create("unified_stream");
    TCase *tcase = tcase_create("unified_stream");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, nothing_is_known_until_a_byte_came);
    tcase_add_loop_test(tcase, any_byte_but_one_is_plain_and_none_is_lost, 0, 256);
    tcase_add_test(tcase, a_client_of_tls_shakes_hands);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(unified_stream_suite)
