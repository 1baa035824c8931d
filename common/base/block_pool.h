/*
 * Memory of what is made on one thread and ends on another, which costs an allocator its locks: blocks that are over
 * are kept for the next ones. Any thread. A pool keeps as many as there ever were at a time.
 */
#ifndef ZKC_COMMON_BASE_BLOCK_POOL_H
#define ZKC_COMMON_BASE_BLOCK_POOL_H

#include <stddef.h>

struct block_pool;    /* opaque */
/* Of blocks of `size` bytes. */
struct block_pool *block_pool_new(size_t size) __attribute__((returns_nonnull));
/* Whoever made it takes nothing more; it goes with its last block. NULL is accepted. */
void block_pool_close(struct block_pool *pool);
/* `size` bytes, not set: a block, or memory of their own when that is too small, or `pool` NULL. */
void *block_pool_take(struct block_pool *pool, size_t size) __attribute__((returns_nonnull));
void block_pool_give_back(void *block);    /* NULL is accepted */

#endif
