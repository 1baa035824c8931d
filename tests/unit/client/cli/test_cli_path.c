/* What is wrong with a path. Sentences and positions are those of PathUtils. */
#include "client/cli/cli_path.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const struct { const char *path; bool is_sequential; const char *complaint; } paths[] = {
    { "/", false, NULL },
    { "/a/b.c/..d", false, NULL },
    { "/a-", true, NULL },
    { "/a/", true, NULL },
    { "/\xc3\xa4/\xe2\x82\xac", false, NULL },
    { "", false, "Path length must be > 0" },
    { "", true, "Path must start with / character" },
    { "a", false, "Path must start with / character" },
    { "/a/", false, "Path must not end with / character" },
    { "//a", false, "Invalid path string \"//a\" caused by empty node name specified @1" },
    { "/a//b", false, "Invalid path string \"/a//b\" caused by empty node name specified @3" },
    { "/./b", false, "Invalid path string \"/./b\" caused by relative paths not allowed @1" },
    { "/a/..", false, "Invalid path string \"/a/..\" caused by relative paths not allowed @4" },
    { "/a/.", true, NULL },
    { "/a\x01", false, "Invalid path string \"/a\x01\" caused by invalid character @2" },
    { "/\xc3\xa4\x7f", false, "Invalid path string \"/\xc3\xa4\x7f\" caused by invalid character @2" },
    { "/\xf0\x9f\x98\x80", false, "Invalid path string \"/\xf0\x9f\x98\x80\" caused by invalid character @1" },
    { "/\xff", false, "Invalid path string \"/\xff\" caused by invalid character @1" },
    { "/\xc3", false, "Invalid path string \"/\xc3\" caused by invalid character @1" },
};

START_TEST(paths_are_judged_as_java_does)
{
    struct error error = {0};
    int err = cli_path_validate(paths[_i].path, paths[_i].is_sequential, &error);
    ck_assert_msg((err == ZK_OK) == (paths[_i].complaint == NULL), "\"%s\": %s", paths[_i].path, error.text);
    ck_assert_str_eq(error.text, paths[_i].complaint == NULL ? "" : paths[_i].complaint);
}
END_TEST

START_TEST(names_are_joined)
{
    char *below_root = cli_path_join("/", "a"), *deeper = cli_path_join("/a", "b");
    ck_assert_str_eq(below_root, "/a");
    ck_assert_str_eq(deeper, "/a/b");
    memory_free(below_root);
    memory_free(deeper);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cli_path");
    TCase *tcase = tcase_create("cli_path");
    tcase_add_loop_test(tcase, paths_are_judged_as_java_does, 0, ARRAY_SIZE(paths));
    tcase_add_test(tcase, names_are_joined);
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
