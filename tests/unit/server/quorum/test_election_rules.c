/* The rules of an election, one by one. */
#include "server/quorum/election_rules.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

#define THREE "server.1=h:1:2\nserver.2=h:1:2\nserver.3=h:1:2\nserver.9=h:1:2:observer\n"

static struct quorum_verifier *parse(const char *text)
{
    struct quorum_verifier *verifier = NULL;
    struct error error = {0};
    int err = quorum_verifier_parse_text(text, strlen(text), &(struct quorum_parse_options){0}, &verifier, &error);
    ck_assert_msg(err == ZK_OK, "%s", error.text);
    return verifier;
}

static struct election_context context;
static struct election_round round_;

static void setup(void)
{
    context.my_id = 1;
    context.verifier = parse(THREE);
    context.last_seen = quorum_verifier_ref(context.verifier);
    context.mine = (struct vote){.id = 1, .zxid = 0x100000005, .peer_epoch = 1};
    round_ = (struct election_round){0};
    election_round_begin(&round_, &context);
}

static void teardown(void)
{
    election_round_release(&round_);
    quorum_verifier_unref(context.verifier);
    quorum_verifier_unref(context.last_seen);
}

static void use_config(const char *committed, const char *next)
{
    quorum_verifier_unref(context.verifier);
    quorum_verifier_unref(context.last_seen);
    context.verifier = parse(committed);
    context.last_seen = parse(next);
}

static struct election_step hear(int64_t sid, enum peer_state state, int64_t leader, int64_t zxid, int64_t round,
                                 int64_t epoch)
{
    struct notification notification = {.sid = sid, .vote = {.version = 2, .id = leader, .zxid = zxid,
                                                             .election_epoch = round, .peer_epoch = epoch,
                                                             .state = state}};
    return election_round_receive(&round_, &context, &notification);
}

START_TEST(a_round_begins_with_ones_own_vote)
{
    ck_assert_int_eq(round_.logical_clock, 1);
    ck_assert_int_eq(round_.proposal.id, 1);
    election_round_begin(&round_, &context);
    ck_assert_int_eq(election_round_end_vote(&round_).election_epoch, 2);
}
END_TEST

START_TEST(a_better_vote_is_taken_over_and_told_to_all)
{
    struct election_step step = hear(2, PEER_LOOKING, 2, 0x100000006, 1, 1);
    ck_assert(step.sends_proposal && !step.is_ignored && !step.is_decided);
    ck_assert_int_eq(round_.proposal.id, 2);
    step = hear(3, PEER_LOOKING, 3, 0x100000004, 1, 1);
    ck_assert_msg(!step.sends_proposal && !step.is_ignored, "a worse one is counted, and changes nothing");
    ck_assert_int_eq(round_.proposal.id, 2);
}
END_TEST

START_TEST(a_worse_vote_of_this_round_is_answered_with_ours)
{
    ck_assert(hear(2, PEER_LOOKING, 2, 0x100000003, 1, 1).answers_sender);
    ck_assert(!hear(2, PEER_LOOKING, 2, 0x100000003, 0, 1).answers_sender);    /* WorkerReceiver does */
    ck_assert(!hear(2, PEER_LOOKING, 1, 0x100000005, 1, 1).answers_sender);    /* equal: no end to it */
    ck_assert(!hear(1, PEER_LOOKING, 2, 0x100000003, 1, 1).answers_sender);    /* from ourselves */
    ck_assert(!hear(2, PEER_FOLLOWING, 3, 0x100000003, 1, 1).answers_sender);
    struct election_step step = hear(2, PEER_LOOKING, 2, 0x100000009, 1, 1);
    ck_assert(step.sends_proposal && !step.answers_sender);
    step = hear(3, PEER_LOOKING, 3, 0x100000001, 2, 1);    /* a later round: everybody is told */
    ck_assert(step.sends_proposal && !step.answers_sender);
}
END_TEST

START_TEST(a_quorum_of_equal_votes_ends_it)
{
    hear(1, PEER_LOOKING, 1, 0x100000005, 1, 1);
    ck_assert(!round_.has_quorum);
    hear(2, PEER_LOOKING, 1, 0x100000005, 1, 1);
    ck_assert(round_.has_quorum);
    struct vote vote = election_round_end_vote(&round_);
    ck_assert_int_eq(vote.id, 1);
    ck_assert_int_eq(vote.peer_epoch, 1);
}
END_TEST

/* 3109: who changes its mind before the wait is over is followed, and does not count twice. */
START_TEST(a_quorum_is_gone_when_a_voter_changes_its_mind)
{
    hear(1, PEER_LOOKING, 1, 0x100000005, 1, 1);
    hear(2, PEER_LOOKING, 1, 0x100000005, 1, 1);
    ck_assert(round_.has_quorum);
    struct election_step step = hear(2, PEER_LOOKING, 3, 0x200000000, 1, 2);
    ck_assert(step.sends_proposal);
    ck_assert(!round_.has_quorum);
    ck_assert_int_eq(round_.proposal.id, 3);
}
END_TEST

START_TEST(a_later_round_begins_anew)
{
    hear(2, PEER_LOOKING, 1, 0x100000005, 1, 1);
    struct election_step step = hear(3, PEER_LOOKING, 3, 0x100000001, 7, 1);
    ck_assert(step.sends_proposal);
    ck_assert_int_eq(round_.logical_clock, 7);
    ck_assert_msg(round_.proposal.id == 1, "our own vote is better than that one");
    ck_assert_msg(ballots_find(&round_.received, 2) == NULL, "votes of the old round are gone");
    step = hear(2, PEER_LOOKING, 2, 0x100000009, 6, 1);
    ck_assert_msg(step.is_ignored, "a vote of an earlier round does not count, however good");
    ck_assert_int_eq(round_.proposal.id, 1);
}
END_TEST

START_TEST(who_is_no_voter_neither_votes_nor_leads)
{
    ck_assert(hear(9, PEER_LOOKING, 2, 0x200000000, 1, 2).is_ignored);
    ck_assert(hear(7, PEER_LOOKING, 2, 0x200000000, 1, 2).is_ignored);
    ck_assert(hear(2, PEER_LOOKING, 9, 0x200000000, 1, 2).is_ignored);
    ck_assert(hear(2, PEER_OBSERVING, 2, 0x200000000, 1, 2).is_ignored);
    ck_assert_int_eq(round_.proposal.id, 1);
}
END_TEST

START_TEST(a_server_without_data_does_not_count)
{
    ck_assert_msg(hear(2, PEER_LOOKING, 2, -1, 1, 5).is_ignored, "another one");
    context.mine.zxid = -1;
    ck_assert_msg(hear(2, PEER_LOOKING, 2, 5, 1, 5).is_ignored, "this one");
}
END_TEST

START_TEST(a_server_of_no_weight_never_leads)
{
    use_config(THREE "group.1=1:2:3\nweight.3=0\nversion=1\n", THREE "group.1=1:2:3\nweight.3=0\nversion=1\n");
    ck_assert(!hear(3, PEER_LOOKING, 3, 0x200000000, 1, 2).sends_proposal);
    ck_assert_int_eq(round_.proposal.id, 1);
    ck_assert(hear(2, PEER_LOOKING, 2, 0x200000000, 1, 2).sends_proposal);
}
END_TEST

START_TEST(an_ensemble_that_stands_is_joined_when_its_leader_says_so)
{
    round_.logical_clock = 9;
    ck_assert(!hear(2, PEER_FOLLOWING, 3, 0x100000001, 4, 2).is_decided);
    struct election_step step = hear(3, PEER_LEADING, 3, 0x100000001, 4, 2);
    ck_assert(step.is_decided);
    ck_assert_int_eq(step.leader.id, 3);
    ck_assert_msg(round_.logical_clock == 4, "we are in its round then");
}
END_TEST

/* 1818, 1805: rounds and zxids of servers that follow may differ, for they were elected at different times. */
START_TEST(followers_of_one_leader_count_together_whatever_their_round)
{
    round_.logical_clock = 9;
    ck_assert(!hear(3, PEER_LEADING, 3, 0x100000007, 6, 2).is_decided);
    ck_assert_msg(hear(2, PEER_FOLLOWING, 3, 0x100000001, 4, 2).is_decided, "by id and epoch");
}
END_TEST

START_TEST(followers_of_another_epoch_do_not_count)
{
    round_.logical_clock = 9;
    hear(3, PEER_LEADING, 3, 0x100000007, 6, 2);
    ck_assert(!hear(2, PEER_FOLLOWING, 3, 0x100000001, 4, 1).is_decided);
}
END_TEST

START_TEST(followers_of_a_leader_that_is_silent_are_not_believed)
{
    round_.logical_clock = 9;
    use_config(THREE "server.4=h:1:2\nserver.5=h:1:2\n", THREE "server.4=h:1:2\nserver.5=h:1:2\n");
    for (int64_t sid = 2; sid <= 4; sid++)
        ck_assert(!hear(sid, PEER_FOLLOWING, 5, 0x100000001, 4, 2).is_decided);
    ck_assert_msg(hear(5, PEER_LEADING, 5, 0x100000001, 4, 2).is_decided, "until it speaks");
}
END_TEST

START_TEST(this_server_leads_only_in_its_own_round)
{
    hear(2, PEER_FOLLOWING, 1, 0x100000005, 1, 1);
    ck_assert(hear(3, PEER_FOLLOWING, 1, 0x100000005, 1, 1).is_decided);
    election_round_begin(&round_, &context);
    hear(2, PEER_FOLLOWING, 1, 0x100000005, 1, 1);
    ck_assert_msg(!hear(3, PEER_FOLLOWING, 1, 0x100000005, 1, 1).is_decided, "it led once, in a round that is over");
}
END_TEST

/* 3829: a leader needs the configuration that was proposed last, too. */
START_TEST(a_newer_config_needs_its_quorum_too)
{
    use_config(THREE "version=1\n", "server.1=h:1:2\nserver.4=h:1:2\nserver.5=h:1:2\nversion=2\n");
    hear(1, PEER_LOOKING, 1, 0x100000005, 1, 1);
    hear(2, PEER_LOOKING, 1, 0x100000005, 1, 1);
    ck_assert(!round_.has_quorum);
    hear(4, PEER_LOOKING, 1, 0x100000005, 1, 1);
    ck_assert(round_.has_quorum);
    use_config(THREE "version=2\n", "server.1=h:1:2\nserver.4=h:1:2\nserver.5=h:1:2\nversion=1\n");
    election_round_begin(&round_, &context);
    hear(1, PEER_LOOKING, 1, 0x100000005, 2, 1);
    hear(2, PEER_LOOKING, 1, 0x100000005, 2, 1);
    ck_assert_msg(round_.has_quorum, "an older one does not count");
}
END_TEST

/* What was proposed to us and was lost with its leader: nobody else knows of it. */
START_TEST(an_ensemble_that_stands_is_joined_without_a_quorum_of_what_was_only_proposed)
{
    use_config(THREE "version=1\n", "server.1=h:1:2\nserver.2=h:1:2\nversion=2\n");
    round_.logical_clock = 9;
    ck_assert(!hear(2, PEER_FOLLOWING, 3, 0x100000001, 4, 2).is_decided);
    ck_assert(hear(3, PEER_LEADING, 3, 0x100000001, 4, 2).is_decided);
    election_round_begin(&round_, &context);
    round_.logical_clock = 4;
    ck_assert(!hear(2, PEER_FOLLOWING, 3, 0x100000001, 4, 2).is_decided);
    ck_assert_msg(hear(3, PEER_LEADING, 3, 0x100000001, 4, 2).is_decided, "in our round, too");
}
END_TEST

START_TEST(this_server_leads_with_quorums_of_both_configs)
{
    use_config(THREE "version=1\n", "server.1=h:1:2\nserver.4=h:1:2\nserver.5=h:1:2\nversion=2\n");
    hear(2, PEER_FOLLOWING, 1, 0x100000005, 1, 1);
    ck_assert(!hear(3, PEER_FOLLOWING, 1, 0x100000005, 1, 1).is_decided);
    hear(4, PEER_FOLLOWING, 1, 0x100000005, 1, 1);
    ck_assert(hear(5, PEER_FOLLOWING, 1, 0x100000005, 1, 1).is_decided);
}
END_TEST

START_TEST(an_observer_takes_the_votes_of_others)
{
    context.my_id = 9;
    context.mine = (struct vote){.id = VOTE_NONE_ID, .zxid = VOTE_NONE_ID, .peer_epoch = VOTE_NONE_ID};
    election_round_begin(&round_, &context);
    ck_assert(hear(2, PEER_LOOKING, 2, 0, 2, 0).sends_proposal);
    hear(1, PEER_LOOKING, 2, 0, 2, 0);
    ck_assert(round_.has_quorum);
    ck_assert_int_eq(election_round_end_vote(&round_).id, 2);
}
END_TEST

START_TEST(who_is_voted_for_is_followed_when_it_says_that_it_leads)
{
    hear(3, PEER_LOOKING, 3, 0x100000007, 1, 1);
    ck_assert_int_eq(round_.proposal.id, 3);
    ck_assert_msg(!hear(2, PEER_FOLLOWING, 3, 0x100000007, 1, 1).is_decided, "another one's word");
    ck_assert_msg(!hear(2, PEER_LEADING, 3, 0x100000007, 1, 1).is_decided, "the same, if it says so or not");
    ck_assert_msg(!hear(2, PEER_LEADING, 2, 0x100000007, 1, 1).is_decided, "another leader");
    ck_assert_msg(!hear(3, PEER_LEADING, 3, 0x100000007, 2, 1).is_decided, "another round");
    use_config(THREE "server.4=h:1:2\nserver.5=h:1:2\n", THREE "server.4=h:1:2\nserver.5=h:1:2\n");
    struct election_step step = hear(3, PEER_LEADING, 3, 0x100000007, 1, 1);
    ck_assert_msg(step.is_decided, "two of five are no quorum that we could count");
    ck_assert_int_eq(step.leader.id, 3);
}
END_TEST

static const struct {
    const char *fact;
    int64_t sid, leader, zxid;
    bool is_given_up;
} second_thoughts[] = {
    { "it starts again as one that is no voter", 3, VOTE_NONE_ID, VOTE_NONE_ID, true },
    { "it starts again with less", 3, 3, 0x100000006, true },
    { "it votes for a worse one", 3, 2, 0x100000007, true },
    { "it says the same again", 3, 3, 0x100000007, false },
    { "it votes for a better one", 3, 2, 0x100000009, false },
    { "another one's vote is worse", 2, 2, 0x100000001, false },
};

START_TEST(a_vote_its_candidate_does_not_stand_for_is_given_up)
{
    hear(2, PEER_LOOKING, 3, 0x100000007, 1, 1);
    hear(3, PEER_LOOKING, 3, 0x100000007, 1, 1);
    ck_assert(round_.has_quorum);
    struct election_step step = hear(second_thoughts[_i].sid, PEER_LOOKING, second_thoughts[_i].leader,
                                     second_thoughts[_i].zxid, 1, second_thoughts[_i].leader < 0 ? VOTE_NONE_ID : 1);
    bool is_given_up = round_.logical_clock == 2;
    ck_assert_msg(is_given_up == second_thoughts[_i].is_given_up, "not so: %s", second_thoughts[_i].fact);
    if (is_given_up) {
        ck_assert(step.sends_proposal && !round_.has_quorum);
        ck_assert_int_eq(round_.proposal.id, 1);
        ck_assert_uint_eq(round_.received.count, 0);
    }
}
END_TEST

START_TEST(who_is_no_voter_is_not_made_a_candidate)
{
    use_config("server.2=h:1:2\nserver.3=h:1:2\nversion=1\n", THREE "version=2\n");
    context.mine = (struct vote){.id = VOTE_NONE_ID, .zxid = VOTE_NONE_ID, .peer_epoch = VOTE_NONE_ID};
    election_round_begin(&round_, &context);
    hear(2, PEER_LOOKING, 1, 0x100000007, 2, 1);
    ck_assert_int_eq(round_.proposal.id, VOTE_NONE_ID);
    hear(2, PEER_LOOKING, 1, 0x100000007, 5, 1);
    ck_assert_int_eq(round_.logical_clock, 5);
    ck_assert_int_eq(round_.proposal.id, VOTE_NONE_ID);
    ck_assert(hear(2, PEER_LOOKING, 2, 0x100000003, 5, 1).sends_proposal);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("election_rules");
    TCase *tcase = tcase_create("rules");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_round_begins_with_ones_own_vote);
    tcase_add_test(tcase, a_better_vote_is_taken_over_and_told_to_all);
    tcase_add_test(tcase, a_worse_vote_of_this_round_is_answered_with_ours);
    tcase_add_test(tcase, a_quorum_of_equal_votes_ends_it);
    tcase_add_test(tcase, a_quorum_is_gone_when_a_voter_changes_its_mind);
    tcase_add_test(tcase, a_later_round_begins_anew);
    tcase_add_test(tcase, who_is_no_voter_neither_votes_nor_leads);
    tcase_add_test(tcase, a_server_without_data_does_not_count);
    tcase_add_test(tcase, a_server_of_no_weight_never_leads);
    tcase_add_test(tcase, an_ensemble_that_stands_is_joined_when_its_leader_says_so);
    tcase_add_test(tcase, followers_of_one_leader_count_together_whatever_their_round);
    tcase_add_test(tcase, followers_of_another_epoch_do_not_count);
    tcase_add_test(tcase, followers_of_a_leader_that_is_silent_are_not_believed);
    tcase_add_test(tcase, this_server_leads_only_in_its_own_round);
    tcase_add_test(tcase, a_newer_config_needs_its_quorum_too);
    tcase_add_test(tcase, an_ensemble_that_stands_is_joined_without_a_quorum_of_what_was_only_proposed);
    tcase_add_test(tcase, this_server_leads_with_quorums_of_both_configs);
    tcase_add_test(tcase, an_observer_takes_the_votes_of_others);
    tcase_add_test(tcase, who_is_voted_for_is_followed_when_it_says_that_it_leads);
    tcase_add_loop_test(tcase, a_vote_its_candidate_does_not_stand_for_is_given_up, 0, ARRAY_SIZE(second_thoughts));
    tcase_add_test(tcase, who_is_no_voter_is_not_made_a_candidate);
    return suite;
}

CHECK_MAIN(make_suite)
