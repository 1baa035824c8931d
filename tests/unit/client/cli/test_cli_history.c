/* The file of lines typed in earlier shells. */
#include "client/cli/cli_history.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/buffer.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_directory.h"

static char directory[TEST_DIRECTORY_SIZE];
static char *path;

static void set_up(void)
{
    test_directory_make(directory);
    path = path_join(directory, "history");
}

static void tear_down(void)
{
    memory_free(path);
    test_directory_remove(directory);
}

START_TEST(lines_are_there_again_in_the_next_shell)
{
    struct words lines;
    history_append(path, "ls /");
    history_append(path, "get \"/a b\"");
    history_load(path, &lines);
    ck_assert_uint_eq(lines.count, 2);
    ck_assert_str_eq(lines.items[0], "ls /");
    ck_assert_str_eq(lines.items[1], "get \"/a b\"");
    words_release(&lines);
}
END_TEST

START_TEST(the_file_is_its_owners_alone)
{
    struct stat status;
    history_append(path, "ls /");
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(credentials_are_not_kept)
{
    struct words lines;
    history_append(path, "addauth digest me:secret");
    history_append(path, "  \"addauth\" digest me:secret");
    history_load(path, &lines);
    ck_assert_uint_eq(lines.count, 0);
    ck_assert(history_may_keep("ls /addauth"));
}
END_TEST

START_TEST(the_last_lines_are_loaded_and_a_long_file_is_cut)
{
    struct buffer text = {0};
    struct words lines;
    for (int i = 0; i < 2 * HISTORY_MOST + 1; i++)
        buffer_printf(&text, "get /%d\n", i);
    file_write_atomic(path, text.bytes, text.size, NULL);
    history_load(path, &lines);
    ck_assert_uint_eq(lines.count, HISTORY_MOST);
    ck_assert_str_eq(lines.items[HISTORY_MOST - 1], "get /2000");
    words_release(&lines);
    int64_t size;
    ck_assert_int_eq(file_size_of(path, &size, NULL), ZK_OK);
    ck_assert_int_lt(size, (int64_t)text.size);
    buffer_release(&text);
}
END_TEST

START_TEST(no_file_is_no_lines)
{
    struct words lines;
    history_load(path, &lines);
    ck_assert_uint_eq(lines.count, 0);
}
END_TEST

START_TEST(the_file_stands_where_state_belongs)
{
    setenv("XDG_STATE_HOME", "/state", 1);
    char *in_state = history_path();
    ck_assert_str_eq(in_state, "/state/zkcli_history");
    unsetenv("XDG_STATE_HOME");
    setenv("HOME", "/home/me", 1);
    char *at_home = history_path();
    ck_assert_str_eq(at_home, "/home/me/.zkcli_history");
    memory_free(in_state);
    memory_free(at_home);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cli_history");
    TCase *tcase = tcase_create("cli_history");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, lines_are_there_again_in_the_next_shell);
    tcase_add_test(tcase, the_file_is_its_owners_alone);
    tcase_add_test(tcase, credentials_are_not_kept);
    tcase_add_test(tcase, the_last_lines_are_loaded_and_a_long_file_is_cut);
    tcase_add_test(tcase, no_file_is_no_lines);
    tcase_add_test(tcase, the_file_stands_where_state_belongs);
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
