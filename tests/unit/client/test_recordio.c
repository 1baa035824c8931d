/* test_recordio.c - primitives in archives of bytes: what they look like, and lengths that cannot be. */
#include <errno.h>
#include <string.h>

#include "client/public.h"
#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static struct oarchive *out;

static void set_up(void)
{
    out = create_buffer_oarchive();
}

static void tear_down(void)
{
    close_buffer_oarchive(&out, 1);
    ck_assert_ptr_null(out);
}

#define ASSERT_WRITTEN(bytes_) \
    do { \
        ck_assert_int_eq(get_buffer_len(out), (int)sizeof(bytes_) - 1); \
        ck_assert_mem_eq(get_buffer(out), bytes_, sizeof(bytes_) - 1); \
    } while (0)

START_TEST(numbers_are_big_endian)
{
    int32_t number = -2, yes = 7, no = 0;
    int64_t big = INT64_C(0x0102030405060708);
    ck_assert_int_eq(out->start_record(out, "record"), 0);
    ck_assert_int_eq(out->serialize_Int(out, "int", &number), 0);
    ck_assert_int_eq(out->serialize_Long(out, "long", &big), 0);
    ck_assert_int_eq(out->serialize_Bool(out, "yes", &yes), 0);
    ck_assert_int_eq(out->serialize_Bool(out, "no", &no), 0);
    ck_assert_int_eq(out->start_vector(out, "vector", &yes), 0);
    ck_assert_int_eq(out->end_vector(out, "vector"), 0);
    ck_assert_int_eq(out->end_record(out, "record"), 0);
    ASSERT_WRITTEN("\xff\xff\xff\xfe\1\2\3\4\5\6\7\10\1\0\0\0\0\7");

    struct iarchive *in = create_buffer_iarchive(get_buffer(out), get_buffer_len(out));
    int32_t read;
    int64_t read_big;
    ck_assert_int_eq(in->deserialize_Int(in, "int", &read), 0);
    ck_assert_int_eq(read, -2);
    ck_assert_int_eq(in->deserialize_Long(in, "long", &read_big), 0);
    ck_assert_int_eq(read_big, big);
    ck_assert_int_eq(in->deserialize_Bool(in, "yes", &read), 0);
    ck_assert_int_eq(read, 1);
    ck_assert_int_eq(in->deserialize_Bool(in, "no", &read), 0);
    ck_assert_int_eq(read, 0);
    ck_assert_int_eq(in->start_vector(in, "vector", &read), 0);
    ck_assert_int_eq(read, 7);
    ck_assert_int_eq(in->deserialize_Bool(in, "end", &read), -E2BIG);
    ck_assert_int_eq(in->deserialize_Int(in, "end", &read), -E2BIG);
    ck_assert_int_eq(in->deserialize_Long(in, "end", &read_big), -E2BIG);
    close_buffer_iarchive(&in);
    ck_assert_ptr_null(in);
}
END_TEST

START_TEST(texts_and_bytes_stand_behind_their_length)
{
    char *text = (char *)"abc", *none = NULL;
    struct recordio_buffer bytes = { 2, (char *)"\0\377" }, null = { -1, NULL }, empty = { 0, NULL };
    ck_assert_int_eq(out->serialize_String(out, "text", &text), 0);
    ck_assert_int_eq(out->serialize_String(out, "none", &none), 0);
    ck_assert_int_eq(out->serialize_Buffer(out, "bytes", &bytes), 0);
    ck_assert_int_eq(out->serialize_Buffer(out, "null", &null), 0);
    ck_assert_int_eq(out->serialize_Buffer(out, "NULL", NULL), 0);
    ck_assert_int_eq(out->serialize_Buffer(out, "empty", &empty), 0);
    ASSERT_WRITTEN("\0\0\0\3abc\xff\xff\xff\xff\0\0\0\2\0\377\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0");
}
END_TEST

START_TEST(a_buffer_with_a_length_that_cannot_be_is_not_written)
{
    struct recordio_buffer bytes = { -2, (char *)"abc" };
    ck_assert_int_eq(out->serialize_Buffer(out, "bytes", &bytes), -EINVAL);
    ck_assert_int_eq(get_buffer_len(out), 0);
}
END_TEST

START_TEST(an_archive_grows)
{
    char *text = memory_alloc(100001);
    memset(text, 'x', 100000);
    text[100000] = '\0';
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(out->serialize_String(out, "text", &text), 0);
    ck_assert_int_eq(get_buffer_len(out), 10 * 100004);
    ck_assert_mem_eq(get_buffer(out) + 9 * 100004, "\0\1\x86\xa0xxx", 7);
    memory_free(text);
}
END_TEST

START_TEST(bytes_may_outlive_their_archive)
{
    int32_t number = 1;
    struct oarchive *archive = create_buffer_oarchive();
    archive->serialize_Int(archive, "int", &number);
    char *bytes = get_buffer(archive);
    close_buffer_oarchive(&archive, 0);
    ck_assert_mem_eq(bytes, "\0\0\0\1", 4);
    free(bytes);
}
END_TEST

static const struct {
    const char *fact;
    const char *bytes;
    int size;
    int string_rc, buffer_rc;
    int32_t length;
} lengths[] = {
    { "bytes as many as the length",       "\0\0\0\3abc", 7, 0, 0, 3 },
    { "none, and not null",                "\0\0\0\0", 4, 0, 0, 0 },
    { "null, which only a buffer may be",  "\xff\xff\xff\xff", 4, -EINVAL, 0, -1 },
    { "-2",                                "\xff\xff\xff\xfe", 4, -EINVAL, -EINVAL, 0 },
    { "the smallest number",               "\x80\0\0\0", 4, -EINVAL, -EINVAL, 0 },
    { "the largest number",                "\x7f\xff\xff\xff", 4, -E2BIG, -E2BIG, 0 },
    { "one byte too few",                  "\0\0\0\3ab", 6, -E2BIG, -E2BIG, 0 },
    { "a length that ends early",          "\0\0\0", 3, -E2BIG, -E2BIG, 0 },
    { "no bytes at all",                   "", 0, -E2BIG, -E2BIG, 0 },
    { "fewer than no bytes",               "\0\0\0\0", -1, -E2BIG, -E2BIG, 0 },
};
START_TEST(a_length_is_held_against_the_bytes_left)
{
    char *copy = memory_copy(lengths[_i].bytes, lengths[_i].size > 0 ? (size_t)lengths[_i].size : 0);
    char *text = (char *)"untouched";
    struct recordio_buffer bytes = { 99, (char *)"untouched" };
    struct iarchive *in = create_buffer_iarchive(copy, lengths[_i].size);
    ck_assert_msg(in->deserialize_String(in, "text", &text) == lengths[_i].string_rc, "%s", lengths[_i].fact);
    close_buffer_iarchive(&in);
    in = create_buffer_iarchive(copy, lengths[_i].size);
    ck_assert_msg(in->deserialize_Buffer(in, "bytes", &bytes) == lengths[_i].buffer_rc, "%s", lengths[_i].fact);
    close_buffer_iarchive(&in);

    ck_assert_int_eq(bytes.len, lengths[_i].length);
    if (lengths[_i].string_rc == 0) {
        ck_assert_uint_eq(strlen(text), (size_t)lengths[_i].length);
        ck_assert_mem_eq(bytes.buff, text, (size_t)lengths[_i].length + 1);
    } else {
        ck_assert_ptr_null(text);
        ck_assert_ptr_null(bytes.buff);
    }
    deallocate_String(&text);
    deallocate_Buffer(&bytes);
    deallocate_String(&text);
    deallocate_Buffer(&bytes);
    ck_assert_ptr_null(text);
    ck_assert_ptr_null(bytes.buff);
    memory_free(copy);
}
END_TEST

START_TEST(a_vector_of_any_kind_is_not_freed)
{
    char untouched[] = "untouched";
    deallocate_vector(untouched);
    deallocate_vector(NULL);
    ck_assert_str_eq(untouched, "untouched");
}
END_TEST

START_TEST(network_order_is_its_own_inverse)
{
    int64_t number = INT64_C(-72623859790382856);
    int64_t wire = zoo_htonll(number);
    ck_assert_mem_eq(&wire, "\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf8", 8);
    ck_assert_int_eq(zoo_htonll(wire), number);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("client/recordio");
    TCase *tcase = tcase_create("writing");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, numbers_are_big_endian);
    tcase_add_test(tcase, texts_and_bytes_stand_behind_their_length);
    tcase_add_test(tcase, a_buffer_with_a_length_that_cannot_be_is_not_written);
    tcase_add_test(tcase, an_archive_grows);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("reading");
    tcase_add_test(tcase, bytes_may_outlive_their_archive);
    tcase_add_loop_test(tcase, a_length_is_held_against_the_bytes_left, 0, ARRAY_SIZE(lengths));
    tcase_add_test(tcase, a_vector_of_any_kind_is_not_freed);
    tcase_add_test(tcase, network_order_is_its_own_inverse);
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
