/*
 * What stands before the first frame of a connection over TLS, with selectors that do their own I/O and with workers.
 * Where time counts the clock stands and is moved.
 */
#include "server/cnxn/cnxn_handshake.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/strings.h"
#include "common/net/socket.h"
#include "common/net/tls_stream.h"
#include "server/cnxn/server_tls.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/test_directory.h"
#include "tests/unit/server/cnxn/cnxn_test.h"

enum { SELECTORS, WORKERS, WAYS };
#define PATIENCE_MS 20000

static char directory[TEST_DIRECTORY_SIZE], server_path[512], client_path[512];
static struct raw_client raw, other;

static void write_pair(const char *name, const char *path)
{
    struct test_identity made = test_identity_make(&(struct test_identity_rules){.name = name, .is_authority = true});
    test_identity_write_key(&made, NULL, path);
    test_identity_write_certificate(&made, path);
    test_identity_release(&made);
}

static void set_up(void)
{
    test_directory_make(directory);
    snprintf(server_path, sizeof(server_path), "%s/server.pem", directory);
    snprintf(client_path, sizeof(client_path), "%s/client.pem", directory);
    write_pair("server", server_path);
    write_pair("client", client_path);
    cnxn_set_up();
    log_set_level(NULL, LOG_OFF);
    cnxn_options.secure_client_port = 0;
    cnxn_options.ssl_key_store_location = string_copy(server_path);
    cnxn_options.ssl_trust_store_location = string_copy(client_path);
    raw_client_init(&raw);
    raw_client_init(&other);
}

/* `way`: who does the I/O. */
static void start(int way, bool is_unified)
{
    struct error error = {0};
    ck_assert_msg(server_tls_new(&cnxn_options, &cnxn_tls, &error) == ZK_OK, "%s", error.text);
    cnxn_is_unified = is_unified;
    cnxn_start(way == WORKERS ? 2 : 0);
}

static void tear_down(void)
{
    clock_thaw();
    raw_client_release(&raw);
    raw_client_release(&other);
    cnxn_tear_down();
    server_tls_free(cnxn_tls);
    test_directory_remove(directory);
}

static void dial(struct raw_client *client)
{
    ck_assert_int_eq(raw_client_dial(client, server_cnxn_factory_local_port(cnxn_factory)), ZK_OK);
}

/* ---- a client of TLS ---- */

static struct stream *dial_tls(const char *certificate)
{
    struct tls_client_options options = {.trust_path = server_path, .certificate_path = certificate};
    struct tls_context *context;
    struct address address = server_cnxn_factory_address(cnxn_factory);
    int fd;
    ck_assert_int_eq(tls_context_new_client(&options, &context, NULL), ZK_OK);
    ck_assert_int_eq(socket_connect(&address, clock_elapsed_ms() + PATIENCE_MS, &fd, NULL), ZK_OK);
    struct stream *stream = stream_new_tls_client(fd, context, "server");
    tls_context_unref(context);
    return stream;
}

/* Until the handshake is over: ZK_OK or ZK_IO. */
static int shake_hands(struct stream *stream)
{
    int err;
    while ((err = stream_tls_handshake(stream, NULL)) == ZK_AGAIN)
        ck_assert_int_eq(socket_wait(stream->fd, stream_wants(stream), clock_elapsed_ms() + PATIENCE_MS), ZK_OK);
    return err;
}

static void say(struct stream *stream, const struct buffer *bytes)
{
    struct iovec part = {bytes->bytes, bytes->size};
    size_t size;
    ck_assert_int_eq(stream_write(stream, &part, 1, &size), ZK_OK);
    ck_assert_uint_eq(size, bytes->size);
}

/* Whether the server ends the connection without having said anything. */
static bool sees_end(struct stream *stream)
{
    char byte;
    size_t size;
    int err;
    while ((err = stream_read(stream, &byte, 1, &size)) == ZK_AGAIN)
        ck_assert_int_eq(socket_wait(stream->fd, POLLER_READ, clock_elapsed_ms() + PATIENCE_MS), ZK_OK);
    return err == ZK_EOF || err == ZK_IO;
}

/* By a clock that goes, whatever the one of the server does. */
static void wait_for_handshakes(int64_t count)
{
    for (int left = PATIENCE_MS; left > 0 && server_cnxn_factory_outstanding_handshakes(cnxn_factory) != count; left--)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    ck_assert_int_eq(server_cnxn_factory_outstanding_handshakes(cnxn_factory), count);
}

/* Time passes until no handshake is in progress: a selector may take a connection up only after a step of it. */
static void let_handshakes_time_out(int64_t step_ms)
{
    for (int steps = 0; steps < 5 && server_cnxn_factory_outstanding_handshakes(cnxn_factory) > 0; steps++) {
        clock_advance_ms(step_ms);
        for (int left = PATIENCE_MS / 20; left > 0 && server_cnxn_factory_outstanding_handshakes(cnxn_factory) > 0;
             left--)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    ck_assert_int_eq(server_cnxn_factory_outstanding_handshakes(cnxn_factory), 0);
}

/* ---- facts ---- */

START_TEST(frames_follow_a_handshake)    /* _i: a way */
{
    start(_i, false);
    struct stream *client = dial_tls(client_path);
    struct buffer frames = {0};
    buffer_append(&frames, "\0\0\0\5hello", 9);
    cnxn_append_request(&frames, 1, 8);
    cnxn_append_request(&frames, 2, 40000);    /* more than a record */
    ck_assert_int_eq(shake_hands(client), ZK_OK);
    say(client, &frames);
    cnxn_wait_packets(2);
    ck_assert(cnxn_is_request(cnxn_packet(0), 1, 8));
    ck_assert(cnxn_is_request(cnxn_packet(1), 2, 40000));
    ck_assert_str_eq(cnxn_packet(0)->cnxn->certificate_name, "CN=client");
    ck_assert(cnxn_packet(0)->cnxn->is_secure);
    mutex_lock(&recorder.lock);
    ck_assert_str_eq(recorder.certificate_name, "CN=client");
    mutex_unlock(&recorder.lock);
    ck_assert_int_eq(server_cnxn_factory_outstanding_handshakes(cnxn_factory), 0);
    stream_close(client);
    buffer_release(&frames);
}
END_TEST

START_TEST(who_is_not_accepted_for_its_certificate_is_shown_out)    /* _i: a way */
{
    start(_i, false);
    atomic_store(&recorder.certificate_verdict, ZK_AUTH_FAILED);
    struct stream *client = dial_tls(client_path);
    ck_assert_int_eq(shake_hands(client), ZK_OK);
    ck_assert(sees_end(client));
    cnxn_wait_removed(1);
    ck_assert_int_eq(server_metrics_value(cnxn_metrics, METRIC_UNSUCCESSFUL_HANDSHAKE), 0);
    stream_close(client);
}
END_TEST

START_TEST(a_handshake_that_fails_is_counted)    /* _i: a way; without certificate, without TLS */
{
    start(_i % WAYS, false);
    if (_i / WAYS == 0) {
        struct stream *client = dial_tls(NULL);
        (void)shake_hands(client);    /* of TLS 1.3 a client sees the end only afterwards */
        ck_assert(sees_end(client));
        stream_close(client);
    } else {
        dial(&raw);
        ck_assert_int_eq(raw_client_send_frame(&raw, "hello", 5), ZK_OK);
    }
    cnxn_wait_removed(1);
    ck_assert_int_eq(server_metrics_value(cnxn_metrics, METRIC_UNSUCCESSFUL_HANDSHAKE), 1);
    ck_assert_int_eq(server_cnxn_factory_outstanding_handshakes(cnxn_factory), 0);
}
END_TEST

START_TEST(a_handshake_must_end_in_time)    /* _i: a way */
{
    clock_freeze(1000000, 1700000000000);
    start(_i, false);
    dial(&raw);
    ck_assert_int_eq(raw_client_send_bytes(&raw, "\x16\x03\x01", 3), ZK_OK);
    dial(&other);
    wait_for_handshakes(2);
    raw_client_hang_up(&other);
    cnxn_wait_removed(1);
    ck_assert_int_eq(server_cnxn_factory_outstanding_handshakes(cnxn_factory), 1);
    clock_advance_ms(5000);
    ck_assert_int_eq(raw_client_send_bytes(&raw, "\x02", 1), ZK_OK);    /* which changes nothing */
    let_handshakes_time_out(5001);
    ck_assert(raw_client_sees_end(&raw));
    cnxn_wait_removed(2);
    ck_assert_int_eq(server_cnxn_factory_outstanding_handshakes(cnxn_factory), 0);
}
END_TEST

START_TEST(a_port_for_both_finds_out_in_time)    /* _i: a way */
{
    cnxn_options.ssl_handshake_detection_timeout_millis = 3000;
    clock_freeze(1000000, 1700000000000);
    start(_i, true);
    cnxn_join(&other);    /* plain */
    struct stream *client = dial_tls(client_path);
    struct buffer frames = {0};
    buffer_append(&frames, "\0\0\0\5hello", 9);
    cnxn_append_request(&frames, 1, 8);
    ck_assert_int_eq(shake_hands(client), ZK_OK);
    say(client, &frames);
    cnxn_wait_packets(1);
    ck_assert(cnxn_packet(0)->cnxn->is_secure);
    dial(&raw);
    wait_for_handshakes(1);
    let_handshakes_time_out(3001);
    ck_assert(raw_client_sees_end(&raw));
    cnxn_wait_removed(1);
    ck_assert_int_eq(server_cnxn_factory_outstanding_handshakes(cnxn_factory), 0);
    ck_assert_uint_eq(server_cnxn_factory_connection_count(cnxn_factory), 2);
    stream_close(client);
    buffer_release(&frames);
}
END_TEST

START_TEST(so_many_handshakes_may_be_in_progress)
{
    cnxn_options.outstanding_handshake_limit = 1;
    start(SELECTORS, false);
    dial(&raw);
    wait_for_handshakes(1);
    dial(&other);
    ck_assert(raw_client_sees_end(&other));
    ck_assert_int_eq(server_metrics_value(cnxn_metrics, METRIC_TLS_HANDSHAKE_EXCEEDED), 1);
    raw_client_hang_up(&raw);
    wait_for_handshakes(0);
    struct stream *client = dial_tls(client_path);
    ck_assert_int_eq(shake_hands(client), ZK_OK);
    stream_close(client);
}
END_TEST

START_TEST(a_server_that_does_not_serve_may_save_itself_the_handshake)
{
    cnxn_options.netty_server_early_drop_secure_connection_handshakes = true;
    start(SELECTORS, false);
    atomic_store(&recorder.is_running, false);
    dial(&raw);
    ck_assert(raw_client_sees_end(&raw));
    ck_assert_int_eq(server_metrics_value(cnxn_metrics, METRIC_CNXN_CLOSED_WITHOUT_ZK_SERVER_RUNNING), 1);
    ck_assert_int_eq(server_cnxn_factory_outstanding_handshakes(cnxn_factory), 0);
}
END_TEST

static Suite *cnxn_handshake_suite(void)
{
    Suite *suite = suite_create("cnxn_handshake");
    TCase *tcase = tcase_create("cnxn_handshake");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, frames_follow_a_handshake, 0, WAYS);
    tcase_add_loop_test(tcase, who_is_not_accepted_for_its_certificate_is_shown_out, 0, WAYS);
    tcase_add_loop_test(tcase, a_handshake_that_fails_is_counted, 0, 2 * WAYS);
    tcase_add_loop_test(tcase, a_handshake_must_end_in_time, 0, WAYS);
    tcase_add_loop_test(tcase, a_port_for_both_finds_out_in_time, 0, WAYS);
    tcase_add_test(tcase, so_many_handshakes_may_be_in_progress);
    tcase_add_test(tcase, a_server_that_does_not_serve_may_save_itself_the_handshake);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(cnxn_handshake_suite)
