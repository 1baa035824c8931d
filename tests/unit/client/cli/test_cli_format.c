/* What commands print, and what a terminal gets of it. */
#include "client/cli/cli_format.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static struct buffer out;

static void set_up(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
}

static void tear_down(void)
{
    buffer_release(&out);
}

START_TEST(a_stat_has_javas_lines)
{
    const struct Stat stat = {
        .czxid = 0x100000002,
        .mzxid = -1,
        .ctime = 0,
        .mtime = 1767225600000,
        .version = -1,
        .cversion = 3,
        .aversion = 4,
        .ephemeralOwner = INT64_MIN,
        .dataLength = 5,
        .numChildren = 6,
        .pzxid = 7,
    };
    format_stat(&stat, &out);
    ck_assert_str_eq(buffer_string(&out), "cZxid = 0x100000002\n"
                                          "ctime = Thu Jan 01 00:00:00 UTC 1970\n"
                                          "mZxid = 0xffffffffffffffff\n"
                                          "mtime = Thu Jan 01 00:00:00 UTC 2026\n"
                                          "pZxid = 0x7\n"
                                          "cversion = 3\n"
                                          "dataVersion = -1\n"
                                          "aclVersion = 4\n"
                                          "ephemeralOwner = 0x8000000000000000\n"
                                          "dataLength = 5\n"
                                          "numChildren = 6\n");
}
END_TEST

START_TEST(a_hex_dump_has_nettys_table)
{
    format_hex_dump((const uint8_t *)"hello\n\x7f 0123456789", 18, &out);
    ck_assert_str_eq(buffer_string(&out),
                     "         +-------------------------------------------------+\n"
                     "         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |\n"
                     "+--------+-------------------------------------------------+----------------+\n"
                     "|00000000| 68 65 6c 6c 6f 0a 7f 20 30 31 32 33 34 35 36 37 |hello.. 01234567|\n"
                     "|00000010| 38 39                                           |89              |\n"
                     "+--------+-------------------------------------------------+----------------+");
}
END_TEST

START_TEST(a_hex_dump_of_nothing_is_nothing)
{
    format_hex_dump((const uint8_t *)"", 0, &out);
    ck_assert_uint_eq(out.size, 0);
}
END_TEST

static const struct { const char *fact, *bytes, *name, *data;
} escapes[] = {
    { "letters stay", "a\\b\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "a\\b\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
      "a\\b\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
    { "line ends stay in data only", "a\nb\tc", "a\\nb\\tc", "a\nb\tc" },
    { "nothing returns the carriage", "a\rb", "a\\rb", "a\\rb" },
    { "no sequence is obeyed", "\x1b[2J", "\\x1b[2J", "\\x1b[2J" },
    { "nor one of C1",
      "\xc2\x9b"
      "2J",
      "\\u009b2J", "\\u009b2J" },
    { "nor a delete", "\x7f", "\\x7f", "\\x7f" },
    { "nor what turns the direction of writing",
      "\xe2\x80\xae"
      "fdp",
      "\\u202efdp", "\\u202efdp" },
    { "bytes that are no UTF-8 are told", "\xff\xc3(", "\\xff\\xc3(", "\\xff\\xc3(" },
    { "a surrogate is none", "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80" },
};

START_TEST(a_terminal_obeys_nothing)
{
    struct buffer data = {0};
    format_escaped(escapes[_i].bytes, strlen(escapes[_i].bytes), FORMAT_NAME, &out);
    format_escaped(escapes[_i].bytes, strlen(escapes[_i].bytes), FORMAT_DATA, &data);
    ck_assert_msg(strcmp(buffer_string(&out), escapes[_i].name) == 0, "%s: %s", escapes[_i].fact, buffer_string(&out));
    ck_assert_msg(strcmp(buffer_string(&data), escapes[_i].data) == 0, "%s: %s", escapes[_i].fact,
                  buffer_string(&data));
    buffer_release(&data);
}
END_TEST

START_TEST(a_zero_is_escaped_too)
{
    format_escaped("a\0b", 3, FORMAT_DATA, &out);
    ck_assert_str_eq(buffer_string(&out), "a\\x00b");
}
END_TEST

static const struct { int type, state; const char *path, *line; } events[] = {
    { -1, 3, "", "WatchedEvent state:SyncConnected type:None path:null zxid: -1" },
    { -1, 1, "", "WatchedEvent state:Disconnected type:None path:null zxid: -1" },
    { -1, -112, NULL, "WatchedEvent state:Expired type:None path:null zxid: -1" },
    { -1, -113, NULL, "WatchedEvent state:AuthFailed type:None path:null zxid: -1" },
    { 3, 3, "/a", "WatchedEvent state:SyncConnected type:NodeDataChanged path:/a zxid: -1" },
    { 99, 98, "/a", "WatchedEvent state:Unknown type:Unknown path:/a zxid: -1" },
};

START_TEST(events_have_javas_names)
{
    format_event(events[_i].type, events[_i].state, events[_i].path, &out);
    ck_assert_str_eq(buffer_string(&out), events[_i].line);
}
END_TEST

static const struct { int64_t size; const char *text; } sizes[] = {
    { 0, "0B" }, { 1023, "1023B" }, { 1024, "1.0K" }, { 1536, "1.5K" }, { 102400, "100K" }, { 1 << 30, "1.0G" },
};

START_TEST(sizes_are_for_people)
{
    format_size(sizes[_i].size, &out);
    ck_assert_str_eq(buffer_string(&out), sizes[_i].text);
}
END_TEST

START_TEST(lists_have_brackets)
{
    static const char *const items[] = { "a", "b" };
    format_list(items, 0, &out);
    format_list(items, 2, &out);
    ck_assert_str_eq(buffer_string(&out), "[][a, b]");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cli_format");
    TCase *tcase = tcase_create("cli_format");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_stat_has_javas_lines);
    tcase_add_test(tcase, a_hex_dump_has_nettys_table);
    tcase_add_test(tcase, a_hex_dump_of_nothing_is_nothing);
    tcase_add_loop_test(tcase, a_terminal_obeys_nothing, 0, ARRAY_SIZE(escapes));
    tcase_add_test(tcase, a_zero_is_escaped_too);
    tcase_add_loop_test(tcase, events_have_javas_names, 0, ARRAY_SIZE(events));
    tcase_add_loop_test(tcase, sizes_are_for_people, 0, ARRAY_SIZE(sizes));
    tcase_add_test(tcase, lists_have_brackets);
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
