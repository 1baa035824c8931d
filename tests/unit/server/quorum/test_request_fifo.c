/* Requests come out in the order they went in, however the ring turns and grows. */
#include "server/quorum/request_fifo.h"

#include "common/wire/op_code.h"
#include "tests/lib/check_main.h"

static struct request *make_request(int32_t cxid)
{
    return request_new(NULL, 1, cxid, OP_PING, NULL, (struct slice){NULL, 0}, NULL);
}

START_TEST(order_is_kept_while_it_turns_and_grows)
{
    struct request_fifo fifo = {0};
    int32_t in = 0, out = 0;
    ck_assert_ptr_null(request_fifo_first(&fifo));
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 1 + round % 7; i++)
            request_fifo_put(&fifo, make_request(in++));
        for (int i = 0; i < 1 + round % 5 && fifo.count > 0; i++) {
            struct request *first = request_fifo_first(&fifo);
            ck_assert_ptr_eq(first, request_fifo_take(&fifo));
            ck_assert_int_eq(first->cxid, out++);
            request_unref(first);
        }
    }
    ck_assert_uint_eq(fifo.count, (size_t)(in - out));
    ck_assert_uint_eq(request_fifo_release(&fifo), (size_t)(in - out));
    ck_assert_uint_eq(fifo.count, 0);
}
END_TEST

static Suite *request_fifo_suite(void)
{
    Suite *suite = suite_create("request_fifo");
    TCase *tcase = tcase_create("request_fifo");
    tcase_add_test(tcase, order_is_kept_while_it_turns_and_grows);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(request_fifo_suite)
