/* What a reconfig request makes of a configuration, and what Java refuses, in its order. */
#include "server/quorum/quorum_reconfig.h"

#include <string.h>

#include "tests/lib/check_main.h"

#define ZXID INT64_C(0x200000005)
#define THREE \
    "server.1=10.0.0.1:2888:3888:participant;2181\nserver.2=10.0.0.2:2888:3888:participant;2181\n" \
    "server.3=10.0.0.3:2888:3888:participant;2181\nversion=100000000"
#define TWO_AND_OBSERVER \
    "server.1=10.0.0.1:2888:3888:participant;2181\nserver.2=10.0.0.2:2888:3888:participant;2181\n" \
    "server.3=10.0.0.3:2888:3888:observer;2181\nversion=100000000"
#define GROUPS \
    "server.1=10.0.0.1:2888:3888;2181\nserver.2=10.0.0.2:2888:3888;2181\nserver.3=10.0.0.3:2888:3888;2181\n" \
    "group.1=1:2:3\nweight.1=1\nweight.2=1\nweight.3=1\nversion=100000000"

static struct quorum_verifier *parse(const char *text)
{
    struct quorum_parse_options options = {.is_standalone_enabled = true};
    struct quorum_verifier *verifier;
    struct error error = {0};
    ck_assert_msg(quorum_verifier_parse_text(text, strlen(text), &options, &verifier, &error) == ZK_OK, "%s",
                  error.text);
    return verifier;
}

struct synced {
    bool answer;
    size_t asked;
};

static bool is_quorum_synced(void *owner, struct quorum_verifier *next)
{
    struct synced *synced = owner;
    ck_assert_int_eq(quorum_verifier_version(next), ZXID);
    synced->asked++;
    return synced->answer;
}

enum { NOT_SYNCED = 1, NO_STANDALONE = 2 };
struct reconfig_case {
    int flags;
    const char *fact, *present;
    const char *joining, *leaving, *members;    /* NULL: null */
    int64_t config_id;
    int err;
    const char *next;    /* the text of the next one, without its version */
};

static const struct reconfig_case cases[] = {
    { 0, "one leaves", THREE, NULL, "3", NULL, -1, ZK_OK,
      "server.1=10.0.0.1:2888:3888:participant;0.0.0.0:2181\nserver.2=10.0.0.2:2888:3888:participant;0.0.0.0:2181\n" },
    { 0, "several leave, blanks and empty items do not matter", THREE "\n", NULL, " 3 ,, 7", NULL, -1, ZK_OK,
      "server.1=10.0.0.1:2888:3888:participant;0.0.0.0:2181\nserver.2=10.0.0.2:2888:3888:participant;0.0.0.0:2181\n" },
    { 0, "one joins, as a participant if it does not say", THREE, "server.4=10.0.0.4:2888:3888;2181", NULL, NULL, -1,
      ZK_OK,
      "server.1=10.0.0.1:2888:3888:participant;0.0.0.0:2181\nserver.2=10.0.0.2:2888:3888:participant;0.0.0.0:2181\n"
      "server.3=10.0.0.3:2888:3888:participant;0.0.0.0:2181\nserver.4=10.0.0.4:2888:3888:participant;0.0.0.0:2181\n" },
    { 0, "one that is there joins anew, with another role", THREE, "server.3=10.0.0.3:2888:3888:observer;2181", NULL,
      NULL, 0x100000000, ZK_OK,
      "server.1=10.0.0.1:2888:3888:participant;0.0.0.0:2181\nserver.2=10.0.0.2:2888:3888:participant;0.0.0.0:2181\n"
      "server.3=10.0.0.3:2888:3888:observer;0.0.0.0:2181\n" },
    { 0, "who leaves may join in the same request", THREE, "server.3=10.0.0.9:2888:3888;2181", "3", NULL, -1, ZK_OK,
      "server.1=10.0.0.1:2888:3888:participant;0.0.0.0:2181\nserver.2=10.0.0.2:2888:3888:participant;0.0.0.0:2181\n"
      "server.3=10.0.0.9:2888:3888:participant;0.0.0.0:2181\n" },
    { 0, "a whole list, with commas or lines", THREE, NULL, NULL,
      "server.1=10.0.0.1:2888:3888;2181,server.5=10.0.0.5:2888:3888;2181\nserver.6=10.0.0.6:2888:3888:observer;2181",
      -1, ZK_OK,
      "server.1=10.0.0.1:2888:3888:participant;0.0.0.0:2181\nserver.5=10.0.0.5:2888:3888:participant;0.0.0.0:2181\n"
      "server.6=10.0.0.6:2888:3888:observer;0.0.0.0:2181\n" },
    { 0, "a whole list counts, whoever joins beside it", THREE, "nonsense", "nonsense",
      "server.1=10.0.0.1:2888:3888;2181,server.2=10.0.0.2:2888:3888;2181", -1, ZK_OK,
      "server.1=10.0.0.1:2888:3888:participant;0.0.0.0:2181\nserver.2=10.0.0.2:2888:3888:participant;0.0.0.0:2181\n" },
    { 0, "a whole list may have groups", THREE, NULL, NULL,
      "server.1=10.0.0.1:2888:3888;2181,server.2=10.0.0.2:2888:3888;2181,group.1=1:2,weight.1=1,weight.2=1", -1, ZK_OK,
      "server.1=10.0.0.1:2888:3888:participant;0.0.0.0:2181\n" },
    { 0, "nobody joins or leaves: the same list again", THREE, NULL, NULL, NULL, -1, ZK_OK,
      "server.1=10.0.0.1:2888:3888:participant;0.0.0.0:2181\nserver.2=10.0.0.2:2888:3888:participant;0.0.0.0:2181\n"
      "server.3=10.0.0.3:2888:3888:participant;0.0.0.0:2181\n" },
    { 0, "a version that is not the last one", THREE, NULL, "3", NULL, 0x100000001, ZK_BAD_VERSION, NULL },
    { 0, "the version is looked at before the list", THREE, NULL, "x", NULL, 7, ZK_BAD_VERSION, NULL },
    { 0, "groups can only be changed as a whole", GROUPS, NULL, "3", NULL, -1, ZK_BAD_ARGUMENTS, NULL },
    { 0, "an id that is no number, leaving", THREE, NULL, "x", NULL, -1, ZK_MARSHALLING_ERROR, NULL },
    { 0, "an id that is no number, joining", THREE, "server.x=10.0.0.4:2888:3888;2181", NULL, NULL, -1,
      ZK_MARSHALLING_ERROR, NULL },
    { 0, "no address", THREE, "server.4", NULL, NULL, -1, ZK_BAD_ARGUMENTS, NULL },
    { 0, "no client port", THREE, "server.4=10.0.0.4:2888:3888", NULL, NULL, -1, ZK_BAD_ARGUMENTS, NULL },
    { 0, "no election port", THREE, "server.4=10.0.0.4:2888;2181", NULL, NULL, -1, ZK_BAD_ARGUMENTS, NULL },
    { 0, "a role that is none", THREE, "server.4=10.0.0.4:2888:3888:king;2181", NULL, NULL, -1, ZK_BAD_ARGUMENTS,
      NULL },
    { 0, "an address of another", THREE, "server.4=10.0.0.3:2888:3889;2182", NULL, NULL, -1, ZK_BAD_ARGUMENTS, NULL },
    { 0, "an address of one that joins too", THREE,
      "server.4=10.0.0.4:2888:3888;2181,server.5=10.0.0.4:2889:3888;2182", NULL, NULL, -1, ZK_BAD_ARGUMENTS, NULL },
    { 0, "a list with anything else in it", THREE, NULL, NULL, "server.1=10.0.0.1:2888:3888;2181,tickTime=2000", -1,
      ZK_BAD_ARGUMENTS, NULL },
    { 0, "an empty list", THREE, NULL, NULL, "", -1, ZK_BAD_ARGUMENTS, NULL },
    { 0, "fewer than two participants", TWO_AND_OBSERVER, NULL, "2", NULL, -1, ZK_BAD_ARGUMENTS, NULL },
    { NO_STANDALONE, "one will do where no server stands alone", TWO_AND_OBSERVER, NULL, "2", NULL, -1, ZK_OK,
      "server.1=10.0.0.1:2888:3888:participant;0.0.0.0:2181\nserver.3=10.0.0.3:2888:3888:observer;0.0.0.0:2181\n" },
    { NO_STANDALONE, "but none will not", TWO_AND_OBSERVER, NULL, "1,2", NULL, -1, ZK_BAD_ARGUMENTS, NULL },
    { NOT_SYNCED, "no quorum of it in sync", THREE, NULL, "3", NULL, -1, ZK_NEW_CONFIG_NO_QUORUM, NULL },
    { NOT_SYNCED, "which is looked at last", THREE, NULL, "2,3", NULL, -1, ZK_BAD_ARGUMENTS, NULL },
};

static struct ustring text_or_null(const char *text)
{
    return text == NULL ? USTRING_NULL : ustring_of(text);
}

START_TEST(the_next_configuration_is_as_told)
{
    const struct reconfig_case *one = &cases[_i];
    struct quorum_verifier *present = parse(one->present), *next = NULL;
    struct synced synced = {(one->flags & NOT_SYNCED) == 0, 0};
    struct reconfig_state state = {present, present, (one->flags & NO_STANDALONE) == 0, false, is_quorum_synced,
                                   &synced};
    struct reconfig_request request = {text_or_null(one->joining), text_or_null(one->leaving),
                                       text_or_null(one->members), one->config_id};
    struct error error = {0};
    int err = quorum_reconfig_prepare(&state, &request, ZXID, &next, &error);
    ck_assert_msg(err == one->err, "%s: %s in place of %s (%s)", one->fact, error_name(err), error_name(one->err),
                  error.text);
    ck_assert_uint_eq(synced.asked, err == ZK_OK || err == ZK_NEW_CONFIG_NO_QUORUM);
    if (err == ZK_OK) {
        struct buffer text = {0};
        quorum_verifier_print(next, &text);
        ck_assert_msg(strncmp(buffer_string(&text), one->next, strlen(one->next)) == 0, "%s: got\n%s", one->fact,
                      buffer_string(&text));
        ck_assert(strstr(buffer_string(&text), "version=200000005") != NULL);
        buffer_release(&text);
        quorum_verifier_unref(next);
    } else {
        ck_assert(error.code == err && error.text[0] != '\0');
    }
    quorum_verifier_unref(present);
}
END_TEST

START_TEST(while_one_is_proposed_there_is_no_other)
{
    struct quorum_verifier *current = parse(THREE), *next;
    struct quorum_verifier *last_seen = quorum_verifier_with_version(current, 0x100000009);
    struct synced synced = {true, 0};
    struct reconfig_state state = {current, last_seen, true, false, is_quorum_synced, &synced};
    struct reconfig_request request = {USTRING_NULL, ustring_of("x"), USTRING_NULL, 7};    /* wrong in all other ways */
    ck_assert_int_eq(quorum_reconfig_prepare(&state, &request, ZXID, &next, NULL), ZK_RECONFIG_IN_PROGRESS);
    quorum_verifier_unref(current);
    quorum_verifier_unref(last_seen);
}
END_TEST

static Suite *quorum_reconfig_suite(void)
{
    Suite *suite = suite_create("quorum_reconfig");
    TCase *tcase = tcase_create("quorum_reconfig");
    tcase_add_loop_test(tcase, the_next_configuration_is_as_told, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tcase, while_one_is_proposed_there_is_no_other);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(quorum_reconfig_suite)
