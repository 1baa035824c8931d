/* test_error.c - codes, names and sentences. */
#include "common/base/error.h"

#include <errno.h>
#include <string.h>

#include "tests/lib/check_main.h"

START_TEST(codes_have_the_names_of_java)
{
    ck_assert_int_eq(ZK_NO_NODE, -101);
    ck_assert_str_eq(error_name(ZK_OK), "OK");
    ck_assert_str_eq(error_name(ZK_NO_NODE), "NONODE");
    ck_assert_str_eq(error_name(ZK_QUOTA_EXCEEDED), "QUOTAEXCEEDED");
    ck_assert_str_eq(error_name(-9999), "UNKNOWN");
    ck_assert_str_eq(error_sentence(ZK_NO_NODE), "node does not exist");
    ck_assert_ptr_nonnull(error_sentence(-9999));
}
END_TEST

START_TEST(set_returns_the_code_and_keeps_the_sentence)
{
    struct error error = { 0 };
    ck_assert_int_eq(error_set(&error, ZK_CORRUPT, "record %d is damaged", 7), ZK_CORRUPT);
    ck_assert_int_eq(error.code, ZK_CORRUPT);
    ck_assert_str_eq(error.text, "record 7 is damaged");
}
END_TEST

START_TEST(a_sentence_may_quote_the_one_it_replaces)
{
    struct error error = { 0 };
    error_set(&error, ZK_IO, "first");
    error_set(&error, ZK_IO, "%s, then second", error.text);
    ck_assert_str_eq(error.text, "first, then second");
}
END_TEST

START_TEST(errno_stands_behind_the_sentence_and_is_kept)
{
    struct error error = { 0 };
    errno = ENOSPC;
    ck_assert_int_eq(error_set_errno(&error, "cannot write %s", "/x"), ZK_IO);
    ck_assert_int_eq(errno, ENOSPC);
    ck_assert_str_eq(error.text, "cannot write /x: No space left on device");
}
END_TEST

START_TEST(a_prefix_keeps_the_code)
{
    struct error error = { 0 };
    error_set(&error, ZK_EOF, "it ends");
    ck_assert_int_eq(error_prefix(&error, "snapshot %s", "a"), ZK_EOF);
    ck_assert_str_eq(error.text, "snapshot a: it ends");
}
END_TEST

START_TEST(too_long_a_sentence_is_cut)
{
    struct error error = { 0 };
    char text[3000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&error, ZK_IO, "%s", text);
    ck_assert_uint_eq(strlen(error.text), sizeof(error.text) - 1);
    error_prefix(&error, "%s", text);
    ck_assert_uint_eq(strlen(error.text), sizeof(error.text) - 1);
    errno = EIO;
    error_set_errno(&error, "%s", text);
    ck_assert_uint_eq(strlen(error.text), sizeof(error.text) - 1);
}
END_TEST

START_TEST(no_error_struct_is_fine)
{
    ck_assert_int_eq(error_set(NULL, ZK_EOF, "x"), ZK_EOF);
    ck_assert_int_eq(error_set_errno(NULL, "x"), ZK_IO);
    ck_assert_int_ne(error_prefix(NULL, "x"), ZK_OK);
}
END_TEST

static Suite *error_suite(void)
{
    Suite *suite = suite_create("error");
    TCase *tcase = tcase_create("error");
    tcase_add_test(tcase, codes_have_the_names_of_java);
    tcase_add_test(tcase, set_returns_the_code_and_keeps_the_sentence);
    tcase_add_test(tcase, a_sentence_may_quote_the_one_it_replaces);
    tcase_add_test(tcase, errno_stands_behind_the_sentence_and_is_kept);
    tcase_add_test(tcase, a_prefix_keeps_the_code);
    tcase_add_test(tcase, too_long_a_sentence_is_cut);
    tcase_add_test(tcase, no_error_struct_is_fine);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(error_suite)
