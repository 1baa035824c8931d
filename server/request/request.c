/*
 * request.c - a request's life and what can be asked of it without a server. Mirrors
 * org.apache.zookeeper.server.Request.
 */
#include "server/request/request.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/wire/op_code.h"

struct request *request_new(struct server_cnxn *cnxn, int64_t session_id, int32_t cxid, int32_t type,
                            struct blob *chunk, struct slice payload, struct auth_info *auth_info)
{
    return request_new_at(NULL, clock_elapsed_ms(), cnxn, session_id, cxid, type, chunk, payload, auth_info);
}

struct request *request_new_at(struct block_pool *pool, int64_t create_time_ms, struct server_cnxn *cnxn,
                               int64_t session_id, int32_t cxid, int32_t type, struct blob *chunk,
                               struct slice payload, struct auth_info *auth_info)
{
    struct request *request = block_pool_take(pool, sizeof *request);
    atomic_init(&request->references, 1);
    request->cnxn = cnxn == NULL ? NULL : server_cnxn_ref(cnxn);
    request->session_id = session_id;
    request->cxid = cxid;
    request->type = type;
    request->chunk = chunk == NULL ? NULL : blob_ref(chunk);
    request->payload = payload;
    request->auth_info = auth_info == NULL ? NULL : auth_info_ref(auth_info);
    request->owner = NULL;
    request->learner_handler = NULL;
    request->create_time_ms = create_time_ms;
    request->is_local_session = false;
    request->txn = NULL;
    request->zxid = -1;
    request->error = ZK_OK;
    request->is_throttled = false;
    request->large_size = 0;
    request->queue_start_ms = 0;
    request->commit_queue_start_ms = request->commit_receive_ms = -1;
    arena_init(&request->arena, request->arena_first, sizeof request->arena_first);
    return request;
}

struct request *request_new_internal(int64_t session_id, int32_t type, struct slice payload)
{
    struct blob *copy = payload.size == 0 ? NULL : blob_new_copy(payload.bytes, payload.size);
    struct slice bytes = copy == NULL ? (struct slice){NULL, 0} : (struct slice){copy->bytes, payload.size};
    struct request *request = request_new(NULL, session_id, 0, type, copy, bytes, NULL);
    blob_unref(copy);
    return request;
}

struct request *request_new_from_txn(struct txn *txn)
{
    const struct txn_header *header = &txn->header;
    struct request *request =
        request_new(NULL, header->client_id, header->cxid, header->type, NULL, (struct slice){NULL, 0}, NULL);
    request->txn = txn_ref(txn);
    request->zxid = header->zxid;
    return request;
}

struct request *request_ref(struct request *request)
{
    atomic_fetch_add_explicit(&request->references, 1, memory_order_relaxed);
    return request;
}

void request_uncount_large(struct request *request)
{
    if (request->large_size > 0)
        atomic_fetch_sub(request->large_bytes, request->large_size);
    request->large_size = 0;
}

void request_unref(struct request *request)
{
    if (request == NULL || atomic_fetch_sub_explicit(&request->references, 1, memory_order_acq_rel) != 1)
        return;
    request_uncount_large(request);
    txn_unref(request->txn);
    auth_info_unref(request->auth_info);
    blob_unref(request->chunk);
    server_cnxn_unref(request->cnxn);
    arena_release(&request->arena);
    block_pool_give_back(request);
}

void request_reader(struct request *request, int32_t limit, struct jute_reader *ret_reader)
{
    jute_reader_init(ret_reader, request->payload.bytes, request->payload.size, &request->arena);
    ret_reader->limit = limit;
}

bool request_is_quorum(const struct request *request)
{
    if (request->type == OP_CREATE_SESSION || request->type == OP_CLOSE_SESSION)
        return !request->is_local_session;
    return op_code_is_write(request->type);
}

/* Requests whose record begins with a path, as Request.toString tells them apart. */
static bool begins_with_path(int32_t type)
{
    return type != OP_CREATE_SESSION && type != OP_SET_WATCHES && type != OP_SET_WATCHES2 &&
           type != OP_CLOSE_SESSION && type != OP_PING && type != OP_MULTI && type != OP_MULTI_READ &&
           type != OP_RECONFIG && type != OP_WHO_AM_I;
}

void request_print(const struct request *request, struct buffer *out)
{
    const char *name = op_code_name(request->type);
    buffer_printf(out, "sessionid:0x%" PRIx64 " type:", (uint64_t)request->session_id);
    if (name != NULL)
        buffer_append_string(out, name);
    else
        buffer_printf(out, "unknown %d", request->type);
    buffer_printf(out, " cxid:0x%x zxid:0x%" PRIx64 " txntype:", (unsigned)request->cxid,
                  (uint64_t)(request->txn == NULL ? request->zxid : request->txn->header.zxid));
    if (request->txn == NULL)
        buffer_append_string(out, "unknown");
    else
        buffer_printf(out, "%d", request->txn->header.type);
    buffer_append_string(out, " reqpath:");
    struct arena arena = {0};
    struct jute_reader reader;
    jute_reader_init(&reader, request->payload.bytes, request->payload.size, &arena);
    struct ustring path = begins_with_path(request->type) ? jute_read_ustring(&reader) : USTRING_NULL;
    if (path.size > 0 && jute_error(&reader) == ZK_OK)
        buffer_append(out, path.bytes, (size_t)path.size);
    else
        buffer_append_string(out, "n/a");
    arena_release(&arena);
}
