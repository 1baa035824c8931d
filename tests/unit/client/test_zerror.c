/* test_zerror.c - the text of every error. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "client/public.h"
#include "common/base/error.h"
#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const int wire_codes[] = {
#define ZK_ERROR(name, value, java_name, sentence) value,
#include "common/base/errors.def"
#undef ZK_ERROR
};

START_TEST(every_code_that_travels_has_a_text)
{
    int code = wire_codes[_i];
    bool is_ours = code < -1000;
    bool is_javas = code == ZK_UNKNOWN_SESSION;    /* never sent to a client */
    ck_assert_msg((strcmp(zerror(code), "unknown error") == 0) == (is_ours || is_javas), "%d: %s", code, zerror(code));
}
END_TEST

static const struct {
    int code;
    const char *text;
} texts[] = {
    { ZOK, "ok" },
    { ZCONNECTIONLOSS, "connection loss" },
    { ZOPERATIONTIMEOUT, "operation timeout" },
    { ZNONODE, "no node" },
    { ZBADVERSION, "bad version" },
    { ZNOTHING, "(not error) no server responses to process" },
    { ZTHROTTLEDOP, "Operation was throttled due to high load" },
    { -9999, "unknown error" },
    { -10, "unknown error" },
};
START_TEST(texts_are_those_of_the_old_binding)
{
    ck_assert_str_eq(zerror(texts[_i].code), texts[_i].text);
}
END_TEST

START_TEST(a_positive_number_is_an_errno)
{
    ck_assert_str_eq(zerror(ENOENT), strerror(ENOENT));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("client/zerror");
    TCase *tcase = tcase_create("texts");
    tcase_add_loop_test(tcase, every_code_that_travels_has_a_text, 0, ARRAY_SIZE(wire_codes));
    tcase_add_loop_test(tcase, texts_are_those_of_the_old_binding, 0, ARRAY_SIZE(texts));
    tcase_add_test(tcase, a_positive_number_is_an_errno);
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
