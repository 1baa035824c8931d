/* test_learner_sync_plan.c - which learner gets what, for every branch of the decision. */
#include "server/quorum/learner_sync_plan.h"

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

/* Epoch 1 has 1..9, epoch 2 has 1..5; the window begins at 0x100000005 unless a row says otherwise. */
#define E1(n) (0x100000000 + (n))
#define E2(n) (0x200000000 + (n))
#define E3(n) (0x300000000 + (n))

static const struct {
    const char *fact;
    int64_t peer, processed;
    size_t count;
    int64_t min, max;
    bool is_log_enabled, is_forced;
    enum sync_way way;
    int64_t zxid;
} plans[] = {
    { "the last processed: nothing to send", E2(5), E2(5), 10, E1(5), E2(5), true, false, SYNC_WAY_DIFF_EMPTY, E2(5) },
    { "both are empty", 0, 0, 0, 0, 0, true, false, SYNC_WAY_DIFF_EMPTY, 0 },
    { "it took over the new epoch's zxid", E3(0), E3(0), 10, E1(5), E2(5), true, false, SYNC_WAY_DIFF_EMPTY, E3(0) },
    { "forced", E2(5), E2(5), 10, E1(5), E2(5), true, true, SYNC_WAY_SNAP, 0 },
    { "a tail nobody committed goes", E2(7), E3(0), 10, E1(5), E2(5), true, false, SYNC_WAY_TRUNC, E2(5) },
    { "a tail of another epoch: what it holds instead is not known", E2(1), E3(0), 5, E1(5), E1(9), true, false,
      SYNC_WAY_SNAP, 0 },
    { "a zxid of a new epoch has no record to cut", E2(0), E3(0), 5, E1(5), E1(9), true, false, SYNC_WAY_SNAP, 0 },
    { "the end of the window", E2(5), E3(0), 10, E1(5), E2(5), true, false, SYNC_WAY_WINDOW, 0 },
    { "the beginning of the window", E1(5), E3(0), 10, E1(5), E2(5), true, false, SYNC_WAY_WINDOW, 0 },
    { "within the window", E1(7), E3(0), 10, E1(5), E2(5), true, false, SYNC_WAY_WINDOW, 0 },
    { "a new epoch within the window", E2(0), E3(0), 10, E1(5), E2(5), true, false, SYNC_WAY_WINDOW, 0 },
    { "before the window, with the log", E1(4), E3(0), 10, E1(5), E2(5), true, false, SYNC_WAY_LOG, 0 },
    { "before the window, without the log", E1(4), E3(0), 10, E1(5), E2(5), false, false, SYNC_WAY_SNAP, 0 },
    { "a new server", 0, E3(0), 10, E1(5), E2(5), true, false, SYNC_WAY_LOG, 0 },
    { "4352: an empty window, a learner behind it", E1(3), E1(5), 0, 0, 0, true, false, SYNC_WAY_LOG, 0 },
    { "4352: an empty window, a learner behind it, no log", E1(3), E1(5), 0, 0, 0, false, false, SYNC_WAY_SNAP, 0 },
    { "4352: a new server and an empty window", 0, E2(0), 0, 0, 0, false, false, SYNC_WAY_SNAP, 0 },
    { "an empty window, a learner ahead of the tree", E1(7), E1(5), 0, 0, 0, true, false, SYNC_WAY_TRUNC, E1(5) },
    { "TRUNC never goes back to nothing", E1(1), 0, 0, 0, 0, true, false, SYNC_WAY_SNAP, 0 },
};

START_TEST(a_plan_for_every_learner)
{
    struct sync_view view = {
        .peer_zxid = plans[_i].peer,
        .last_processed_zxid = plans[_i].processed,
        .window_count = plans[_i].count,
        .window_min = plans[_i].min,
        .window_max = plans[_i].max,
        .is_log_sync_enabled = plans[_i].is_log_enabled,
        .is_snap_forced = plans[_i].is_forced,
    };
    struct sync_plan plan;
    sync_plan_make(&view, &plan);
    ck_assert_msg(plan.way == plans[_i].way, "%s: %s", plans[_i].fact, sync_way_name(plan.way));
    if (plan.way == SYNC_WAY_DIFF_EMPTY || plan.way == SYNC_WAY_TRUNC)
        ck_assert_msg(plan.zxid == plans[_i].zxid, "%s: 0x%lx", plans[_i].fact, (long)plan.zxid);
}
END_TEST

#define MOST 8
static const struct {
    const char *fact;
    int64_t peer, history[MOST], sent[MOST];    /* up to a 0 */
    enum sync_op op;
    int64_t op_zxid;
    bool is_refused;
} walks[] = {
    { "its last one is ours: DIFF",
      E1(2),
      { E1(1), E1(2), E1(3), E1(4) },
      { E1(3), E1(4) },
      SYNC_OP_DIFF,
      E2(5),
      false },
    { "its last one is our last: DIFF of nothing", E1(2), { E1(1), E1(2) }, { 0 }, SYNC_OP_DIFF, E2(5), false },
    { "a tail of its own: TRUNC, then ours",
      E1(3),
      { E1(1), E1(2), E1(4), E1(5) },
      { E1(4), E1(5) },
      SYNC_OP_TRUNC,
      E1(2),
      false },
    { "a tail of its own over an epoch: SNAP", E1(3), { E1(1), E1(2), E2(1) }, { 0 }, SYNC_OP_NONE, 0, true },
    { "nothing of it in our history: SNAP", E1(3), { E1(4) }, { 0 }, SYNC_OP_NONE, 0, true },
    { "our history ends before it: SNAP", E1(3), { E1(1), E1(2) }, { 0 }, SYNC_OP_NONE, 0, true },
    { "a new epoch is in no log: DIFF from the next on",
      E2(0),
      { E1(8), E1(9), E2(1), E2(2) },
      { E2(1), E2(2) },
      SYNC_OP_DIFF,
      E2(5),
      false },
    { "a new epoch, and nothing since", E2(0), { E1(8), E1(9) }, { 0 }, SYNC_OP_DIFF, E2(5), false },
    { "over an epoch", E1(9), { E1(8), E1(9), E2(1) }, { E2(1) }, SYNC_OP_DIFF, E2(5), false },
    { "one that stands there twice goes once",
      E1(1),
      { E1(1), E1(2), E1(2), E1(3) },
      { E1(2), E1(3) },
      SYNC_OP_DIFF,
      E2(5),
      false },
    { "one that comes again does not go again",
      E1(1),
      { E1(1), E1(2), E1(3), E1(2) },
      { E1(2), E1(3) },
      SYNC_OP_DIFF,
      E2(5),
      false },
};

START_TEST(a_walk_over_every_history)
{
    struct sync_walk walk;
    sync_walk_begin(&walk, walks[_i].peer, E2(5));
    size_t sent = 0;
    bool is_refused = false;
    for (size_t i = 0; i < MOST && walks[_i].history[i] != 0 && !is_refused; i++) {
        switch (sync_walk_next(&walk, walks[_i].history[i])) {
        case SYNC_STEP_SKIP:
            break;
        case SYNC_STEP_SEND:
            ck_assert_msg(walk.op != SYNC_OP_NONE, "%s: sent before DIFF or TRUNC", walks[_i].fact);
            ck_assert_msg(walks[_i].sent[sent] == walks[_i].history[i], "%s: sent 0x%lx", walks[_i].fact,
                          (long)walks[_i].history[i]);
            ck_assert_int_eq(walk.queued_zxid, walks[_i].history[i]);
            sent++;
            break;
        case SYNC_STEP_REFUSE:
            is_refused = true;
        }
    }
    is_refused = is_refused || !sync_walk_end(&walk);
    ck_assert_msg(is_refused == walks[_i].is_refused, "%s", walks[_i].fact);
    ck_assert_msg(walks[_i].sent[sent] == 0, "%s: %zu were sent", walks[_i].fact, sent);
    ck_assert_msg(walk.op == walks[_i].op && (walk.op == SYNC_OP_NONE || walk.op_zxid == walks[_i].op_zxid),
                  "%s: %d 0x%lx", walks[_i].fact, (int)walk.op, (long)walk.op_zxid);
}
END_TEST

static const struct {
    const char *fact;
    struct sync_log_facts facts;
    int64_t peer, limit;
    bool is_usable;
} logs[] = {
    { "it reaches from the learner into the window", { true, true, E1(1), E1(5), 100 }, E1(3), 100, true },
    { "it begins at the learner", { true, true, E1(3), E1(5), 100 }, E1(3), 100, true },
    { "it begins behind the learner", { true, true, E1(4), E1(5), 100 }, E1(3), 100, false },
    { "2418: it ends before the window", { true, true, E1(1), E1(4), 100 }, E1(3), 100, false },
    { "2846: something is missing on the way", { false, true, E1(1), E1(5), 100 }, E1(3), 100, false },
    { "there is none", { true, false, 0, 0, 0 }, 0, 100, false },
    { "a snapshot is cheaper", { true, true, E1(1), E1(5), 101 }, E1(3), 100, false },
    { "no limit", { true, true, E1(1), E1(5), INT64_MAX }, E1(3), 0, true },
};

START_TEST(a_log_is_usable_or_not)
{
    ck_assert_msg(sync_log_is_usable(&logs[_i].facts, logs[_i].peer, E1(5), logs[_i].limit) == logs[_i].is_usable, "%s",
                  logs[_i].fact);
}
END_TEST

static Suite *learner_sync_plan_suite(void)
{
    Suite *suite = suite_create("learner_sync_plan");
    TCase *tcase = tcase_create("learner_sync_plan");
    tcase_add_loop_test(tcase, a_plan_for_every_learner, 0, ARRAY_SIZE(plans));
    tcase_add_loop_test(tcase, a_walk_over_every_history, 0, ARRAY_SIZE(walks));
    tcase_add_loop_test(tcase, a_log_is_usable_or_not, 0, ARRAY_SIZE(logs));
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(learner_sync_plan_suite)
