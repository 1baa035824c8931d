/*
 * Frames in and replies out, over real sockets to a sink that writes down what it gets. Every fact is held with
 * selectors that do their own I/O and with workers.
 */
#include "server/cnxn/server_cnxn.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/thread/thread.h"
#include "tests/unit/server/cnxn/cnxn_test.h"

static struct raw_client alice, bob, carol, idlers[8];

static void set_up(int workers)
{
    cnxn_set_up();
    cnxn_start(workers);
    raw_client_init(&alice);
    raw_client_init(&bob);
    raw_client_init(&carol);
    for (size_t i = 0; i < ARRAY_SIZE(idlers); i++)
        raw_client_init(&idlers[i]);
}

static void set_up_selectors(void)
{
    set_up(0);
}

static void set_up_workers(void)
{
    set_up(2);
}

static void tear_down(void)
{
    raw_client_release(&alice);
    raw_client_release(&bob);
    raw_client_release(&carol);
    for (size_t i = 0; i < ARRAY_SIZE(idlers); i++)
        raw_client_release(&idlers[i]);
    cnxn_tear_down();
}

static int dial(struct raw_client *client)
{
    return raw_client_dial(client, server_cnxn_factory_local_port(cnxn_factory));
}

static void send_requests(struct raw_client *client, int32_t first_xid, int32_t count, size_t size)
{
    struct buffer out = {0};
    for (int32_t i = 0; i < count; i++)
        cnxn_append_request(&out, first_xid + i, size);
    ck_assert_int_eq(raw_client_send_bytes(client, out.bytes, out.size), ZK_OK);
    buffer_release(&out);
}

/* ---- framing ---- */

START_TEST(frames_come_byte_by_byte)
{
    struct buffer out = {0};
    ck_assert_int_eq(dial(&alice), ZK_OK);
    buffer_append(&out, "\0\0\0\5hello", 9);
    cnxn_append_request(&out, 1, 8);
    cnxn_append_request(&out, 2, 100);
    cnxn_append_request(&out, 3, 9);
    for (size_t i = 0; i < out.size; i++)
        ck_assert_int_eq(raw_client_send_bytes(&alice, out.bytes + i, 1), ZK_OK);
    ck_assert_uint_eq(cnxn_wait_packets(3), 3);
    ck_assert(cnxn_is_request(cnxn_packet(0), 1, 8));
    ck_assert(cnxn_is_request(cnxn_packet(1), 2, 100));
    ck_assert(cnxn_is_request(cnxn_packet(2), 3, 9));
    buffer_release(&out);
}
END_TEST

START_TEST(many_frames_come_in_one_write)
{
    cnxn_join(&alice);
    send_requests(&alice, 1, 3000, 40);
    cnxn_wait_packets(3000);
    for (int32_t i = 0; i < 3000; i++)
        ck_assert_msg(cnxn_is_request(cnxn_packet((size_t)i), i + 1, 40), "packet %d", i);
}
END_TEST

static const size_t large_sizes[] = {
    4 * 1024,      60 * 1024,  64 * 1024 - 4, 64 * 1024 - 3,   64 * 1024,
    64 * 1024 + 1, 200 * 1000, 1024 * 1024,   4 * 1024 * 1024,
};
START_TEST(frames_may_be_larger_than_what_is_read_at_once)
{
    size_t size = large_sizes[_i];
    cnxn_join(&alice);
    send_requests(&alice, 1, 1, 30);
    send_requests(&alice, 2, 2, size);
    send_requests(&alice, 4, 3, 30);
    cnxn_wait_packets(6);
    ck_assert(cnxn_is_request(cnxn_packet(0), 1, 30));
    ck_assert(cnxn_is_request(cnxn_packet(1), 2, size));
    ck_assert(cnxn_is_request(cnxn_packet(2), 3, size));
    for (int32_t i = 4; i < 7; i++)
        ck_assert(cnxn_is_request(cnxn_packet((size_t)i - 1), i, 30));
}
END_TEST

START_TEST(connections_do_not_mix)
{
    cnxn_join(&alice);
    cnxn_join(&bob);
    for (int32_t i = 1; i <= 200; i++) {
        send_requests(&alice, i, 1, 1000 + (size_t)i * 37);
        send_requests(&bob, 1000 + i, 1, 50 + (size_t)i * 91);
    }
    cnxn_wait_packets(400);
    int32_t alices = 1, bobs = 1;
    for (size_t i = 0; i < 400; i++) {
        const struct received *packet = cnxn_packet(i);
        if (packet->xid < 1000) {
            ck_assert(cnxn_is_request(packet, alices, 1000 + (size_t)alices * 37));
            alices++;
        } else {
            ck_assert(cnxn_is_request(packet, 1000 + bobs, 50 + (size_t)bobs * 91));
            bobs++;
        }
    }
}
END_TEST

static const struct {
    const char *fact;
    int32_t length;
    bool is_connected, is_accepted;
} lengths[] = {
    {"-1 is no length", -1, true, false},
    {"nor is it one of a connect request", -1, false, false},
    {"the least number is no length", INT32_MIN, true, false},
    {"a packet without a header ends the connection", 0, true, false},
    {"so does one with half a header", 7, true, false},
    {"a header alone is a packet", 8, true, true},
    {"the limit is permitted", 4 * 1024 * 1024, true, true},
    {"one more is not", 4 * 1024 * 1024 + 1, true, false},
    {"one more is not in a connect request", 4 * 1024 * 1024 + 1, false, false},
    {"a word counts as one before the connect request only", 0x72756f6b, true, false},
};
START_TEST(lengths_are_checked_when_they_come)
{
    uint8_t bytes[4];
    if (lengths[_i].is_connected)
        cnxn_join(&alice);
    else
        ck_assert_int_eq(dial(&alice), ZK_OK);
    if (lengths[_i].is_accepted) {
        send_requests(&alice, 1, 1, (size_t)lengths[_i].length);
        cnxn_wait_packets(1);
        ck_assert_msg(cnxn_is_request(cnxn_packet(0), 1, (size_t)lengths[_i].length), "%s", lengths[_i].fact);
        return;
    }
    store_be32(bytes, (uint32_t)lengths[_i].length);
    ck_assert_int_eq(raw_client_send_bytes(&alice, bytes, sizeof bytes), ZK_OK);
    if (lengths[_i].length == 7)
        ck_assert_int_eq(raw_client_send_bytes(&alice, "1234567", 7), ZK_OK);
    ck_assert_msg(raw_client_sees_end(&alice), "%s", lengths[_i].fact);
    ck_assert_uint_eq(cnxn_wait_removed(1), 1);
    ck_assert_uint_eq(cnxn_packet_count(), 0);
}
END_TEST

START_TEST(a_refused_connect_request_ends_the_connection)
{
    ck_assert_int_eq(dial(&alice), ZK_OK);
    ck_assert_int_eq(raw_client_send_frame(&alice, "no", 2), ZK_OK);
    ck_assert(raw_client_sees_end(&alice));
}
END_TEST

START_TEST(nothing_is_taken_while_the_server_does_not_run)
{
    atomic_store(&recorder.is_running, false);
    ck_assert_int_eq(dial(&alice), ZK_OK);
    ck_assert_int_eq(raw_client_send_frame(&alice, "hello", 5), ZK_OK);
    ck_assert(raw_client_sees_end(&alice));
}
END_TEST

static const char *const words[][4] = {{"ruok"}, {"r", "u", "o", "k"}, {"ruok\n"}, {"ru", "ok and more"}};
START_TEST(a_word_is_answered_and_ends_the_connection)
{
    ck_assert_int_eq(dial(&alice), ZK_OK);
    for (size_t i = 0; i < ARRAY_SIZE(words[_i]) && words[_i][i] != NULL; i++)
        ck_assert_int_eq(raw_client_send_bytes(&alice, words[_i][i], strlen(words[_i][i])), ZK_OK);
    ck_assert_int_eq(raw_client_receive_frame(&alice), ZK_TOO_LARGE);    /* "imok" as a length */
    ck_assert(raw_client_sees_end(&alice));
    cnxn_wait_removed(1);
}
END_TEST

/* ---- throttling ---- */

START_TEST(a_throttled_connection_is_not_parsed_any_further)
{
    atomic_store(&recorder.throttle_above, 2);
    cnxn_join(&alice);
    cnxn_join(&bob);
    send_requests(&alice, 1, 10, 50);
    cnxn_wait_packets(3);
    send_requests(&alice, 11, 1, 300 * 1000);    /* stays in the socket, or waits in the backlog */
    send_requests(&alice, 12, 9, 50);
    send_requests(&bob, 1001, 1, 50);            /* others are read */
    ck_assert_uint_eq(cnxn_wait_packets(4), 4);
    ck_assert_int_eq(cnxn_packet(3)->xid, 1001);
    for (size_t i = 0, answered = 0; answered < 20; i++) {    /* each answer lets one more in */
        if (cnxn_packet(i)->xid > 1000)
            continue;
        cnxn_answer(i, NULL);
        answered++;
        size_t expected = answered + 3 < 20 ? answered + 4 : 21;
        ck_assert_uint_eq(cnxn_wait_packets(expected), expected);
        ck_assert_int_eq(raw_client_receive(&alice, (int32_t)answered), ZK_OK);
    }
    ck_assert_int_eq(cnxn_packet(20)->xid, 20);
}
END_TEST

START_TEST(only_xids_above_zero_count_as_outstanding)
{
    atomic_store(&recorder.throttle_above, 0);
    cnxn_join(&alice);
    send_requests(&alice, -2, 3, 20);    /* -2, -1, 0 */
    cnxn_wait_packets(3);
    send_requests(&alice, 1, 2, 20);
    ck_assert_uint_eq(cnxn_wait_packets(4), 4);
    cnxn_answer(0, NULL);
    ck_assert_uint_eq(cnxn_packet_count(), 4);
    cnxn_answer(3, NULL);
    cnxn_wait_packets(5);
}
END_TEST

START_TEST(receiving_may_be_switched_off_and_on)
{
    cnxn_join(&alice);
    struct server_cnxn *cnxn = cnxn_only();
    server_cnxn_disable_receive(cnxn);
    send_requests(&alice, 1, 5, 20);
    struct reply_header header = {XID_PING, 1, ZK_OK};
    server_cnxn_send_reply(cnxn, &header, NULL, 0);
    server_cnxn_factory_flush(cnxn_factory);
    ck_assert_int_eq(raw_client_receive(&alice, XID_PING), ZK_OK);
    ck_assert_uint_eq(cnxn_packet_count(), 0);
    server_cnxn_enable_receive(cnxn);
    server_cnxn_factory_flush(cnxn_factory);
    cnxn_wait_packets(5);
    server_cnxn_unref(cnxn);
}
END_TEST

/* ---- output ---- */

START_TEST(replies_come_in_the_order_they_were_sent)
{
    cnxn_join(&alice);
    send_requests(&alice, 1, 100, 20);
    cnxn_wait_packets(100);
    for (size_t i = 0; i < 100; i++)
        cnxn_answer(i, "body");
    for (int32_t i = 1; i <= 100; i++) {
        ck_assert_int_eq(raw_client_receive(&alice, i), ZK_OK);
        ck_assert_uint_eq(jute_left(&alice.body), 4);
        ck_assert_mem_eq(alice.body.at, "body", 4);
    }
}
END_TEST

START_TEST(a_reply_is_made_of_its_parts)
{
    cnxn_join(&alice);
    struct server_cnxn *cnxn = cnxn_only();
    struct blob *blob = blob_new_copy("0123456789", 10);
    struct packet_part parts[] = {
        {.bytes = "head ", .size = 5}, {.blob = blob, .blob_offset = 2, .size = 3}, {.bytes = " tail", .size = 5}};
    struct reply_header header = {5, 0x1234, ZK_NO_NODE};
    ck_assert_int_eq(server_cnxn_send_reply(cnxn, &header, parts, 3), 16 + 13);
    server_cnxn_factory_flush(cnxn_factory);
    ck_assert_int_eq(raw_client_receive(&alice, 5), ZK_NO_NODE);
    ck_assert_int_eq(alice.header.zxid, 0x1234);
    ck_assert_uint_eq(jute_left(&alice.body), 13);
    ck_assert_mem_eq(alice.body.at, "head 234 tail", 13);
    blob_unref(blob);
    server_cnxn_unref(cnxn);
}
END_TEST

/* Both selectors are in the middle of something. */
START_TEST(who_flushes_writes_himself)
{
    cnxn_join(&alice);
    struct server_cnxn *cnxn = cnxn_only();
    cnxn_hold(true);
    for (int32_t i = 0; i < 2; i++) {    /* one for each selector */
        struct raw_client *client = i == 0 ? &bob : &carol;
        cnxn_join(client);
        send_requests(client, i, 1, 20);
    }
    cnxn_wait_packets(2);
    struct reply_header header = {1, 1, ZK_OK};
    server_cnxn_send_reply(cnxn, &header, NULL, 0);
    server_cnxn_send_raw(cnxn, "\0\0\0\3raw", 7);
    server_cnxn_factory_flush(cnxn_factory);
    ck_assert_int_eq(raw_client_receive(&alice, 1), ZK_OK);
    ck_assert_int_eq(raw_client_receive_frame(&alice), ZK_OK);
    ck_assert_mem_eq(alice.frame.bytes, "raw", 3);
    cnxn_hold(false);
    server_cnxn_unref(cnxn);
}
END_TEST

enum { ANSWERERS = 3, ANSWERS = 3000 };
struct answerer {
    struct server_cnxn **cnxns;
    size_t cnxn_count;
    int32_t first_xid;
};

static void answer_many(void *arg)
{
    struct answerer *answerer = arg;
    for (int32_t i = 0; i < ANSWERS; i++) {
        struct reply_header header = {answerer->first_xid + i, i, ZK_OK};
        struct packet_part part = {.bytes = "some body that is not always as long", .size = (size_t)i % 37};
        for (size_t k = 0; k < answerer->cnxn_count && (k < 3 || i % 2 == 0); k++)    /* sometimes few */
            server_cnxn_send_reply(answerer->cnxns[k], &header, &part, 1);
        if (i % 3 == 0)
            server_cnxn_factory_flush(cnxn_factory);
    }
    server_cnxn_factory_flush(cnxn_factory);
}

/* While clients send, come and go. What one thread answers stays in order, whoever writes it. */
START_TEST(several_answer_and_flush_at_a_time)
{
    struct thread *threads[ANSWERERS];
    struct answerer answerers[ANSWERERS];
    cnxn_join(&alice);
    cnxn_join(&bob);
    cnxn_join(&carol);
    for (size_t i = 0; i < ARRAY_SIZE(idlers); i++)    /* who do not read */
        cnxn_join(&idlers[i]);
    size_t count;
    struct server_cnxn **cnxns = server_cnxn_factory_list(cnxn_factory, &count);
    ck_assert_uint_eq(count, 3 + ARRAY_SIZE(idlers));
    for (int i = 0; i < ANSWERERS; i++) {
        answerers[i] = (struct answerer){cnxns, count, i * 10000};
        threads[i] = thread_start("answerer", answer_many, &answerers[i]);
    }
    raw_client_hang_up(&carol);
    int32_t next_of[ANSWERERS] = {0};
    for (int32_t i = 0; i < ANSWERERS * ANSWERS; i++) {
        if (i % 9 == 0)
            send_requests(&alice, i, 1, 20);
        ck_assert_int_eq(raw_client_receive_frame(&alice), ZK_OK);
        int32_t xid = (int32_t)load_be32(alice.frame.bytes), at = xid % 10000;
        ck_assert_int_eq(at, next_of[xid / 10000]++);
        ck_assert_uint_eq(alice.frame.size, 16 + (size_t)at % 37);
    }
    for (int i = 0; i < ANSWERERS; i++)
        thread_join(threads[i]);
    ck_assert_uint_eq(cnxn_wait_removed(1), 1);
    for (size_t i = 0; i < count; i++)
        server_cnxn_unref(cnxns[i]);
    memory_free(cnxns);
}
END_TEST

START_TEST(a_close_waits_for_what_was_sent_before_it_and_for_nothing_else)
{
    cnxn_join(&alice);
    struct server_cnxn *cnxn = cnxn_only();
    struct blob *blob = blob_new(3 * 1024 * 1024);
    memset(blob->bytes, 'x', blob->size);
    struct packet_part part = {.blob = blob, .size = blob->size};
    struct reply_header before = {1, 1, ZK_OK}, after = {2, 1, ZK_OK};
    server_cnxn_send_reply(cnxn, &before, &part, 1);
    server_cnxn_send_close(cnxn);
    server_cnxn_send_reply(cnxn, &after, NULL, 0);
    server_cnxn_send_raw(cnxn, "raw", 3);
    server_cnxn_factory_flush(cnxn_factory);
    ck_assert_int_eq(raw_client_receive(&alice, 1), ZK_OK);
    ck_assert_uint_eq(jute_left(&alice.body), blob->size);
    ck_assert_int_eq(raw_client_receive_frame(&alice), ZK_EOF);
    cnxn_wait_removed(1);
    blob_unref(blob);
    server_cnxn_unref(cnxn);
}
END_TEST

START_TEST(a_slow_reader_gets_everything_and_holds_nobody_up)
{
    enum { REPLIES = 40 };
    cnxn_join(&alice);
    struct server_cnxn *cnxn = cnxn_only();
    struct blob *blob = blob_new(1024 * 1024);
    for (uint32_t i = 0; i < blob->size; i++)
        blob->bytes[i] = (uint8_t)(i * 31);
    struct packet_part part = {.blob = blob, .size = blob->size};
    for (int32_t i = 1; i <= REPLIES; i++) {
        struct reply_header header = {i, i, ZK_OK};
        server_cnxn_send_reply(cnxn, &header, &part, 1);
        server_cnxn_factory_flush(cnxn_factory);
    }
    cnxn_join(&bob);
    send_requests(&bob, 1, 1, 20);
    cnxn_wait_packets(1);
    cnxn_answer(0, NULL);
    ck_assert_int_eq(raw_client_receive(&bob, 1), ZK_OK);
    for (int32_t i = 1; i <= REPLIES; i++) {
        ck_assert_int_eq(raw_client_receive(&alice, i), ZK_OK);
        ck_assert_uint_eq(jute_left(&alice.body), blob->size);
        ck_assert_mem_eq(alice.body.at, blob->bytes, blob->size);
    }
    blob_unref(blob);
    server_cnxn_unref(cnxn);
}
END_TEST

START_TEST(who_leaves_too_much_unread_is_not_read_until_it_reads)
{
    enum { REPLIES = 40, SIZE = 1024 * 1024 };    /* more than sockets hold */
    cnxn_join(&alice);
    struct server_cnxn *cnxn = cnxn_only();
    struct blob *blob = blob_new(SIZE);
    memset(blob->bytes, 'x', SIZE);
    struct packet_part part = {.blob = blob, .size = SIZE};
    for (int32_t i = 1; i <= REPLIES; i++) {
        struct reply_header header = {i, i, ZK_OK};
        server_cnxn_send_reply(cnxn, &header, &part, 1);
    }
    server_cnxn_factory_flush(cnxn_factory);
    ck_assert_int_eq(raw_client_receive(&alice, 1), ZK_OK);    /* they are on their way */
    send_requests(&alice, 100, 1, 20);
    cnxn_join(&bob);
    send_requests(&bob, 200, 1, 20);
    ck_assert_uint_eq(cnxn_wait_packets(1), 1);
    ck_assert_int_eq(cnxn_packet(0)->xid, 200);
    for (int32_t i = 2; i <= REPLIES; i++)
        ck_assert_int_eq(raw_client_receive(&alice, i), ZK_OK);
    cnxn_wait_packets(2);
    ck_assert_int_eq(cnxn_packet(1)->xid, 100);
    blob_unref(blob);
    server_cnxn_unref(cnxn);
}
END_TEST

START_TEST(echoes_and_requests_cross_on_the_way)
{
    atomic_store(&recorder.echoes, true);
    atomic_store(&recorder.throttle_above, 1);
    cnxn_join(&alice);
    for (int32_t i = 0; i < 50; i++)
        send_requests(&alice, 1 + 20 * i, 20, 100 + (size_t)i);
    for (int32_t i = 1; i <= 1000; i++)
        ck_assert_int_eq(raw_client_receive(&alice, i), ZK_OK);
}
END_TEST

START_TEST(events_go_out_unless_the_node_may_not_be_read)
{
    struct raw_event event;
    struct watch_event happened = {EVENT_NODE_CREATED, STATE_SYNC_CONNECTED, ustring_of("/hidden"), 7, NULL};
    cnxn_join(&alice);
    struct server_cnxn *cnxn = cnxn_only();
    atomic_store(&recorder.hides_events, true);
    cnxn->watcher.ops->process(&cnxn->watcher, &happened);
    atomic_store(&recorder.hides_events, false);
    happened.path = ustring_of("/seen");
    cnxn->watcher.ops->process(&cnxn->watcher, &happened);
    server_cnxn_factory_flush(cnxn_factory);
    ck_assert_int_eq(raw_client_wait_event(&alice, &event), ZK_OK);
    ck_assert_str_eq(event.path, "/seen");
    ck_assert_int_eq(event.type, EVENT_NODE_CREATED);
    ck_assert_int_eq(event.zxid, 7);
    server_cnxn_unref(cnxn);
}
END_TEST

START_TEST(who_does_not_read_its_events_is_cut_off)
{
    struct ustring path = {memory_alloc_zero(1, 1024 * 1024), 1024 * 1024};
    struct watch_event happened = {EVENT_NODE_CREATED, STATE_SYNC_CONNECTED, path, 7, NULL};
    cnxn_join(&alice);
    struct server_cnxn *cnxn = cnxn_only();
    for (int i = 0; i < 90 && !atomic_load(&cnxn->close_now); i++)
        cnxn->watcher.ops->process(&cnxn->watcher, &happened);
    cnxn_wait_removed(1);
    memory_free((void *)(uintptr_t)path.bytes);
    server_cnxn_unref(cnxn);
}
END_TEST

/* ---- ends ---- */

START_TEST(who_holds_a_closed_connection_may_go_on_using_it)
{
    cnxn_join(&alice);
    send_requests(&alice, 1, 2, 20);
    cnxn_wait_packets(2);
    struct server_cnxn *cnxn = cnxn_only();
    server_cnxn_close(cnxn, DISCONNECT_CONNECTION_EXPIRED);
    ck_assert(raw_client_sees_end(&alice));
    cnxn_wait_removed(1);
    ck_assert(cnxn->watcher.ops->is_stale(&cnxn->watcher));
    cnxn_answer(0, "nobody hears it");
    server_cnxn_send_raw(cnxn, "nor this", 8);
    server_cnxn_set_session_id(cnxn, 5);
    server_cnxn_set_session_timeout(cnxn, 1);
    server_cnxn_send_close(cnxn);
    server_cnxn_close(cnxn, DISCONNECT_UNKNOWN);
    ck_assert_msg(!server_cnxn_factory_close_session(cnxn_factory, 5, DISCONNECT_UNKNOWN),
                  "it is no session's any more");
    cnxn_join(&bob);
    ck_assert_uint_eq(server_cnxn_factory_connection_count(cnxn_factory), 1);
    server_cnxn_unref(cnxn);
}
END_TEST

START_TEST(a_peer_that_leaves_is_closed_once)
{
    for (int i = 0; i < 20; i++) {
        cnxn_join(&alice);
        send_requests(&alice, 1, 3, 20);
        if (i % 2 == 0)
            ck_assert_int_eq(raw_client_send_bytes(&alice, "\0\0\1\0half a frame", 16), ZK_OK);
        raw_client_hang_up(&alice);
        ck_assert_uint_eq(cnxn_wait_removed((size_t)i + 1), (size_t)i + 1);
    }
    ck_assert_uint_eq(server_cnxn_factory_connection_count(cnxn_factory), 0);
}
END_TEST

/* ---- what it tells of itself ---- */

START_TEST(it_prints_itself_as_java_does)
{
    cnxn_join(&alice);
    send_requests(&alice, 1, 3, 20);
    cnxn_wait_packets(3);
    cnxn_answer(0, NULL);
    struct server_cnxn *cnxn = cnxn_only();
    char peer[ADDRESS_TEXT_SIZE];
    address_format(&cnxn->peer, peer);
    struct buffer text = {0}, expected = {0};
    server_cnxn_print(cnxn, true, &text);
    char *line = buffer_string(&text);
    ck_assert_msg(strncmp(line, " /127.0.0.1:", 12) == 0, "%s", line);
    ck_assert_msg(strstr(line, "](queued=2,recved=4,sent=1)") != NULL, "%s", line);
    server_cnxn_set_session_id(cnxn, 0x10);
    server_cnxn_update_stats(cnxn, &(struct request_stats){3, 0x20, "EXIS", 100, 104});
    server_cnxn_update_stats(cnxn, &(struct request_stats){4, 0x21, "GETD", 100, 110});
    buffer_clear(&text);
    server_cnxn_print(cnxn, false, &text);
    buffer_printf(&expected,
                  ",sid=0x10,lop=GETD,est=%lld,to=30000,lcxid=0x4,lzxid=0x21,lresp=110,llat=10,minlat=0,avglat=7,"
                  "maxlat=10)",
                  (long long)cnxn->established_ms);
    line = buffer_string(&text);
    ck_assert_msg(strstr(line, buffer_string(&expected)) != NULL, "%s\n%s", line, buffer_string(&expected));
    server_cnxn_reset_stats(cnxn);
    buffer_clear(&text);
    server_cnxn_print(cnxn, false, &text);
    line = buffer_string(&text);
    ck_assert_msg(strstr(line, "recved=0,sent=0,sid=0x10,lop=NA,") != NULL, "%s", line);
    ck_assert_msg(strstr(line, "lcxid") == NULL, "%s", line);
    buffer_release(&text);
    buffer_release(&expected);
    server_cnxn_unref(cnxn);
}
END_TEST

START_TEST(reasons_have_javas_names)
{
    ck_assert_str_eq(disconnect_reason_text(DISCONNECT_UNKNOWN), "unknown");
    ck_assert_str_eq(disconnect_reason_text(DISCONNECT_CLIENT_RECONNECT), "client_reconnect");
    ck_assert_str_eq(disconnect_reason_text(DISCONNECT_CLIENT_CNX_LIMIT), "Client hits connection limiting threshold");
}
END_TEST

static void add_tests(Suite *suite, const char *name, void (*set_up_case)(void))
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, set_up_case, tear_down);
    tcase_add_test(tcase, frames_come_byte_by_byte);
    tcase_add_test(tcase, many_frames_come_in_one_write);
    tcase_add_loop_test(tcase, frames_may_be_larger_than_what_is_read_at_once, 0, ARRAY_SIZE(large_sizes));
    tcase_add_test(tcase, connections_do_not_mix);
    tcase_add_loop_test(tcase, lengths_are_checked_when_they_come, 0, ARRAY_SIZE(lengths));
    tcase_add_test(tcase, a_refused_connect_request_ends_the_connection);
    tcase_add_test(tcase, nothing_is_taken_while_the_server_does_not_run);
    tcase_add_loop_test(tcase, a_word_is_answered_and_ends_the_connection, 0, ARRAY_SIZE(words));
    tcase_add_test(tcase, a_throttled_connection_is_not_parsed_any_further);
    tcase_add_test(tcase, only_xids_above_zero_count_as_outstanding);
    tcase_add_test(tcase, receiving_may_be_switched_off_and_on);
    tcase_add_test(tcase, replies_come_in_the_order_they_were_sent);
    tcase_add_test(tcase, a_reply_is_made_of_its_parts);
    tcase_add_test(tcase, several_answer_and_flush_at_a_time);
    tcase_add_test(tcase, a_close_waits_for_what_was_sent_before_it_and_for_nothing_else);
    tcase_add_test(tcase, a_slow_reader_gets_everything_and_holds_nobody_up);
    tcase_add_test(tcase, who_leaves_too_much_unread_is_not_read_until_it_reads);
    tcase_add_test(tcase, echoes_and_requests_cross_on_the_way);
    tcase_add_test(tcase, events_go_out_unless_the_node_may_not_be_read);
    tcase_add_test(tcase, who_does_not_read_its_events_is_cut_off);
    tcase_add_test(tcase, who_holds_a_closed_connection_may_go_on_using_it);
    tcase_add_test(tcase, a_peer_that_leaves_is_closed_once);
    tcase_add_test(tcase, it_prints_itself_as_java_does);
    tcase_add_test(tcase, reasons_have_javas_names);
    suite_add_tcase(suite, tcase);
}

static Suite *server_cnxn_suite(void)
{
    Suite *suite = suite_create("server_cnxn");
    add_tests(suite, "selectors alone", set_up_selectors);
    add_tests(suite, "with workers", set_up_workers);
    TCase *tcase = tcase_create("selectors that are held up");
    tcase_add_checked_fixture(tcase, set_up_selectors, tear_down);
    tcase_add_test(tcase, who_flushes_writes_himself);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(server_cnxn_suite)
