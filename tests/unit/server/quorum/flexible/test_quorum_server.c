/* server.N lines: what they mean and what is refused, as a Java server of release 3.8.0 had it. */
#include "server/quorum/flexible/quorum_server.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/net/address.h"
#include "tests/lib/check_main.h"

#define WRONG_FORMAT \
    " does not have the form server_config or server_config;client_config where server_config is the pipe separated " \
    "list of host:port:port or host:port:port:type and client_config is port or host:port"

static const struct {
    const char *fact, *line, *printed;    /* printed as QuorumServer.toString() */
    bool is_multi;
} accepted[] = {
    {"a server takes part unless it says otherwise", "127.0.0.1:2888:3888", "127.0.0.1:2888:3888:participant", false},
    {"a client port alone is at all addresses", "host2:2888:3888:observer;2181",
     "host2:2888:3888:observer;0.0.0.0:2181", false},
    {"IPv6 stands in brackets and is printed in full", "[::1]:2888:3888:participant;[::1]:2181",
     "[0:0:0:0:0:0:0:1]:2888:3888:participant;[0:0:0:0:0:0:0:1]:2181", false},
    {"IPv4 in IPv6 is IPv4", "[::ffff:1.2.3.4]:1:2", "1.2.3.4:1:2:participant", false},
    {"nothing behind ; is no client port", "h:1:2;", "h:1:2:participant", false},
    {"no host is localhost", ":1:2", "localhost:1:2:participant", false},
    {"the role is trimmed, and in any case", "h:1:2: PARTICIPANT ", "h:1:2:participant", false},
    {"several addresses are printed by host", "zz:1:2|aa:3:4:observer", "aa:3:4|zz:1:2:observer", true},
    {"an address that is there twice counts once", "b:1:2|a:3:4|b:1:2", "a:3:4|b:1:2:participant", true},
    {"empty pieces at the end are not there", "h:1:2::;;", "h:1:2:participant", false},
};

START_TEST(lines_that_are_understood)
{
    struct quorum_server server, copy;
    struct buffer text = {0};
    struct error error = {0};
    int err = quorum_server_parse(7, accepted[_i].line, accepted[_i].is_multi, &server, &error);
    ck_assert_msg(err == ZK_OK, "%s: %s", accepted[_i].fact, error.text);
    quorum_server_print(&server, &text);
    ck_assert_msg(strcmp(buffer_string(&text), accepted[_i].printed) == 0, "%s: %s", accepted[_i].fact,
                  buffer_string(&text));
    quorum_server_copy(&server, &copy);
    quorum_server_release(&server);
    ck_assert_int_eq(quorum_server_parse(7, accepted[_i].printed, accepted[_i].is_multi, &server, &error), ZK_OK);
    ck_assert_msg(quorum_server_equal(&server, &copy), "what is printed is read as the same: %s", accepted[_i].fact);
    quorum_server_release(&server);
    quorum_server_release(&copy);
    buffer_release(&text);
}
END_TEST

static const struct {
    const char *line, *sentence;
    bool is_multi;
} refused[] = {
    {"h:1:2;a;b", "h:1:2;a;b" WRONG_FORMAT, false},
    {"h:1", "h:1" WRONG_FORMAT, false},
    {"", WRONG_FORMAT, false},
    {";", ";" WRONG_FORMAT, false},
    {";2181", ";2181" WRONG_FORMAT, false},
    {"h:1:2:observer:x", "h:1:2:observer:x" WRONG_FORMAT, false},
    {"::1:1:2", "::1:1:2" WRONG_FORMAT, false},
    {"h:1:2;h:2181:3", "h:1:2;h:2181:3" WRONG_FORMAT, false},
    {"h:1:1", "Client and election port must be different! Please update the configuration file on server.7", false},
    {"h:1:2:x", "Unrecognised peertype: x", false},
    {"h:a:2", "Address unresolved: h:a", false},
    {"h:1:99999999999", "Address unresolved: h:99999999999", false},
    {"h:70000:2", "port out of range:70000", false},
    {"h:-1:2", "port out of range:-1", false},
    {"h:1:2|g:1:2", "Multiple address feature is disabled, but multiple addresses were specified for sid 7", false},
    {"zz:1:2:participant|aa:3:4:observer", "Multiple addresses should have similar roles: PARTICIPANT vs OBSERVER",
     true},
    {"|||", "|||" WRONG_FORMAT, true},
    {"[::1", "[::1 starts with '[' but has no matching ']:'", false},
    {"[::1]:", "[::1]: doesn't have a port after colon", false},
    {"[::1]", "[::1]" WRONG_FORMAT, false},
    {"h:1:2;[::1]", "Address unresolved: null:::1", false},
    {"h:1:2;h:x", "Address unresolved: null:x", false},
    /* ours: what would add lines to the files that are written */
    {"a\nclientPort=1:1:2", "a\nclientPort=1:1:2" WRONG_FORMAT, false},
    {"h:1:2;a b:1", "h:1:2;a b:1" WRONG_FORMAT, false},
    {"h\\:1:2", "h\\:1:2" WRONG_FORMAT, false},
};

START_TEST(lines_that_are_refused)
{
    struct quorum_server server;
    struct error error = {0};
    ck_assert_int_eq(quorum_server_parse(7, refused[_i].line, refused[_i].is_multi, &server, &error), ZK_BAD_CONFIG);
    ck_assert_str_eq(error.text, refused[_i].sentence);
}
END_TEST

static void parse(const char *line, struct quorum_server *ret_server)
{
    struct error error = {0};
    ck_assert_msg(quorum_server_parse(1, line, true, ret_server, &error) == ZK_OK, "%s", error.text);
}

static const struct {
    const char *a, *b;
    bool are_equal;
} pairs[] = {
    {"h:1:2;3", "h:1:2:participant;0.0.0.0:3", true}, {"H:1:2", "h:1:2", true},    {"a:1:2|b:1:2", "b:1:2|a:1:2", true},
    {"h:1:2", "h:1:3", false},                        {"h:1:2", "h:4:2", false},   {"h:1:2", "h:1:2:observer", false},
    {"h:1:2;3", "h:1:2", false},                      {"h:1:2", "h:1:2;3", false}, {"h:1:2;3", "h:1:2;4", false},
    {"a:1:2", "a:1:2|b:1:2", false},
};

START_TEST(servers_are_equal_in_all_or_not_at_all)
{
    struct quorum_server a, b;
    parse(pairs[_i].a, &a);
    parse(pairs[_i].b, &b);
    ck_assert_msg(quorum_server_equal(&a, &b) == pairs[_i].are_equal, "%s and %s", pairs[_i].a, pairs[_i].b);
    quorum_server_release(&a);
    quorum_server_release(&b);
}
END_TEST

START_TEST(an_address_may_be_used_once_but_on_the_loopback)
{
    static const struct {
        const char *a, *b;
        int code;
    } cases[] = {
        {"10.0.0.1:1:2;10.0.0.1:3", "10.0.0.1:4:1", ZK_BAD_ARGUMENTS},
        {"10.0.0.1:1:2;10.0.0.1:3", "10.0.0.1:4:5;10.0.0.1:3", ZK_BAD_ARGUMENTS},
        {"10.0.0.1:1:2", "10.0.0.2:1:2", ZK_OK},
        {"10.0.0.1:1:2;3", "10.0.0.2:1:2;3", ZK_OK},
        {"127.0.0.1:1:2", "127.0.0.1:1:2", ZK_OK},
        {"[::1]:1:2", "[::1]:1:2", ZK_OK},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct quorum_server a, b;
        parse(cases[i].a, &a);
        parse(cases[i].b, &b);
        ck_assert_msg(quorum_server_check_duplicate(&a, &b, NULL) == cases[i].code, "%s, %s", cases[i].a, cases[i].b);
        quorum_server_release(&a);
        quorum_server_release(&b);
    }
}
END_TEST

START_TEST(all_addresses_are_looked_up_in_order)
{
    struct quorum_server server;
    struct address addresses[4];
    size_t count = 0;
    parse("127.0.0.2:1:2|[::1]:3:4|127.0.0.3:5:6", &server);
    ck_assert_int_eq(quorum_addresses_resolve(server.election_addresses, 3, addresses, 4, &count, NULL), ZK_OK);
    ck_assert_uint_eq(count, 3);
    ck_assert_uint_eq(address_port(&addresses[1]), 4);
    ck_assert_int_eq(quorum_addresses_resolve(server.election_addresses, 3, addresses, 2, &count, NULL), ZK_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(quorum_addresses_resolve(NULL, 0, addresses, 2, &count, NULL), ZK_NOT_FOUND);
    quorum_server_release(&server);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("quorum_server");
    TCase *tcase = tcase_create("a line");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, lines_that_are_understood, 0, ARRAY_SIZE(accepted));
    tcase_add_loop_test(tcase, lines_that_are_refused, 0, ARRAY_SIZE(refused));
    tcase_add_loop_test(tcase, servers_are_equal_in_all_or_not_at_all, 0, ARRAY_SIZE(pairs));
    tcase_add_test(tcase, an_address_may_be_used_once_but_on_the_loopback);
    tcase_add_test(tcase, all_addresses_are_looked_up_in_order);
    return suite;
}

CHECK_MAIN(make_suite)
