/* test_server_options.c - the table itself, zoo.cfg files good and bad, and what the log says about them. */
#include "server/config/server_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/lib/check_main.h"

static char directory[] = "/tmp/zkc_options_XXXXXX";
static char *cfg, *log_file, *myid;
static struct server_options options;
static struct error error;

static void set_up(void)
{
    memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    cfg = path_join(directory, "zoo.cfg");
    log_file = path_join(directory, "log");
    myid = path_join(directory, "myid");
    ck_assert_int_eq(log_open(log_file, NULL), ZK_OK);
    server_options_init(&options);
    error = (struct error){0};
}

static void tear_down(void)
{
    server_options_release(&options);
    log_open(NULL, NULL);
    unlink(cfg);
    unlink(log_file);
    unlink(myid);
    rmdir(directory);
    memory_free(cfg);
    memory_free(log_file);
    memory_free(myid);
}

static void write_file(const char *path, const char *text)
{
    ck_assert_int_eq(file_write_atomic(path, text, strlen(text), NULL), ZK_OK);
}

static int load(const char *text, const struct properties *overrides)
{
    write_file(cfg, text);
    return server_options_load(&options, cfg, overrides, &error);
}

/* Whether a line of the log contains this. */
static bool was_logged(const char *text)
{
    struct buffer content = {0};
    file_read_all(log_file, 1 << 20, &content, NULL);
    bool found = strstr(buffer_string(&content), text) != NULL;
    buffer_release(&content);
    return found;
}

START_TEST(every_default_reads_back_as_it_prints)
{
    struct server_options again;
    const struct option *option = &server_option_table[_i];
    struct buffer printed = {0}, printed_again = {0};
    server_options_init(&again);
    option_print(option, &options, &printed);
    ck_assert_msg(option->default_text == NULL || option->unit == OPTION_SECRET ||
                      strcmp(buffer_string(&printed), option->default_text) == 0,
                  "%s: default %s prints as %s", option->key, option->default_text, buffer_string(&printed));
    if (option->default_text != NULL && option_set(option, &again, buffer_string(&printed), NULL) == ZK_OK) {
        option_print(option, &again, &printed_again);
        ck_assert_str_eq(buffer_string(&printed_again), buffer_string(&printed));
        ck_assert(option_equal(option, &options, &again));
    } else {    /* only "not set" may lie outside of what may be set */
        ck_assert_msg(option->default_text == NULL || strcmp(option->default_text, "-1") == 0, "%s", option->key);
    }
    buffer_release(&printed);
    buffer_release(&printed_again);
    server_options_release(&again);
}
END_TEST

START_TEST(no_key_and_no_property_is_there_twice)
{
    const struct option *option = &server_option_table[_i];
    ck_assert_ptr_nonnull(option->key);
    ck_assert_ptr_eq(option_find_key(server_option_table, server_option_count, option->key), option);
    ck_assert(option->property == NULL ||
              option_find_property(server_option_table, server_option_count, option->property) == option);
    ck_assert(option->least <= option->most);
    ck_assert_msg(option->sentence[strlen(option->sentence) - 1] == '.', "%s", option->key);
}
END_TEST

START_TEST(defaults_are_those_of_the_reference_server)
{
    ck_assert_uint_ge(server_option_count, 193);
    ck_assert_int_eq(options.tick_time, 3000);
    ck_assert_int_eq(options.max_client_cnxns, 60);
    ck_assert_int_eq(options.snap_count, 100000);
    ck_assert_int_eq(options.jute_maxbuffer, 0xfffff);
    ck_assert_str_eq(options.four_lw_commands_whitelist, "srvr");
    ck_assert(options.force_sync && !options.skip_acl && options.digest_enabled && options.ssl_quorum_crl == false);
    ck_assert(options.ssl_quorum_client_hostname_verification && !options.ssl_client_hostname_verification);
}
END_TEST

START_TEST(a_usual_file_is_read)
{
    ck_assert_int_eq(load("# a comment\ntickTime=2000\ndataDir=/nonexistent/zk \nclientPort=2181\n"
                          "4lw.commands.whitelist=*\nnio.numSelectorThreads = 2\nforceSync=no\n"
                          "authProvider.1=some.Class\nmetricsProvider.other=x\n",
                          NULL),
                     ZK_OK);
    ck_assert_int_eq(options.tick_time, 2000);
    ck_assert_str_eq(options.data_dir, "/nonexistent/zk");
    ck_assert_str_eq(options.data_log_dir, "/nonexistent/zk");
    ck_assert_int_eq(options.client_port, 2181);
    ck_assert_str_eq(options.four_lw_commands_whitelist, "*");
    ck_assert_int_eq(options.nio_num_selector_threads, 2);
    ck_assert(!options.force_sync);
    ck_assert_str_eq(properties_get(&options.auth_providers, "authProvider.1"), "some.Class");
    ck_assert_str_eq(properties_get(&options.metrics_provider, "metricsProvider.other"), "x");
    ck_assert_int_eq(options.min_session_timeout, 4000);
    ck_assert_int_eq(options.max_session_timeout, 40000);
    ck_assert_int_eq(options.myid, -1);
    ck_assert_str_eq(options.config_path, cfg);
    ck_assert_int_eq(server_options_validate(&options, NULL), ZK_OK);
}
END_TEST

static const struct {
    const char *text, *sentence;    /* behind the path of the file */
} wrong[] = {
    {"dataDir=/d\n\ntickTime=abc\n", ":3: tickTime=abc: must be a number of ms from 1 to 2147483647"},
    {"clientPort=70000", ":1: clientPort=70000: must be a number from 0 to 65535"},
    {"forceSync=true", ":1: forceSync=true: must be yes or no"},
    {"reconfigEnabled=on", ":1: reconfigEnabled=on: must be true or false"},
    {"electionAlg=4", ":1: electionAlg=4: must be a number from 0 to 3"},
    {"digest.enabled=", ":1: digest.enabled=: must be true or false"},
    {"a=\\u1", ":1: malformed \\uXXXX, four hexadecimal digits belong there"},
};
START_TEST(a_wrong_value_names_file_line_key_value_and_range)
{
    ck_assert_int_eq(load(wrong[_i].text, NULL), ZK_BAD_CONFIG);
    ck_assert_msg(string_starts_with(error.text, cfg), "%s", error.text);
    ck_assert_str_eq(error.text + strlen(cfg), wrong[_i].sentence);
}
END_TEST

static const struct {
    const char *text, *logged;
    const char *property, *value;    /* kept as; NULL: not at all */
} warned[] = {
    {"tickTme=7", ":1: tickTme is no known key, kept as property zookeeper.tickTme; is tickTime meant?",
     "zookeeper.tickTme", "7"},
    {"zookeeper.snapCount=7",
     ":1: zookeeper.snapCount is no known key, kept as property zookeeper.zookeeper.snapCount; is snapCount meant?",
     "zookeeper.zookeeper.snapCount", "7"},
    {"qwertyuiop=7", ":1: qwertyuiop is no known key, kept as property zookeeper.qwertyuiop", "zookeeper.qwertyuiop",
     "7"},
    {"\nwatchManagerName=7",
     ":2: watchManagerName is for a Java server and has no effect here: there is one way of keeping watches, ", NULL,
     NULL},
    {"\naudit.enable=true",
     ":2: audit.enable is known, but has no effect in this release: the audit log is to come", NULL, NULL},
    {"snapCount=7\nx=1\nsnapCount=8", ":3: snapCount is set in line 1 already, the last value counts", NULL, NULL},
    {"autopurge.snapRetainCount=1", "autopurge.snapRetainCount=1 is less than 3, which is taken instead", NULL, NULL},
};
START_TEST(what_looks_like_a_mistake_is_warned_of)
{
    ck_assert_int_eq(load(warned[_i].text, NULL), ZK_OK);
    ck_assert_msg(was_logged(warned[_i].logged), "%s", warned[_i].logged);
    if (warned[_i].property != NULL)
        ck_assert_str_eq(properties_get(&options.unknown, warned[_i].property), warned[_i].value);
}
END_TEST

START_TEST(a_documented_key_and_its_property_are_one)
{
    ck_assert_int_eq(load("request_throttle_max_requests=5\nobserver.syncEnabled=false\n", NULL), ZK_OK);
    ck_assert_int_eq(options.request_throttle_limit, 5);
    ck_assert(!options.sync_enabled);
    ck_assert_uint_eq(options.unknown.count, 0);
}
END_TEST

START_TEST(the_command_line_wins)
{
    struct properties overrides = {0};
    properties_set(&overrides, "zookeeper.snapCount", "55", 0);
    properties_set(&overrides, "zookeeper.tickTime", "77", 0);
    properties_set(&overrides, "jute.maxbuffer", "0x1fffff", 0);
    properties_set(&overrides, "zookeeper.authProvider.sasl", "some.Class", 0);
    properties_set(&overrides, "java.net.preferIPv4Stack", "true", 0);
    ck_assert_int_eq(load("snapCount=44\ntickTime=66\n", &overrides), ZK_OK);
    ck_assert_int_eq(options.snap_count, 55);
    ck_assert_int_eq(options.tick_time, 77);
    ck_assert_int_eq(options.jute_maxbuffer, 0x1fffff);
    ck_assert_int_eq(options.jute_maxbuffer_extrasize, 0x1fffff);
    ck_assert_str_eq(properties_get(&options.auth_providers, "authProvider.sasl"), "some.Class");
    ck_assert_str_eq(properties_get(&options.unknown, "java.net.preferIPv4Stack"), "true");
    ck_assert(!was_logged("java.net"));
    properties_set(&overrides, "zookeeper.snapCount", "x", 0);
    server_options_release(&options);
    server_options_init(&options);
    ck_assert_int_eq(server_options_load(&options, NULL, &overrides, &error), ZK_BAD_CONFIG);
    ck_assert_str_eq(error.text, "-Dzookeeper.snapCount=x: must be a number from 2 to 2147483647");
    properties_release(&overrides);
}
END_TEST

START_TEST(the_old_form_has_four_places)
{
    static const char *const good[] = {"2181", "/data", "500", "10"}, *const bad[] = {"2181", "/data", "soon"};
    ck_assert_int_eq(server_options_load_old_form(&options, 4, good, NULL, &error), ZK_OK);
    ck_assert_int_eq(options.client_port, 2181);
    ck_assert_str_eq(options.data_dir, "/data");
    ck_assert_str_eq(options.data_log_dir, "/data");
    ck_assert_int_eq(options.tick_time, 500);
    ck_assert_int_eq(options.min_session_timeout, 1000);
    ck_assert_int_eq(options.max_client_cnxns, 10);
    ck_assert_int_eq(server_options_load_old_form(&options, 3, bad, NULL, &error), ZK_BAD_CONFIG);
    ck_assert_str_eq(error.text, "TICKTIME=soon: must be a number of ms from 1 to 2147483647");
    ck_assert_int_eq(server_options_load_old_form(&options, 1, good, NULL, NULL), ZK_BAD_CONFIG);
    ck_assert_int_eq(server_options_load_old_form(&options, 5, good, NULL, NULL), ZK_BAD_CONFIG);
}
END_TEST

static const struct {
    const char *text, *sentence;
} contradictions[] = {
    {"clientPort=2181", "dataDir is not set"},
    {"dataDir=/d", "clientPort is not set, no client could connect"},
    {"dataDir=/d\nclientPortAddress=::1", "clientPortAddress is set but clientPort is not set"},
    {"dataDir=/d\nclientPort=1\nsecureClientPortAddress=::1",
     "secureClientPortAddress is set but secureClientPort is not set"},
    {"dataDir=/d\nclientPort=1\nminSessionTimeout=5\nmaxSessionTimeout=4",
     "minSessionTimeout must not be larger than maxSessionTimeout, but 5 ms is larger than 4 ms"},
    {"quorum.auth.serverRequireSasl=true", "quorum.auth.serverRequireSasl is true, but quorum.auth.enableSasl is not"},
    {"dataDir=/d\nserver.1=a:1:2\ndynamicConfigFile=/x", "server.1 must stand in the dynamicConfigFile, /x"},
    {"dataDir=/d\nclientPort=1\nsnapshot.compression.method=zip",
     "snapshot.compression.method=zip: must be gz, snappy or empty"},
    {"dataDir=/d\nclientPort=1\nsessionRequireClientSASLAuth=true",
     "sessionRequireClientSASLAuth=true: SASL is to come, and without it every client would be let in"},
    {"dataDir=/d\nclientPort=1\nserver.1=a:1:2\nquorum.auth.enableSasl=true",
     "quorum.auth.enableSasl=true: SASL is to come, and without it every server would be let in"},
    {"dataDir=/d\nclientPort=1\ndynamicConfigFile=/x\nsslQuorum=true",
     "sslQuorum=true: TLS between servers is to come, and without it they would speak in the open"},
    {"dataDir=/d\nclientPort=1\nserver.1=a:1:2\nportUnification=true",
     "portUnification=true: TLS between servers is to come, and one that speaks it would not be understood"},
};
START_TEST(options_that_contradict_each_other_are_refused)
{
    ck_assert_int_eq(load(contradictions[_i].text, NULL), ZK_OK);
    ck_assert_int_eq(server_options_validate(&options, &error), ZK_BAD_CONFIG);
    ck_assert_str_eq(error.text, contradictions[_i].sentence);
}
END_TEST

START_TEST(myid_must_be_a_number_where_it_matters)
{
    char *alone = string_format("dataDir=%s\nclientPort=1\n", directory);
    char *listed = string_format("%sserver.1=a:1:2\n", alone);
    write_file(myid, "42\n");
    ck_assert_int_eq(load(alone, NULL), ZK_OK);
    ck_assert_int_eq(options.myid, 42);
    write_file(myid, "server one\n");
    ck_assert_int_eq(load(alone, NULL), ZK_OK);
    ck_assert_int_eq(options.myid, -1);
    ck_assert(was_logged("myid: \"server one\" is not a number, taken as no id"));
    ck_assert_int_eq(load(listed, NULL), ZK_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(error.text, "myid: \"server one\" is not a number"));
    memory_free(alone);
    memory_free(listed);
}
END_TEST

START_TEST(a_reload_takes_what_may_change)
{
    struct server_options fresh;
    struct buffer applied = {0}, needs_restart = {0};
    ck_assert_int_eq(load("dataDir=/d\nclientPort=1\nsnapCount=50\nserver.1=a:1:2\n", NULL), ZK_OK);
    server_options_init(&fresh);
    write_file(cfg, "dataDir=/d\nclientPort=2\nsnapCount=50\nmaxClientCnxns=100\n4lw.commands.whitelist=stat,ruok\n");
    ck_assert_int_eq(server_options_load(&fresh, cfg, NULL, NULL), ZK_OK);
    server_options_reload(&options, &fresh, &applied, &needs_restart);
    ck_assert_str_eq(buffer_string(&applied), "maxClientCnxns: 60 -> 100\n4lw.commands.whitelist: srvr -> stat,ruok\n");
    ck_assert_str_eq(buffer_string(&needs_restart), "clientPort: 1 -> 2\nthe list of servers\n");
    ck_assert_int_eq(options.max_client_cnxns, 100);
    ck_assert_int_eq(options.client_port, 1);
    ck_assert_str_eq(options.four_lw_commands_whitelist, "stat,ruok");
    buffer_release(&applied);
    buffer_release(&needs_restart);
    server_options_release(&fresh);
}
END_TEST

START_TEST(a_dump_hides_secrets_and_can_be_read_again)
{
    struct buffer out = {0};
    ck_assert_int_eq(load("dataDir=/d\nDigestAuthenticationProvider.superDigest=super:abc\nmyPassword=xyz\n", NULL),
                     ZK_OK);
    server_options_print(&options, &out);
    ck_assert_ptr_nonnull(strstr(buffer_string(&out), "\nDigestAuthenticationProvider.superDigest=***\n"));
    ck_assert_ptr_nonnull(strstr(buffer_string(&out), "dataDir=/d\n"));
    ck_assert_ptr_nonnull(strstr(buffer_string(&out), "zookeeper.myPassword=***\n"));
    ck_assert_ptr_null(strstr(buffer_string(&out), "xyz"));
    buffer_release(&out);
}
END_TEST

static Suite *server_options_suite(void)
{
    Suite *suite = suite_create("server_options");
    TCase *tcase = tcase_create("server_options");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, every_default_reads_back_as_it_prints, 0, (int)server_option_count);
    tcase_add_loop_test(tcase, no_key_and_no_property_is_there_twice, 0, (int)server_option_count);
    tcase_add_test(tcase, defaults_are_those_of_the_reference_server);
    tcase_add_test(tcase, a_usual_file_is_read);
    tcase_add_loop_test(tcase, a_wrong_value_names_file_line_key_value_and_range, 0, (int)ARRAY_SIZE(wrong));
    tcase_add_loop_test(tcase, what_looks_like_a_mistake_is_warned_of, 0, (int)ARRAY_SIZE(warned));
    tcase_add_test(tcase, a_documented_key_and_its_property_are_one);
    tcase_add_test(tcase, the_command_line_wins);
    tcase_add_test(tcase, the_old_form_has_four_places);
    tcase_add_loop_test(tcase, options_that_contradict_each_other_are_refused, 0, (int)ARRAY_SIZE(contradictions));
    tcase_add_test(tcase, myid_must_be_a_number_where_it_matters);
    tcase_add_test(tcase, a_reload_takes_what_may_change);
    tcase_add_test(tcase, a_dump_hides_secrets_and_can_be_read_again);
    return suite;
}

CHECK_MAIN_IN_PLACE(server_options_suite)
