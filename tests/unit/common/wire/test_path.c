/* test_path.c - which paths are good, as PathUtils of the reference server judges them, and the parts of a path. */
#include "common/wire/path.h"

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

/* What Java says: is it good for a plain node, for a sequential one. */
static const struct {
    const char *text;
    int32_t size;
    bool is_good, is_good_sequential;
} verdicts[] = {
    {"", 0, false, false},
    {"/", 1, true, true},
    {"a", 1, false, false},
    {"/a", 2, true, true},
    {"/a/", 3, false, true},
    {"/a/b", 4, true, true},
    {"//", 2, false, false},
    {"/a//b", 5, false, false},
    {"/.", 2, false, true},
    {"/..", 3, false, true},
    {"/./a", 4, false, false},
    {"/../a", 5, false, false},
    {"/a/.", 4, false, true},
    {"/a/..", 5, false, true},
    {"/a/./b", 6, false, false},
    {"/a/../b", 7, false, false},
    {"/a/...", 6, true, true},
    {"/a/.b", 5, true, true},
    {"/a/..b", 6, true, true},
    {"/a/b.", 5, true, true},
    {"/a/b..", 6, true, true},
    {"/a..b", 5, true, true},
    {"/.a", 3, true, true},
    {"/...", 4, true, true},
    {"/ ", 2, true, true},
    {"/a b", 4, true, true},
    {"/a/.../b", 8, true, true},
    {"a/b", 3, false, false},
    {"/a//", 4, false, false},
    {"/a/./", 5, false, false},
    {"/a/../", 6, false, false},
    {"/.../", 5, false, true},
    {"/a/. /b", 7, true, true},
    {"/x\x00y", 4, false, false},
    {"/x\x01y", 4, false, false},
    {"/x\x1fy", 4, false, false},
    {"/x y", 4, true, true},
    {"/x~y", 4, true, true},
    {"/x\x7fy", 4, false, false},
    {"/x\xc2\x9fy", 5, false, false},
    {"/x\xc2\xa0y", 5, true, true},
    {"/x\xed\x9f\xbfy", 6, true, true},
    {"/x\xef\xa3\xbfy", 6, false, false},
    {"/x\xee\x80\x80y", 6, false, false},
    {"/x\xef\xa4\x80y", 6, true, true},
    {"/x\xef\xbf\xafy", 6, true, true},
    {"/x\xef\xbf\xb0y", 6, false, false},
    {"/x\xef\xbf\xbdy", 6, false, false},
    {"/x\xef\xbf\xbfy", 6, false, false},
    {"/x\xf0\x90\x80\x80y", 7, false, false},
    {"/x\xf0\x9f\x98\x80y", 7, false, false},
    {"/x\xf4\x8f\xbf\xbfy", 7, false, false},
    {"/x\xe2\x82\xacy", 6, true, true},
    {"/\xc3\xa9/.", 5, false, true},
    {"/\xe2\x82\xac//x", 7, false, false},
};
START_TEST(a_path_is_judged_as_in_java)
{
    const struct ustring path = {verdicts[_i].text, verdicts[_i].size};
    struct error error = {0};
    int err = path_validate(path, false, &error);
    ck_assert_msg((err == ZK_OK) == verdicts[_i].is_good, "row %d, \"%s\": %s", _i, path.bytes, error.text);
    ck_assert(err == ZK_OK || err == ZK_BAD_ARGUMENTS);
    err = path_validate(path, true, NULL);
    ck_assert_msg((err == ZK_OK) == verdicts[_i].is_good_sequential, "row %d, \"%s\", sequential", _i, path.bytes);
}
END_TEST

START_TEST(a_null_path_is_bad)
{
    ck_assert_int_eq(path_validate(USTRING_NULL, false, NULL), ZK_BAD_ARGUMENTS);
    ck_assert_int_eq(path_validate(USTRING_NULL, true, NULL), ZK_BAD_ARGUMENTS);
}
END_TEST

static const struct {
    const char *path, *sentence;
} sentences[] = {
    {"", "path cannot be empty"},
    {"a", "path must start with / character: \"a\""},
    {"/a/", "path must not end with / character: \"/a/\""},
    {"/a//b", "path \"/a//b\" has an empty node name @3"},
    {"/a/../b", "path \"/a/../b\" is relative, a node name may not be . or .. @4"},
    {"/a/.", "path \"/a/.\" is relative, a node name may not be . or .. @3"},
    {"/\xe2\x82\xac\x01", "path \"/\xe2\x82\xac\x01\" contains a character that is not allowed @2"},
};
START_TEST(a_bad_path_is_told_why_and_where)
{
    struct error error = {0};
    ck_assert_int_eq(path_validate(ustring_of(sentences[_i].path), false, &error), ZK_BAD_ARGUMENTS);
    ck_assert_str_eq(error.text, sentences[_i].sentence);
}
END_TEST

START_TEST(a_path_splits_at_its_last_slash)
{
    struct ustring parent, name;
    ck_assert(path_split(ustring_of("/a/bc"), &parent, &name));
    ck_assert(ustring_is(parent, "/a") && ustring_is(name, "bc"));
    ck_assert(path_split(ustring_of("/a"), &parent, &name));
    ck_assert(ustring_is(parent, "") && ustring_is(name, "a"));
    ck_assert(path_split(ustring_of("/"), &parent, &name));
    ck_assert(ustring_is(parent, "") && ustring_is(name, ""));
    ck_assert(!path_split(ustring_of("a"), &parent, &name));
    ck_assert(!path_split(ustring_of(""), &parent, &name));
    ck_assert(!path_split(USTRING_NULL, &parent, &name));
}
END_TEST

START_TEST(ancestors_end_at_the_root)
{
    struct ustring path = ustring_of("/a/bc/d");
    ck_assert(path_parent(path, &path) && ustring_is(path, "/a/bc"));
    ck_assert(path_parent(path, &path) && ustring_is(path, "/a"));
    ck_assert(path_parent(path, &path) && ustring_is(path, "/"));
    ck_assert(!path_parent(path, &path));
    ck_assert(!path_parent(ustring_of("a"), &path));
    ck_assert(!path_parent(USTRING_NULL, &path));
}
END_TEST

START_TEST(a_prefix_is_of_text)
{
    ck_assert(path_starts_with(ustring_of("/zookeeper/quota"), "/zookeeper"));
    ck_assert(path_starts_with(ustring_of("/zookeeper"), "/zookeeper"));
    ck_assert(!path_starts_with(ustring_of("/zookeepe"), "/zookeeper"));
    ck_assert(!path_starts_with(USTRING_NULL, ""));
}
END_TEST

static Suite *path_suite(void)
{
    Suite *suite = suite_create("path");
    TCase *tcase = tcase_create("path");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_path_is_judged_as_in_java, 0, (int)ARRAY_SIZE(verdicts));
    tcase_add_test(tcase, a_null_path_is_bad);
    tcase_add_loop_test(tcase, a_bad_path_is_told_why_and_where, 0, (int)ARRAY_SIZE(sentences));
    tcase_add_test(tcase, a_path_splits_at_its_last_slash);
    tcase_add_test(tcase, ancestors_end_at_the_root);
    tcase_add_test(tcase, a_prefix_is_of_text);
    return suite;
}

CHECK_MAIN(path_suite)
