/* test_message_tracker.c - the last packets of a connection, told as Java tells them. */
#include "server/quorum/message_tracker.h"

#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "server/quorum/quorum_packet.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_directory.h"

static struct message_tracker *tracker;
static char directory[TEST_DIRECTORY_SIZE];
static char path[TEST_DIRECTORY_SIZE + 8];
static char text[65536];

static void set_up(void)
{
    test_directory_make(directory);
    snprintf(path, sizeof(path), "%s/log", directory);
    ck_assert_int_eq(log_open(path, NULL), ZK_OK);
    tracker = message_tracker_new(3, "/127.0.0.1:2888");
}

static void tear_down(void)
{
    message_tracker_free(tracker);
    log_open(NULL, NULL);
    test_directory_remove(directory);
}

/* What the log holds. */
static const char *told(void)
{
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void expect_in_order(const char *const *parts, size_t count)
{
    const char *at = told();
    for (size_t i = 0; i < count; i++) {
        const char *found = strstr(at, parts[i]);
        ck_assert_msg(found != NULL, "'%s' is missing in:\n%s", parts[i], text);
        at = found + strlen(parts[i]);
    }
}

START_TEST(the_last_ones_are_told_oldest_first)
{
    static const char *const expected[] = {
        "Last 2 timestamps for messages receivedBuffer from /127.0.0.1:2888:", "Type: FOLLOWERINFO", "Type: ACK",
        "Last 3 timestamps for messages sentBuffer to /127.0.0.1:2888:",
        "sentBuffer to /127.0.0.1:2888  TimeStamp: 2", "Type: COMMIT", "Type: PING", "Type: UNKNOWN",
    };
    message_tracker_received(tracker, QP_FOLLOWERINFO);
    message_tracker_received(tracker, QP_ACK);
    message_tracker_sent(tracker, QP_DIFF);
    message_tracker_sent(tracker, QP_PROPOSAL);
    message_tracker_sent(tracker, QP_COMMIT);
    message_tracker_sent(tracker, QP_PING);
    message_tracker_sent(tracker, 77);
    message_tracker_dump(tracker);
    expect_in_order(expected, sizeof(expected) / sizeof(expected[0]));
    ck_assert_ptr_null(strstr(text, "PROPOSAL"));
}
END_TEST

START_TEST(nothing_is_told_to_be_nothing)
{
    static const char *const expected[] = {
        "No buffered timestamps for messages receivedBuffer from /127.0.0.1:2888",
        "No buffered timestamps for messages sentBuffer to /127.0.0.1:2888",
    };
    message_tracker_dump(tracker);
    expect_in_order(expected, 2);
}
END_TEST

static Suite *message_tracker_suite(void)
{
    Suite *suite = suite_create("message_tracker");
    TCase *tcase = tcase_create("message_tracker");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_last_ones_are_told_oldest_first);
    tcase_add_test(tcase, nothing_is_told_to_be_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(message_tracker_suite)
