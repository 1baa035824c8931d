/* Threads that make connections: as many as there is work, no more than permitted. */
#include "server/quorum/connection_executor.h"

#include "common/thread/mutex.h"
#include "tests/lib/check_main.h"

struct gate {
    struct mutex lock;
    struct condition changed;
    bool is_open;
    int arrived, done;
};

static void pass(void *arg)
{
    struct gate *gate = arg;
    mutex_lock(&gate->lock);
    gate->arrived++;
    condition_broadcast(&gate->changed);
    while (!gate->is_open)
        condition_wait(&gate->changed, &gate->lock);
    gate->done++;
    mutex_unlock(&gate->lock);
}

static void await(struct gate *gate, const int *count, int value)
{
    mutex_lock(&gate->lock);
    while (*count < value)
        condition_wait(&gate->changed, &gate->lock);
    mutex_unlock(&gate->lock);
}

static void open_gate(struct gate *gate)
{
    mutex_lock(&gate->lock);
    gate->is_open = true;
    condition_broadcast(&gate->changed);
    mutex_unlock(&gate->lock);
}

START_TEST(work_runs_side_by_side_up_to_the_bound_and_none_waits_in_line)
{
    struct gate gate = {0};
    mutex_init(&gate.lock);
    condition_init(&gate.changed);
    struct connection_executor *executor = connection_executor_new("worker", 3);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(connection_executor_execute(executor, pass, &gate), ZK_OK);
    await(&gate, &gate.arrived, 3);
    ck_assert_int_eq(connection_executor_execute(executor, pass, &gate), ZK_FULL);
    open_gate(&gate);
    int err;
    while ((err = connection_executor_execute(executor, pass, &gate)) == ZK_FULL)
        ;
    ck_assert_msg(err == ZK_OK, "a thread that is free takes it");
    connection_executor_stop(executor);
    ck_assert_msg(gate.done == 4, "what was begun is finished");
    ck_assert_int_eq(connection_executor_execute(executor, pass, &gate), ZK_CLOSED);
    connection_executor_free(executor);
    condition_release(&gate.changed);
    mutex_release(&gate.lock);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("connection_executor");
    TCase *tcase = tcase_create("threads");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, work_runs_side_by_side_up_to_the_bound_and_none_waits_in_line);
    return suite;
}

CHECK_MAIN(make_suite)
