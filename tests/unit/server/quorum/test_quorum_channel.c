/* test_quorum_channel.c - packets and raw bytes over a connection: cuts, limits, timeouts, shutdown from outside. */
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/net/socket.h"
#include "common/thread/thread.h"
#include "server/quorum/quorum_packet.h"
#include "tests/lib/check_main.h"

struct link {
    struct quorum_channel *channel;
    int peer;    /* the other end, raw */
};

static struct link link_new(int64_t timeout_ms)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    return (struct link){ .channel = quorum_channel_new(stream_new_plain(pair[0]), timeout_ms), .peer = pair[1] };
}

static void link_free(struct link *link)
{
    quorum_channel_free(link->channel);
    socket_close(link->peer);
}

static void feed(struct link *link, const void *bytes, size_t size)
{
    ck_assert_int_eq(socket_send_all(link->peer, bytes, size, clock_elapsed_ms() + 10000), ZK_OK);
}

/* What the peer gets of all that was flushed so far. */
static void drain(struct link *link, struct buffer *out, size_t size)
{
    ck_assert_int_eq(socket_receive_all(link->peer, buffer_extend(out, size), size, clock_elapsed_ms() + 10000), ZK_OK);
}

static struct slice slice_of(const char *text)
{
    return (struct slice){ .bytes = (const uint8_t *)text, .size = strlen(text) };
}

/* A PROPOSAL, a REQUEST with ids, a PING. */
static void sample(struct buffer *out)
{
    struct zk_id ids[] = { { ustring_of("ip"), ustring_of("127.0.0.1") }, { ustring_of("digest"), ustring_of("a:b") } };
    struct quorum_packet packets[] = {
        { .type = QP_PROPOSAL,
          .zxid = 0x100000001,
          .data = { (const uint8_t *)"txn", 3 },
          .authinfo = { .count = -1 } },
        { .type = QP_REQUEST,
          .zxid = -1,
          .data = { (const uint8_t *)"", 0 },
          .authinfo = { .items = ids, .count = 2 } },
        { .type = QP_PING, .zxid = 7, .data = { NULL, -1 }, .authinfo = { .count = 0 } },
    };
    for (size_t i = 0; i < ARRAY_SIZE(packets); i++)
        jute_write_quorum_packet(out, &packets[i]);
}

static int read_sample(struct quorum_channel *channel, int *ret_count)
{
    struct received_packet packet = { 0 };
    struct error error = { 0 };
    int err;
    *ret_count = 0;
    while ((err = quorum_channel_read_packet(channel, &packet, &error)) == ZK_OK) {
        switch ((*ret_count)++) {
        case 0:
            ck_assert_int_eq(packet.type, QP_PROPOSAL);
            ck_assert_int_eq(packet.zxid, 0x100000001);
            ck_assert_uint_eq(packet.data.size, 3);
            ck_assert_mem_eq(packet.data.bytes, "txn", 3);
            ck_assert_uint_eq(packet.bytes->size, 3);
            ck_assert(!packet.has_authinfo);
            break;
        case 1:
            ck_assert_int_eq(packet.type, QP_REQUEST);
            ck_assert_ptr_nonnull(packet.data.bytes);
            ck_assert_uint_eq(packet.data.size, 0);
            ck_assert_int_eq(packet.authinfo.count, 2);
            ck_assert(ustring_is(packet.authinfo.items[0].scheme, "ip"));
            ck_assert(ustring_is(packet.authinfo.items[1].id, "a:b"));
            break;
        case 2:
            ck_assert_int_eq(packet.type, QP_PING);
            ck_assert_ptr_null(packet.data.bytes);
            ck_assert(packet.has_authinfo);
            ck_assert_int_eq(packet.authinfo.count, 0);
            break;
        default:
            ck_abort_msg("a packet nobody wrote");
        }
    }
    ck_assert_ptr_null(packet.bytes);
    ck_assert_int_eq(error.code, err);
    return err;
}

START_TEST(what_is_written_is_jute)
{
    struct link link = link_new(0);
    struct buffer expected = { 0 }, got = { 0 };
    sample(&expected);
    struct zk_id ids[] = { { ustring_of("ip"), ustring_of("127.0.0.1") }, { ustring_of("digest"), ustring_of("a:b") } };
    struct slice txn = slice_of("txn"), empty = { .bytes = (const uint8_t *)"", .size = 0 };
    struct error error = { 0 };
    ck_assert_int_eq(quorum_channel_write_packet(link.channel, QP_PROPOSAL, 0x100000001, &txn, NULL, &error), ZK_OK);
    struct zk_id_vector two = { .items = ids, .count = 2 }, none = { .count = 0 };
    ck_assert_int_eq(quorum_channel_write_packet(link.channel, QP_REQUEST, -1, &empty, &two, &error), ZK_OK);
    ck_assert_int_eq(quorum_channel_write_packet(link.channel, QP_PING, 7, NULL, &none, &error), ZK_OK);
    ck_assert_int_eq(quorum_channel_buffered(link.channel), (int64_t)expected.size);
    uint8_t byte;
    size_t size;
    ck_assert_int_eq(socket_receive(link.peer, &byte, 1, &size), ZK_AGAIN);
    ck_assert_int_eq(quorum_channel_flush(link.channel, &error), ZK_OK);
    ck_assert_int_eq(quorum_channel_buffered(link.channel), 0);
    drain(&link, &got, expected.size);
    ck_assert_mem_eq(got.bytes, expected.bytes, expected.size);

    /* Prefix and blob are one buffer on the wire. */
    buffer_clear(&expected);
    buffer_clear(&got);
    struct quorum_packet inform = { .type = QP_INFORM, .zxid = 9, .data = { (const uint8_t *)"pretxn", 6 },
                                    .authinfo = { .count = -1 } };
    jute_write_quorum_packet(&expected, &inform);
    struct blob *blob = blob_new_copy("txn", 3);
    ck_assert_int_eq(quorum_channel_write_packet_blob(link.channel, QP_INFORM, 9, slice_of("pre"), blob, &error),
                     ZK_OK);
    blob_unref(blob);
    ck_assert_int_eq(quorum_channel_flush(link.channel, &error), ZK_OK);
    drain(&link, &got, expected.size);
    ck_assert_mem_eq(got.bytes, expected.bytes, expected.size);
    buffer_release(&expected);
    buffer_release(&got);
    link_free(&link);
}
END_TEST

START_TEST(a_cut_anywhere_is_an_end)
{
    struct buffer bytes = { 0 };
    sample(&bytes);
    for (size_t cut = 0; cut <= bytes.size; cut++) {
        struct link link = link_new(0);
        int count;
        feed(&link, bytes.bytes, cut);
        socket_shutdown_send(link.peer);
        ck_assert_int_eq(read_sample(link.channel, &count), ZK_EOF);
        ck_assert_int_eq(count, cut == bytes.size ? 3 : cut < 23 ? 0 : cut < bytes.size - 20 ? 1 : 2);
        link_free(&link);
    }
    buffer_release(&bytes);
}
END_TEST

static void feed_slowly(void *arg)
{
    struct link *link = arg;
    struct buffer bytes = { 0 };
    sample(&bytes);
    for (size_t i = 0; i < bytes.size; i++)
        feed(link, bytes.bytes + i, 1);
    socket_shutdown_send(link->peer);
    buffer_release(&bytes);
}

START_TEST(bytes_may_come_one_by_one)
{
    struct link link = link_new(10000);
    struct thread *feeder = thread_start("feeder", feed_slowly, &link);
    int count;
    ck_assert_int_eq(read_sample(link.channel, &count), ZK_EOF);
    ck_assert_int_eq(count, 3);
    thread_join(feeder);
    link_free(&link);
}
END_TEST

START_TEST(a_whole_packet_is_known_to_be_there)
{
    struct buffer bytes = { 0 };
    sample(&bytes);
    struct link link = link_new(0);
    struct received_packet packet = { 0 };
    ck_assert(!quorum_channel_has_packet(link.channel));
    feed(&link, bytes.bytes, 23);
    feed(&link, bytes.bytes, 22);
    ck_assert_int_eq(quorum_channel_read_packet(link.channel, &packet, NULL), ZK_OK);
    ck_assert(!quorum_channel_has_packet(link.channel));
    feed(&link, bytes.bytes + 22, 1);
    feed(&link, bytes.bytes, 23);
    ck_assert_int_eq(quorum_channel_read_packet(link.channel, &packet, NULL), ZK_OK);
    ck_assert(quorum_channel_has_packet(link.channel));
    ck_assert_int_eq(quorum_channel_read_packet(link.channel, &packet, NULL), ZK_OK);
    ck_assert(!quorum_channel_has_packet(link.channel));
    received_packet_release(&packet);
    buffer_release(&bytes);
    link_free(&link);
}
END_TEST

static const struct {
    const char *fact;
    int32_t data_size, id_count, id_size;    /* the ids are of a packet with null data */
    bool is_eof;
} garbage[] = {
    { "a length below -1", -2, 0, 0, false },
    { "the least length", INT32_MIN, 0, 0, false },
    { "a length beyond the limit", 4097, 0, 0, false },
    { "a length at the limit without its bytes", 4096, 0, 0, true },
    { "an endless list of ids without their bytes", -1, INT32_MAX, -1, true },
    { "an endless id", -1, 1, INT32_MAX, false },
};

START_TEST(garbage_is_refused)
{
    struct link link = link_new(0);
    quorum_channel_set_limit(link.channel, 4096);
    struct buffer bytes = { 0 };
    jute_write_int32(&bytes, QP_ACK);
    jute_write_int64(&bytes, 0);
    jute_write_int32(&bytes, garbage[_i].data_size);
    jute_write_int32(&bytes, garbage[_i].id_count);
    jute_write_int32(&bytes, garbage[_i].id_size);
    feed(&link, bytes.bytes, bytes.size);
    socket_shutdown_send(link.peer);
    struct received_packet packet = { 0 };
    struct error error = { 0 };
    int err = quorum_channel_read_packet(link.channel, &packet, &error);
    ck_assert_msg(err == (garbage[_i].is_eof ? ZK_EOF : ZK_MARSHALLING_ERROR), "%s: %s", garbage[_i].fact, error.text);
    buffer_release(&bytes);
    link_free(&link);
}
END_TEST

static void feed_empty_ids(void *arg)
{
    struct link *link = arg;
    struct buffer bytes = { 0 };
    jute_write_int32(&bytes, QP_REQUEST);
    jute_write_int64(&bytes, 0);
    jute_write_int32(&bytes, -1);
    jute_write_int32(&bytes, INT32_MAX);
    for (int i = 0; i < JUTE_LIMIT_DEFAULT / 4; i++)
        jute_write_int32(&bytes, 0);
    feed(link, bytes.bytes, bytes.size);
    buffer_release(&bytes);
}

START_TEST(empty_ids_without_end_are_refused)
{
    struct link link = link_new(10000);
    struct thread *feeder = thread_start("feeder", feed_empty_ids, &link);
    struct received_packet packet = { 0 };
    ck_assert_int_eq(quorum_channel_read_packet(link.channel, &packet, NULL), ZK_MARSHALLING_ERROR);
    thread_join(feeder);
    link_free(&link);
}
END_TEST

#define LARGE_SIZE (3 * 1000 * 1000)

static void write_large(void *arg)
{
    struct link *link = arg;
    struct blob *blob = blob_new(LARGE_SIZE);
    for (size_t i = 0; i < blob->size; i++)
        blob->bytes[i] = (uint8_t)(i * 7 + i / 251);
    struct error error = { 0 };
    ck_assert_int_eq(quorum_channel_write_packet_blob(link->channel, QP_PROPOSAL, 1, (struct slice){ 0 }, blob, &error),
                     ZK_OK);
    struct byte_sink *sink = quorum_channel_sink(link->channel);
    ck_assert_int_eq(sink->write(sink, blob->bytes, blob->size, &error), ZK_OK);
    ck_assert_int_eq(quorum_channel_write_packet(link->channel, QP_PING, 2, NULL, NULL, &error), ZK_OK);
    ck_assert_int_eq(quorum_channel_flush(link->channel, &error), ZK_OK);
    blob_unref(blob);
}

START_TEST(large_data_and_raw_bytes_keep_their_order)
{
    struct link link = link_new(10000);
    struct quorum_channel *reader = quorum_channel_new(stream_new_plain(link.peer), 10000);
    link.peer = -1;
    struct thread *writer = thread_start("writer", write_large, &link);
    struct received_packet packet = { 0 }, ping = { 0 };
    ck_assert_int_eq(quorum_channel_read_packet(reader, &packet, NULL), ZK_OK);
    ck_assert_uint_eq(packet.data.size, LARGE_SIZE);
    struct buffer raw = { 0 };
    struct byte_source *source = quorum_channel_source(reader);
    for (size_t step = 1; raw.size < LARGE_SIZE; step = 2 * step + 1) {
        size_t size = step < LARGE_SIZE - raw.size ? step : LARGE_SIZE - raw.size;
        ck_assert_int_eq(source->read(source, buffer_extend(&raw, size), size, NULL), ZK_OK);
    }
    ck_assert_mem_eq(raw.bytes, packet.data.bytes, LARGE_SIZE);
    ck_assert_int_eq(quorum_channel_read_packet(reader, &ping, NULL), ZK_OK);
    ck_assert_int_eq(ping.zxid, 2);
    thread_join(writer);
    buffer_release(&raw);
    received_packet_release(&packet);
    received_packet_release(&ping);
    quorum_channel_free(reader);
    link_free(&link);
}
END_TEST

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define NEEDS_MUCH_MEMORY 1    /* for its own purposes */
#endif
#endif

START_TEST(memory_comes_with_the_bytes)
{
#ifdef NEEDS_MUCH_MEMORY
    return;
#endif
    struct link link = link_new(50);
    struct buffer head = { 0 };
    jute_write_int32(&head, QP_PROPOSAL);
    jute_write_int64(&head, 1);
    jute_write_int32(&head, INT32_MAX);
    feed(&link, head.bytes, head.size);
    /* 2 GiB would not fit. */
    struct rlimit before, tight;
    ck_assert_int_eq(getrlimit(RLIMIT_DATA, &before), 0);
    tight = before;
    tight.rlim_cur = (rlim_t)1 << 28;
    ck_assert_int_eq(setrlimit(RLIMIT_DATA, &tight), 0);
    struct received_packet packet = { 0 };
    ck_assert_int_eq(quorum_channel_read_packet(link.channel, &packet, NULL), ZK_TIMED_OUT);
    ck_assert_int_eq(setrlimit(RLIMIT_DATA, &before), 0);
    buffer_release(&head);
    link_free(&link);
}
END_TEST

START_TEST(a_silent_peer_times_out)
{
    struct link link = link_new(30);
    struct received_packet packet = { 0 };
    struct error error = { 0 };
    int64_t start_ms = clock_elapsed_ms();
    ck_assert_int_eq(quorum_channel_read_packet(link.channel, &packet, &error), ZK_TIMED_OUT);
    ck_assert_int_ge(clock_elapsed_ms() - start_ms, 30);
    link_free(&link);
}
END_TEST

static int write_until_it_fails(struct quorum_channel *channel)
{
    struct blob *blob = blob_new(100000);
    memset(blob->bytes, 'x', blob->size);
    int err;
    do {
        err = quorum_channel_write_packet_blob(channel, QP_PROPOSAL, 1, (struct slice){ 0 }, blob, NULL);
    } while (err == ZK_OK);
    blob_unref(blob);
    return err;
}

START_TEST(a_peer_that_does_not_read_times_out)
{
    struct link link = link_new(30);
    ck_assert_int_eq(write_until_it_fails(link.channel), ZK_TIMED_OUT);
    link_free(&link);
}
END_TEST

struct ending {
    struct link link;
    int read_result, write_result;
};

static void read_to_the_end(void *arg)
{
    struct ending *ending = arg;
    struct received_packet packet = { 0 };
    ending->read_result = quorum_channel_read_packet(ending->link.channel, &packet, NULL);
}

static void write_to_the_end(void *arg)
{
    struct ending *ending = arg;
    ending->write_result = write_until_it_fails(ending->link.channel);
}

START_TEST(shutdown_wakes_reader_and_writer)
{
    struct ending ending = { .link = link_new(0) };
    struct thread *reader = thread_start("reader", read_to_the_end, &ending);
    struct thread *writer = thread_start("writer", write_to_the_end, &ending);
    clock_sleep_ms(_i);    /* from before they wait to long after */
    quorum_channel_shutdown(ending.link.channel);
    thread_join(reader);
    thread_join(writer);
    ck_assert_int_eq(ending.read_result, ZK_CLOSED);
    ck_assert_int_eq(ending.write_result, ZK_CLOSED);
    ck_assert_int_eq(write_until_it_fails(ending.link.channel), ZK_CLOSED);
    link_free(&ending.link);
}
END_TEST

START_TEST(over_tcp_a_peer_has_an_address)
{
    struct address address, peer, seen;
    struct error error = { 0 };
    int listener, near, far, err;
    ck_assert(address_from_ip("127.0.0.1", 0, &address));
    ck_assert_int_eq(socket_listen(&address, 1, &listener, &error), ZK_OK);
    ck_assert_int_eq(socket_local_address(listener, &address), ZK_OK);
    ck_assert_int_eq(socket_connect(&address, clock_elapsed_ms() + 10000, &far, &error), ZK_OK);
    while ((err = socket_accept(listener, &near, &peer, &error)) == ZK_AGAIN)
        socket_wait(listener, POLLER_READ, clock_elapsed_ms() + 10000);
    ck_assert_int_eq(err, ZK_OK);
    struct ending ending = { .link = { .channel = quorum_channel_new(stream_new_plain(near), 0), .peer = far } };
    ck_assert(quorum_channel_peer(ending.link.channel, &seen));
    ck_assert_int_eq(address_port(&seen), address_port(&peer));
    struct thread *reader = thread_start("reader", read_to_the_end, &ending);
    struct thread *writer = thread_start("writer", write_to_the_end, &ending);
    clock_sleep_ms(20);
    quorum_channel_shutdown(ending.link.channel);
    thread_join(reader);
    thread_join(writer);
    ck_assert_int_eq(ending.read_result, ZK_CLOSED);
    ck_assert_int_eq(ending.write_result, ZK_CLOSED);
    link_free(&ending.link);
    socket_close(listener);
}
END_TEST

static Suite *quorum_channel_suite(void)
{
    Suite *suite = suite_create("quorum_channel");
    TCase *tcase = tcase_create("quorum_channel");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, what_is_written_is_jute);
    tcase_add_test(tcase, a_cut_anywhere_is_an_end);
    tcase_add_test(tcase, bytes_may_come_one_by_one);
    tcase_add_test(tcase, a_whole_packet_is_known_to_be_there);
    tcase_add_loop_test(tcase, garbage_is_refused, 0, ARRAY_SIZE(garbage));
    tcase_add_test(tcase, empty_ids_without_end_are_refused);
    tcase_add_test(tcase, large_data_and_raw_bytes_keep_their_order);
    tcase_add_test(tcase, memory_comes_with_the_bytes);
    tcase_add_test(tcase, a_silent_peer_times_out);
    tcase_add_test(tcase, a_peer_that_does_not_read_times_out);
    tcase_add_loop_test(tcase, shutdown_wakes_reader_and_writer, 0, 20);
    tcase_add_test(tcase, over_tcp_a_peer_has_an_address);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(quorum_channel_suite)
