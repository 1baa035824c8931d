/* blob.c - shared immutable bytes: one piece of memory, one counter. */
#include "common/base/blob.h"

#include <assert.h>
#include <string.h>

#include "common/base/block_pool.h"
#include "common/base/memory.h"

#define LARGEST ((size_t)1 << 31)
#define IS_POOLED (UINT32_C(1) << 31)    /* beside the count: the memory is a block_pool's */

struct blob *blob_new(size_t size)
{
    assert(size <= LARGEST);
    struct blob *blob = memory_alloc(sizeof(*blob) + size);
    atomic_init(&blob->references, 1);
    blob->size = (uint32_t)size;
    return blob;
}

struct blob *blob_new_copy(const void *bytes, size_t size)
{
    struct blob *blob = blob_new(size);
    if (size > 0)
        memcpy(blob->bytes, bytes, size);
    return blob;
}

struct blob *blob_new_copy_in(struct block_pool *pool, const void *bytes, size_t size)
{
    if (pool == NULL)
        return blob_new_copy(bytes, size);
    assert(size <= LARGEST);
    struct blob *blob = block_pool_take(pool, sizeof(*blob) + size);
    atomic_init(&blob->references, IS_POOLED | 1);
    blob->size = (uint32_t)size;
    if (size > 0)
        memcpy(blob->bytes, bytes, size);
    return blob;
}

struct blob *blob_ref(struct blob *blob)
{
    uint32_t before = atomic_fetch_add_explicit(&blob->references, 1, memory_order_relaxed) & ~IS_POOLED;
    assert(before > 0 && before < IS_POOLED - 1);
    return blob;
}

void blob_unref(struct blob *blob)
{
    if (blob == NULL)
        return;
    /* Release: our reads come before the free of whoever is last. Acquire: the last one sees them done. */
    uint32_t before = atomic_fetch_sub_explicit(&blob->references, 1, memory_order_acq_rel);
    assert((before & ~IS_POOLED) > 0);
    if (before == 1)
        memory_free(blob);
    else if (before == (IS_POOLED | 1))
        block_pool_give_back(blob);
}
