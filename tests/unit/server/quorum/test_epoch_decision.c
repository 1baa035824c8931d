/* test_epoch_decision.c - which epoch, who may lead it, and from when on. */
#include "server/quorum/epoch_decision.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static struct quorum_verifier *verifier(const char *text)
{
    struct quorum_verifier *verifier;
    struct error error = { 0 };
    struct quorum_parse_options options = { 0 };
    ck_assert_msg(quorum_verifier_parse_text(text, strlen(text), &options, &verifier, &error) == ZK_OK, "%s",
                  error.text);
    return verifier;
}

#define THREE_AND_OBSERVER                                                                      \
    "server.1=127.0.0.1:2888:3888:participant\nserver.2=127.0.0.1:2889:3889:participant\n"      \
    "server.3=127.0.0.1:2890:3890:participant\nserver.4=127.0.0.1:2891:3891:observer\nversion=0"

#define MOST 4
static const struct {
    const char *fact;
    struct {
        int64_t sid, accepted;
    } comers[MOST];    /* up to a sid of 0; server 2 is this one */
    bool is_decided;
    int64_t epoch;
} rounds[] = {
    { "this server alone is no quorum", { { 2, 5 } }, false, 6 },
    { "a quorum: one more than the largest accepted", { { 2, 5 }, { 1, 7 } }, true, 8 },
    { "a quorum without this server decides nothing", { { 1, 5 }, { 3, 5 } }, false, 6 },
    { "until it comes", { { 1, 5 }, { 3, 5 }, { 2, 9 } }, true, 10 },
    { "an observer does not count, but is heard", { { 2, 5 }, { 4, 9 } }, false, 10 },
    { "nor does a stranger", { { 2, 5 }, { 9, 5 } }, false, 6 },
    { "nor one that comes twice", { { 2, 5 }, { 2, 5 } }, false, 6 },
    { "who comes late changes nothing", { { 2, 5 }, { 1, 5 }, { 3, 6 } }, true, 6 },
    { "nor one that does not vote, whatever it has accepted", { { 2, 5 }, { 1, 5 }, { 4, 100 } }, true, 6 },
    { "a new ensemble begins with epoch 1", { { 2, 0 }, { 1, 0 } }, true, 1 },
    { "one that never accepted any", { { 2, -1 }, { 1, -1 } }, true, 0 },
};

START_TEST(an_epoch_is_larger_than_all_that_a_quorum_accepted)
{
    struct epoch_decision decision;
    struct quorum_verifier *three = verifier(THREE_AND_OBSERVER);
    epoch_decision_init(&decision, 2);
    for (size_t i = 0; i < MOST && rounds[_i].comers[i].sid != 0; i++)
        ck_assert_int_eq(
            epoch_decision_propose(&decision, three, rounds[_i].comers[i].sid, rounds[_i].comers[i].accepted, NULL),
            ZK_OK);
    ck_assert_msg(decision.is_epoch_decided == rounds[_i].is_decided, "%s", rounds[_i].fact);
    ck_assert_msg(decision.epoch == rounds[_i].epoch, "%s: %ld", rounds[_i].fact, (long)decision.epoch);
    epoch_decision_release(&decision);
    quorum_verifier_unref(three);
}
END_TEST

START_TEST(there_is_no_epoch_after_the_last)
{
    struct epoch_decision decision;
    struct quorum_verifier *three = verifier(THREE_AND_OBSERVER);
    struct error error = { 0 };
    epoch_decision_init(&decision, 2);
    ck_assert_int_eq(epoch_decision_propose(&decision, three, 2, 5, &error), ZK_OK);
    ck_assert_int_eq(epoch_decision_propose(&decision, three, 1, LARGEST_EPOCH, &error), ZK_TOO_LARGE);
    ck_assert_int_eq(epoch_decision_propose(&decision, three, 1, 0xffffffff, &error), ZK_TOO_LARGE);
    ck_assert(!decision.is_epoch_decided);
    ck_assert_int_eq(epoch_decision_propose(&decision, three, 1, LARGEST_EPOCH - 1, &error), ZK_OK);
    ck_assert(decision.is_epoch_decided);
    ck_assert_int_eq(decision.epoch, LARGEST_EPOCH);
    epoch_decision_release(&decision);
    quorum_verifier_unref(three);
}
END_TEST

static const struct {
    const char *fact;
    struct {
        int64_t sid;
        struct state_summary summary;
        int result;
    } comers[MOST];
    bool is_finished;
} elections[] = {
    /* this server, 2, has (3, 0x300000005) */
    { "a quorum that knows no more", { { 2, { 3, 0x300000005 }, ZK_OK }, { 1, { 3, 0x300000004 }, ZK_OK } }, true },
    { "one of the same state", { { 2, { 3, 0x300000005 }, ZK_OK }, { 1, { 3, 0x300000005 }, ZK_OK } }, true },
    { "one with a longer log is ahead",
      { { 2, { 3, 0x300000005 }, ZK_OK }, { 1, { 3, 0x300000006 }, ZK_INVALID_STATE } },
      false },
    { "one of a later epoch is ahead",
      { { 2, { 3, 0x300000005 }, ZK_OK }, { 1, { 4, 0x300000001 }, ZK_INVALID_STATE } },
      false },
    { "one of an earlier epoch is not", { { 2, { 3, 0x300000005 }, ZK_OK }, { 1, { 2, 0x300000009 }, ZK_OK } }, true },
    { "a zxid from the future is refused",
      { { 2, { 3, 0x300000005 }, ZK_OK }, { 1, { 3, INT64_MAX }, ZK_INVALID_STATE } },
      false },
    { "this server must be among them", { { 1, { 3, 0x300000004 }, ZK_OK }, { 3, { 3, 0x300000004 }, ZK_OK } }, false },
    { "an observer does not count", { { 2, { 3, 0x300000005 }, ZK_OK }, { 4, { 3, 0x300000004 }, ZK_OK } }, false },
    { "a server without an epoch is not heard",
      { { 2, { 3, 0x300000005 }, ZK_OK }, { 1, { -1, INT64_MAX }, ZK_OK } },
      false },
    { "an empty disk does not count", { { 2, { 3, 0x300000005 }, ZK_OK }, { 1, { 0, -1 }, ZK_OK } }, false },
    { "afterwards everybody is let in",
      { { 2, { 3, 0x300000005 }, ZK_OK }, { 1, { 3, 1 }, ZK_OK }, { 3, { 9, 1 }, ZK_OK } },
      true },
};

START_TEST(a_leader_knows_the_most_of_a_quorum)
{
    struct epoch_decision decision;
    struct quorum_verifier *three = verifier(THREE_AND_OBSERVER);
    struct error error = { 0 };
    epoch_decision_init(&decision, 2);
    decision.leader_summary = (struct state_summary){ 3, 0x300000005 };
    for (size_t i = 0; i < MOST && elections[_i].comers[i].sid != 0; i++) {
        int err = epoch_decision_accept(&decision, three, elections[_i].comers[i].sid, &elections[_i].comers[i].summary,
                                        &error);
        ck_assert_msg(err == elections[_i].comers[i].result, "%s: %s", elections[_i].fact, error.text);
    }
    ck_assert_msg(decision.is_election_finished == elections[_i].is_finished, "%s", elections[_i].fact);
    epoch_decision_release(&decision);
    quorum_verifier_unref(three);
}
END_TEST

START_TEST(a_voter_of_a_later_epoch_cannot_be_led_in_this_one)
{
    struct epoch_decision decision;
    struct quorum_verifier *three = verifier(THREE_AND_OBSERVER);
    epoch_decision_init(&decision, 2);
    ck_assert_int_eq(epoch_decision_propose(&decision, three, 2, 5, NULL), ZK_OK);
    ck_assert_int_eq(epoch_decision_propose(&decision, three, 1, 5, NULL), ZK_OK);
    ck_assert_int_eq(epoch_decision_propose(&decision, three, 3, 7, NULL), ZK_INVALID_STATE);
    ck_assert_int_eq(epoch_decision_propose(&decision, three, 3, LARGEST_EPOCH, NULL), ZK_OK);    /* no help */
    ck_assert_int_eq(decision.epoch, 6);
    epoch_decision_release(&decision);
    quorum_verifier_unref(three);
}
END_TEST

START_TEST(while_configurations_change_both_ack_new_leader)
{
    struct epoch_decision decision;
    struct quorum_verifier *old = verifier(THREE_AND_OBSERVER);
    struct quorum_verifier *new = verifier("server.2=127.0.0.1:2889:3889:participant\n"
                                           "server.5=127.0.0.1:2892:3892:participant\n"
                                           "server.6=127.0.0.1:2893:3893:participant\nversion=100000001");
    epoch_decision_init(&decision, 2);
    synced_learner_tracker_add_verifier(&decision.new_leader, old);
    synced_learner_tracker_add_verifier(&decision.new_leader, new);
    epoch_decision_ack_new_leader(&decision, 2);
    epoch_decision_ack_new_leader(&decision, 1);
    epoch_decision_ack_new_leader(&decision, 4);
    ck_assert(!decision.is_quorum_formed);
    epoch_decision_ack_new_leader(&decision, 6);
    ck_assert(decision.is_quorum_formed);
    epoch_decision_release(&decision);
    quorum_verifier_unref(old);
    quorum_verifier_unref(new);
}
END_TEST

static Suite *epoch_decision_suite(void)
{
    Suite *suite = suite_create("epoch_decision");
    TCase *tcase = tcase_create("epoch_decision");
    tcase_add_loop_test(tcase, an_epoch_is_larger_than_all_that_a_quorum_accepted, 0, ARRAY_SIZE(rounds));
    tcase_add_test(tcase, there_is_no_epoch_after_the_last);
    tcase_add_loop_test(tcase, a_leader_knows_the_most_of_a_quorum, 0, ARRAY_SIZE(elections));
    tcase_add_test(tcase, while_configurations_change_both_ack_new_leader);
    tcase_add_test(tcase, a_voter_of_a_later_epoch_cannot_be_led_in_this_one);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(epoch_decision_suite)
