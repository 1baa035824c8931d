/*
 * What a learner's request processor hands on, and to whom. The trace has "n" for the next processor and "l" for the
 * leader, with the cxid behind it.
 */
#include "server/quorum/follower_request_processor.h"

#include <assert.h>

#include "server/quorum/observer_request_processor.h"
#include "tests/unit/server/request/core_test.h"

struct learner {
    _Atomic size_t flushes;
};

static struct learner learner;
static struct request_processor next, *processor;
static struct pending_syncs syncs;
static struct mutex lock;
static struct buffer trace GUARDED_BY(lock);
static const char handler[] = "a handler";

static void note(char who, const struct request *request)
{
    mutex_lock(&lock);
    buffer_printf(&trace, "%c%d ", who, request->cxid);
    mutex_unlock(&lock);
}

/* ---- around it ---- */

static void next_process(struct request_processor *self, struct request *request)
{
    (void)self;
    note('n', request);
    request_unref(request);
}

static void next_shutdown(struct request_processor *self)
{
    (void)self;
}

void learner_request(struct learner *self, const struct request *request)
{
    (void)self;
    assert(request->type != OP_SYNC || pending_syncs_count(&syncs) > 0);    /* (2) */
    note('l', request);
}

void learner_flush(struct learner *self)
{
    atomic_fetch_add(&self->flushes, 1);
}

static void set_up(void)
{
    core_set_up();
    mutex_init(&lock);
    pending_syncs_init(&syncs);
    learner = (struct learner){0};
    next = (struct request_processor){next_process, NULL, next_shutdown, NULL};
}

static void tear_down(void)
{
    buffer_release(&trace);
    pending_syncs_release(&syncs);
    mutex_release(&lock);
    core_tear_down();
}

static void start(bool as_observer)
{
    processor = as_observer ? observer_request_processor_start(&core, &learner, &syncs, &next)
                            : follower_request_processor_start(&core, &learner, &syncs, &next);
}

/* Puts one; type, cxid. */
static struct request *make(int32_t type, int32_t cxid)
{
    struct request *request = core_request(type, NULL);
    request->cxid = cxid;
    return request;
}

static void put(struct request *request)
{
    request_processor_process(processor, request);
}

/* Takes it down, which empties its queue, and looks at what it did. */
static void assert_trace(const char *expected)
{
    request_processor_flush(processor);
    processor->shutdown(processor);
    processor->free(processor);
    mutex_lock(&lock);
    ck_assert_str_eq(buffer_string(&trace), expected);
    mutex_unlock(&lock);
}

/* ---- tests ---- */

START_TEST(a_write_is_queued_before_the_leader_hears_of_it_and_a_read_stays)
{
    start(_i == 1);
    put(make(OP_GET_DATA, 1));
    put(make(OP_CREATE, 2));
    put(make(OP_SYNC, 3));
    put(make(OP_PING, 4));
    put(make(OP_MULTI, 5));
    put(make(OP_CHECK, 6));
    assert_trace("n1 n2 l2 n3 l3 n4 n5 l5 n6 l6 ");
    ck_assert_uint_eq(pending_syncs_count(&syncs), 1);
    ck_assert_uint_ge(learner.flushes, 1);
}
END_TEST

START_TEST(what_is_throttled_or_local_stays)
{
    start(_i == 1);
    struct request *request = make(OP_CREATE, 1);
    request->is_throttled = true;
    put(request);
    request = make(OP_CLOSE_SESSION, 2);
    request->is_local_session = true;
    put(request);
    put(make(OP_CLOSE_SESSION, 3));
    assert_trace("n1 n2 n3 l3 ");
}
END_TEST

START_TEST(what_other_learners_sent_may_skip_the_next_processor)
{
    core_options.follower_skip_learner_request_to_next_processor = _i == 1;
    start(false);
    put(make(OP_CREATE, 1));
    struct request *request = make(OP_CREATE, 2);
    request->owner = handler;
    put(request);
    assert_trace(_i == 1 ? "n1 l1 l2 " : "n1 l1 n2 l2 ");
    ck_assert_int_eq(server_metrics_value(core.metrics, METRIC_SKIP_LEARNER_REQUEST_TO_NEXT_PROCESSOR_COUNT), _i);
}
END_TEST

START_TEST(once_it_is_down_nothing_enters)
{
    start(false);
    struct request *request = make(OP_CREATE, 1);
    processor->shutdown(processor);
    put(request_ref(request));
    ck_assert_int_eq(request->references, 1);
    request_unref(request);
    processor->free(processor);
}
END_TEST

static Suite *learner_request_processor_suite(void)
{
    Suite *suite = suite_create("learner_request_processor");
    TCase *tcase = tcase_create("learner_request_processor");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_write_is_queued_before_the_leader_hears_of_it_and_a_read_stays, 0, 2);
    tcase_add_loop_test(tcase, what_is_throttled_or_local_stays, 0, 2);
    tcase_add_loop_test(tcase, what_other_learners_sent_may_skip_the_next_processor, 0, 2);
    tcase_add_test(tcase, once_it_is_down_nothing_enters);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(learner_request_processor_suite)
