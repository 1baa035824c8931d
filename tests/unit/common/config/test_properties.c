/* test_properties.c - what java.util.Properties reads from the same bytes, checked against it; and what is ours. */
#include "common/config/properties.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const struct {
    const char *fact, *text;
    const char *entries;    /* "key|value;" in order */
} vectors[] = {
    {"nothing is nothing", "", ""},
    {"blank lines and comments are nothing", "\n \t\f\n# a=b\n  ! c=d\r\n", ""},
    {"a key ends at =", "a=b", "a|b;"},
    {"or at a colon", "a:b", "a|b;"},
    {"or at white space", "a b", "a|b;"},
    {"one separator among white space is dropped", "a \t=\f b ", "a|b ;"},
    {"a second one is of the value", "a = = b", "a|= b;"},
    {"a colon behind = too", "a=:b", "a|:b;"},
    {"no separator, no value", "a", "a|;"},
    {"no key at all", "=b", "|b;"},
    {"white space before a key is dropped", "  a=b", "a|b;"},
    {"all ends of lines are one", "a=1\nb=2\rc=3\r\nd=4", "a|1;b|2;c|3;d|4;"},
    {"a comment sign inside is none", "a=b # c\nd#=e", "a|b # c;d#|e;"},
    {"a line goes on behind a backslash", "a=b\\\n   c", "a|bc;"},
    {"behind two it does not", "a=b\\\\\n   c", "a|b\\;c|;"},
    {"a key goes on as well", "a\\\n  b = c", "ab|c;"},
    {"the next line may look like a comment", "a=b\\\n  #c", "a|b#c;"},
    {"a blank line ends it", "a=b\\\n\n  c=d", "a|b;c|d;"},
    {"a comment never goes on", "# a\\\nb=c", "b|c;"},
    {"a backslash alone, and a comment behind it", "\\\n#b=c\nd=e", "d|e;"},
    {"a backslash at the end is dropped", "a=b\\", "a|b;"},
    {"a backslash alone at the end is an empty key", "\\", "|;"},
    {"escapes", "a=\\t\\n\\r\\f\\\\", "a|\t\n\r\f\\;"},
    {"a backslash before anything else is dropped", "a=\\x\\y\\\"\\ z", "a|xy\" z;"},
    {"separators can be escaped", "a\\=b\\:c\\ d=e", "a=b:c d|e;"},
    {"a unit is four digits", "\\u0041=\\u00e9\\u20AC", "A|\xc3\xa9\xe2\x82\xac;"},
    {"two units are one character", "a=\\uD83D\\uDE00", "a|\xf0\x9f\x98\x80;"},
    {"half a character is replaced", "a=\\uD83D.\\uDE00", "a|\xef\xbf\xbd.\xef\xbf\xbd;"},
    {"a byte that is no UTF-8 is Latin-1", "a=\xe9.", "a|\xc3\xa9.;"},
    {"UTF-8 is taken as such, other than in Java", "a=\xc3\xa9\xe2\x82\xac", "a|\xc3\xa9\xe2\x82\xac;"},
    {"the last of two values, in the place of the first", "a=1\nb=2\na=3", "a|3;b|2;"},
    {"sequences as of Windows", "dataDir=C:\\\\zk\\\\data\r\nclientPort=2181\r\n",
     "dataDir|C:\\zk\\data;clientPort|2181;"},
};
START_TEST(a_text_is_read_as_in_java)
{
    struct properties properties = {0};
    struct buffer entries = {0};
    const char *text = vectors[_i].text;
    ck_assert_int_eq(properties_parse(&properties, "zoo.cfg", text, strlen(text), NULL), ZK_OK);
    for (size_t i = 0; i < properties.count; i++)
        buffer_printf(&entries, "%s|%s;", properties.items[i].key, properties.items[i].value);
    ck_assert_msg(strcmp(buffer_string(&entries), vectors[_i].entries) == 0, "%s: %s", vectors[_i].fact,
                  buffer_string(&entries));
    buffer_release(&entries);
    properties_release(&properties);
}
END_TEST

static const struct {
    const char *text;
    size_t size;
    const char *sentence;
} refused[] = {
    {"a=b\nc=\\u12", 10, "zoo.cfg:2: malformed \\uXXXX, four hexadecimal digits belong there"},
    {"a=b\n\nc\\u12g4=", 14, "zoo.cfg:3: malformed \\uXXXX, four hexadecimal digits belong there"},
    {"a=b\\\n c\0d", 9, "zoo.cfg:1: a null character cannot stand here"},
    {"a=\\u0000", 8, "zoo.cfg:1: a null character cannot stand here"},
    {"a=\\\0", 4, "zoo.cfg:1: a null character cannot stand here"},
};
START_TEST(what_cannot_be_read_names_its_line)
{
    struct properties properties = {0};
    struct error error = {0};
    ck_assert_int_eq(properties_parse(&properties, "zoo.cfg", refused[_i].text, refused[_i].size, &error),
                     ZK_BAD_CONFIG);
    ck_assert_str_eq(error.text, refused[_i].sentence);
    ck_assert_uint_eq(properties.count, 0);
    properties_release(&properties);
}
END_TEST

START_TEST(each_entry_knows_its_line)
{
    static const char text[] = "# first\na=1\r\n\r\nb=2\\\n  3\nc=4";
    struct properties properties = {0};
    ck_assert_int_eq(properties_parse(&properties, "x", text, strlen(text), NULL), ZK_OK);
    ck_assert_int_eq(properties_find(&properties, "a")->line, 2);
    ck_assert_int_eq(properties_find(&properties, "b")->line, 4);
    ck_assert_int_eq(properties_find(&properties, "c")->line, 6);
    properties_release(&properties);
}
END_TEST

START_TEST(entries_are_set_found_and_removed)
{
    struct properties properties = {0};
    char key[16];
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof(key), "key%d", i);
        properties_set(&properties, key, "old", i);
        properties_set(&properties, key, key, i);
    }
    ck_assert_uint_eq(properties.count, 100);
    ck_assert_str_eq(properties_get(&properties, "key42"), "key42");
    properties_set(&properties, "key42", properties_get(&properties, "key42"), 0);    /* its own value */
    ck_assert_str_eq(properties_get(&properties, "key42"), "key42");
    properties_remove(&properties, "key42");
    properties_remove(&properties, "key42");
    ck_assert_ptr_null(properties_get(&properties, "key42"));
    ck_assert_str_eq(properties.items[42].key, "key43");
    ck_assert_uint_eq(properties.count, 99);
    properties_release(&properties);
}
END_TEST

START_TEST(an_empty_text_may_be_null)
{
    struct properties properties = {0};
    ck_assert_int_eq(properties_parse(&properties, "x", NULL, 0, NULL), ZK_OK);
    ck_assert_uint_eq(properties.count, 0);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_not_found)
{
    struct properties properties = {0};
    struct error error = {0};
    ck_assert_int_eq(properties_load(&properties, "/nonexistent/zoo.cfg", &error), ZK_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(error.text, "/nonexistent/zoo.cfg"));
}
END_TEST

static Suite *properties_suite(void)
{
    Suite *suite = suite_create("properties");
    TCase *tcase = tcase_create("properties");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_text_is_read_as_in_java, 0, (int)ARRAY_SIZE(vectors));
    tcase_add_loop_test(tcase, what_cannot_be_read_names_its_line, 0, (int)ARRAY_SIZE(refused));
    tcase_add_test(tcase, each_entry_knows_its_line);
    tcase_add_test(tcase, entries_are_set_found_and_removed);
    tcase_add_test(tcase, an_empty_text_may_be_null);
    tcase_add_test(tcase, a_file_that_is_not_there_is_not_found);
    return suite;
}

CHECK_MAIN(properties_suite)
