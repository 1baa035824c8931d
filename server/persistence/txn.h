/*
 * One transaction: header, record, digest and its bytes, made once and then only referenced: by log, PROPOSAL, INFORM,
 * DIFF and tree alike. Mirrors TxnLogEntry and Request.getSerializeData. Counted and immutable; any thread.
 */
#ifndef ZKC_SERVER_PERSISTENCE_TXN_H
#define ZKC_SERVER_PERSISTENCE_TXN_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/blob.h"
#include "common/base/error.h"
#include "server/tree/txn_body.h"

struct txn {
    _Atomic uint32_t references;
    struct txn_header header;
    struct txn_body body;        /* points into `bytes` and `arena` */
    bool has_digest;
    struct txn_digest digest;
    struct blob *bytes;          /* header, record, digest: what stands in the log between length and end mark */
    struct arena arena;
};

/* Where one thread makes transactions that end on others; they may outlive it. */
struct txn_maker;
struct txn_maker *txn_maker_new(void);
void txn_maker_free(struct txn_maker *maker);    /* NULL is accepted */

/* Encodes header, body and digest (NULL for none) and makes the txn over those bytes; what `body` points to may go. */
struct txn *txn_maker_make(struct txn_maker *maker, const struct txn_header *header, const struct txn_body *body,
                           const struct txn_digest *digest);
/* The same, in memory of its own. */
struct txn *txn_new(const struct txn_header *header, const struct txn_body *body, const struct txn_digest *digest);
/* Decodes; takes a reference to the blob. ZK_CORRUPT says what is wrong. */
int txn_new_from_bytes(struct blob *bytes, const struct txn_rules *rules, struct txn **ret_txn, struct error *error);
struct txn *txn_ref(struct txn *txn);
void txn_unref(struct txn *txn);    /* NULL is accepted */

#endif
