/* test_worker_service.c - work of one key runs in order. */
#include "common/thread/worker_service.h"

#include <stdbool.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/thread/thread.h"
#include "tests/lib/check_main.h"

enum { KEYS = 5, EACH = 1000 };

/* What ran under one key; only its worker touches it. */
struct row {
    int next;
    int disorders;
};
struct item {
    struct row *row;
    int number;
};

static void run_item(void *arg)
{
    struct item *item = arg;
    item->row->disorders += item->number != item->row->next;
    item->row->next = item->number + 1;
    memory_free(item);
}

static void schedule_all(struct worker_service *service, struct row *rows)
{
    for (int i = 0; i < EACH; i++) {
        for (uint64_t key = 0; key < KEYS; key++) {
            struct item *item = MEMORY_NEW(struct item);
            *item = (struct item){ .row = &rows[key], .number = i };
            ck_assert_int_eq(worker_service_schedule(service, run_item, item, key), ZK_OK);
        }
    }
}

START_TEST(one_key_keeps_its_order)    /* _i workers */
{
    struct row rows[KEYS] = { 0 };
    struct worker_service *service = worker_service_start("CommitProcWork", _i, 16);
    schedule_all(service, rows);
    worker_service_stop(service);    /* drains */
    for (int key = 0; key < KEYS; key++) {
        ck_assert_int_eq(rows[key].next, EACH);
        ck_assert_int_eq(rows[key].disorders, 0);
    }
}
END_TEST

static void note_name(void *arg)
{
    *(int *)arg = thread_current_name()[4] - '0';    /* "wrk-<n>" */
}

static void note_main(void *arg)
{
    *(bool *)arg = thread_current_name()[0] == 'm';
}

START_TEST(the_key_chooses_the_worker)
{
    int worker = -1;
    struct worker_service *service = worker_service_start("wrk", 3, 4);
    ck_assert_int_eq(worker_service_schedule(service, note_name, &worker, 5), ZK_OK);
    worker_service_stop(service);
    ck_assert_int_eq(worker, 2);    /* "wrk-2" */
}
END_TEST

START_TEST(without_workers_the_caller_works)
{
    bool is_main = false;
    struct worker_service *service = worker_service_start("w", 0, 1);
    ck_assert_int_eq(worker_service_schedule(service, note_main, &is_main, 1), ZK_OK);
    ck_assert(is_main);
    worker_service_stop(service);
    worker_service_stop(NULL);
}
END_TEST

static Suite *worker_service_suite(void)
{
    Suite *suite = suite_create("worker_service");
    TCase *tcase = tcase_create("worker_service");
    tcase_add_loop_test(tcase, one_key_keeps_its_order, 0, 4);
    tcase_add_test(tcase, the_key_chooses_the_worker);
    tcase_add_test(tcase, without_workers_the_caller_works);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(worker_service_suite)
