/* Acks held against one configuration, or two. */
#include "server/quorum/flexible/synced_learner_tracker.h"

#include <string.h>

#include "tests/lib/check_main.h"

static struct quorum_verifier *parse(const char *text)
{
    struct quorum_verifier *verifier = NULL;
    ck_assert_int_eq(quorum_verifier_parse_text(text, strlen(text), &(struct quorum_parse_options){0}, &verifier, NULL),
                     ZK_OK);
    return verifier;
}

START_TEST(both_configurations_need_their_quorum)
{
    struct quorum_verifier *old = parse("server.1=h:1:2\nserver.2=h:1:2\nserver.3=h:1:2\nserver.9=h:1:2:observer\n");
    struct quorum_verifier *next = parse("server.3=h:1:2\nserver.4=h:1:2\nserver.5=h:1:2\nversion=1\n");
    struct synced_learner_tracker tracker = {0};
    struct buffer text = {0};
    synced_learner_tracker_add_verifier(&tracker, old);
    synced_learner_tracker_add_verifier(&tracker, next);
    quorum_verifier_unref(old);
    quorum_verifier_unref(next);
    ck_assert_msg(!synced_learner_tracker_add_ack(&tracker, 9), "an observer does not count");
    ck_assert(synced_learner_tracker_add_ack(&tracker, 1));
    ck_assert(synced_learner_tracker_add_ack(&tracker, 3));
    ck_assert_msg(!synced_learner_tracker_has_all_quorums(&tracker), "of the old one only");
    ck_assert(synced_learner_tracker_add_ack(&tracker, 4));
    ck_assert(synced_learner_tracker_has_all_quorums(&tracker));
    ck_assert(synced_learner_tracker_has_sid(&tracker, 3));
    ck_assert_msg(!synced_learner_tracker_has_sid(&tracker, 1), "it votes in one of them only");
    synced_learner_tracker_print(&tracker, &text);
    ck_assert_str_eq(buffer_string(&text), "[1, 3],[3, 4]");
    buffer_release(&text);
    synced_learner_tracker_release(&tracker);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("synced_learner_tracker");
    TCase *tcase = tcase_create("acks");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, both_configurations_need_their_quorum);
    return suite;
}

CHECK_MAIN(make_suite)
