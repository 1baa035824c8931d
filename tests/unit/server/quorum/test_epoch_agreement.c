/* test_epoch_agreement.c - waiting for a quorum, in time or not, and what is durable before anybody hears of it. */
#include "server/quorum/epoch_agreement.h"

#include <sched.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/thread/thread.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_directory.h"

static char directory[TEST_DIRECTORY_SIZE];
static struct server_options options;
static struct quorum_verifier *three;
static struct epoch_files *epochs;
static struct quorum_self self;
static struct epoch_agreement *agreement;

static void set_up(void)
{
    static const char text[] = "server.1=127.0.0.1:2888:3888:participant\nserver.2=127.0.0.1:2889:3889:participant\n"
                               "server.3=127.0.0.1:2890:3890:participant\nversion=0";
    struct error error = { 0 };
    log_set_level(NULL, LOG_OFF);
    test_directory_make(directory);
    server_options_init(&options);
    options.tick_time = 1000;
    options.init_limit = 10;
    options.max_time_to_wait_for_epoch = -1;
    ck_assert_int_eq(
        quorum_verifier_parse_text(text, strlen(text), &(struct quorum_parse_options){ 0 }, &three, &error), ZK_OK);
    ck_assert_int_eq(epoch_files_open(directory, 0x300000005, &epochs, &error), ZK_OK);
    quorum_self_init(&self, &options, 2, three, epochs, NULL, NULL, NULL);
    agreement = epoch_agreement_new(&self);
    clock_freeze(1000000, 1000000);
}

static void tear_down(void)
{
    clock_thaw();
    epoch_agreement_free(agreement);
    quorum_self_release(&self);
    epoch_files_close(epochs);
    quorum_verifier_unref(three);
    server_options_release(&options);
    test_directory_remove(directory);
}

/* A server that waits, in a thread. */
struct waiter {
    int64_t sid;
    int64_t accepted;
    int64_t epoch;
    int result;
    _Atomic bool is_back;
    struct thread *thread;
};

static void wait_for_epoch(void *arg)
{
    struct waiter *waiter = arg;
    waiter->result = epoch_agreement_get_epoch(agreement, waiter->sid, waiter->accepted, &waiter->epoch, NULL);
    atomic_store(&waiter->is_back, true);
}

static void start(struct waiter *waiter, void (*run)(void *arg))
{
    waiter->thread = thread_start("waiter", run, waiter);
}

static int result_of(struct waiter *waiter)
{
    thread_join(waiter->thread);
    return waiter->result;
}

START_TEST(whoever_completes_the_quorum_makes_the_epoch_durable_first)
{
    struct waiter own = { .sid = 2, .accepted = 3 }, late = { .sid = 3, .accepted = 8 };
    int64_t epoch;
    start(&own, wait_for_epoch);
    ck_assert_int_eq(quorum_self_accepted_epoch(&self), 3);
    ck_assert_int_eq(epoch_agreement_get_epoch(agreement, 1, 7, &epoch, NULL), ZK_OK);
    ck_assert_int_eq(epoch, 8);
    ck_assert_int_eq(quorum_self_accepted_epoch(&self), 8);
    ck_assert_int_eq(result_of(&own), ZK_OK);
    ck_assert_int_eq(own.epoch, 8);
    start(&late, wait_for_epoch);
    ck_assert_int_eq(result_of(&late), ZK_OK);
    ck_assert_int_eq(late.epoch, 8);
}
END_TEST

START_TEST(without_a_quorum_the_time_runs_out)
{
    struct waiter own = { .sid = 2, .accepted = 3 };
    start(&own, wait_for_epoch);
    while (!atomic_load(&own.is_back)) {    /* it begins to wait at whatever time */
        clock_advance_ms(1000);
        sched_yield();
    }
    ck_assert_int_eq(result_of(&own), ZK_TIMED_OUT);
    ck_assert_int_eq(quorum_self_accepted_epoch(&self), 3);
}
END_TEST

START_TEST(an_epoch_that_cannot_be_written_is_told_to_nobody)
{
    struct waiter own = { .sid = 2, .accepted = 3 };
    int64_t epoch = 0;
    start(&own, wait_for_epoch);
    test_directory_remove(directory);
    ck_assert_int_eq(epoch_agreement_get_epoch(agreement, 1, 7, &epoch, NULL), ZK_IO);
    ck_assert_int_eq(epoch, 0);
    ck_assert_int_eq(result_of(&own), ZK_IO);
    ck_assert_int_eq(epoch_agreement_get_epoch(agreement, 3, 7, &epoch, NULL), ZK_IO);
}
END_TEST

START_TEST(the_end_wakes_everybody)
{
    struct waiter own = { .sid = 2, .accepted = 3 };
    int64_t epoch;
    struct state_summary summary = { 0, 0 };
    start(&own, wait_for_epoch);
    epoch_agreement_close(agreement);
    ck_assert_int_eq(result_of(&own), ZK_CLOSED);
    ck_assert_int_eq(epoch_agreement_get_epoch(agreement, 1, 7, &epoch, NULL), ZK_CLOSED);
    ck_assert_int_eq(epoch_agreement_wait_for_epoch_ack(agreement, 1, &summary, NULL), ZK_CLOSED);
    ck_assert_int_eq(epoch_agreement_wait_for_new_leader_ack(agreement, 1, NULL), ZK_CLOSED);
}
END_TEST

static void wait_for_acks(void *arg)
{
    struct waiter *waiter = arg;
    struct state_summary summary = { 3, 0x300000005 };
    waiter->result = epoch_agreement_wait_for_epoch_ack(agreement, waiter->sid, &summary, NULL);
    if (waiter->result == ZK_OK)
        waiter->result = epoch_agreement_wait_for_new_leader_ack(agreement, waiter->sid, NULL);
}

START_TEST(a_quorum_accepts_and_acks)
{
    struct waiter own = { .sid = 2 }, other = { .sid = 3 };
    struct state_summary leader = { 3, 0x300000005 }, ahead = { 3, 0x300000006 };
    epoch_agreement_set_leader_summary(agreement, &leader);
    epoch_agreement_set_new_leader(agreement, 0x400000000, three, NULL);
    start(&own, wait_for_acks);
    ck_assert_int_eq(epoch_agreement_wait_for_epoch_ack(agreement, 1, &ahead, NULL), ZK_INVALID_STATE);
    start(&other, wait_for_acks);
    ck_assert_int_eq(result_of(&own), ZK_OK);
    ck_assert_int_eq(result_of(&other), ZK_OK);
    struct buffer acks = { 0 };
    epoch_agreement_print_new_leader_acks(agreement, &acks);
    ck_assert_str_eq(buffer_string(&acks), "[2, 3]");
    buffer_release(&acks);
    struct sid_set set = { 0 };
    epoch_agreement_new_leader_acks(agreement, &set);
    ck_assert_uint_eq(set.count, 2);
    ck_assert(epoch_agreement_would_form(agreement, &set));
    sid_set_remove(&set, 3);
    ck_assert(!epoch_agreement_would_form(agreement, &set));
    sid_set_release(&set);
}
END_TEST

START_TEST(a_voter_that_changes_its_mind_ends_the_wait_after_a_while)
{
    struct waiter own = { .sid = 2, .accepted = 3 };
    struct synced_learner_tracker votes = { 0 };
    synced_learner_tracker_add_verifier(&votes, three);
    synced_learner_tracker_add_ack(&votes, 2);
    synced_learner_tracker_add_ack(&votes, 3);
    epoch_agreement_set_vote_set(agreement, &votes);
    synced_learner_tracker_release(&votes);
    options.max_time_to_wait_for_epoch = 500;
    start(&own, wait_for_epoch);
    while (!epoch_agreement_report_looking(agreement, 3)) {    /* false until it waits, and for 500 ms then */
        ck_assert(!epoch_agreement_report_looking(agreement, 1));    /* did not vote for this server */
        clock_advance_ms(100);
    }
    ck_assert_int_eq(result_of(&own), ZK_TIMED_OUT);
    ck_assert(!epoch_agreement_report_looking(agreement, 3));
    int64_t epoch;
    ck_assert_int_eq(epoch_agreement_get_epoch(agreement, 1, 3, &epoch, NULL), ZK_TIMED_OUT);
    ck_assert_int_eq(quorum_self_accepted_epoch(&self), 3);
}
END_TEST

static Suite *epoch_agreement_suite(void)
{
    Suite *suite = suite_create("epoch_agreement");
    TCase *tcase = tcase_create("epoch_agreement");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, whoever_completes_the_quorum_makes_the_epoch_durable_first);
    tcase_add_test(tcase, without_a_quorum_the_time_runs_out);
    tcase_add_test(tcase, an_epoch_that_cannot_be_written_is_told_to_nobody);
    tcase_add_test(tcase, the_end_wakes_everybody);
    tcase_add_test(tcase, a_quorum_accepts_and_acks);
    tcase_add_test(tcase, a_voter_that_changes_its_mind_ends_the_wait_after_a_while);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(epoch_agreement_suite)
