/*
 * block_pool.c - a list of blocks that are over, and one of spare ones.
 *
 *   take <-- spare <--(all at once)-- over <-- give back
 *
 * (1) Only all at once is anything taken out of `over`, so that a head that comes back cannot be mistaken for itself.
 * (2) `spare` and `made` belong to whoever set is_open. Who finds it set does not wait, but takes memory that is no
 *     block of the pool.
 * (3) After close each block that comes back is freed and counted off; the last one takes the pool along.
 */
#include "common/base/block_pool.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/memory.h"

/* A checker of addresses would not see who uses a block that is over. */
#if defined(__SANITIZE_ADDRESS__)
#define KEEPS_BLOCKS false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEPS_BLOCKS false
#endif
#endif
#ifndef KEEPS_BLOCKS
#define KEEPS_BLOCKS true
#endif

struct block {
    struct block_pool *pool;    /* NULL: none */
    struct block *next;         /* while it is over */
    max_align_t bytes[];
};

struct block_pool {
    size_t size;
    struct block *_Atomic over;    /* newest first; the pool itself when it is closed */
    struct block *spare;
    int64_t made;                  /* blocks that there are */
    _Atomic bool is_open;
    _Atomic int64_t left;          /* to come back after close; negative while close has not counted them yet */
};

static struct block *closed_mark(struct block_pool *pool)
{
    return (struct block *)(void *)pool;
}

struct block_pool *block_pool_new(size_t size)
{
    struct block_pool *pool = MEMORY_NEW(struct block_pool);
    pool->size = size;
    return pool;
}

static int64_t free_list(struct block *block)
{
    int64_t count = 0;
    while (block != NULL) {
        struct block *next = block->next;
        memory_free(block);
        block = next;
        count++;
    }
    return count;
}

static void count_off(struct block_pool *pool, int64_t change)
{
    if (atomic_fetch_add_explicit(&pool->left, change, memory_order_acq_rel) + change == 0)
        memory_free(pool);
}

void block_pool_close(struct block_pool *pool)
{
    if (pool == NULL)
        return;
    struct block *over = atomic_exchange_explicit(&pool->over, closed_mark(pool), memory_order_acq_rel);
    int64_t freed = free_list(pool->spare) + free_list(over);
    count_off(pool, pool->made - freed);
}

/* (2); NULL when somebody else has it open. */
static struct block *take_block(struct block_pool *pool)
{
    if (atomic_exchange_explicit(&pool->is_open, true, memory_order_acquire))
        return NULL;
    if (pool->spare == NULL)
        pool->spare = atomic_exchange_explicit(&pool->over, NULL, memory_order_acquire);    /* (1) */
    struct block *block = pool->spare;
    if (block != NULL) {
        pool->spare = block->next;
    } else {
        block = memory_alloc(sizeof(*block) + pool->size);
        block->pool = pool;
        pool->made++;
    }
    atomic_store_explicit(&pool->is_open, false, memory_order_release);
    return block;
}

void *block_pool_take(struct block_pool *pool, size_t size)
{
    struct block *block = KEEPS_BLOCKS && pool != NULL && size <= pool->size ? take_block(pool) : NULL;
    if (block == NULL) {
        block = memory_alloc(sizeof(*block) + size);
        block->pool = NULL;
    }
    return block->bytes;
}

void block_pool_give_back(void *bytes)
{
    if (bytes == NULL)
        return;
    struct block *block = container_of(bytes, struct block, bytes);
    struct block_pool *pool = block->pool;
    if (pool == NULL) {
        memory_free(block);
        return;
    }
    struct block *newest = atomic_load_explicit(&pool->over, memory_order_relaxed);
    do {
        if (newest == closed_mark(pool)) {    /* (3) */
            memory_free(block);
            count_off(pool, -1);
            return;
        }
        block->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&pool->over, &newest, block, memory_order_release,
                                                    memory_order_relaxed));
}
