/* Which vote wins, and which are the same. */
#include "server/quorum/vote.h"

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const struct {
    const char *fact;
    struct vote newer, older;
} order[] = {
    {"a later epoch wins over a longer log",
     {.id = 1, .zxid = 0x200000001, .peer_epoch = 2}, {.id = 3, .zxid = 0x1000000ff, .peer_epoch = 1}},
    {"a longer log wins over a larger id",
     {.id = 1, .zxid = 2, .peer_epoch = 1}, {.id = 3, .zxid = 1, .peer_epoch = 1}},
    {"the server id breaks a tie", {.id = 3, .zxid = 1, .peer_epoch = 1}, {.id = 1, .zxid = 1, .peer_epoch = 1}},
    {"whatever a server says beats what an observer proposes",
     {.id = 1, .zxid = 0, .peer_epoch = 0}, {.id = VOTE_NONE_ID, .zxid = VOTE_NONE_ID, .peer_epoch = VOTE_NONE_ID}},
};

START_TEST(vote_order_is_total)
{
    ck_assert_msg(vote_supersedes(&order[_i].newer, &order[_i].older), "%s", order[_i].fact);
    ck_assert_msg(!vote_supersedes(&order[_i].older, &order[_i].newer), "not so: %s", order[_i].fact);
    ck_assert_msg(!vote_supersedes(&order[_i].newer, &order[_i].newer), "no vote wins over itself");
}
END_TEST

#define VOTE(version_, id_, zxid_, round_, epoch_, state_) \
    {.version = (version_), .id = (id_), .zxid = (zxid_), .election_epoch = (round_), .peer_epoch = (epoch_), \
     .state = PEER_##state_}
static const struct {
    const char *fact;
    struct vote a, b;
    bool are_equal;
} pairs[] = {
    {"looking: the same in all", VOTE(2, 3, 5, 1, 1, LOOKING), VOTE(0, 3, 5, 1, 1, LOOKING), true},
    {"looking: another round", VOTE(0, 3, 5, 1, 1, LOOKING), VOTE(0, 3, 5, 2, 1, LOOKING), false},
    {"looking: another zxid", VOTE(0, 3, 5, 1, 1, LOOKING), VOTE(0, 3, 6, 1, 1, LOOKING), false},
    {"one looks: all has to be the same", VOTE(0, 3, 5, 1, 1, LOOKING), VOTE(0, 3, 6, 1, 1, FOLLOWING), false},
    {"settled: round and zxid may differ (1805)", VOTE(2, 3, 5, 1, 7, FOLLOWING), VOTE(2, 3, 9, 4, 7, LEADING), true},
    {"settled: another epoch", VOTE(2, 3, 5, 1, 7, FOLLOWING), VOTE(2, 3, 5, 1, 8, LEADING), false},
    {"settled: an old server reports another epoch (1732)",
     VOTE(2, 3, 5, 1, 7, FOLLOWING), VOTE(0, 3, 5, 1, 8, LEADING),
     true},
    {"settled: another leader", VOTE(2, 3, 5, 1, 7, FOLLOWING), VOTE(0, 2, 5, 1, 7, LEADING), false},
};

START_TEST(votes_that_are_the_same)
{
    ck_assert_msg(vote_equal(&pairs[_i].a, &pairs[_i].b) == pairs[_i].are_equal, "%s", pairs[_i].fact);
    ck_assert_msg(vote_equal(&pairs[_i].b, &pairs[_i].a) == pairs[_i].are_equal, "%s", pairs[_i].fact);
}
END_TEST

START_TEST(a_vote_is_printed_in_hexadecimal_as_java_does)
{
    struct buffer text = {0};
    struct vote vote = VOTE(0, 3, 0x10000000a, 9, 0x1f, LOOKING);
    vote_print(&vote, &text);
    ck_assert_str_eq(buffer_string(&text), "(3, 10000000a, 1f)");
    buffer_release(&text);
    ck_assert_str_eq(peer_state_name(PEER_OBSERVING), "OBSERVING");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("vote");
    TCase *tcase = tcase_create("votes");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, vote_order_is_total, 0, ARRAY_SIZE(order));
    tcase_add_loop_test(tcase, votes_that_are_the_same, 0, ARRAY_SIZE(pairs));
    tcase_add_test(tcase, a_vote_is_printed_in_hexadecimal_as_java_does);
    return suite;
}

CHECK_MAIN(make_suite)
