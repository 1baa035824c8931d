/* test_buffer.c - bytes that grow. */
#include "common/base/buffer.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

START_TEST(a_zeroed_buffer_is_an_empty_one)
{
    struct buffer buffer = { 0 };
    ck_assert_str_eq(buffer_string(&buffer), "");
    ck_assert_uint_eq(buffer.size, 0);
    buffer_append(&buffer, NULL, 0);
    buffer_consume(&buffer, 0);
    buffer_release(&buffer);
    buffer_release(&buffer);
}
END_TEST

START_TEST(what_is_appended_stands_in_order)
{
    struct buffer buffer = { 0 };
    for (int i = 0; i < 1000; i++)
        buffer_append_byte(&buffer, (uint8_t)i);
    for (size_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(buffer.bytes[i], i & 0xff);
    buffer_clear(&buffer);
    buffer_append_string(&buffer, "one ");
    buffer_append(&buffer, "two", 3);
    memcpy(buffer_extend(&buffer, 2), " 3", 2);
    memcpy(buffer_reserve(&buffer, 3), "not", 3);
    ck_assert_str_eq(buffer_string(&buffer), "one two 3");
    buffer_consume(&buffer, 4);
    ck_assert_str_eq(buffer_string(&buffer), "two 3");
    buffer_consume(&buffer, 5);
    ck_assert_uint_eq(buffer.size, 0);
    buffer_release(&buffer);
}
END_TEST

START_TEST(printf_grows_as_needed)
{
    struct buffer buffer = { 0 };
    char text[500];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    buffer_printf(&buffer, "%s=%d;", "a", 1);
    buffer_printf(&buffer, "%s", text);
    buffer_printf(&buffer, "%s", "");
    ck_assert_uint_eq(buffer.size, 4 + 499);
    ck_assert_mem_eq(buffer.bytes, "a=1;xxx", 7);
    for (int i = 0; i < 200; i++)    /* each fill of the room, to the last byte */
        buffer_printf(&buffer, "%d", i % 10);
    ck_assert_uint_eq(buffer.size, 4 + 499 + 200);
    ck_assert_uint_eq(buffer.bytes[buffer.size - 1], '9');
    buffer_release(&buffer);
}
END_TEST

START_TEST(detached_bytes_are_the_callers)
{
    struct buffer buffer = { 0 };
    buffer_append_string(&buffer, "mine");
    char *mine = buffer_detach(&buffer);
    ck_assert_str_eq(mine, "mine");
    ck_assert_ptr_null(buffer.bytes);
    memory_free(mine);
}
END_TEST

static Suite *buffer_suite(void)
{
    Suite *suite = suite_create("buffer");
    TCase *tcase = tcase_create("buffer");
    tcase_add_test(tcase, a_zeroed_buffer_is_an_empty_one);
    tcase_add_test(tcase, what_is_appended_stands_in_order);
    tcase_add_test(tcase, printf_grows_as_needed);
    tcase_add_test(tcase, detached_bytes_are_the_callers);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(buffer_suite)
