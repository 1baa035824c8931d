/* Elections told message by message; numbers are those of Java's issues, which these orders of events once were. */
#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"
#include "tests/scenario/election_script.h"

#define THREE "server.1=h:1:2\nserver.2=h:1:2\nserver.3=h:1:2\nversion=0"
#define NEXT_FOUR "server.1=h:1:2\nserver.2=h:1:2\nserver.3=h:1:2\nserver.4=h:1:2\nversion=1"
#define FIVE "server.1=h:1:2\nserver.2=h:1:2\nserver.3=h:1:2\nserver.4=h:1:2\nserver.5=h:1:2\nversion=0"
#define OF(id, zxid, epoch, config) {id, zxid, epoch, config, NULL}

static const struct {
    const char *fact;
    struct scripted_server servers[5];
    int count;
    const char *script, *trace;
} scenarios[] = {
    {
        "equal servers elect the largest id",
        {OF(1, 0, 0, THREE), OF(2, 0, 0, THREE), OF(3, 0, 0, THREE)}, 3,
        "look 1 2 3\n"
        "deliver\n"
        "wait 1 2 3\n",
        "1 looks, round 1\n"
        "2 looks, round 1\n"
        "3 looks, round 1\n"
        "1 proposes 2, round 1\n"
        "1 proposes 3, round 1\n"
        "2 proposes 3, round 1\n"
        "1 has a quorum for 3\n"
        "2 has a quorum for 3\n"
        "3 has a quorum for 3\n"
        "1 follows 3, round 1, epoch 0\n"
        "2 follows 3, round 1, epoch 0\n"
        "3 leads, round 1, epoch 0\n",
    },
    {
        "a vote of the longest log reaches everybody through others",
        {OF(1, 0x100000007, 1, THREE), OF(2, 0x100000005, 1, THREE), OF(3, 0x100000006, 1, THREE)}, 3,
        "look 1 2 3\n"
        "lose 1>3\n"
        "deliver\n"
        "wait 1 2 3\n",
        "1 looks, round 1\n"
        "2 looks, round 1\n"
        "3 looks, round 1\n"
        "2 proposes 1, round 1\n"
        "1 has a quorum for 1\n"
        "2 has a quorum for 1\n"
        "3 proposes 1, round 1\n"
        "3 has a quorum for 1\n"
        "1 leads, round 1, epoch 1\n"
        "2 follows 1, round 1, epoch 1\n"
        "3 follows 1, round 1, epoch 1\n",
    },
    {
        "3109: a voter that changes its mind within the wait takes the quorum away",
        {OF(1, 0x100000001, 1, THREE), OF(2, 0x100000002, 1, THREE), OF(3, 0x100000003, 1, THREE)}, 3,
        "look 1 2\n"
        "deliver 1>1\ndeliver 2>2\n"
        "deliver 2>1\ndeliver 1>2\n"
        "deliver 1>2\n"
        "look 3\n"
        "deliver 3>1\ndeliver 1>2\n"
        "deliver\n"
        "wait 1 2 3\n",
        "1 looks, round 1\n"
        "2 looks, round 1\n"
        "1 proposes 2, round 1\n"
        "2 has a quorum for 2\n"
        "3 looks, round 1\n"
        "1 proposes 3, round 1\n"
        "2 proposes 3, round 1\n"
        "2 has no quorum any more for 3\n"
        "2 has a quorum for 3\n"
        "1 has a quorum for 3\n"
        "3 has a quorum for 3\n"
        "1 follows 3, round 1, epoch 1\n"
        "2 follows 3, round 1, epoch 1\n"
        "3 leads, round 1, epoch 1\n",
    },
    {
        "a server that comes late follows the leader that is, though its own log is longer",
        {OF(1, 0x100000001, 1, THREE), OF(2, 0x100000002, 1, THREE), OF(3, 0x100000009, 1, THREE)}, 3,
        "look 1 2\n"
        "deliver\n"
        "wait 1 2\n"
        "look 3\n"
        "deliver\n",
        "1 looks, round 1\n"
        "2 looks, round 1\n"
        "1 proposes 2, round 1\n"
        "1 has a quorum for 2\n"
        "2 has a quorum for 2\n"
        "1 follows 2, round 1, epoch 1\n"
        "2 leads, round 1, epoch 1\n"
        "3 looks, round 1\n"
        "3 follows 2, round 1, epoch 1\n",
    },
    {
        "1818, 1805: what followers say of round and zxid differs, and counts all the same",
        {OF(1, 0x100000001, 1, FIVE)}, 1,
        "look 1\nlook 1\nlook 1\n"
        "say 2>1 FOLLOWING 5 round 7 zxid 0x100000001 epoch 2\n"
        "say 3>1 FOLLOWING 5 round 1 zxid 0x100000009 epoch 2\n"
        "say 4>1 FOLLOWING 5 round 2 zxid 0x200000001 epoch 1\n"
        "deliver\n"
        "say 5>1 LEADING 5 round 9 zxid 0x100000001 epoch 2\n"
        "deliver\n",
        "1 looks, round 1\n"
        "1 looks, round 2\n"
        "1 looks, round 3\n"
        "1 follows 5, round 9, epoch 2\n",
    },
    {
        "the vote of a leader that crashed is not followed, its followers look again",
        {OF(1, 0, 0, THREE), OF(2, 0, 0, THREE), OF(3, 0, 0, THREE)}, 3,
        "look 1 2 3\n"
        "deliver\n"
        "wait 1 2 3\n"
        "crash 3\n"
        "look 1\n"
        "deliver\n"
        "look 2\n"
        "deliver\n"
        "wait 1 2\n",
        "1 looks, round 1\n"
        "2 looks, round 1\n"
        "3 looks, round 1\n"
        "1 proposes 2, round 1\n"
        "1 proposes 3, round 1\n"
        "2 proposes 3, round 1\n"
        "1 has a quorum for 3\n"
        "2 has a quorum for 3\n"
        "3 has a quorum for 3\n"
        "1 follows 3, round 1, epoch 0\n"
        "2 follows 3, round 1, epoch 0\n"
        "3 leads, round 1, epoch 0\n"
        "3 crashes\n"
        "1 looks, round 2\n"
        "2 looks, round 2\n"
        "1 proposes 2, round 2\n"
        "1 has a quorum for 2\n"
        "2 has a quorum for 2\n"
        "1 follows 2, round 2, epoch 0\n"
        "2 leads, round 2, epoch 0\n",
    },
    {
        "who looks first while the other still follows tells its better vote again",
        {OF(1, 0, 0, THREE), OF(2, 0, 0, THREE), OF(3, 0, 0, THREE)}, 3,
        "look 1 2 3\n"
        "deliver\n"
        "wait 1 2 3\n"
        "crash 3\n"
        "look 2\n"
        "deliver\n"
        "look 1\n"
        "deliver\n"
        "wait 1 2\n",
        "1 looks, round 1\n"
        "2 looks, round 1\n"
        "3 looks, round 1\n"
        "1 proposes 2, round 1\n"
        "1 proposes 3, round 1\n"
        "2 proposes 3, round 1\n"
        "1 has a quorum for 3\n"
        "2 has a quorum for 3\n"
        "3 has a quorum for 3\n"
        "1 follows 3, round 1, epoch 0\n"
        "2 follows 3, round 1, epoch 0\n"
        "3 leads, round 1, epoch 0\n"
        "3 crashes\n"
        "2 looks, round 2\n"
        "1 looks, round 2\n"
        "1 proposes 2, round 2\n"
        "1 has a quorum for 2\n"
        "2 has a quorum for 2\n"
        "1 follows 2, round 2, epoch 0\n"
        "2 leads, round 2, epoch 0\n",
    },
    {
        "a server that is behind by rounds catches up with the first answer",
        {OF(1, 0, 0, THREE), OF(2, 0, 0, THREE)}, 2,
        "look 1\nlook 1\nlook 1\n"
        "lose 1>2\n"
        "look 2\n"
        "deliver\n"
        "wait 1 2\n",
        "1 looks, round 1\n"
        "1 looks, round 2\n"
        "1 looks, round 3\n"
        "2 looks, round 1\n"
        "2 proposes 2, round 3\n"
        "1 proposes 2, round 3\n"
        "1 has a quorum for 2\n"
        "2 has a quorum for 2\n"
        "1 follows 2, round 3, epoch 0\n"
        "2 leads, round 3, epoch 0\n",
    },
    {
        "no quorum, no leader, however often it is told",
        {OF(1, 0, 0, FIVE), OF(2, 0, 0, FIVE)}, 2,
        "look 1 2\n"
        "deliver\n"
        "repeat 1 2\n"
        "deliver\n",
        "1 looks, round 1\n"
        "2 looks, round 1\n"
        "1 proposes 2, round 1\n",
    },
    {
        "3829: while a list of four takes over from one of three, a leader needs a quorum of both",
        {{1, 0, 0, THREE, NEXT_FOUR}, {2, 0, 0, THREE, NEXT_FOUR}, {4, 0, 0, THREE, NEXT_FOUR}}, 3,
        "look 1 2\n"
        "deliver\n"
        "look 4\n"
        "repeat 1 2\n"
        "deliver\n"
        "wait 1 2 4\n",
        "1 looks, round 1\n"
        "2 looks, round 1\n"
        "1 proposes 2, round 1\n"
        "4 looks, round 1\n"
        "4 proposes 2, round 1\n"
        "1 has a quorum for 2\n"
        "2 has a quorum for 2\n"
        "4 has a quorum for 2\n"
        "1 follows 2, round 1, epoch 0\n"
        "2 leads, round 1, epoch 0\n"
        "4 follows 2, round 1, epoch 0\n",
    },
    {
        "a message of an old round that comes late changes nothing",
        {OF(1, 0x5, 0, THREE), OF(2, 0x9, 0, THREE), OF(3, 0x1, 0, THREE)}, 3,
        "look 2\n"
        "look 1\nlook 1\n"
        "deliver 2>1\n"
        "deliver\n"
        "look 3\n"
        "deliver\n",
        "2 looks, round 1\n"
        "1 looks, round 1\n"
        "1 looks, round 2\n"
        "2 proposes 2, round 2\n"
        "1 proposes 2, round 2\n"
        "1 has a quorum for 2\n"
        "2 has a quorum for 2\n"
        "3 looks, round 1\n"
        "3 proposes 2, round 2\n"
        "3 has a quorum for 2\n",
    },
};

START_TEST(scenario)
{
    char *trace = election_script_run(scenarios[_i].servers, scenarios[_i].count, scenarios[_i].script);
    ck_assert_msg(strcmp(trace, scenarios[_i].trace) == 0, "%s:\n%s", scenarios[_i].fact, trace);
    memory_free(trace);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("elections");
    TCase *tcase = tcase_create("scripts");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, scenario, 0, ARRAY_SIZE(scenarios));
    return suite;
}

CHECK_MAIN(make_suite)
