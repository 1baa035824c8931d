/* test_jute.c - lengths that cannot be, counts that lie, and what Java does to text. */
#include "common/wire/jute.h"

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static struct arena arena;

static void set_up(void)
{
    arena_init(&arena, NULL, 0);
}

static void tear_down(void)
{
    arena_release(&arena);
}

static struct jute_reader reader_of(const char *bytes, size_t size)
{
    struct jute_reader reader;
    jute_reader_init(&reader, bytes, size, &arena);
    return reader;
}
#define READER_OF(bytes) reader_of(bytes, sizeof(bytes) - 1)

START_TEST(a_boolean_is_true_unless_zero)
{
    struct jute_reader reader = READER_OF("\x00\x01\x02\xff");
    ck_assert(!jute_read_boolean(&reader));
    ck_assert(jute_read_boolean(&reader));
    ck_assert(jute_read_boolean(&reader));
    ck_assert(jute_read_boolean(&reader));
    ck_assert_int_eq(jute_error(&reader), ZK_OK);
}
END_TEST

static const struct {
    const char *fact;
    const char *bytes;
    size_t size;
    int32_t limit;
    int error;
    int32_t length;
} lengths[] = {
    {"-1 is null", "\xff\xff\xff\xff", 4, 10, ZK_OK, -1},
    {"0 is empty", "\0\0\0\0", 4, 10, ZK_OK, 0},
    {"as long as the limit is fine", "\0\0\0\3abc", 7, 3, ZK_OK, 3},
    {"longer than the limit cannot be", "\0\0\0\4abcd", 8, 3, ZK_MARSHALLING_ERROR, -1},
    {"longer than the limit is told before the bytes run out", "\x7f\xff\xff\xff", 4, 3, ZK_MARSHALLING_ERROR, -1},
    {"-2 cannot be", "\xff\xff\xff\xfe", 4, 10, ZK_MARSHALLING_ERROR, -1},
    {"the smallest number cannot be", "\x80\0\0\0", 4, 10, ZK_MARSHALLING_ERROR, -1},
    {"a length that ends early is the end", "\0\0\0", 3, 10, ZK_EOF, -1},
    {"bytes that end early are the end", "\0\0\0\3ab", 6, 10, ZK_EOF, -1},
};
START_TEST(a_length_is_held_against_limit_and_bytes)
{
    struct jute_reader reader = reader_of(lengths[_i].bytes, lengths[_i].size);
    reader.limit = lengths[_i].limit;
    ck_assert_msg(jute_read_ustring(&reader).size == lengths[_i].length, "%s", lengths[_i].fact);
    ck_assert_msg(jute_error(&reader) == lengths[_i].error, "%s", lengths[_i].fact);
    reader = reader_of(lengths[_i].bytes, lengths[_i].size);
    reader.limit = lengths[_i].limit;
    ck_assert_msg(jute_read_buffer(&reader).size == lengths[_i].length, "%s", lengths[_i].fact);
    ck_assert_msg(jute_error(&reader) == lengths[_i].error, "%s", lengths[_i].fact);
}
END_TEST

START_TEST(the_first_error_stays_and_the_rest_is_zero)
{
    struct jute_reader reader = READER_OF("\xff\xff\xff\xfe\x01\x02\x03\x04");
    jute_read_buffer(&reader);
    ck_assert_int_eq(jute_read_int32(&reader), 0);
    ck_assert_int_eq(jute_read_int64(&reader), 0);
    ck_assert_int_eq(jute_read_byte(&reader), 0);
    ck_assert_int_eq(jute_read_count(&reader, 4), 0);
    ck_assert_int_eq(jute_read_ustring_vector(&reader).count, 0);
    ck_assert_int_eq(jute_error(&reader), ZK_MARSHALLING_ERROR);
    ck_assert_uint_eq(jute_left(&reader), 0);
}
END_TEST

static const struct {
    const char *fact;
    const char *bytes;
    size_t size;
    int error;
    int32_t count;
} counts[] = {
    {"-1 is null", "\xff\xff\xff\xff", 4, ZK_OK, -1},
    {"any other negative count is none, as in Java", "\xff\xff\xff\xfe", 4, ZK_OK, 0},
    {"the smallest number too", "\x80\0\0\0", 4, ZK_OK, 0},
    {"one that fits", "\0\0\0\1\0\0\0\1x", 9, ZK_OK, 1},
    {"more than the bytes can hold", "\0\0\0\2\0\0\0\0\0\0\0", 11, ZK_EOF, 0},
    {"far more than there can be", "\x7f\xff\xff\xff\0\0\0\0", 8, ZK_EOF, 0},
};
START_TEST(a_count_is_held_against_the_bytes)
{
    struct jute_reader reader = reader_of(counts[_i].bytes, counts[_i].size);
    struct ustring_vector vector = jute_read_ustring_vector(&reader);
    ck_assert_msg(vector.count == counts[_i].count, "%s: %d", counts[_i].fact, vector.count);
    ck_assert_msg(jute_error(&reader) == counts[_i].error, "%s", counts[_i].fact);
}
END_TEST

/* From BinaryInputArchive and BinaryOutputArchive: what comes back when a text is read and written again. */
static const struct {
    const char *fact, *read, *written;
} texts[] = {
    {"ASCII stays", "/a/b/c/d/e/f/g", "/a/b/c/d/e/f/g"},
    {"two and three bytes stay", "0123456\xc3\xa9\xe2\x82\xac", "0123456\xc3\xa9\xe2\x82\xac"},
    {"four bytes become two surrogates", "/\xf0\x9f\x98\x80\xc3\xa9", "/\xed\xa0\xbd\xed\xb8\x80\xc3\xa9"},
    {"a stray byte is replaced", "\xff", "\xef\xbf\xbd"},
    {"a character cut short is replaced", "a\xc3", "a\xef\xbf\xbd"},
    {"a surrogate is one replacement", "\xed\xa0\x80", "\xef\xbf\xbd"},
    {"four bytes cut short are one replacement", "\xf0\x9f\x98", "\xef\xbf\xbd"},
    {"an overlong form is one for each byte", "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
};
START_TEST(text_goes_through_as_in_java)
{
    struct buffer in = {0}, out = {0};
    jute_write_int32(&in, (int32_t)strlen(texts[_i].read));
    buffer_append_string(&in, texts[_i].read);
    struct jute_reader reader = reader_of((const char *)in.bytes, in.size);
    jute_write_ustring(&out, jute_read_ustring(&reader));
    ck_assert_int_eq(jute_error(&reader), ZK_OK);
    ck_assert_msg(load_be32(out.bytes) == strlen(texts[_i].written), "%s", texts[_i].fact);
    ck_assert_msg(strcmp(buffer_string(&out) + 4, texts[_i].written) == 0, "%s", texts[_i].fact);
    buffer_release(&in);
    buffer_release(&out);
}
END_TEST

START_TEST(numbers_are_big_endian)
{
    struct buffer out = {0};
    jute_write_int32(&out, -2);
    jute_write_int64(&out, INT64_C(0x0102030405060708));
    jute_write_byte(&out, -3);
    jute_write_boolean(&out, true);
    jute_write_string(&out, NULL);
    jute_write_string(&out, "z");
    static const char expected[] = "\xff\xff\xff\xfe\1\2\3\4\5\6\7\x08\xfd\1\xff\xff\xff\xff\0\0\0\1z";
    ck_assert_uint_eq(out.size, sizeof(expected) - 1);
    ck_assert_mem_eq(out.bytes, expected, out.size);
    struct jute_reader reader = reader_of((const char *)out.bytes, out.size);
    ck_assert_int_eq(jute_read_int32(&reader), -2);
    ck_assert_int_eq(jute_read_int64(&reader), INT64_C(0x0102030405060708));
    ck_assert_int_eq(jute_read_byte(&reader), -3);
    ck_assert(jute_read_boolean(&reader));
    ck_assert_int_eq(jute_read_ustring(&reader).size, -1);
    ck_assert(ustring_is(jute_read_ustring(&reader), "z"));
    ck_assert_int_eq(jute_error(&reader), ZK_OK);
    buffer_release(&out);
}
END_TEST

START_TEST(no_bytes_at_all_are_fine)
{
    struct jute_reader reader = reader_of(NULL, 0);
    ck_assert_int_eq(jute_error(&reader), ZK_OK);
    jute_read_byte(&reader);
    ck_assert_int_eq(jute_error(&reader), ZK_EOF);
}
END_TEST

static Suite *jute_suite(void)
{
    Suite *suite = suite_create("jute");
    TCase *tcase = tcase_create("jute");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_boolean_is_true_unless_zero);
    tcase_add_loop_test(tcase, a_length_is_held_against_limit_and_bytes, 0, (int)ARRAY_SIZE(lengths));
    tcase_add_test(tcase, the_first_error_stays_and_the_rest_is_zero);
    tcase_add_loop_test(tcase, a_count_is_held_against_the_bytes, 0, (int)ARRAY_SIZE(counts));
    tcase_add_loop_test(tcase, text_goes_through_as_in_java, 0, (int)ARRAY_SIZE(texts));
    tcase_add_test(tcase, numbers_are_big_endian);
    tcase_add_test(tcase, no_bytes_at_all_are_fine);
    return suite;
}

CHECK_MAIN(jute_suite)
