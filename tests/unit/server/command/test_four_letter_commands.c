/* The words, asked of a server that runs in this process: by function, and by a connection as a client asks. */
#include "server/command/four_letter_commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/socket.h"
#include "server/command/environment.h"
#include "tests/lib/check_main.h"

#define NOT_SERVING "This ZooKeeper instance is not currently serving requests"

static char directory[160];
static struct server_options options;
static struct four_letter_commands *commands;
static struct zookeeper_server *server;

static void load_options(struct server_options *ret_options, const char *whitelist)
{
    struct properties overrides = {0};
    struct error error = {0};
    server_options_init(ret_options);
    properties_set(&overrides, "dataDir", directory, 0);
    properties_set(&overrides, "clientPort", "0", 0);
    properties_set(&overrides, "clientPortAddress", "127.0.0.1", 0);
    properties_set(&overrides, "preAllocSize", "64", 0);
    properties_set(&overrides, "4lw.commands.whitelist", whitelist, 0);
    ck_assert_msg(server_options_load(ret_options, NULL, &overrides, &error) == ZK_OK, "%s", error.text);
    properties_release(&overrides);
}

static void start_server(const char *whitelist)
{
    struct error error = {0};
    int exit_code;
    load_options(&options, whitelist);
    commands = four_letter_commands_new(&options);
    ck_assert_msg(zookeeper_server_new(&options, 0, four_letter_commands_hook(commands), NULL, &server, &exit_code,
                                       &error) == ZK_OK,
                  "%s", error.text);
    ck_assert_msg(zookeeper_server_start(server, &exit_code, &error) == ZK_OK, "%s", error.text);
}

static void set_up(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(directory, sizeof(directory), "%s/test_4lw.XXXXXX", parent != NULL ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    start_server("ruok, stmk,nope,gtmk");
}

static void remove_all(const char *path)
{
    struct name_list list;
    ck_assert_int_eq(directory_list(path, &list, NULL), ZK_OK);
    for (size_t i = 0; i < list.count; i++) {
        char *entry = path_join(path, list.names[i]);
        if (file_kind(entry) == FILE_KIND_DIRECTORY)
            remove_all(entry);
        else
            (void)remove(entry);
        memory_free(entry);
    }
    name_list_release(&list);
    rmdir(path);
}

static void tear_down(void)
{
    zookeeper_server_shutdown(server);
    zookeeper_server_free(server);
    four_letter_commands_free(commands);
    server_options_release(&options);
    remove_all(directory);
}

/* What a word answers; good until the next call. */
static const char *answer(struct zookeeper_server *asked, const char *word, struct slice rest)
{
    static char text[1 << 17];
    struct buffer out = {0};
    ck_assert(four_letter_command_run(commands, asked, word, rest, &out));
    ck_assert_uint_lt(out.size, sizeof(text));
    memcpy(text, buffer_string(&out), out.size + 1);
    buffer_release(&out);
    return text;
}

static const char *ask(const char *word)
{
    return answer(server, word, (struct slice){NULL, 0});
}

/* What comes back over a connection until it is closed. */
static const char *ask_over_connection(const void *bytes, size_t size)
{
    static char text[4096];
    struct address address;
    int fd;
    int64_t deadline_ms = clock_elapsed_ms() + 10000;
    ck_assert(address_from_ip("127.0.0.1", (uint16_t)zookeeper_server_client_port(server), &address));
    ck_assert_int_eq(socket_connect(&address, deadline_ms, &fd, NULL), ZK_OK);
    ck_assert_int_eq(socket_send_all(fd, bytes, size, deadline_ms), ZK_OK);
    size_t at = 0;
    while (at < sizeof(text) - 1 && socket_receive_all(fd, text + at, 1, deadline_ms) == ZK_OK)
        at++;
    text[at] = '\0';
    ck_assert_msg(clock_elapsed_ms() < deadline_ms, "the connection stays open");
    socket_close(fd);
    return text;
}

static bool has_line(const char *text, const char *line)
{
    for (const char *at = text; (at = strstr(at, line)) != NULL; at++)
        if ((at == text || at[-1] == '\n') && (at[strlen(line)] == '\n' || at[strlen(line)] == '\0'))
            return true;
    return false;
}

/* Each line of `lines` begins with the text of the next one in `beginnings`, and there are no others. */
static void assert_lines_begin(const char *lines, const char *const *beginnings, size_t count)
{
    const char *at = lines;
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(strncmp(at, beginnings[i], strlen(beginnings[i])) == 0, "line %zu of\n%s", i, lines);
        at = strchr(at, '\n');
        ck_assert_msg(at != NULL, "line %zu of\n%s", i, lines);
        at++;
    }
    ck_assert_msg(*at == '\0', "more lines: %s", at);
}

START_TEST(srvr_tells_of_a_server_in_nine_lines)
{
    static const char *const lines[] = {
        "Zookeeper version: 3.9.5-zkc-", "Latency min/avg/max: 0/0.0/0", "Received: 0", "Sent: 0", "Connections: 0",
        "Outstanding: 0",                "Zxid: 0x0",                    "Mode: standalone", "Node count: 5",
    };
    assert_lines_begin(ask("srvr"), lines, ARRAY_SIZE(lines));
}
END_TEST

START_TEST(stat_tells_of_connections_too)
{
    static const char *const lines[] = {
        "Zookeeper version: 3.9.5-zkc-", "Clients:", "", "Latency min/avg/max: ", "Received: ", "Sent: ",
        "Connections: ",                 "Outstanding: ", "Zxid: 0x", "Mode: standalone", "Node count: 5",
    };
    assert_lines_begin(ask("stat"), lines, ARRAY_SIZE(lines));
}
END_TEST

START_TEST(conf_has_the_lines_of_java)
{
    static const char *const lines[] = {
        "clientPort=", "secureClientPort=-1", "dataDir=/", "dataDirSize=", "dataLogDir=/", "dataLogSize=",
        "tickTime=3000", "maxClientCnxns=60", "minSessionTimeout=6000", "maxSessionTimeout=60000",
        "clientPortListenBacklog=-1", "serverId=0",
    };
    assert_lines_begin(ask("conf"), lines, ARRAY_SIZE(lines));
}
END_TEST

START_TEST(envi_tells_where_a_server_runs)
{
    static const char *const lines[] = {
        "Environment:", "zookeeper.version=3.9.5-zkc-", "host.name=", "os.name=Linux", "os.arch=", "os.version=",
        "user.name=", "user.home=", "user.dir=/",
    };
    assert_lines_begin(ask("envi"), lines, ARRAY_SIZE(lines));
}
END_TEST

START_TEST(dump_tells_of_sessions_ephemerals_and_connections)
{
    ck_assert_str_eq(ask("dump"), "SessionTracker dump:\n"
                                  "Session Sets (0)/(0):\n"
                                  "ephemeral nodes dump:\n"
                                  "Sessions with Ephemerals (0):\n"
                                  "Connections dump:\n"
                                  "Connections Sets (0)/(0):\n");
}
END_TEST

/* The gauges, between server_state and the first metric, as a standalone Java server prints them. */
START_TEST(mntr_has_the_gauges_in_javas_order)
{
    static const char *const gauges[] = {
        "ephemerals_count", "num_alive_connections", "avg_latency", "outstanding_requests", "znode_count",
        "global_sessions", "non_mtls_remote_conn_count", "last_client_response_size", "packets_sent",
        "packets_received", "max_client_response_size", "connection_drop_probability", "watch_count",
        "auth_failed_count", "min_latency",
        "max_file_descriptor_count", "approximate_data_size", "open_file_descriptor_count", "local_sessions", "uptime",
        "max_latency", "outstanding_tls_handshake", "min_client_response_size", "non_mtls_local_conn_count",
    };
    const char *text = ask("mntr");
    static const char head[] = "zk_version\t" ZKC_ZOOKEEPER_VERSION "\nzk_server_state\tstandalone\n";
    ck_assert_msg(strncmp(text, head, strlen(head)) == 0, "%s", text);
    const char *at = text + strlen(head);
    for (size_t i = 0; i < ARRAY_SIZE(gauges); i++) {
        ck_assert_msg(strncmp(at, "zk_", 3) == 0 && strncmp(at + 3, gauges[i], strlen(gauges[i])) == 0
                          && at[3 + strlen(gauges[i])] == '\t',
                      "not %s: %.60s", gauges[i], at);
        at = strchr(at, '\n') + 1;
    }
    ck_assert(has_line(text, "zk_znode_count\t5"));
    ck_assert(has_line(text, "zk_avg_latency\t0.0"));
    ck_assert(has_line(text, "zk_connection_drop_probability\t0.0"));
    ck_assert(has_line(text, "zk_last_client_response_size\t-1"));
    ck_assert(has_line(text, "zk_snap_count\t0"));
}
END_TEST

static const struct {
    const char *word, *answer;
} short_words[] = {
    {"ruok", "imok"},
    {"isro", "rw"},
    {"gtmk", "306"},
    {"hash", ""},
    {"cons", "\n"},
    {"crst", "Connection stats reset.\n"},
    {"srst", "Server stats reset.\n"},
    {"wchs", "0 connections watching 0 paths\nTotal watches:0\n"},
    {"wchp", "\n"},
    {"wchc", "\n"},
};
START_TEST(a_short_answer_is_that_of_java)
{
    ck_assert_msg(strcmp(ask(short_words[_i].word), short_words[_i].answer) == 0, "%s: %s", short_words[_i].word,
                  ask(short_words[_i].word));
}
END_TEST

static const struct {
    const char *word, *answer;
} idle_words[] = {
    {"conf", NOT_SERVING "\n"}, {"cons", NOT_SERVING "\n"}, {"crst", NOT_SERVING "\n"}, {"dirs", NOT_SERVING "\n"},
    {"dump", NOT_SERVING "\n"}, {"gtmk", "306"},            {"hash", NOT_SERVING},      {"isro", "null"},
    {"mntr", NOT_SERVING "\n"}, {"ruok", "imok"},           {"srst", NOT_SERVING "\n"}, {"srvr", NOT_SERVING "\n"},
    {"stat", NOT_SERVING "\n"}, {"wchc", NOT_SERVING "\n"}, {"wchp", NOT_SERVING "\n"}, {"wchs", NOT_SERVING "\n"},
};
START_TEST(a_server_that_does_not_serve_says_so)
{
    ck_assert_str_eq(answer(NULL, idle_words[_i].word, (struct slice){NULL, 0}), idle_words[_i].answer);
}
END_TEST

START_TEST(dirs_tells_the_sizes_of_the_directories)
{
    static const char *const lines[] = {"datadir_size: ", "logdir_size: "};
    assert_lines_begin(ask("dirs"), lines, ARRAY_SIZE(lines));
}
END_TEST

START_TEST(stmk_sets_what_gtmk_shows)
{
    struct slice mask = {(const uint8_t *)"\0\0\0\0\0\0\1\2", 8};
    ck_assert_str_eq(answer(server, "stmk", mask), "258");
    ck_assert_str_eq(ask("gtmk"), "258");
    mask.size = 7;
    ck_assert_str_eq(answer(server, "stmk", mask), "");
    ck_assert_str_eq(ask("gtmk"), "258");
}
END_TEST

START_TEST(there_is_no_other_word)
{
    static const char *const words[] = {"abcd", "RUOK", "ruo", "ruokk", "", "telnet close"};
    struct buffer out = {0};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        ck_assert(!four_letter_command_run(commands, server, words[i], (struct slice){NULL, 0}, &out));
    ck_assert_uint_eq(out.size, 0);
}
END_TEST

START_TEST(the_whitelist_says_who_is_answered)
{
    ck_assert_str_eq(ask_over_connection("ruok", 4), "imok");
    ck_assert_str_eq(ask_over_connection("ruok\n", 5), "imok");
    ck_assert_str_eq(ask_over_connection("stmk\0\0\0\0\0\0\0\7", 12), "7");
    ck_assert_str_eq(ask_over_connection("gtmk", 4), "7");
    ck_assert_msg(strncmp(ask_over_connection("srvr", 4), "Zookeeper version: ", 19) == 0, "srvr is always permitted");
    ck_assert_str_eq(ask_over_connection("conf", 4), "conf is not executed because it is not in the whitelist.\n");
    ck_assert_str_eq(ask_over_connection("mntr", 4), "mntr is not executed because it is not in the whitelist.\n");
    ck_assert_str_eq(ask_over_connection("\xff\xf4\xff\xfd", 4),
                     "telnet close is not executed because it is not in the whitelist.\n");
    ck_assert_str_eq(ask_over_connection("nope", 4), "");
}
END_TEST

static void change_whitelist(const char *whitelist)
{
    struct server_options fresh;
    load_options(&fresh, whitelist);
    four_letter_commands_reload(commands, &fresh);
    server_options_release(&fresh);
}

START_TEST(the_whitelist_may_change)
{
    change_whitelist("*");
    ck_assert(has_line(ask_over_connection("conf", 4), "tickTime=3000"));
    ck_assert(strstr(ask_over_connection("cons", 4), "127.0.0.1") != NULL);
    ck_assert_str_eq(ask_over_connection("\xff\xf4\xff\xfd", 4), "");

    change_whitelist("");
    ck_assert_str_eq(ask_over_connection("ruok", 4), "ruok is not executed because it is not in the whitelist.\n");
    ck_assert_msg(strncmp(ask_over_connection("srvr", 4), "Zookeeper version: ", 19) == 0, "srvr is always permitted");
}
END_TEST

static Suite *four_letter_commands_suite(void)
{
    Suite *suite = suite_create("four_letter_commands");
    TCase *tcase = tcase_create("four_letter_commands");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, srvr_tells_of_a_server_in_nine_lines);
    tcase_add_test(tcase, stat_tells_of_connections_too);
    tcase_add_test(tcase, conf_has_the_lines_of_java);
    tcase_add_test(tcase, envi_tells_where_a_server_runs);
    tcase_add_test(tcase, dump_tells_of_sessions_ephemerals_and_connections);
    tcase_add_test(tcase, mntr_has_the_gauges_in_javas_order);
    tcase_add_loop_test(tcase, a_short_answer_is_that_of_java, 0, ARRAY_SIZE(short_words));
    tcase_add_loop_test(tcase, a_server_that_does_not_serve_says_so, 0, ARRAY_SIZE(idle_words));
    tcase_add_test(tcase, dirs_tells_the_sizes_of_the_directories);
    tcase_add_test(tcase, stmk_sets_what_gtmk_shows);
    tcase_add_test(tcase, there_is_no_other_word);
    tcase_add_test(tcase, the_whitelist_says_who_is_answered);
    tcase_add_test(tcase, the_whitelist_may_change);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(four_letter_commands_suite)
