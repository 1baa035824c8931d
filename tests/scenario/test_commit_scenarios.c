/*
 * Scripts of what comes to a commit processor, and the trace of what it lets go. A word of a script is one event:
 *
 *   r1.5   a read of session 1, cxid 5         w1.6   a write of it         s1.7   a sync
 *   c1.6   the commit of session 1, cxid 6; its zxid is the number of the commit
 *   C1.6   the same as a leader has it: the very request
 *   |      a round: the trace has what went on, in order, with "@zxid" where there is one, and "|" at its end
 *
 * The batch sizes stand with the script.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/wire/op_code.h"
#include "server/quorum/commit_pairing.h"
#include "tests/lib/check_main.h"

enum { MOST_EVENTS = 64 };

struct scenario {
    const char *fact;
    const char *script, *trace;
    bool is_leader;
    int64_t max_reads, max_commits;    /* 0: the defaults, no limit and one */
};

static const struct scenario scenarios[] = {
    { "reads go on by themselves, in order",
      "r1.1 r2.1 r1.2 |", "r1.1 r2.1 r1.2 |", false, 0, 0 },
    { "a write waits for its commit",
      "w1.1 | | c1.1 |", "| | w1.1@1 |", false, 0, 0 },
    { "what a session asks behind its write waits with it; other sessions do not",
      "w1.1 r1.2 r2.1 | c1.1 |", "r2.1 | w1.1@1 r1.2 |", false, 0, 0 },
    { "reads behind a write go as far as the next write",
      "w1.1 r1.2 r1.3 w1.4 r1.5 | c1.1 | c1.4 |", "| w1.1@1 r1.2 r1.3 | w1.4@2 r1.5 |", false, 0, 0 },
    { "two writes of one session, one commit at a time",
      "w1.1 w1.2 | c1.1 c1.2 | |", "| w1.1@1 | w1.2@2 |", false, 0, 0 },
    { "a commit without a waiter is of another server's client and goes through",
      "c9.1 | w1.1 c9.2 | c1.1 |", "w9.1@1 | w9.2@2 | w1.1@3 |", false, 0, 0 },
    { "writes of several sessions go in the order of their commits",
      "w1.1 w2.1 w3.1 | c1.1 c2.1 c3.1 | | |", "| w1.1@1 | w2.1@2 | w3.1@3 |", false, 0, 0 },
    { "commits of others come between",
      "w1.1 | c9.1 c1.1 c9.2 | | |", "| w9.1@1 | w1.1@2 | w9.2@3 |", false, 0, 0 },
    { "one of ours that was not looked at yet: its commit waits until its turn has come",
      "w1.1 | r2.1 w3.1 c1.1 c3.1 | |", "| r2.1 w1.1@1 | w3.1@2 |", false, 0, 10 },
    { "with a commit at hand and a write waiting, only one more is looked at before the commit",
      "w1.1 | r2.1 r2.2 r2.3 c1.1 | |", "| r2.1 w1.1@1 | r2.2 r2.3 |", false, 0, 0 },
    { "with a limit of reads, that many and one more go before the commit",
      "w1.1 | r2.1 r2.2 r2.3 r2.4 c1.1 | |", "| r2.1 r2.2 w1.1@1 | r2.3 r2.4 |", false, 1, 0 },
    { "several commits in a round, and then the reads behind them, session by session",
      "w1.1 r1.2 w2.1 r2.2 | c1.1 c2.1 c9.1 |", "| w1.1@1 w2.1@2 w9.1@3 r1.2 r2.2 |", false, 0, 10 },
    { "but a read between two writes of a session is not overtaken",
      "w1.1 r1.2 w1.3 | c1.1 c1.3 c9.1 | |", "| w1.1@1 r1.2 | w1.3@2 w9.1@3 |", false, 0, 10 },
    { "two writes in a row are not kept apart",
      "w1.1 w1.2 r1.3 | c1.1 c1.2 |", "| w1.1@1 w1.2@2 r1.3 |", false, 0, 10 },
    { "a learner's sync waits for its commit, and what is behind it",
      "s1.1 r1.2 | c1.1 |", "| s1.1@1 r1.2 |", false, 0, 0 },
    { "a sync behind a write comes after it",
      "w1.1 s1.2 | c1.1 | C1.2 |", "| w1.1@1 | s1.2@2 |", false, 0, 0 },
    { "a leader's sync is a read",
      "s1.1 r1.2 | w2.1 s2.2 | C2.1 |", "s1.1 r1.2 | | w2.1@1 s2.2 |", true, 0, 0 },
    { "on a leader the commit is the request itself",
      "w1.1 r1.2 | C1.1 |", "| w1.1@1 r1.2 |", true, 0, 0 },
    { "a session whose reads are all out is forgotten: a read goes on at once",
      "w1.1 | c1.1 | r1.2 |", "| w1.1@1 | r1.2 |", false, 0, 0 },
    { "the same cxid of another session is not ours",
      "w1.7 | c2.7 | c1.7 |", "| w2.7@1 | w1.7@2 |", false, 0, 0 },
    { "nothing to do is nothing done",
      "|", "|", false, 0, 0 },
};

/* ---- playing ---- */

static struct commit_pairing pairing;
static struct request *asked[MOST_EVENTS];    /* ours; a reference each */
static size_t asked_count;
static struct buffer trace;

static struct request *make_request(int32_t type, int64_t session_id, int32_t cxid)
{
    struct request *request = request_new(NULL, session_id, cxid, type, NULL, (struct slice){NULL, 0}, NULL);
    return request;
}

static struct request *make_commit(int64_t session_id, int32_t cxid, int64_t zxid)
{
    struct txn_header header = {session_id, cxid, zxid, 0, OP_SET_DATA};
    struct txn_body body = {.is_present = true};
    struct txn *txn = txn_new(&header, &body, NULL);
    struct request *request = request_new_from_txn(txn);
    txn_unref(txn);
    return request;
}

static struct request *find_asked(int64_t session_id, int32_t cxid)
{
    for (size_t i = 0; i < asked_count; i++)
        if (asked[i]->session_id == session_id && asked[i]->cxid == cxid)
            return asked[i];
    ck_abort_msg("nobody asked for %d.%d", (int)session_id, (int)cxid);
    return NULL;
}

/* What went on; a write has the txn of its commit, whoever brought it. */
static void note(struct request **requests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct request *request = requests[i];
        char kind = request->type == OP_SYNC ? 's' : request_is_quorum(request) ? 'w' : 'r';
        buffer_printf(&trace, "%c%d.%d", kind, (int)request->session_id, (int)request->cxid);
        if (request->zxid > 0)
            buffer_printf(&trace, "@%d", (int)request->zxid);
        if (request->txn != NULL)
            ck_assert_int_eq(request->txn->header.zxid, request->zxid);
        buffer_append_byte(&trace, ' ');
        request_unref(request);
    }
}

typedef size_t (*take_function)(struct commit_pairing *pairing, struct request **requests, size_t most);

static void play_phase(take_function take, size_t most)
{
    struct request *batch[MOST_EVENTS];
    size_t count;
    while ((count = take(&pairing, batch, most)) > 0)
        note(batch, count);
}

static void play_round(size_t most)
{
    commit_pairing_begin(&pairing);
    play_phase(commit_pairing_take_reads, most);
    if (pairing.committed.count > 0) {
        play_phase(commit_pairing_take_writes, most);
        play_phase(commit_pairing_take_freed_reads, most);
    }
    buffer_append_string(&trace, "| ");
}

static void play_event(const char *word, int64_t *zxid, size_t most)
{
    int session_id, cxid;
    if (word[0] == '|') {
        play_round(most);
        return;
    }
    ck_assert_int_eq(sscanf(word + 1, "%d.%d", &session_id, &cxid), 2);
    if (word[0] == 'c') {
        commit_pairing_add_commit(&pairing, make_commit(session_id, cxid, ++*zxid));
    } else if (word[0] == 'C') {
        struct request *request = find_asked(session_id, cxid);
        request->zxid = ++*zxid;
        commit_pairing_add_commit(&pairing, request_ref(request));
    } else {
        int32_t type = word[0] == 'r' ? OP_GET_DATA : word[0] == 's' ? OP_SYNC : OP_SET_DATA;
        struct request *request = make_request(type, session_id, cxid);
        asked[asked_count++] = request_ref(request);
        commit_pairing_add_request(&pairing, request);
    }
}

static void play(const struct scenario *scenario, size_t most)
{
    commit_pairing_init(&pairing, !scenario->is_leader, scenario->max_reads == 0 ? -1 : scenario->max_reads,
                        scenario->max_commits == 0 ? 1 : scenario->max_commits, NULL);
    asked_count = 0;
    char *script = memory_copy(scenario->script, strlen(scenario->script) + 1), *rest = script, *word;
    int64_t zxid = 0;
    while ((word = strsep(&rest, " ")) != NULL)
        play_event(word, &zxid, most);
    ck_assert_msg(strncmp(buffer_string(&trace), scenario->trace, strlen(scenario->trace)) == 0 &&
                      trace.size == strlen(scenario->trace) + 1,
                  "%s: \"%s\" gave \"%s\" in place of \"%s\"", scenario->fact, scenario->script, buffer_string(&trace),
                  scenario->trace);
    commit_pairing_release(&pairing);
    for (size_t i = 0; i < asked_count; i++) {
        ck_assert_msg(asked[i]->references == 1, "%s: a reference was kept", scenario->fact);
        request_unref(asked[i]);
    }
    memory_free(script);
    buffer_release(&trace);
}

START_TEST(the_trace_is_as_told)
{
    play(&scenarios[_i], MOST_EVENTS);
}
END_TEST

START_TEST(whatever_the_size_of_a_batch)
{
    play(&scenarios[_i], 1);
}
END_TEST

/* ---- what is lent, and what is dropped ---- */

START_TEST(a_request_keeps_the_error_it_came_with)
{
    commit_pairing_init(&pairing, true, -1, 1, NULL);
    struct request *request = make_request(OP_CREATE, 1, 1), *out;
    request->error = ZK_EPHEMERAL_ON_LOCAL_SESSION;
    commit_pairing_add_request(&pairing, request);
    struct request *commit = make_commit(1, 1, 5);
    commit->error = ZK_SESSION_EXPIRED;
    commit_pairing_add_commit(&pairing, commit);
    commit_pairing_begin(&pairing);
    ck_assert_uint_eq(commit_pairing_take_reads(&pairing, &out, 1), 0);
    ck_assert_uint_eq(commit_pairing_take_writes(&pairing, &out, 1), 1);
    ck_assert_ptr_eq(out, request);
    ck_assert_int_eq(out->error, ZK_EPHEMERAL_ON_LOCAL_SESSION);
    ck_assert_int_eq(out->zxid, 5);
    request_unref(out);
    ck_assert_uint_eq(commit_pairing_take_freed_reads(&pairing, &out, 1), 0);
    commit_pairing_release(&pairing);
}
END_TEST

START_TEST(what_is_throttled_or_local_needs_no_commit)
{
    struct request *request = make_request(OP_CREATE, 1, 1);
    ck_assert(commit_pairing_needs_commit(request, true));
    request->is_throttled = true;
    ck_assert(!commit_pairing_needs_commit(request, true));
    request_unref(request);
    request = make_request(OP_CLOSE_SESSION, 1, 1);
    ck_assert(commit_pairing_needs_commit(request, true));
    request->is_local_session = true;
    ck_assert(!commit_pairing_needs_commit(request, true));
    request_unref(request);
    static const int32_t writes[] = {OP_CREATE,     OP_CREATE2,          OP_CREATE_TTL, OP_CREATE_CONTAINER,
                                     OP_DELETE,     OP_DELETE_CONTAINER, OP_SET_DATA,   OP_RECONFIG,
                                     OP_MULTI,      OP_SET_ACL,          OP_CHECK,      OP_CREATE_SESSION};
    for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
        request = make_request(writes[i], 1, 1);
        ck_assert(commit_pairing_needs_commit(request, false));
        request_unref(request);
    }
}
END_TEST

START_TEST(what_still_waits_at_the_end_is_dropped_once)
{
    commit_pairing_init(&pairing, true, -1, 1, NULL);
    struct request *out;
    for (int32_t i = 0; i < 20; i++)
        commit_pairing_add_request(&pairing, make_request(i % 2 == 0 ? OP_DELETE : OP_EXISTS, 1 + i % 3, i));
    commit_pairing_begin(&pairing);
    size_t gone = 0;
    while (commit_pairing_take_reads(&pairing, &out, 1) > 0) {
        request_unref(out);
        gone++;
    }
    commit_pairing_add_request(&pairing, make_request(OP_DELETE, 9, 1));
    commit_pairing_add_commit(&pairing, make_commit(8, 1, 1));
    ck_assert(commit_pairing_has_work(&pairing));
    ck_assert_uint_eq(commit_pairing_release(&pairing), 20 - gone + 2);
    ck_assert(!commit_pairing_has_work(&pairing));
}
END_TEST

static Suite *commit_scenarios_suite(void)
{
    Suite *suite = suite_create("commit_scenarios");
    TCase *tcase = tcase_create("commit_scenarios");
    tcase_add_loop_test(tcase, the_trace_is_as_told, 0, (int)ARRAY_SIZE(scenarios));
    tcase_add_loop_test(tcase, whatever_the_size_of_a_batch, 0, (int)ARRAY_SIZE(scenarios));
    tcase_add_test(tcase, a_request_keeps_the_error_it_came_with);
    tcase_add_test(tcase, what_is_throttled_or_local_needs_no_commit);
    tcase_add_test(tcase, what_still_waits_at_the_end_is_dropped_once);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(commit_scenarios_suite)
