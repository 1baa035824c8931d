/* What a server takes from the list of servers, its own number, and the options beside them. */
#include "server/quorum/quorum_peer_config.h"

#include <string.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_directory.h"

static char directory[TEST_DIRECTORY_SIZE];
static char *cfg, *log_path, *expected_sentence;
static struct server_options options;
static struct quorum_peer_config config;
static struct error error;

static void write_file(const char *name, const char *text)
{
    char *path = path_join(directory, name);
    ck_assert_int_eq(file_write_atomic(path, text, strlen(text), NULL), ZK_OK);
    memory_free(path);
}

static bool was_logged(const char *text)
{
    struct buffer content = {0};
    ck_assert_int_eq(file_read_all(log_path, 1 << 20, &content, NULL), ZK_OK);
    bool was = strstr(buffer_string(&content), text) != NULL;
    buffer_release(&content);
    return was;
}

static void setup(void)
{
    test_directory_make(directory);
    cfg = path_join(directory, "zoo.cfg");
    log_path = path_join(directory, "log");
    ck_assert_int_eq(log_open(log_path, NULL), ZK_OK);
    server_options_init(&options);
}

static void teardown(void)
{
    quorum_peer_config_release(&config);
    server_options_release(&options);
    log_open(NULL, NULL);
    memory_free(cfg);
    memory_free(log_path);
    memory_free(expected_sentence);
    expected_sentence = NULL;
    test_directory_remove(directory);
}

/* zoo.cfg with dataDir in front; "DIR" in the text is the directory. */
static int load(const char *text)
{
    char *at = strstr(text, "DIR");
    int before = at == NULL ? (int)strlen(text) : (int)(at - text);
    char *whole = string_format("dataDir=%s\n%.*s%s%s", directory, before, text, at == NULL ? "" : directory,
                                at == NULL ? "" : at + 3);
    error = (struct error){0};
    write_file("zoo.cfg", whole);
    memory_free(whole);
    int err = server_options_load(&options, cfg, NULL, &error);
    if (err == ZK_OK)
        err = server_options_validate(&options, &error);
    return err == ZK_OK ? quorum_peer_config_load(&config, &options, &error) : err;
}

static void must_load(const char *text)
{
    int err = load(text);
    ck_assert_msg(err == ZK_OK, "%s", error.text);
}

#define LIMITS "initLimit=10\nsyncLimit=5\n"
#define LIST "server.1=127.0.0.1:1:2\nserver.2=127.0.0.1:3:4\nserver.3=127.0.0.1:5:6:observer;127.0.0.1:2183\n"

static const char *client_address(void)
{
    static char text[ADDRESS_TEXT_SIZE];
    address_format(&config.client_address, text);
    return text;
}

START_TEST(an_ensemble_in_zoo_cfg)
{
    write_file("myid", "2\n");
    must_load(LIMITS LIST "clientPort=2182\n");
    ck_assert(config.is_distributed);
    ck_assert_int_eq(config.myid, 2);
    ck_assert_int_eq(config.learner_type, LEARNER_PARTICIPANT);
    ck_assert_uint_eq(quorum_verifier_count(config.verifier), 3);
    ck_assert_uint_eq(address_port(&config.client_address), 2182);
    ck_assert(address_is_any(&config.client_address));
    const struct quorum_server *me = quorum_verifier_find(config.verifier, 2);
    ck_assert_msg(me->is_client_address_from_static && me->client_address.port == 2182, "it is known, but not printed");
    ck_assert_ptr_null(config.last_seen_verifier);
    ck_assert(was_logged("No server failure will be tolerated. You need at least 3 servers."));
    char *backup = string_format("%s.bak", cfg);
    ck_assert_msg(file_kind(backup) == FILE_KIND_NONE, "without reconfiguration zoo.cfg stays what it is");
    memory_free(backup);
}
END_TEST

START_TEST(an_observer_by_the_list)
{
    write_file("myid", "3\n");
    must_load(LIMITS LIST "peerType=participant\n");
    ck_assert_int_eq(config.learner_type, LEARNER_OBSERVER);
    ck_assert_str_eq(client_address(), "/127.0.0.1:2183");
    ck_assert(was_logged("Peer type from servers list (OBSERVER) doesn't match peerType (PARTICIPANT). Defaulting to "
                         "servers list."));
}
END_TEST

START_TEST(an_ensemble_in_a_file_of_its_own)
{
    write_file("myid", "3\n");
    write_file("zoo.cfg.dynamic.100000000", "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2;2181\nserver.4=d:1:2\n");
    write_file("zoo.cfg.dynamic.next", "server.1=a:1:2\nserver.3=c:1:2;2181\nversion=100000007");
    must_load(LIMITS "dynamicConfigFile=DIR/zoo.cfg.dynamic.100000000\n");
    ck_assert_int_eq(quorum_verifier_version(config.verifier), 0x100000000);
    ck_assert_uint_eq(quorum_verifier_count(config.verifier), 4);
    ck_assert_int_eq(quorum_verifier_version(config.last_seen_verifier), 0x100000007);
    ck_assert_uint_eq(address_port(&config.client_address), 2181);
    ck_assert(was_logged("Non-optimal configuration, consider an odd number of servers."));
}
END_TEST

START_TEST(a_list_that_may_change_is_backed_up)
{
    struct buffer before = {0}, after = {0};
    char *backup = string_format("%s.bak", cfg);
    write_file("myid", "1\n");
    must_load("# mine\n" LIMITS LIST "clientPort=2181\nreconfigEnabled=true\n");
    ck_assert_int_eq(file_read_all(cfg, 65536, &before, NULL), ZK_OK);
    ck_assert_int_eq(file_read_all(backup, 65536, &after, NULL), ZK_OK);
    ck_assert_str_eq(buffer_string(&before), buffer_string(&after));
    buffer_release(&before);
    buffer_release(&after);
    memory_free(backup);
}
END_TEST

START_TEST(one_server_stands_alone)
{
    must_load("server.1=a:1:2;127.0.0.1:2199\nclientPort=2199\n");
    ck_assert(!config.is_distributed);
    ck_assert(was_logged("Invalid configuration, only one server specified (ignoring)"));
}
END_TEST

START_TEST(one_server_alone_takes_its_client_port_from_the_list)
{
    write_file("myid", "1\n");
    must_load("server.1=a:1:2;127.0.0.1:2199\n");
    ck_assert(!config.is_distributed);
    ck_assert_int_eq(options.client_port, 2199);
    ck_assert_str_eq(options.client_port_address, "127.0.0.1");
}
END_TEST

START_TEST(no_list_is_a_server_alone)
{
    must_load("clientPort=2181\n");
    ck_assert(!config.is_distributed);
    ck_assert_int_eq(config.myid, -1);
}
END_TEST

START_TEST(an_ensemble_of_one_by_choice)
{
    write_file("myid", "1\n");
    must_load(LIMITS "standaloneEnabled=false\nserver.1=127.0.0.1:1:2;2181\nserver.2=127.0.0.1:3:4:observer\n");
    ck_assert(config.is_distributed);
}
END_TEST

START_TEST(a_port_with_tls_is_enough)
{
    write_file("myid", "1\n");
    must_load(LIMITS "secureClientPort=2281\nserver.1=127.0.0.1:1:2\nserver.2=127.0.0.1:3:4\n");
    ck_assert(config.is_distributed);
    ck_assert_int_lt(options.client_port, 0);
}
END_TEST

START_TEST(all_addresses_in_zoo_cfg_may_be_one_in_the_list)
{
    write_file("myid", "3\n");
    must_load(LIMITS LIST "clientPort=2183\n");
    ck_assert_str_eq(client_address(), "/127.0.0.1:2183");
}
END_TEST

static const struct {
    const char *text, *myid, *sentence;
} refused[] = {
    {LIST, "1", "initLimit is not set"},
    {LIST "initLimit=5\n", "1", "syncLimit is not set"},
    {LIMITS LIST, NULL, "myid file is missing in dataDir, DIR"},
    {LIMITS LIST, "1", "clientPort is not set, no client could connect"},
    {LIMITS LIST "clientPort=2199\n", "3",
     "client address for this server (id = 3) in static config file is 0.0.0.0:2199 is different from client address "
     "found in dynamic file: 127.0.0.1:2183"},
    {LIMITS LIST "clientPort=2183\nclientPortAddress=127.0.0.2\n", "3",
     "client address for this server (id = 3) in static config file is 127.0.0.2:2183 is different from client address "
     "found in dynamic file: 127.0.0.1:2183"},
    {LIMITS LIST "peerType=judge\nclientPort=1\n", "1", "Unrecognised peertype: judge"},
    {LIMITS "server.1=a:1:2\nserver.2=b:1\nclientPort=1\n", "1",
     "b:1 does not have the form server_config or server_config;client_config where server_config is the pipe "
     "separated list of host:port:port or host:port:port:type and client_config is port or host:port"},
    {LIMITS "standaloneEnabled=false\nclientPort=1\n", "1",
     "standaloneEnabled = false then number of participants should be >0"},
    {LIMITS "server.1=a:1:2:observer\nclientPort=1\n", "1", "Observers w/o participants is an invalid configuration"},
    {LIMITS "server.1=a:1:2\nserver.2=a:1:3:observer\nclientPort=1\n", "1",
     "Observers w/o quorum is an invalid configuration"},
    {LIMITS "dynamicConfigFile=DIR/with_version\n", "1",
     "DIR/with_version: dynamic file shouldn't have version inside"},
    {LIMITS "dynamicConfigFile=DIR/with_port\n", "1", "Unrecognised parameter: clientPort"},
    {LIMITS "dynamicConfigFile=DIR/missing\n", "1", NULL},
    {LIMITS "dynamicConfigFile=DIR/nobody\n", "1", "DIR/nobody names no server"},
    {LIMITS "server.1=a:1:2\nserver.-2=a:1:2\n", "1", "server.-2: an id below 0 is no server's"},
};

START_TEST(what_is_refused)
{
    write_file("with_version", "server.1=a:1:2\nversion=1\n");
    write_file("nobody", "# but a comment\n");
    write_file("with_port", "server.1=a:1:2\nserver.2=a:1:2\nclientPort=1\n");
    if (refused[_i].myid != NULL)
        write_file("myid", refused[_i].myid);
    ck_assert_msg(load(refused[_i].text) != ZK_OK, "%s", refused[_i].text);
    const char *sentence = refused[_i].sentence;
    if (sentence == NULL) {
        ck_assert_ptr_nonnull(strstr(error.text, "Error processing"));
        return;
    }
    const char *at = strstr(sentence, "DIR");
    expected_sentence = at == NULL ? string_copy(sentence)
                                   : string_format("%.*s%s%s", (int)(at - sentence), sentence, directory, at + 3);
    ck_assert_str_eq(error.text, expected_sentence);
}
END_TEST

START_TEST(a_proposed_list_that_cannot_be_read_is_not_forgotten)
{
    write_file("myid", "1\n");
    write_file("zoo.cfg.dynamic.5", "server.1=127.0.0.1:1:2;2181\nserver.2=127.0.0.1:1:3\n");
    write_file("zoo.cfg.dynamic.next", "server.1=nonsense\n");
    ck_assert_int_eq(load(LIMITS "dynamicConfigFile=DIR/zoo.cfg.dynamic.5\n"), ZK_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(error.text, "zoo.cfg.dynamic.next"));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("quorum_peer_config");
    TCase *tcase = tcase_create("a server and its ensemble");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, an_ensemble_in_zoo_cfg);
    tcase_add_test(tcase, an_observer_by_the_list);
    tcase_add_test(tcase, an_ensemble_in_a_file_of_its_own);
    tcase_add_test(tcase, a_list_that_may_change_is_backed_up);
    tcase_add_test(tcase, one_server_stands_alone);
    tcase_add_test(tcase, one_server_alone_takes_its_client_port_from_the_list);
    tcase_add_test(tcase, no_list_is_a_server_alone);
    tcase_add_test(tcase, an_ensemble_of_one_by_choice);
    tcase_add_test(tcase, a_port_with_tls_is_enough);
    tcase_add_test(tcase, all_addresses_in_zoo_cfg_may_be_one_in_the_list);
    tcase_add_loop_test(tcase, what_is_refused, 0, ARRAY_SIZE(refused));
    tcase_add_test(tcase, a_proposed_list_that_cannot_be_read_is_not_forgotten);
    return suite;
}

CHECK_MAIN(make_suite)
