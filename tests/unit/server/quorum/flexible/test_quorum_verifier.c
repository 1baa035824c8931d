/* Configurations: what is read and printed, who votes, what is a quorum, what is equal. */
#include "server/quorum/flexible/quorum_verifier.h"

#include <stdio.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_directory.h"

static struct quorum_verifier *parse_with(const char *text, const struct quorum_parse_options *options)
{
    struct quorum_verifier *verifier = NULL;
    struct error error = {0};
    int err = quorum_verifier_parse_text(text, strlen(text), options, &verifier, &error);
    ck_assert_msg(err == ZK_OK, "%s", error.text);
    return verifier;
}

static struct quorum_verifier *parse(const char *text)
{
    return parse_with(text, &(struct quorum_parse_options){0});
}

static void assert_prints(const struct quorum_verifier *verifier, const char *expected)
{
    struct buffer text = {0};
    quorum_verifier_print(verifier, &text);
    ck_assert_str_eq(buffer_string(&text), expected);
    buffer_release(&text);
}

/* "1,3" */
static bool is_quorum(struct quorum_verifier *verifier, const char *sids)
{
    struct sid_set acks = {0};
    for (const char *at = sids; *at != '\0'; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ','))
        sid_set_add(&acks, atoll(at));
    bool is = quorum_verifier_contains_quorum(verifier, &acks);
    sid_set_release(&acks);
    return is;
}

#define THREE "server.1=h:1:2:participant\nserver.2=h:3:4:participant\nserver.3=h:5:6:participant\n"
#define GROUPS \
    "server.1=h:1:2:participant\nserver.2=h:3:4:participant\nserver.3=h:5:6:participant\nserver.4=h:7:8:observer\n" \
    "group.1=1:2\ngroup.2=3\nweight.1=2\nweight.2=1\nweight.3=1\n"

START_TEST(what_is_printed_is_java_s)
{
    struct quorum_verifier *verifier = parse("version=1000000a\nserver.2=h:3:4:observer;2181\nserver.1=h:1:2\n");
    assert_prints(verifier, "server.1=h:1:2:participant\nserver.2=h:3:4:observer;0.0.0.0:2181\nversion=1000000a");
    quorum_verifier_unref(verifier);
    verifier = parse("server.1=h:1:2\nserver.2=h:3:4\nserver.3=h:5:6\nserver.4=h:7:8:observer\n"
                     "group.1=1:2\ngroup.2=3\nweight.1=2\nversion=5\n");
    assert_prints(verifier, GROUPS "version=5");
    quorum_verifier_unref(verifier);
    verifier = parse("server.1=h:1:2\ngroup.1=1:9\nweight.9=3\n");
    assert_prints(verifier, "server.1=h:1:2:participant\ngroup.1=1:9\nweight.1=1\nweight.9=3\nversion=0");
    quorum_verifier_unref(verifier);
}
END_TEST

/* ids of one bucket of 16 stand together */
START_TEST(members_are_printed_in_the_order_of_java_s_map)
{
    struct quorum_verifier *verifier = parse("server.15=h:1:2\nserver.16=h:1:2\nserver.2=h:1:2\n");
    assert_prints(verifier, "server.16=h:1:2:participant\nserver.2=h:1:2:participant\n"
                            "server.15=h:1:2:participant\nversion=0");
    ck_assert_int_eq(quorum_verifier_at(verifier, 2)->id, 16);    /* but they are counted by rising id */
    quorum_verifier_unref(verifier);
}
END_TEST

static const struct {
    const char *text, *sentence;
    struct quorum_parse_options options;
} refused[] = {
    {"server.x=h:1:2\n", "server.x: \"x\" is not a number", {0}},
    {"server.1=h:1:2\nversion=zz\n", "version: \"zz\" is not a hexadecimal number", {0}},
    {"server.1=h:1:2\nversion=-1\n", "version: \"-1\" is not a hexadecimal number", {0}},
    {"server.1=h:1:2\nclientPort=1\n", "Unrecognised parameter: clientPort", {0}},
    {"server.1=h:1:2\nserver.2=h:3:4\ngroup.1=1\n", "Server 2 is not in a group", {0}},
    {"server.1=h:1:2\ngroup.1=1\ngroup.2=1\n", "Server 1 is in multiple groups", {0}},
    {"server.1=h:1:2\ngroup.1=1:9\n", "group.1 names server 9, which takes no part and has no weight", {0}},
    {"server.1=h:1:2\ngroup1=1\n", "group1: \"group1\" is not a number", {0}},
    {"server.1=h:1:2\ngroup.1=1:x\n", "group.1: \"x\" is not a number", {0}},
    {"server.1=h:1:2\ngroup.1=1\nweight.1=x\n", "weight.1: \"x\" is not a number", {0}},
    {"version=0\n", "standaloneEnabled = false then number of participants should be >0", {0}},
    {"server.1=h:1:2:observer\n", "Observers w/o participants is an invalid configuration",
     {.is_standalone_enabled = true}},
    {"server.1=h:1:2\nserver.2=h:1:2:observer\n", "Observers w/o quorum is an invalid configuration",
     {.is_standalone_enabled = true}},
};

START_TEST(what_is_refused)
{
    struct quorum_verifier *verifier = NULL;
    struct error error = {0};
    const char *text = refused[_i].text;
    ck_assert_int_eq(quorum_verifier_parse_text(text, strlen(text), &refused[_i].options, &verifier, &error),
                     ZK_BAD_CONFIG);
    ck_assert_str_eq(error.text, refused[_i].sentence);
}
END_TEST

START_TEST(a_text_of_very_many_lines_is_refused_before_it_is_read)
{
    struct buffer text = {0};
    struct quorum_verifier *verifier = NULL;
    for (int i = 0; i < 5000; i++)
        buffer_printf(&text, "server.%d=h:1:2\n", i);
    ck_assert_int_eq(quorum_verifier_parse_text((const char *)text.bytes, text.size,
                                                &(struct quorum_parse_options){0}, &verifier, NULL), ZK_TOO_LARGE);
    buffer_release(&text);
}
END_TEST

static const struct {
    const char *config, *acks;
    bool is_quorum;
} quorums[] = {
    {THREE, "", false}, {THREE, "1", false}, {THREE, "1,2", true}, {THREE, "1,2,3", true},
    {THREE "server.4=h:7:8\n", "1,2", false}, {THREE "server.4=h:7:8\n", "1,2,4", true},
    {THREE "server.4=h:7:8:observer\n", "1,2", true},
    {"server.1=h:1:2\n", "1", true}, {"server.1=h:1:2\n", "", false},
    /* two groups: a majority of groups is both; of group 1 (weight 3) server 1 alone weighs enough */
    {GROUPS, "1", false}, {GROUPS, "1,3", true}, {GROUPS, "2,3", false}, {GROUPS, "3", false}, {GROUPS, "", false},
    /* a group in two lines, and one without members, count once and not at all */
    {THREE "group.1=1\ngroup.01=2\ngroup.2=3\ngroup.3=:\n", "1,2,3", true},
    {THREE "group.1=1\ngroup.01=2\ngroup.2=3\ngroup.3=:\n", "1,2", false},
    /* a group without weight does not count */
    {THREE "group.1=1:2\ngroup.2=3\nweight.3=0\n", "1,2", true},
    {THREE "group.1=1:2\ngroup.2=3\nweight.3=0\n", "1", false},
};

START_TEST(what_is_a_quorum)
{
    struct quorum_verifier *verifier = parse(quorums[_i].config);
    ck_assert_msg(is_quorum(verifier, quorums[_i].acks) == quorums[_i].is_quorum, "%s of %s", quorums[_i].acks,
                  quorums[_i].config);
    quorum_verifier_unref(verifier);
}
END_TEST

static const struct {
    const char *fact, *a, *b;
    bool are_equal;
} pairs[] = {
    {"one version is one configuration", THREE "version=1\n", "server.1=x:1:2\nversion=1\n", true},
    {"the same members are equal in any version", THREE "version=1\n", THREE "version=2\n", true},
    {"one member less", THREE "version=1\n", "server.1=h:1:2\nserver.2=h:3:4\nversion=2\n", false},
    {"another port", THREE "version=1\n", "server.1=h:1:2\nserver.2=h:3:4\nserver.3=h:5:7\nversion=2\n", false},
    {"a majority is no groups, in one version even", THREE "version=1\n", THREE "group.1=1:2:3\nversion=1\n", false},
    {"the same groups", GROUPS "version=1\n", GROUPS "version=2\n", true},
    {"another weight", THREE "group.1=1:2:3\nversion=1\n", THREE "group.1=1:2:3\nweight.1=2\nversion=2\n", false},
};

START_TEST(what_is_equal)
{
    struct quorum_verifier *a = parse(pairs[_i].a), *b = parse(pairs[_i].b);
    ck_assert_msg(quorum_verifier_equal(a, b) == pairs[_i].are_equal, "%s", pairs[_i].fact);
    ck_assert_msg(quorum_verifier_equal(b, a) == pairs[_i].are_equal, "%s", pairs[_i].fact);
    quorum_verifier_unref(a);
    quorum_verifier_unref(b);
}
END_TEST

START_TEST(members_and_voters)
{
    struct quorum_verifier *verifier = parse(GROUPS "version=7fffffffffffffff\n");
    ck_assert_uint_eq(quorum_verifier_count(verifier), 4);
    ck_assert_uint_eq(quorum_verifier_voter_count(verifier), 3);
    ck_assert(quorum_verifier_is_voter(verifier, 3) && !quorum_verifier_is_voter(verifier, 4));
    ck_assert_ptr_nonnull(quorum_verifier_find(verifier, 4));
    ck_assert_ptr_null(quorum_verifier_find(verifier, 5));
    ck_assert_int_eq(quorum_verifier_weight(verifier, 1), 2);
    ck_assert_int_eq(quorum_verifier_weight(verifier, 4), 0);
    ck_assert_int_eq(quorum_verifier_version(verifier), INT64_MAX);
    ck_assert(quorum_verifier_is_hierarchical(verifier));
    quorum_verifier_unref(verifier);
}
END_TEST

START_TEST(copies_change_one_thing)
{
    struct quorum_verifier *verifier = parse(GROUPS "version=5\n");
    struct quorum_verifier *later = quorum_verifier_with_version(verifier, 0x10);
    assert_prints(later, GROUPS "version=10");
    quorum_verifier_unref(later);
    quorum_verifier_unref(verifier);
    verifier = parse(THREE "version=5\n");
    const struct quorum_server *members[] = {quorum_verifier_find(verifier, 3), quorum_verifier_find(verifier, 1)};
    struct quorum_verifier *fewer = quorum_verifier_with_members(verifier, members, 2, 6);
    assert_prints(fewer, "server.1=h:1:2:participant\nserver.3=h:5:6:participant\nversion=6");
    struct quorum_address address = {.host = (char *)"1.2.3.4", .port = 2181};
    struct quorum_verifier *with_port = quorum_verifier_with_static_client_address(fewer, 3, &address);
    assert_prints(with_port, "server.1=h:1:2:participant\nserver.3=h:5:6:participant\nversion=6");
    ck_assert_uint_eq(quorum_verifier_find(with_port, 3)->client_address.port, 2181);
    quorum_verifier_unref(with_port);
    quorum_verifier_unref(fewer);
    quorum_verifier_unref(verifier);
}
END_TEST

static void say(const char *path, const char *verdict)
{
    ck_assert_int_eq(file_write_atomic(path, verdict, strlen(verdict), NULL), ZK_OK);
}

START_TEST(the_oracle_lets_one_of_two_go_on)
{
    char directory[TEST_DIRECTORY_SIZE], path[TEST_DIRECTORY_SIZE + 16];
    struct sid_set none = {0}, one = {0};
    test_directory_make(directory);
    snprintf(path, sizeof(path), "%s/oracle", directory);
    struct quorum_parse_options options = {.oracle_path = path};
    struct quorum_verifier *two = parse_with("server.1=h:1:2\nserver.2=h:3:4\n", &options);
    struct quorum_verifier *three = parse_with(THREE, &options);
    sid_set_add(&one, 2);
    ck_assert(quorum_verifier_has_oracle(two) && quorum_verifier_get_need_oracle(two));
    ck_assert_msg(!is_quorum(two, "1"), "an oracle that cannot be asked says no");
    say(path, "0");
    ck_assert(!is_quorum(two, "1"));
    say(path, "1\n");
    ck_assert(is_quorum(two, "1"));
    ck_assert_msg(!is_quorum(three, "1"), "three do without");
    ck_assert(!quorum_verifier_update_need_oracle(two, &one));
    ck_assert_msg(!is_quorum(two, "1"), "with a follower the oracle is not asked");
    ck_assert(quorum_verifier_override_quorum_decision(two, &none));
    ck_assert(is_quorum(two, "1"));
    struct quorum_verifier *plain = parse("server.1=h:1:2\nserver.2=h:3:4\n");
    ck_assert(!quorum_verifier_update_need_oracle(plain, &none) && !quorum_verifier_ask_oracle(plain));
    quorum_verifier_unref(plain);
    quorum_verifier_unref(two);
    quorum_verifier_unref(three);
    sid_set_release(&one);
    test_directory_remove(directory);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("quorum_verifier");
    TCase *tcase = tcase_create("a configuration");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, what_is_printed_is_java_s);
    tcase_add_test(tcase, members_are_printed_in_the_order_of_java_s_map);
    tcase_add_loop_test(tcase, what_is_refused, 0, ARRAY_SIZE(refused));
    tcase_add_test(tcase, a_text_of_very_many_lines_is_refused_before_it_is_read);
    tcase_add_loop_test(tcase, what_is_a_quorum, 0, ARRAY_SIZE(quorums));
    tcase_add_loop_test(tcase, what_is_equal, 0, ARRAY_SIZE(pairs));
    tcase_add_test(tcase, members_and_voters);
    tcase_add_test(tcase, copies_change_one_thing);
    tcase_add_test(tcase, the_oracle_lets_one_of_two_go_on);
    return suite;
}

CHECK_MAIN(make_suite)
