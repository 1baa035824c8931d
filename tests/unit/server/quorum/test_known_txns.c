/* test_known_txns.c - what of a DIFF is here already, and when that cannot be. */
#include "server/quorum/known_txns.h"

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const struct {
    const char *fact;
    int64_t has;
    int64_t zxids[4];    /* what comes, one after the other; 0: no more */
    enum known_txn last;    /* what is said of the last one; of those before that they may come */
} cases[] = {
    { "what follows is new", 0x105, { 0x106 }, TXN_IS_NEW },
    { "what is here is known", 0x105, { 0x104 }, TXN_IS_KNOWN },
    { "up to the last one", 0x105, { 0x104, 0x105 }, TXN_IS_KNOWN },
    { "behind which it is new", 0x105, { 0x104, 0x105, 0x106 }, TXN_IS_NEW },
    { "or of a later epoch", 0x105, { 0x105, 0x300000001 }, TXN_IS_NEW },
    { "the last one here is not left out", 0x105, { 0x103, 0x104, 0x106 }, TXN_LEAVES_OUT_OURS },
    { "nor for a later epoch", 0x105, { 0x104, 0x300000001 }, TXN_LEAVES_OUT_OURS },
    { "nothing comes twice", 0x105, { 0x104, 0x104 }, TXN_IS_OUT_OF_ORDER },
    { "nor goes back", 0x105, { 0x104, 0x103 }, TXN_IS_OUT_OF_ORDER },
    { "a server that has nothing knows nothing", 0, { 0x100000001 }, TXN_IS_NEW },
};

START_TEST(what_is_here_may_come_again_up_to_the_last)
{
    struct known_txns known = { .last_here = cases[_i].has };
    enum known_txn said = TXN_IS_NEW;
    for (size_t i = 0; i < ARRAY_SIZE(cases[_i].zxids) && cases[_i].zxids[i] != 0; i++) {
        ck_assert_msg(i == 0 || said <= TXN_IS_KNOWN, "not so: %s", cases[_i].fact);
        said = known_txns_take(&known, cases[_i].zxids[i]);
    }
    ck_assert_msg(said == cases[_i].last, "not so: %s: %d", cases[_i].fact, said);
}
END_TEST

static Suite *known_txns_suite(void)
{
    Suite *suite = suite_create("known_txns");
    TCase *tcase = tcase_create("known_txns");
    tcase_add_loop_test(tcase, what_is_here_may_come_again_up_to_the_last, 0, ARRAY_SIZE(cases));
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(known_txns_suite)
