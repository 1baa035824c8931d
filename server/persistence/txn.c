/*
 * txn.c - one transaction: encoded or taken from a log once, then shared.
 *
 *   struct txn [ header, body, digest | INLINE_ARENA bytes ]  --->  blob [ header, record, digest ]
 *                         '------------- strings and data point into it -------------^
 *
 * The vectors of a usual record (one ACL, a few paths) fit into the bytes behind the struct, so that a transaction is
 * two pieces of memory. Prep makes it and whoever has it last frees it, so a maker takes both out of pools.
 */
#include "server/persistence/txn.h"

#include <assert.h>
#include <limits.h>
#include <stddef.h>

#include "common/base/block_pool.h"
#include "common/base/buffer.h"
#include "common/base/memory.h"
#include "common/wire/jute.h"

#define INLINE_ARENA ((size_t)256)
#define USUAL_SIZE ((size_t)512)            /* encoded; a larger one has memory of its own */
#define KEPT_CAPACITY ((size_t)64 * 1024)    /* of the buffer to encode in */

struct txn_maker {
    struct block_pool *txns, *blobs;    /* NULL: none */
    struct buffer encoded;
};

static struct txn *alloc_txn(struct block_pool *pool, struct blob *bytes)
{
    struct txn *txn = block_pool_take(pool, sizeof(*txn) + INLINE_ARENA);
    atomic_init(&txn->references, 1);
    txn->has_digest = false;
    txn->bytes = bytes;
    arena_init(&txn->arena, txn + 1, INLINE_ARENA);
    return txn;
}

static int decode(struct txn *txn, const struct txn_rules *rules, struct error *error)
{
    struct jute_reader reader;
    jute_reader_init(&reader, txn->bytes->bytes, txn->bytes->size, &txn->arena);
    reader.limit = INT32_MAX;    /* the bytes are there already; what a log may hold is asked where it is read */
    return txn_body_decode(&reader, rules, &txn->header, &txn->body, &txn->has_digest, &txn->digest, error);
}

struct txn_maker *txn_maker_new(void)
{
    struct txn_maker *maker = MEMORY_NEW(struct txn_maker);
    maker->txns = block_pool_new(sizeof(struct txn) + INLINE_ARENA);
    maker->blobs = block_pool_new(sizeof(struct blob) + USUAL_SIZE);
    return maker;
}

void txn_maker_free(struct txn_maker *maker)
{
    if (maker == NULL)
        return;
    block_pool_close(maker->txns);
    block_pool_close(maker->blobs);
    buffer_release(&maker->encoded);
    memory_free(maker);
}

struct txn *txn_maker_make(struct txn_maker *maker, const struct txn_header *header, const struct txn_body *body,
                           const struct txn_digest *digest)
{
    struct buffer *encoded = &maker->encoded;
    txn_body_encode(header, body, digest, encoded);
    struct txn *txn = alloc_txn(maker->txns, blob_new_copy_in(maker->blobs, encoded->bytes, encoded->size));
    buffer_clear(encoded);
    if (encoded->capacity > KEPT_CAPACITY)
        buffer_release(encoded);
    const struct txn_rules as_encoded = {.digest_enabled = digest != NULL};
    int err = decode(txn, &as_encoded, NULL);
    assert(err == ZK_OK);
    (void)err;
    return txn;
}

struct txn *txn_new(const struct txn_header *header, const struct txn_body *body, const struct txn_digest *digest)
{
    struct txn_maker maker = {0};
    struct txn *txn = txn_maker_make(&maker, header, body, digest);
    buffer_release(&maker.encoded);
    return txn;
}

int txn_new_from_bytes(struct blob *bytes, const struct txn_rules *rules, struct txn **ret_txn, struct error *error)
{
    struct txn *txn = alloc_txn(NULL, blob_ref(bytes));
    int err = decode(txn, rules, error);
    if (err != ZK_OK) {
        txn_unref(txn);
        return err;
    }
    *ret_txn = txn;
    return ZK_OK;
}

struct txn *txn_ref(struct txn *txn)
{
    uint32_t before = atomic_fetch_add_explicit(&txn->references, 1, memory_order_relaxed);
    assert(before > 0 && before < UINT32_MAX);
    (void)before;
    return txn;
}

void txn_unref(struct txn *txn)
{
    if (txn == NULL)
        return;
    uint32_t before = atomic_fetch_sub_explicit(&txn->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    arena_release(&txn->arena);
    blob_unref(txn->bytes);
    block_pool_give_back(txn);
}
