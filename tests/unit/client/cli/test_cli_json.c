/* Answers as JSON. */
#include "client/cli/cli_json.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static struct buffer out;

static void set_up(void)
{
    json_use_our_memory();
}

static void tear_down(void)
{
    buffer_release(&out);
}

static const char *shown(json_t *value)
{
    json_print(value, &out);
    json_decref(value);
    return buffer_string(&out);
}

START_TEST(a_stat_keeps_all_64_bits)
{
    const struct Stat stat = {.czxid = 0x20000000000001, .ephemeralOwner = -1, .ctime = 1, .dataLength = 2};
    ck_assert_str_eq(shown(json_of_stat(&stat)),
                     "{\"czxid\":\"0x20000000000001\",\"ctime\":1,\"mzxid\":\"0x0\",\"mtime\":0,\"pzxid\":\"0x0\","
                     "\"cversion\":0,\"dataVersion\":0,\"aclVersion\":0,\"ephemeralOwner\":\"0xffffffffffffffff\","
                     "\"dataLength\":2,\"numChildren\":0}");
}
END_TEST

static const struct { const char *bytes; int32_t size; const char *text; } data[] = {
    { "text", 4, "{\"data\":\"text\"}" },
    { "", 0, "{\"data\":\"\"}" },
    { NULL, -1, "{\"data\":null}" },
    { "a\0b\n", 4, "{\"data\":\"a\\u0000b\\n\"}" },
    { "\xff", 1, "{\"data64\":\"/w==\"}" },
};

START_TEST(data_is_a_text_or_base64)
{
    json_t *object = json_object();
    json_set_data(object, data[_i].bytes, data[_i].size);
    ck_assert_str_eq(shown(object), data[_i].text);
}
END_TEST

START_TEST(a_failure_has_code_name_and_message)
{
    ck_assert_str_eq(
        shown(json_of_failure(ZK_NO_NODE, "Node does not exist: /a", "/a")),
        "{\"error\":{\"code\":-101,\"name\":\"NONODE\",\"message\":\"Node does not exist: /a\",\"path\":\"/a\"}}");
}
END_TEST

START_TEST(a_text_that_is_no_utf8_is_repaired)
{
    ck_assert_str_eq(shown(json_of_text("a\xff", 2)), "\"a\xef\xbf\xbd\"");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cli_json");
    TCase *tcase = tcase_create("cli_json");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_stat_keeps_all_64_bits);
    tcase_add_loop_test(tcase, data_is_a_text_or_base64, 0, ARRAY_SIZE(data));
    tcase_add_test(tcase, a_failure_has_code_name_and_message);
    tcase_add_test(tcase, a_text_that_is_no_utf8_is_repaired);
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
