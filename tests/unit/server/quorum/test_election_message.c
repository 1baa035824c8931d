/* Bytes of the election port: what Java sends is read, what is damaged is refused. */
#include "server/quorum/election_message.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const struct vote vote = {
    .id = 3, .zxid = 0x100000002, .election_epoch = 4, .peer_epoch = 5, .state = PEER_LEADING};

/* FastLeaderElection.buildMsg(2, 3, 0x100000002, 4, 5, "version=0") of a Java server. */
static const uint8_t golden[] = {
    0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 4,
    0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0, 0, 9, 'v', 'e', 'r', 's', 'i', 'o', 'n', '=', '0'};

START_TEST(a_notification_is_java_s_byte_for_byte)
{
    struct blob *message = notification_write(&vote, "version=0", 9);
    ck_assert_uint_eq(message->size, sizeof(golden));
    ck_assert_mem_eq(message->bytes, golden, sizeof(golden));
    blob_unref(message);
}
END_TEST

static int read_notification(const uint8_t *bytes, size_t size, struct notification *ret, struct slice *ret_config)
{
    uint8_t *exact = memory_copy(bytes, size);    /* so that a sanitizer sees what is read beyond */
    struct slice config;
    int err = notification_read(exact, size, ret, &config, NULL);
    if (err == ZK_OK)
        *ret_config = (struct slice){config.bytes != NULL ? bytes + (config.bytes - exact) : NULL, config.size};
    memory_free(exact);
    return err;
}

START_TEST(every_form_is_read)
{
    struct notification n;
    struct slice config;
    ck_assert_int_eq(read_notification(golden, sizeof(golden), &n, &config), ZK_OK);
    ck_assert(vote_equal(&n.vote, &vote));
    ck_assert_int_eq(n.vote.version, 2);
    ck_assert_int_eq(n.vote.election_epoch, 4);
    ck_assert_uint_eq(config.size, 9);
    ck_assert_ptr_eq(config.bytes, golden + 44);
    ck_assert_msg(read_notification(golden, 28, &n, &config) == ZK_OK, "before there were epochs");
    ck_assert_int_eq(n.vote.peer_epoch, 1);
    ck_assert_int_eq(n.vote.version, 0);
    ck_assert_ptr_null(config.bytes);
    ck_assert_msg(read_notification(golden, 40, &n, &config) == ZK_OK, "before there were versions");
    ck_assert_int_eq(n.vote.peer_epoch, 5);
    ck_assert_int_eq(n.vote.version, 0);
}
END_TEST

/* 3109, 3769: what ends too soon is refused, and nothing is read beyond it. */
START_TEST(every_other_length_is_refused)
{
    struct notification n;
    struct slice config;
    for (size_t size = 0; size < sizeof(golden); size++)
        ck_assert_msg((read_notification(golden, size, &n, &config) == ZK_OK) == (size == 28 || size == 40),
                      "%zu bytes", size);
}
END_TEST

START_TEST(a_config_longer_than_its_message_is_refused)
{
    static const int32_t lengths[] = {10, -1, INT32_MAX, INT32_MIN};
    uint8_t bytes[sizeof(golden)];
    struct notification n;
    struct slice config;
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        memcpy(bytes, golden, sizeof(golden));
        for (int b = 0; b < 4; b++)
            bytes[40 + b] = (uint8_t)((uint32_t)lengths[i] >> (24 - 8 * b));
        ck_assert_int_eq(read_notification(bytes, sizeof(bytes), &n, &config), ZK_MARSHALLING_ERROR);
    }
}
END_TEST

START_TEST(an_unknown_state_is_known_to_be_one)
{
    uint8_t bytes[sizeof(golden)];
    struct notification n;
    struct slice config;
    memcpy(bytes, golden, sizeof(golden));
    for (int state = -1; state <= 5; state++) {
        memset(bytes, state < 0 ? 0xff : 0, 4);
        bytes[3] = (uint8_t)state;
        ck_assert_int_eq(read_notification(bytes, sizeof(bytes), &n, &config), ZK_OK);
        ck_assert_msg(notification_state_is_known(&n) == (state >= 0 && state <= 3), "%d", state);
    }
}
END_TEST

static struct quorum_address addresses[] = {{(char *)"10.0.0.1", 3888}, {(char *)"0:0:0:0:0:0:0:1", 3889}};

START_TEST(the_first_message_tells_one_address_or_all)
{
    static const uint8_t head[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 13};
    struct buffer out = {0};
    initial_message_write(7, addresses, 2, false, &out);
    ck_assert_uint_eq(out.size, sizeof(head) + 13);
    ck_assert_mem_eq(out.bytes, head, sizeof(head));
    ck_assert_mem_eq(out.bytes + sizeof(head), "10.0.0.1:3888", 13);
    buffer_clear(&out);
    initial_message_write(7, addresses, 2, true, &out);
    ck_assert_uint_eq(out.bytes[7], 1);
    ck_assert_str_eq(buffer_string(&out) + sizeof(head), "10.0.0.1:3888|[0:0:0:0:0:0:0:1]:3889");
    buffer_release(&out);
}
END_TEST

START_TEST(versions_and_lengths_of_the_first_message)
{
    static const struct {
        uint8_t bytes[8];
        int code;
        int64_t sid;
    } versions[] = {
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0}, ZK_AGAIN, 0},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 1}, ZK_AGAIN, 0},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 2}, ZK_MARSHALLING_ERROR, 0},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, ZK_MARSHALLING_ERROR, 0},
        {{0, 0, 0, 0, 0, 0, 0, 5}, ZK_OK, 5},
    };
    static const struct {
        int32_t size;
        int code;
    } lengths[] = {{0, ZK_MARSHALLING_ERROR}, {-1, ZK_MARSHALLING_ERROR}, {2049, ZK_MARSHALLING_ERROR},
                   {1, ZK_OK}, {2048, ZK_OK}};
    int64_t sid = 0;
    size_t size;
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        ck_assert_int_eq(initial_message_read_version(versions[i].bytes, &sid, NULL), versions[i].code);
        ck_assert_int_eq(sid, versions[i].sid);
    }
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        uint8_t head[12] = {0, 0, 0, 0, 0, 0, 0, 9};
        for (int b = 0; b < 4; b++)
            head[8 + b] = (uint8_t)((uint32_t)lengths[i].size >> (24 - 8 * b));
        ck_assert_int_eq(initial_message_read_head(head, &sid, &size, NULL), lengths[i].code);
    }
}
END_TEST

static const struct {
    const char *fact, *text, *printed, *sentence;
} lists[] = {
    {"one address", "10.0.0.1:3888", "10.0.0.1:3888", NULL},
    {"several", "a:1|[::1]:2|b:3", "a:1|[0:0:0:0:0:0:0:1]:2|b:3", NULL},
    {"a wildcard is nobody's address (2164)", "0.0.0.0:3888", "", NULL},
    {"nor is one of IPv6", "[::]:3888|a:1", "a:1", NULL},
    {"a name in UTF-8 stays what it is (4787)", "h\xc3\xb6st:1", "h\xc3\xb6st:1", NULL},
    {"no port", "host", NULL, "Badly formed address: host"},
    {"nothing", "|", "", NULL},
    {"an empty address", "|a:1", NULL, "Badly formed address: "},
    {"IPv6 without brackets", "::1:5", NULL, "Badly formed address: ::1:5"},
    {"a bracket alone", "[::1", NULL, "Badly formed address: [::1"},
    {"a port that is none", "a:x", NULL, "Bad port number: x"},
    {"a port too large", "a:65536", NULL, "Bad port number: 65536"},
};

START_TEST(lists_of_addresses)
{
    struct initial_message message;
    struct error error = {0};
    struct buffer text = {0};
    int err = initial_message_read_addresses(7, lists[_i].text, strlen(lists[_i].text), &message, &error);
    if (lists[_i].sentence != NULL) {
        ck_assert_msg(err == ZK_MARSHALLING_ERROR, "%s", lists[_i].fact);
        ck_assert_str_eq(error.text, lists[_i].sentence);
        return;
    }
    ck_assert_msg(err == ZK_OK, "%s: %s", lists[_i].fact, error.text);
    quorum_addresses_print(message.addresses, message.address_count, &text);
    ck_assert_str_eq(buffer_string(&text), lists[_i].printed);
    initial_message_release(&message);
    buffer_release(&text);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("election_message");
    TCase *tcase = tcase_create("bytes");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_notification_is_java_s_byte_for_byte);
    tcase_add_test(tcase, every_form_is_read);
    tcase_add_test(tcase, every_other_length_is_refused);
    tcase_add_test(tcase, a_config_longer_than_its_message_is_refused);
    tcase_add_test(tcase, an_unknown_state_is_known_to_be_one);
    tcase_add_test(tcase, the_first_message_tells_one_address_or_all);
    tcase_add_test(tcase, versions_and_lengths_of_the_first_message);
    tcase_add_loop_test(tcase, lists_of_addresses, 0, ARRAY_SIZE(lists));
    return suite;
}

CHECK_MAIN(make_suite)
