/* What the configuration of an ensemble says to clients. */
#include "client/cli/cli_config.h"

#include <string.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_directory.h"

static const struct { const char *config, *clients; } configs[] = {
    { "server.1=h1:2888:3888:participant;0.0.0.0:2181\nserver.2=h2:2888:3888:observer;h2:2182\nversion=100000000\n",
      "100000000 0.0.0.0:2181,h2:2182" },
    { "server.1=h1:2888:3888;2181\nversion=0", "0 0.0.0.0:2181" },
    { "server.1=[::1]:2888:3888:participant;[::1]:2181\nversion=0", "0 ::1:2181" },
    { "server.1=h1:2888:3888\nversion=0", "0 " },
    { "", " " },
};

START_TEST(clients_are_told_where_to_connect)
{
    struct buffer out = {0};
    ck_assert_int_eq(config_client_string(configs[_i].config, strlen(configs[_i].config), &out, NULL), ZK_OK);
    ck_assert_str_eq(buffer_string(&out), configs[_i].clients);
    buffer_release(&out);
}
END_TEST

START_TEST(members_come_from_a_file)
{
    static const char text[] =
        "# dynamic\nserver.1=h1:2888:3888;2181\ntickTime=2000\ngroup.1=1\nweight.1=2\nversion=5\n";
    static const char none[] = "tickTime=2000\n";
    char directory[TEST_DIRECTORY_SIZE], *members = NULL;
    struct error error = {0};
    test_directory_make(directory);
    char *path = path_join(directory, "zoo.cfg.dynamic");
    file_write_atomic(path, text, strlen(text), NULL);
    ck_assert_int_eq(config_members_of_file(path, &members, NULL), ZK_OK);
    ck_assert_str_eq(members, "server.1=h1:2888:3888;2181\ngroup.1=1\nweight.1=2\nversion=5\n");
    memory_free(members);
    file_write_atomic(path, none, strlen(none), NULL);
    ck_assert_int_eq(config_members_of_file(path, &members, &error), ZK_BAD_ARGUMENTS);
    memory_free(path);
    test_directory_remove(directory);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cli_config");
    TCase *tcase = tcase_create("cli_config");
    tcase_add_loop_test(tcase, clients_are_told_where_to_connect, 0, ARRAY_SIZE(configs));
    tcase_add_test(tcase, members_come_from_a_file);
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
