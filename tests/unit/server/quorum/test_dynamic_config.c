/* The files of a configuration that may change. */
#include "server/quorum/dynamic_config.h"

#include <string.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_directory.h"

static char directory[TEST_DIRECTORY_SIZE];
static char *config_path;

static void setup(void)
{
    test_directory_make(directory);
    config_path = path_join(directory, "zoo.cfg");
}

static void teardown(void)
{
    memory_free(config_path);
    test_directory_remove(directory);
}

static void write_file(const char *path, const char *text)
{
    ck_assert_int_eq(file_write_atomic(path, text, strlen(text), NULL), ZK_OK);
}

static void assert_holds(const char *path, const char *expected)
{
    struct buffer content = {0};
    ck_assert_int_eq(file_read_all(path, 65536, &content, NULL), ZK_OK);
    ck_assert_str_eq(buffer_string(&content), expected);
    buffer_release(&content);
}

static struct quorum_verifier *parse(const char *text)
{
    struct quorum_verifier *verifier = NULL;
    ck_assert_int_eq(quorum_verifier_parse_text(text, strlen(text), &(struct quorum_parse_options){0}, &verifier, NULL),
                     ZK_OK);
    return verifier;
}

START_TEST(a_dynamic_file_has_sorted_lines_and_a_version_only_when_it_is_proposed)
{
    struct quorum_verifier *verifier = parse("server.2=h:3:4\nserver.10=h:5:6;7\nserver.1=h:1:2\nversion=100000003\n");
    char *path = dynamic_config_path(config_path, quorum_verifier_version(verifier));
    char *next = dynamic_config_next_path(config_path);
    ck_assert(string_ends_with(path, "/zoo.cfg.dynamic.100000003"));
    ck_assert(string_ends_with(next, "/zoo.cfg.dynamic.next"));
    ck_assert_int_eq(dynamic_config_write(path, verifier, false, NULL), ZK_OK);
    assert_holds(path, "server.10=h:5:6:participant;0.0.0.0:7\nserver.1=h:1:2:participant\n"
                       "server.2=h:3:4:participant");
    ck_assert_int_eq(dynamic_config_write(next, verifier, true, NULL), ZK_OK);
    assert_holds(next, "server.10=h:5:6:participant;0.0.0.0:7\nserver.1=h:1:2:participant\n"
                       "server.2=h:3:4:participant\nversion=100000003");
    ck_assert_int_eq(dynamic_config_remove(next, NULL), ZK_OK);
    ck_assert_int_eq(file_kind(next), FILE_KIND_NONE);
    ck_assert_msg(dynamic_config_remove(next, NULL) == ZK_OK, "once more is fine");
    memory_free(path);
    memory_free(next);
    quorum_verifier_unref(verifier);
}
END_TEST

START_TEST(zoo_cfg_points_to_the_list_in_place_of_holding_it)
{
    struct buffer expected = {0};
    write_file(config_path, "# a comment\ntickTime=2000\nserver.1=h:1:2\ngroup.1=1\nweight.1=1\npeerType=observer\n"
                            "clientPort=2181\nclientPortAddress=1.2.3.4\ndynamicConfigFile=old\n"
                            "dataDir = C:\\\\zk\\tdata \nsecureClientPort=3\n");
    ck_assert_int_eq(dynamic_config_edit_static(config_path, "/etc/zoo.cfg.dynamic.5", false, NULL), ZK_OK);
    assert_holds(config_path, "tickTime=2000\nclientPort=2181\nclientPortAddress=1.2.3.4\ndataDir=C:\\\\zk\\tdata\n"
                              "secureClientPort=3\ndynamicConfigFile=/etc/zoo.cfg.dynamic.5\n");
    ck_assert_int_eq(dynamic_config_edit_static(config_path, "/etc/zoo.cfg.dynamic.6", true, NULL), ZK_OK);
    assert_holds(config_path, "tickTime=2000\ndataDir=C:\\\\zk\\tdata\nsecureClientPort=3\n"
                              "dynamicConfigFile=/etc/zoo.cfg.dynamic.6\n");
    buffer_release(&expected);
}
END_TEST

START_TEST(the_old_zoo_cfg_is_kept_byte_for_byte)
{
    static const char text[] = "# a comment\nserver.1=h:1:2\n\n";
    write_file(config_path, text);
    ck_assert_int_eq(dynamic_config_back_up_static(config_path, NULL), ZK_OK);
    char *backup = string_format("%s.bak", config_path);
    assert_holds(backup, text);
    memory_free(backup);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_said)
{
    struct quorum_verifier *verifier = parse("server.1=h:1:2\n");
    struct error error = {0};
    char *nowhere = path_join(directory, "missing/zoo.cfg.dynamic.1");
    ck_assert_int_ne(dynamic_config_write(nowhere, verifier, false, &error), ZK_OK);
    ck_assert_ptr_nonnull(strstr(error.text, "missing"));
    ck_assert_int_ne(dynamic_config_edit_static(nowhere, "x", false, &error), ZK_OK);
    memory_free(nowhere);
    quorum_verifier_unref(verifier);
}
END_TEST

static const struct {
    const char *path;
    bool has_version;
    int64_t version;
} names[] = {
    {"zoo.cfg.dynamic.0", true, 0},   {"zoo.cfg.dynamic.1001", true, 0x1001}, {"zoo.cfg.dynamic.1A", true, 0x1a},
    {"zoo.cfg.dynamic", false, 0},    {"zoo", false, 0},                      {"zoo.cfg.dynamic.", false, 0},
    {"zoo.cfg.dynamic.next", false, 0},
};

START_TEST(the_version_is_the_end_of_the_name)
{
    int64_t version = 0;
    ck_assert_msg(dynamic_config_version_of(names[_i].path, &version) == names[_i].has_version, "%s", names[_i].path);
    ck_assert_int_eq(version, names[_i].version);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("dynamic_config");
    TCase *tcase = tcase_create("files");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_dynamic_file_has_sorted_lines_and_a_version_only_when_it_is_proposed);
    tcase_add_test(tcase, zoo_cfg_points_to_the_list_in_place_of_holding_it);
    tcase_add_test(tcase, the_old_zoo_cfg_is_kept_byte_for_byte);
    tcase_add_test(tcase, a_file_that_cannot_be_written_is_said);
    tcase_add_loop_test(tcase, the_version_is_the_end_of_the_name, 0, ARRAY_SIZE(names));
    return suite;
}

CHECK_MAIN(make_suite)
