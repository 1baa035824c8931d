/* test_learner.c - which transaction a learner takes from its leader. */
#include "server/quorum/learner_parts.h"
#include "tests/unit/server/quorum/role_test.h"

static struct learner learner;

static void set_up(void)
{
    role_set_up();
    learner_init(&learner, &role_self, role_server, false);
}

static void tear_down(void)
{
    learner_close(&learner);
    learner_release(&learner);
    role_tear_down();
}

static const struct {
    const char *fact;
    int64_t has, first, second;    /* what the tree ends with, what comes */
    enum sync_mode mode;
    bool takes_first, takes_second;
} orders[] = {
    { "one follows another", 0x100000005, 0x100000006, 0x100000007, SYNC_DIFF, true, true },
    { "a later epoch begins with its first", 0x100000005, 0x300000001, 0x500000001, SYNC_DIFF, true, true },
    { "a server that has nothing begins an epoch", 0, 0x100000001, 0x100000002, SYNC_DIFF, true, true },
    { "nothing is left out", 0x100000005, 0x100000006, 0x100000008, SYNC_DIFF, true, false },
    { "nothing is left out behind what it has", 0x100000005, 0x100000007, 0x100000008, SYNC_DIFF, false, false },
    { "nothing is left out once it serves", 0x100000005, 0x100000007, 0x100000008, SYNC_NONE, false, false },
    { "nor at the begin of an epoch", 0x100000005, 0x200000002, 0x200000003, SYNC_DIFF, false, false },
    { "nor before a server that has nothing", 0, 0x100000002, 0x100000003, SYNC_DIFF, false, false },
    { "no epoch is negative", 0, INT64_MIN + 1, INT64_MIN + 2, SYNC_DIFF, false, false },
    { "nothing follows the last zxid of all", INT64_MAX, 0x100000001, 0x100000002, SYNC_DIFF, false, false },
    { "what it has does not come again", 0x100000005, 0x100000005, 0x100000004, SYNC_DIFF, false, false },
    { "unless it stands in a tree", 0x100000005, 0x100000004, 0x100000005, SYNC_SNAP, true, true },
    { "and then in order", 0x100000005, 0x100000003, 0x100000005, SYNC_SNAP, true, false },
    { "a snapshot covers a hole of old", 0x100000005, 0x100000007, 0x100000008, SYNC_TRUNC, true, true },
    { "but only one", 0x100000005, 0x100000007, 0x100000009, SYNC_TRUNC, true, false },
    { "and no zxid below zero", 0x100000005, -1, 0, SYNC_TRUNC, false, false },
};

START_TEST(a_learner_takes_what_follows)
{
    struct error error = {0};
    data_tree_set_last_processed_zxid(zk_database_tree(role_core->database), orders[_i].has);
    atomic_store(&role_self.sync_mode, orders[_i].mode);
    int first = learner_take_order(&learner, orders[_i].first, &error);
    ck_assert_msg(first == (orders[_i].takes_first ? ZK_OK : ZK_CORRUPT), "not so: %s", orders[_i].fact);
    if (first == ZK_OK) {
        int second = learner_take_order(&learner, orders[_i].second, &error);
        ck_assert_msg(second == (orders[_i].takes_second ? ZK_OK : ZK_CORRUPT), "not so: %s", orders[_i].fact);
    }
}
END_TEST

static Suite *learner_suite(void)
{
    Suite *suite = suite_create("learner");
    TCase *tcase = tcase_create("learner");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_learner_takes_what_follows, 0, ARRAY_SIZE(orders));
    return suite;
}

CHECK_MAIN(learner_suite)
