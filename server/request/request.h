/*
 * What travels through the chain. Mirrors server.Request. Counted; see "Who owns what" in ARCHITECTURE.md.
 */
#ifndef ZKC_SERVER_REQUEST_REQUEST_H
#define ZKC_SERVER_REQUEST_REQUEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/blob.h"
#include "common/base/block_pool.h"
#include "common/base/buffer.h"
#include "common/wire/jute.h"
#include "server/auth/auth_info.h"
#include "server/cnxn/server_cnxn.h"
#include "server/persistence/txn.h"

struct request {
    _Atomic uint32_t references;

    /* Set at birth and never again. */
    struct server_cnxn *cnxn;        /* reference; NULL for one the server made itself */
    int64_t session_id;
    int32_t cxid;
    int32_t type;                    /* OP_* */
    struct blob *chunk;              /* reference to what the payload stands in; NULL when it has none */
    struct slice payload;            /* the record's bytes */
    struct auth_info *auth_info;     /* reference; NULL for one the server made itself */
    const void *owner;               /* whose session it is: compared by value, never followed */
    void *learner_handler;           /* LearnerSyncRequest.fh: whose learner asked for this sync; NULL for all else */
    int64_t create_time_ms;          /* elapsed */
    bool is_local_session;
    bool is_throttled;               /* waited too long in front of the chain: answered, not run */
    int32_t large_size;              /* what it counts for in *large_bytes; 0: it is not large */
    _Atomic int64_t *large_bytes;    /* of large requests in process */

    /* Written by prep before it passes it on; by commit where a txn is lent. Then only read. */
    struct txn *txn;                 /* reference; NULL for what makes no transaction (Java's hdr == null) */
    int64_t zxid;
    int32_t error;                   /* Java's exception: a wire code, ZK_OK when there is none */

    int64_t queue_start_ms;          /* coarse, when it entered Q3 or Q4 (Q2: exact); its producer and taker */
    int64_t commit_queue_start_ms;   /* when it entered Q5; -1: never. Its producer and the commit processor */
    int64_t commit_receive_ms;       /* when its commit entered Q6; -1: never. Who commits and the commit processor */

    struct arena arena;              /* of whoever has the request in hand */
    char arena_first[512];
};

/* One reference. Takes references to chunk, cnxn and auth_info (each may be NULL). */
struct request *request_new(struct server_cnxn *cnxn, int64_t session_id, int32_t cxid, int32_t type,
                            struct blob *chunk, struct slice payload, struct auth_info *auth_info);
/* The same, in memory of a pool of blocks for requests or NULL, for one that came at `create_time_ms`. */
struct request *request_new_at(struct block_pool *pool, int64_t create_time_ms, struct server_cnxn *cnxn,
                               int64_t session_id, int32_t cxid, int32_t type, struct blob *chunk,
                               struct slice payload, struct auth_info *auth_info);
/* One that the server makes, its record encoded in `payload`, which is copied. */
struct request *request_new_internal(int64_t session_id, int32_t type, struct slice payload);
/* What a learner makes of a transaction it was sent: session, cxid and type are the transaction's (a reference is
 * taken), and so is the error of an error transaction. */
struct request *request_new_from_txn(struct txn *txn);
struct request *request_ref(struct request *request);
void request_unref(struct request *request);

/* It counts for nothing in *large_bytes any more; when it is answered, at the latest when it is freed. */
void request_uncount_large(struct request *request);

/* A reader over the payload with the request's arena. */
void request_reader(struct request *request, int32_t limit, struct jute_reader *ret_reader);
/* Does it go through consensus when it succeeds (Request.isQuorum). */
bool request_is_quorum(const struct request *request);
/* "sessionid:0x.. type:create cxid:0x.. zxid:0x.. txntype:1 reqpath:/a", for log lines. */
void request_print(const struct request *request, struct buffer *out);

#endif
