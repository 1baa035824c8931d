/*
 * test_leader_scenarios.c - what a leader proposes and commits, from scripts, as traces.
 *
 * A script is words: "propose" (the next zxid), "reconfig" (the same, for a new configuration), "ack S Z" (server S
 * acks the Z-th proposal; "+Z" one that was never proposed), "sync", "applied Z". What comes of each word stands in the
 * trace: commits with their syncs, who leads next, what was refused.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/wire/op_code.h"
#include "server/quorum/leader_proposals.h"
#include "tests/lib/check_main.h"

#define EPOCH INT64_C(0x500000000)
#define SELF 1

struct stage {
    struct leader_proposals proposals;
    struct quorum_verifier *present, *next;
    int64_t last;
    int32_t syncs;
    struct buffer trace;
};

static struct quorum_verifier *verifier_of(const char *sids, int64_t version)
{
    struct buffer text = { 0 };
    for (const char *at = sids; *at != '\0'; at++)
        buffer_printf(&text, "server.%c=127.0.0.1:288%c:388%c:%s\n", *at, *at, *at,
                      at[1] == 'o' ? "observer" : "participant"), at += at[1] == 'o';
    buffer_printf(&text, "version=%" PRIx64, (uint64_t)version);
    struct quorum_verifier *verifier;
    struct error error = { 0 };
    int err = quorum_verifier_parse_text(buffer_string(&text), text.size, &(struct quorum_parse_options){ 0 },
                                         &verifier, &error);
    ck_assert_msg(err == ZK_OK, "%s", error.text);
    buffer_release(&text);
    return verifier;
}

static struct request *write_of(int64_t zxid, int32_t type)
{
    struct txn_header header = { .client_id = 1, .cxid = 1, .zxid = zxid, .time = 1, .type = type };
    struct txn_body body = { .is_present = true };
    body.record.set_data.path = ustring_of("/zookeeper/config");
    body.record.set_data.data = (struct jute_buffer){ NULL, -1 };
    struct txn *txn = txn_new(&header, &body, NULL);
    struct request *request = request_new_from_txn(txn);
    txn_unref(txn);
    request->zxid = zxid;
    return request;
}

static void propose(struct stage *stage, int32_t type)
{
    struct request *request = write_of(++stage->last, type);
    leader_proposals_propose(&stage->proposals, request, stage->present, stage->next);
    request_unref(request);
}

/* What leader_broadcast.c does, without sending. */
static void commit_ready(struct stage *stage)
{
    struct proposal *proposal;
    while ((proposal = leader_proposals_ready(&stage->proposals)) != NULL) {
        int64_t leader = 0;
        if (proposal_is_reconfig(proposal)) {
            struct quorum_verifier *verifier = quorum_verifier_ref(proposal_new_verifier(proposal));
            leader = leader_proposals_designate(&stage->proposals, proposal_new_acks(proposal),
                                                quorum_verifier_is_voter(verifier, SELF));
            quorum_verifier_unref(stage->present);
            quorum_verifier_unref(stage->next);
            stage->present = verifier;
            stage->next = NULL;
        }
        leader_proposals_commit(&stage->proposals);
        buffer_printf(&stage->trace, "commit %" PRId64 " ", proposal->zxid - EPOCH);
        if (leader != 0)
            buffer_printf(&stage->trace, "led by %" PRId64 " ", leader);
        if (leader != 0 && leader != SELF)
            leader_proposals_end_commits(&stage->proposals);
        struct request *sync;
        while ((sync = proposal_take_sync(proposal)) != NULL) {
            buffer_printf(&stage->trace, "sync %" PRId32 " ", sync->cxid);
            request_unref(sync);
        }
    }
}

static void ack(struct stage *stage, int64_t sid, int64_t zxid)
{
    switch (leader_proposals_ack(&stage->proposals, sid, zxid)) {
    case PROPOSAL_ACK_COUNTED:
        commit_ready(stage);
        break;
    case PROPOSAL_ACK_LATE:
        buffer_append_string(&stage->trace, "late ");
        break;
    case PROPOSAL_ACK_UNKNOWN:
        buffer_append_string(&stage->trace, "unknown ");
        break;
    }
}

static void sync_now(struct stage *stage)
{
    struct request *request = request_new(NULL, 1, ++stage->syncs, OP_SYNC, NULL, (struct slice){ 0 }, NULL);
    if (leader_proposals_sync(&stage->proposals, request))
        return;
    buffer_printf(&stage->trace, "sync %" PRId32 " ", request->cxid);
    request_unref(request);
}

static int64_t number(char **rest)
{
    return strtol(strsep(rest, " "), NULL, 10);
}

static void play(struct stage *stage, const char *script)
{
    char *copy = strdup(script), *rest = copy, *word;
    while ((word = strsep(&rest, " ")) != NULL) {
        if (strcmp(word, "propose") == 0) {
            propose(stage, OP_SET_DATA);
        } else if (strcmp(word, "reconfig") == 0) {
            stage->next = verifier_of(strsep(&rest, " "), stage->last + 1);
            propose(stage, OP_RECONFIG);
        } else if (strcmp(word, "ack") == 0) {
            int64_t sid = number(&rest);
            ack(stage, sid, EPOCH + number(&rest));
        } else if (strcmp(word, "oldack") == 0) {
            int64_t sid = number(&rest);
            ack(stage, sid, EPOCH - 0x100000000 + number(&rest));
        } else if (strcmp(word, "sync") == 0) {
            sync_now(stage);
        } else if (strcmp(word, "applied") == 0) {
            if (!leader_proposals_applied(&stage->proposals, EPOCH + number(&rest)))
                buffer_append_string(&stage->trace, "not-next ");
        } else {
            ck_abort_msg("what is %s?", word);
        }
    }
    free(copy);
}

static const struct {
    const char *fact, *sids, *script, *trace;
    size_t outstanding, to_be_applied, pending_syncs;
} scenarios[] = {
    { "a quorum commits", "123", "propose ack 1 1 ack 2 1", "commit 1 ", 0, 1, 0 },
    { "one ack of three does not", "123", "propose ack 1 1", "", 1, 0, 0 },
    { "the leader's own ack is as good as any", "123", "propose ack 2 1 ack 3 1", "commit 1 ", 0, 1, 0 },
    { "acked twice is acked once", "123", "propose ack 2 1 ack 2 1", "", 1, 0, 0 },
    { "an observer's ack does not count", "1234o", "propose ack 1 1 ack 4 1", "", 1, 0, 0 },
    { "nor does a stranger's", "123", "propose ack 1 1 ack 9 1", "", 1, 0, 0 },
    { "acks in order commit in order", "123", "propose propose ack 1 1 ack 1 2 ack 2 1 ack 2 2", "commit 1 commit 2 ",
      0, 2, 0 },
    { "acks out of order commit in order", "123",
      "propose propose propose ack 1 1 ack 1 2 ack 1 3 ack 2 3 ack 2 2 ack 2 1", "commit 1 commit 2 commit 3 ", 0, 3,
      0 },
    { "a later one with its quorum waits for the earlier", "123", "propose propose ack 2 2 ack 3 2 ack 1 1", "", 2, 0,
      0 },
    { "a third ack comes late", "123", "propose ack 1 1 ack 2 1 ack 3 1", "commit 1 late ", 0, 1, 0 },
    { "an ack after it was applied comes late", "123", "propose ack 1 1 ack 2 1 applied 1 ack 3 1", "commit 1 late ", 0,
      0, 0 },
    { "what was never proposed", "123", "propose ack 2 2", "unknown ", 1, 0, 0 },
    { "with nothing outstanding too", "123", "ack 2 1", "unknown ", 0, 0, 0 },
    { "the ack of UPTODATE, under NEWLEADER's zxid, is none", "123", "propose ack 2 0", "late ", 1, 0, 0 },
    { "acks of an earlier epoch are none", "123", "propose oldack 2 1 oldack 3 1", "late late ", 1, 0, 0 },
    { "alone", "1", "propose ack 1 1 propose ack 1 2", "commit 1 commit 2 ", 0, 2, 0 },

    { "a sync with nothing outstanding is answered at once", "123", "sync", "sync 1 ", 0, 0, 0 },
    { "a sync waits for what was proposed before it", "123", "propose propose sync ack 1 1 ack 2 1 ack 1 2 ack 2 2",
      "commit 1 commit 2 sync 1 ", 0, 2, 0 },
    { "and for no more", "123", "propose sync propose ack 1 1 ack 2 1", "commit 1 sync 1 ", 1, 1, 0 },
    { "syncs are answered in their order", "123", "propose sync sync propose sync ack 1 1 ack 1 2 ack 2 1 ack 2 2",
      "commit 1 sync 1 sync 2 commit 2 sync 3 ", 0, 2, 0 },
    { "syncs of two zxids are pending", "123", "propose sync sync propose sync", "", 2, 0, 2 },
    { "a sync while something is only to be applied is answered", "123", "propose ack 1 1 ack 2 1 sync",
      "commit 1 sync 1 ", 0, 1, 0 },

    { "applied in order", "123", "propose propose ack 1 1 ack 2 1 ack 1 2 ack 2 2 applied 1 applied 2",
      "commit 1 commit 2 ", 0, 0, 0 },
    { "applied out of order is noticed", "123", "propose propose ack 1 1 ack 2 1 ack 1 2 ack 2 2 applied 2",
      "commit 1 commit 2 not-next ", 0, 2, 0 },
    { "applied before it is committed is noticed", "123", "propose applied 1", "not-next ", 1, 0, 0 },

    { "a reconfiguration needs a quorum of both", "123", "reconfig 145 ack 1 1 ack 2 1", "", 1, 0, 0 },
    { "and has it", "123", "reconfig 145 ack 1 1 ack 2 1 ack 4 1", "commit 1 led by 1 ", 0, 1, 0 },
    { "what comes behind it needs both too", "123", "reconfig 145 propose ack 1 1 ack 1 2 ack 2 1 ack 2 2 ack 4 1",
      "commit 1 led by 1 ", 1, 1, 0 },
    { "and is committed right behind it once it has", "123",
      "reconfig 145 propose ack 1 1 ack 1 2 ack 2 1 ack 2 2 ack 4 2 ack 4 1", "commit 1 led by 1 commit 2 ", 0, 2, 0 },
    { "3829: what was acked by the old configuration alone is not committed by it", "123",
      "propose reconfig 145 propose ack 1 1 ack 2 1 ack 1 2 ack 2 2 ack 3 2 ack 1 3 ack 2 3", "commit 1 ", 2, 1, 0 },
    { "afterwards the new one alone decides", "123", "reconfig 145 ack 1 1 ack 2 1 ack 4 1 propose ack 4 2 ack 5 2",
      "commit 1 led by 1 commit 2 ", 0, 2, 0 },
    { "a leader that is left out names another, and commits nothing more", "123",
      "reconfig 23 propose ack 1 1 ack 2 1 ack 3 1 ack 1 2 ack 2 2 ack 3 2", "commit 1 led by 2 late late late ", 1, 1,
      0 },
    { "the one that acked the most of what is outstanding", "123",
      "reconfig 23 propose ack 3 2 ack 1 1 ack 3 1 ack 2 1", "commit 1 led by 3 ", 1, 1, 0 },
    { "one that did not ack it cannot lead", "12345", "reconfig 2345 ack 1 1 ack 3 1 ack 4 1 ack 5 1",
      "commit 1 led by 3 ", 0, 1, 0 },
    { "a sync behind a reconfiguration", "123", "reconfig 145 sync ack 1 1 ack 2 1 ack 4 1",
      "commit 1 led by 1 sync 1 ", 0, 1, 0 },
};

START_TEST(a_script_gives_its_trace)
{
    struct stage stage = { .present = verifier_of(scenarios[_i].sids, 1), .last = EPOCH };
    log_set_level(NULL, LOG_OFF);
    leader_proposals_init(&stage.proposals, SELF);
    leader_proposals_begin(&stage.proposals, EPOCH);
    stage.proposals.last_committed = EPOCH;
    play(&stage, scenarios[_i].script);
    ck_assert_msg(strcmp(buffer_string(&stage.trace), scenarios[_i].trace) == 0, "%s: %s", scenarios[_i].fact,
                  buffer_string(&stage.trace));
    ck_assert_msg(leader_proposals_outstanding_count(&stage.proposals) == scenarios[_i].outstanding, "%s",
                  scenarios[_i].fact);
    ck_assert_msg(leader_proposals_to_be_applied_count(&stage.proposals) == scenarios[_i].to_be_applied, "%s",
                  scenarios[_i].fact);
    ck_assert_msg(leader_proposals_pending_sync_count(&stage.proposals) == scenarios[_i].pending_syncs, "%s",
                  scenarios[_i].fact);
    leader_proposals_release(&stage.proposals);
    quorum_verifier_unref(stage.present);
    quorum_verifier_unref(stage.next);
    buffer_release(&stage.trace);
}
END_TEST

/* Random acks of five servers, in order each, with lost and repeated ones: commits are 1, 2, 3 ... and only with a
 * quorum. */
START_TEST(whatever_the_acks_commits_are_in_order)
{
    unsigned seed = (unsigned)_i;
    struct stage stage = { .present = verifier_of("12345", 1), .last = EPOCH };
    leader_proposals_init(&stage.proposals, SELF);
    leader_proposals_begin(&stage.proposals, EPOCH);
    int64_t acked[6] = { 0 }, committed = 0;
    for (int step = 0; step < 2000; step++) {
        if (rand_r(&seed) % 3 == 0)
            propose(&stage, OP_SET_DATA);
        int64_t sid = 1 + rand_r(&seed) % 5;
        if (acked[sid] < stage.last - EPOCH && rand_r(&seed) % 4 != 0)
            acked[sid]++;
        if (acked[sid] > 0)
            leader_proposals_ack(&stage.proposals, sid, EPOCH + acked[sid]);
        struct proposal *proposal;
        while ((proposal = leader_proposals_ready(&stage.proposals)) != NULL) {
            int count = 0;
            for (int i = 1; i <= 5; i++)
                count += acked[i] >= proposal->zxid - EPOCH;
            ck_assert_int_ge(count, 3);
            ck_assert_int_eq(proposal->zxid - EPOCH, ++committed);
            leader_proposals_commit(&stage.proposals);
            if (rand_r(&seed) % 2 == 0)
                ck_assert(leader_proposals_applied(&stage.proposals, leader_proposals_at(&stage.proposals, 0)->zxid));
        }
    }
    ck_assert_int_gt(committed, 100);
    leader_proposals_release(&stage.proposals);
    quorum_verifier_unref(stage.present);
}
END_TEST

static Suite *leader_scenarios_suite(void)
{
    Suite *suite = suite_create("leader_scenarios");
    TCase *tcase = tcase_create("leader_scenarios");
    tcase_add_loop_test(tcase, a_script_gives_its_trace, 0, ARRAY_SIZE(scenarios));
    tcase_add_loop_test(tcase, whatever_the_acks_commits_are_in_order, 1, 51);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(leader_scenarios_suite)
