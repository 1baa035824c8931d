/* test_block_pool.c - memory that is used again, by several threads, and that outlives its pool. */
#include "common/base/block_pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/thread/blocking_queue.h"
#include "common/thread/thread.h"
#include "tests/lib/check_main.h"

enum { SIZE = 40, MAKERS = 2, ENDERS = 2, MADE = 20000, LATE = 64 };
BLOCKING_QUEUE_OF(block_queue, uint64_t *);
static struct block_pool *pool;
static struct block_queue *queue;

static void write_block(uint64_t *block, uint64_t value)
{
    for (size_t i = 0; i < SIZE / sizeof(*block); i++)
        block[i] = value;
}

/* Check's own assertions are for the thread of the test. */
static void check_block(const uint64_t *block)
{
    for (size_t i = 1; i < SIZE / sizeof(*block); i++)
        if (block[i] != block[0])
            abort();
}

static void make(void *arg)
{
    uint64_t first = *(const uint64_t *)arg;
    for (uint64_t i = 0; i < MADE; i++) {
        uint64_t *block = block_pool_take(pool, SIZE);
        write_block(block, first + i);
        if (block_queue_put(queue, block) != ZK_OK)
            abort();
    }
}

static void end(void *arg)
{
    uint64_t *block;
    (void)arg;
    while (block_queue_take(queue, &block, 1) > 0) {
        check_block(block);
        write_block(block, UINT64_MAX);
        block_pool_give_back(block);
    }
}

START_TEST(no_block_is_used_twice_at_a_time)
{
    static const uint64_t firsts[MAKERS] = {0, 1000000};
    struct thread *makers[MAKERS], *enders[ENDERS];
    pool = block_pool_new(SIZE);
    queue = block_queue_new(64);
    for (int i = 0; i < MAKERS; i++)
        makers[i] = thread_start("maker", make, (void *)(uintptr_t)&firsts[i]);
    for (int i = 0; i < ENDERS; i++)
        enders[i] = thread_start("ender", end, NULL);
    for (int i = 0; i < MAKERS; i++)
        thread_join(makers[i]);
    block_queue_close(queue);
    for (int i = 0; i < ENDERS; i++)
        thread_join(enders[i]);
    block_queue_free(queue);
    block_pool_close(pool);
}
END_TEST

START_TEST(blocks_may_come_back_while_and_after_the_pool_is_closed)    /* a sanitizer build tells what was left */
{
    struct thread *enders[ENDERS];
    pool = block_pool_new(SIZE);
    queue = block_queue_new(LATE);
    for (int i = 0; i < LATE; i++) {
        uint64_t *block = block_pool_take(pool, SIZE);
        write_block(block, (uint64_t)i);
        ck_assert_int_eq(block_queue_put(queue, block), ZK_OK);
    }
    uint64_t *last = block_pool_take(pool, SIZE);
    for (int i = 0; i < ENDERS; i++)
        enders[i] = thread_start("ender", end, NULL);
    block_pool_close(pool);
    block_queue_close(queue);
    for (int i = 0; i < ENDERS; i++)
        thread_join(enders[i]);
    block_queue_free(queue);
    write_block(last, 1);
    block_pool_give_back(last);
    block_pool_close(block_pool_new(SIZE));
    block_pool_close(NULL);
}
END_TEST

START_TEST(what_is_over_is_used_again)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)    /* there an address that is over is not used again */
    struct block_pool *own = block_pool_new(SIZE);
    void *block = block_pool_take(own, SIZE), *other = block_pool_take(own, SIZE);
    ck_assert_ptr_ne(block, other);
    block_pool_give_back(block);
    block = memset(block_pool_take(own, 1), 0, SIZE);
    block_pool_give_back(other);
    ck_assert_ptr_eq(block_pool_take(own, SIZE), other);
    block_pool_give_back(other);
    block_pool_give_back(block);
    block_pool_close(own);
#endif
}
END_TEST

START_TEST(what_no_block_is_large_enough_for_has_memory_of_its_own)
{
    struct block_pool *own = block_pool_new(SIZE);
    void *large = memset(block_pool_take(own, 100 * SIZE), 1, 100 * SIZE);
    void *without = memset(block_pool_take(NULL, SIZE), 1, SIZE);
    block_pool_close(own);
    block_pool_give_back(large);
    block_pool_give_back(without);
    block_pool_give_back(NULL);
}
END_TEST

static Suite *block_pool_suite(void)
{
    Suite *suite = suite_create("block_pool");
    TCase *tcase = tcase_create("block_pool");
    tcase_add_test(tcase, no_block_is_used_twice_at_a_time);
    tcase_add_test(tcase, blocks_may_come_back_while_and_after_the_pool_is_closed);
    tcase_add_test(tcase, what_is_over_is_used_again);
    tcase_add_test(tcase, what_no_block_is_large_enough_for_has_memory_of_its_own);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(block_pool_suite)
