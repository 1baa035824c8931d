/* test_strings.c - strings of C and of Java. The vectors of Java were made with JDK 17. */
#include "common/base/strings.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static uint8_t hex_digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static size_t from_hex(const char *hex, char *bytes)
{
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    return size;
}

/* Bytes, and what new String(bytes, UTF_8).getBytes(UTF_8) makes of them. */
static const struct { const char *bytes, *repaired; } repairs[] = {
    { "", "" },
    { "616263", "616263" },
    { "c3a9", "c3a9" },
    { "e282ac", "e282ac" },
    { "f09f9880", "f09f9880" },
    { "80", "efbfbd" },
    { "bf41", "efbfbd41" },
    { "c0af", "efbfbdefbfbd" },
    { "c1", "efbfbd" },
    { "c241", "efbfbd41" },
    { "c2", "efbfbd" },
    { "df", "efbfbd" },
    { "e0", "efbfbd" },
    { "e080", "efbfbdefbfbd" },
    { "e08080", "efbfbdefbfbdefbfbd" },
    { "e0a0", "efbfbd" },
    { "e0a041", "efbfbd41" },
    { "e1", "efbfbd" },
    { "e180", "efbfbd" },
    { "e18041", "efbfbd41" },
    { "e141", "efbfbd41" },
    { "eda080", "efbfbd" },
    { "eda0", "efbfbd" },
    { "eda041", "efbfbd41" },
    { "edbfbf41", "efbfbd41" },
    { "ee8080", "ee8080" },
    { "efbfbd", "efbfbd" },
    { "efbfbf", "efbfbf" },
    { "f0", "efbfbd" },
    { "f080", "efbfbdefbfbd" },
    { "f08080", "efbfbdefbfbdefbfbd" },
    { "f0808080", "efbfbdefbfbdefbfbdefbfbd" },
    { "f08fbfbf", "efbfbdefbfbdefbfbdefbfbd" },
    { "f090", "efbfbd" },
    { "f09080", "efbfbd" },
    { "f0908041", "efbfbd41" },
    { "f09041", "efbfbd41" },
    { "f041", "efbfbd41" },
    { "f0908080", "f0908080" },
    { "f48fbfbf", "f48fbfbf" },
    { "f4908080", "efbfbdefbfbdefbfbdefbfbd" },
    { "f490", "efbfbdefbfbd" },
    { "f48f", "efbfbd" },
    { "f48fbf41", "efbfbd41" },
    { "f5808080", "efbfbdefbfbdefbfbdefbfbd" },
    { "f5", "efbfbd" },
    { "f541", "efbfbd41" },
    { "f8888080", "efbfbdefbfbdefbfbdefbfbd" },
    { "fe", "efbfbd" },
    { "ff", "efbfbd" },
    { "fffe", "efbfbdefbfbd" },
    { "61ff62c361e28261f0909061", "61efbfbd62efbfbd61efbfbd61efbfbd61" },
    { "c3c3a9", "efbfbdc3a9" },
    { "e2e282ac", "efbfbde282ac" },
    { "f0f09f9880", "efbfbdf09f9880" },
    { "f1808080", "f1808080" },
    { "f18080c3", "efbfbdefbfbd" },
    { "e280f0", "efbfbdefbfbd" },
    { "c2e2f0", "efbfbdefbfbdefbfbd" },
    { "00", "00" },
    { "7f80c280", "7fefbfbdc280" },
    { "f4e28080", "efbfbde28080" },
    { "e0e28080", "efbfbde28080" },
};
START_TEST(utf8_is_repaired_as_java_does)
{
    char bytes[64];
    size_t size = from_hex(repairs[_i].bytes, bytes), repaired_size;
    struct arena arena = { 0 };
    char *repaired = utf8_repair(&arena, bytes, size, &repaired_size);
    char *hex = hex_encode(repaired, repaired_size);
    ck_assert_msg(strcmp(hex, repairs[_i].repaired) == 0, "%s became %s, not %s", repairs[_i].bytes, hex,
                  repairs[_i].repaired);
    ck_assert_int_eq(utf8_is_valid(bytes, size), strcmp(repairs[_i].bytes, repairs[_i].repaired) == 0);
    ck_assert(utf8_is_valid(repaired, repaired_size));
    memory_free(hex);
    arena_release(&arena);
}
END_TEST

static const struct { const char *text; int32_t hash; size_t length; } hashes[] = {
    { "", 0, 0 },
    { "a", 97, 1 },
    { "zookeeper", 1600681804, 9 },
    { "/zookeeper/quota", -1414033946, 16 },
    { "\xc3\xa9\xe2\x82\xac", 15587, 2 },
    { "\xf0\x9f\x98\x80 smile", -1559691765, 8 },
    { "the quick brown fox jumps over the lazy dog", -2082818701, 43 },
};
START_TEST(hash_and_length_are_those_of_java)
{
    ck_assert_int_eq(string_java_hash(hashes[_i].text, strlen(hashes[_i].text)), hashes[_i].hash);
    ck_assert_uint_eq(string_java_length(hashes[_i].text, strlen(hashes[_i].text)), hashes[_i].length);
}
END_TEST

static const struct { const char *text; int base; bool valid; int64_t value; } numbers[] = {
    { "0", 10, true, 0 },
    { "-1", 10, true, -1 },
    { "+7", 10, true, 7 },
    { "9223372036854775807", 10, true, INT64_MAX },
    { "-9223372036854775808", 10, true, INT64_MIN },
    { "100000001", 16, true, 0x100000001 },
    { "fFfF", 16, true, 0xffff },
    { "7fffffffffffffff", 16, true, INT64_MAX },
    { "9223372036854775808", 10, false, 0 },
    { "-9223372036854775809", 10, false, 0 },
    { "99999999999999999999999", 10, false, 0 },
    { "ffffffffffffffff", 16, false, 0 },
    { "", 10, false, 0 },
    { "-", 10, false, 0 },
    { "+-1", 10, false, 0 },
    { " 1", 10, false, 0 },
    { "1 ", 10, false, 0 },
    { "0x10", 16, false, 0 },
    { "12a", 10, false, 0 },
};
/* Wherever it stands among bytes that are looked at eight at a time. */
START_TEST(what_is_not_ascii_is_found_at_any_place)
{
    static const struct {
        const char *bytes;
        size_t length;
        bool is_valid;
    } others[] = {{"\xc3\xa9", 1, true}, {"\xf0\x9f\x98\x80", 2, true}, {"\x80", 1, false}, {"\xff", 1, false}};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        for (size_t before = 0; before < 20; before++) {
            for (size_t after = 0; after < 20; after++) {
                char text[64];
                size_t size = strlen(others[i].bytes);
                memset(text, 'a', sizeof(text));
                memcpy(text + before, others[i].bytes, size);
                size += before + after;
                ck_assert_uint_eq(string_java_length(text, size), before + others[i].length + after);
                ck_assert(utf8_is_valid(text, size) == others[i].is_valid);
            }
        }
    }
}
END_TEST

START_TEST(a_number_is_the_whole_text)
{
    int64_t value = 4711;
    ck_assert_int_eq(string_to_int64(numbers[_i].text, numbers[_i].base, &value), numbers[_i].valid);
    ck_assert_int_eq(value, numbers[_i].valid ? numbers[_i].value : 4711);
}
END_TEST

START_TEST(copies_and_formats)
{
    char *a = string_copy("abc"), *b = string_copy_n("abcdef", 3), *c = string_format("%s-%d", "x", 5);
    char *long_text = string_format("%0500d", 1);
    ck_assert_str_eq(a, "abc");
    ck_assert_str_eq(b, "abc");
    ck_assert_str_eq(c, "x-5");
    ck_assert_uint_eq(strlen(long_text), 500);
    memory_free(a);
    memory_free(b);
    memory_free(c);
    memory_free(long_text);
}
END_TEST

START_TEST(beginnings_and_ends)
{
    ck_assert(string_starts_with("log.1", "log."));
    ck_assert(!string_starts_with("lo", "log."));
    ck_assert(string_ends_with("log.1.tmp", ".tmp"));
    ck_assert(!string_ends_with("tmp", ".tmp"));
    ck_assert(string_ends_with("a", ""));
    ck_assert(string_equals_ignore_case("Warn", "wARN"));
    ck_assert(!string_equals_ignore_case("warn", "warning"));
    ck_assert(!string_equals_ignore_case("warning", "warn"));
}
END_TEST

START_TEST(trim_drops_all_up_to_space)
{
    char text[] = "\t \x01 a b \r\n", empty[] = " \t ", none[] = "";
    ck_assert_str_eq(string_trim(text), "a b");
    ck_assert_str_eq(string_trim(empty), "");
    ck_assert_str_eq(string_trim(none), "");
}
END_TEST

START_TEST(the_nearest_word_is_suggested)
{
    static const char *const words[] = { "tickTime", "initLimit", "syncLimit", "dataDir" };
    ck_assert_str_eq(string_nearest("tikTime", words, ARRAY_SIZE(words)), "tickTime");
    ck_assert_str_eq(string_nearest("SINCLIMIT", words, ARRAY_SIZE(words)), "syncLimit");
    ck_assert_ptr_null(string_nearest("autopurge", words, ARRAY_SIZE(words)));
    ck_assert_ptr_null(string_nearest("", words, ARRAY_SIZE(words)));
    ck_assert_ptr_null(string_nearest("tickTime", words, 0));
    ck_assert_uint_eq(string_distance("kitten", "sitting"), 3);
    ck_assert_uint_eq(string_distance("", "abc"), 3);
    ck_assert_uint_eq(string_distance("abc", ""), 3);
    ck_assert_uint_eq(string_distance("ABC", "abc"), 0);
}
END_TEST

START_TEST(bytes_compare_in_constant_time)
{
    ck_assert(bytes_equal_constant_time("abc", "abc", 3));
    ck_assert(!bytes_equal_constant_time("abc", "abd", 3));
    ck_assert(!bytes_equal_constant_time("xbc", "abc", 3));
    ck_assert(bytes_equal_constant_time("x", "y", 0));
}
END_TEST

static const struct { const char *text, *hex, *base64; } encodings[] = {    /* RFC 4648 */
    { "", "", "" },
    { "f", "66", "Zg==" },
    { "fo", "666f", "Zm8=" },
    { "foo", "666f6f", "Zm9v" },
    { "foob", "666f6f62", "Zm9vYg==" },
    { "\xff\xfe\xfd", "fffefd", "//79" },
};
START_TEST(bytes_are_encoded)
{
    char *hex = hex_encode(encodings[_i].text, strlen(encodings[_i].text));
    char *base64 = base64_encode(encodings[_i].text, strlen(encodings[_i].text));
    ck_assert_str_eq(hex, encodings[_i].hex);
    ck_assert_str_eq(base64, encodings[_i].base64);
    memory_free(hex);
    memory_free(base64);
}
END_TEST

static const struct {
    const char *smaller, *larger;
} java_orders[] = {
    {"", "a"}, {"a", "aa"}, {"AaBB", "BBAa"}, {"Z", "a"}, {"\xf0\x9f\x98\x80", "\xef\xbf\xad"},    /* U+1F600, U+FFED */
    {"\xed\x9f\xbf", "\xf0\x9f\x98\x80"},    /* U+D7FF */
    {"\xf0\x90\x80\x80", "\xf0\x9f\x98\x80"},
};

START_TEST(strings_compare_as_in_java)
{
    const char *smaller = java_orders[_i].smaller, *larger = java_orders[_i].larger;
    size_t smaller_size = strlen(smaller), larger_size = strlen(larger);
    ck_assert_int_lt(string_java_compare(smaller, smaller_size, larger, larger_size), 0);
    ck_assert_int_gt(string_java_compare(larger, larger_size, smaller, smaller_size), 0);
    ck_assert_int_eq(string_java_compare(larger, larger_size, larger, larger_size), 0);
}
END_TEST

static Suite *strings_suite(void)
{
    Suite *suite = suite_create("strings");
    TCase *tcase = tcase_create("strings");
    tcase_add_loop_test(tcase, utf8_is_repaired_as_java_does, 0, ARRAY_SIZE(repairs));
    tcase_add_loop_test(tcase, hash_and_length_are_those_of_java, 0, ARRAY_SIZE(hashes));
    tcase_add_test(tcase, what_is_not_ascii_is_found_at_any_place);
    tcase_add_loop_test(tcase, a_number_is_the_whole_text, 0, ARRAY_SIZE(numbers));
    tcase_add_test(tcase, copies_and_formats);
    tcase_add_test(tcase, beginnings_and_ends);
    tcase_add_test(tcase, trim_drops_all_up_to_space);
    tcase_add_test(tcase, the_nearest_word_is_suggested);
    tcase_add_test(tcase, bytes_compare_in_constant_time);
    tcase_add_loop_test(tcase, bytes_are_encoded, 0, ARRAY_SIZE(encodings));
    tcase_add_loop_test(tcase, strings_compare_as_in_java, 0, ARRAY_SIZE(java_orders));
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(strings_suite)
