/* Shared immutable bytes, counted; and a reference to a stretch of bytes. Mirrors the uses of ByteBuffer. Any
 * thread. */
#ifndef ZKC_COMMON_BASE_BLOB_H
#define ZKC_COMMON_BASE_BLOB_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct block_pool;

struct blob {
    _Atomic uint32_t references;    /* and a bit of blob.c's */
    uint32_t size;        /* bytes; a blob is at most 2 GiB */
    uint8_t bytes[];      /* written by its maker before it is shared, never after */
};

/* One reference, bytes not set. */
struct blob *blob_new(size_t size) __attribute__((returns_nonnull));
struct blob *blob_new_copy(const void *bytes, size_t size) __attribute__((returns_nonnull));
/* A copy in memory of a pool, for bytes that another thread will see the last of; as the other where that is NULL. */
struct blob *blob_new_copy_in(struct block_pool *pool, const void *bytes, size_t size) __attribute__((returns_nonnull));
struct blob *blob_ref(struct blob *blob);
void blob_unref(struct blob *blob);    /* NULL is accepted */

/* Bytes that somebody else owns for as long as the context says. */
struct slice {
    const uint8_t *bytes;
    size_t size;
};

#endif
