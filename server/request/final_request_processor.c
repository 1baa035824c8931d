/*
 * final_request_processor.c - the end of the chain: applies what is to be applied and answers whoever asked.
 *
 * Mirrors FinalRequestProcessor. Runs on the thread of its caller, and of several at a time where reads have workers;
 * writes come one by one and beside no read. Watches fire before the reply of the write that fired
 * them is queued, so that a client hears of its own change first.
 */
#include "server/request/final_request_processor.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/wire/multi.h"
#include "common/wire/op_code.h"
#include "server/request/read_ops.h"
#include "server/request/reply.h"

struct final_request_processor {
    struct request_processor base;
    struct server_core *core;
    struct reply *_Atomic spare;    /* one whose memory is kept; NULL while it is in use */
};

/* What a request came to. */
struct outcome {
    int32_t err;
    const char *last_op;
};

/* ---- replies of writes ---- */

static void write_stat(struct reply *reply, const struct process_txn_result *result)
{
    jute_write_zk_stat(reply_out(reply), &result->stat);
}

/* One result of a multi. False: an error that is not a result but ends the connection. */
static bool write_result(struct buffer *out, const struct process_txn_result *result)
{
    switch (result->type) {
    case OP_CREATE:
        multi_write_result_header(out, OP_CREATE, 0);
        jute_write_ustring(out, result->path);
        return true;
    case OP_CREATE2:
    case OP_CREATE_TTL:
    case OP_CREATE_CONTAINER:
        multi_write_result_header(out, OP_CREATE2, 0);
        jute_write_ustring(out, result->path);
        jute_write_zk_stat(out, &result->stat);
        return true;
    case OP_SET_DATA:
        multi_write_result_header(out, OP_SET_DATA, 0);
        jute_write_zk_stat(out, &result->stat);
        return true;
    case OP_DELETE:
    case OP_DELETE_CONTAINER:
        multi_write_result_header(out, OP_DELETE, 0);
        return true;
    case OP_CHECK:
        multi_write_result_header(out, OP_CHECK, 0);
        return true;
    default:
        multi_write_error_result(out, result->err);
        return result->err != ZK_SESSION_MOVED;
    }
}

static int32_t reply_multi(struct reply *reply, const struct process_txn_result *result)
{
    struct buffer *out = reply_out(reply);
    for (int32_t i = 0; i < result->multi_count; i++)
        if (!write_result(out, &result->multi[i]))
            return ZK_SESSION_MOVED;
    multi_write_end(out);
    return ZK_OK;
}

/* GetDataResponse of the config node, its data the configuration as it is now. */
static void write_config(struct server_core *core, struct reply *reply, const struct process_txn_result *result)
{
    struct buffer text = {0};
    core->role->ops->print_config(core->role, &text);
    jute_write_buffer(reply_out(reply), (struct jute_buffer){text.bytes, (int32_t)text.size});
    buffer_release(&text);
    write_stat(reply, result);
}

static struct outcome answer_write(struct server_core *core, const struct request *request,
                                   const struct process_txn_result *result, struct reply *reply)
{
    switch (request->type) {
    case OP_CREATE:
        jute_write_ustring(reply_out(reply), result->path);
        return (struct outcome){result->err, "CREA"};
    case OP_CREATE2:
    case OP_CREATE_TTL:
    case OP_CREATE_CONTAINER:
        jute_write_ustring(reply_out(reply), result->path);
        write_stat(reply, result);
        return (struct outcome){result->err, "CREA"};
    case OP_DELETE:
    case OP_DELETE_CONTAINER:
        return (struct outcome){result->err, "DELE"};
    case OP_SET_DATA:
        write_stat(reply, result);
        return (struct outcome){result->err, "SETD"};
    case OP_RECONFIG:
        write_config(core, reply, result);
        return (struct outcome){result->err, "RECO"};
    case OP_SET_ACL:
        write_stat(reply, result);
        return (struct outcome){result->err, "SETA"};
    case OP_MULTI:
        return (struct outcome){reply_multi(reply, result), "MULT"};
    case OP_CLOSE_SESSION:
        return (struct outcome){result->err, "CLOS"};
    case OP_CHECK:
        write_stat(reply, result);
        return (struct outcome){result->err, "CHEC"};
    default:
        return (struct outcome){ZK_OK, "NA"};
    }
}

/* ---- one request ---- */

/* The error a request already has when it comes here, ZK_OK for none. */
static int32_t error_of(const struct request *request)
{
    if (request->txn != NULL && request->txn->header.type == OP_ERROR)
        return request->error != ZK_OK ? request->error : request->txn->body.record.error.err;
    bool is_multi_result = request->type == OP_MULTI && request->txn != NULL;    /* its errors stand in the parts */
    return is_multi_result && request->error != ZK_SESSION_MOVED ? ZK_OK : request->error;
}

static struct outcome answer(struct server_core *core, struct request *request,
                             const struct process_txn_result *result, struct reply *reply)
{
    int32_t err = error_of(request);
    if (err == ZK_OK && request->is_throttled)
        err = ZK_THROTTLED_OP;
    if (err != ZK_OK)
        return (struct outcome){err, "NA"};
    const struct read_op_row *row = request->txn != NULL ? NULL : read_op_find(request->type);
    if (row == NULL)
        return answer_write(core, request, result, reply);
    return (struct outcome){row->run(core, request, reply), row->last_op};
}

static struct request_stats sample_latency(struct server_core *core, const struct request *request,
                                           const char *last_op, int64_t zxid)
{
    int64_t now_ms = clock_elapsed_ms(), latency_ms = now_ms - request->create_time_ms;
    if (latency_ms >= 0) {
        latency_stats_add(&core->stats.request_latency, latency_ms);
        server_metrics_sample(core->metrics,
                              request->txn != NULL ? METRIC_UPDATE_LATENCY : METRIC_READ_LATENCY, latency_ms);
    }
    return (struct request_stats){request->cxid, zxid, last_op, request->create_time_ms, now_ms};
}

/* Its connection is gone, or it never had one: nobody to answer, but a session's end closes the connection it has. */
static void finish_unasked(struct server_core *core, struct request *request)
{
    if (request->type == OP_CLOSE_SESSION)
        core->callbacks->close_session(core, request->session_id, DISCONNECT_CLIENT_CLOSED_SESSION);
}

static void finish_asked(struct server_core *core, struct request *request, const struct process_txn_result *result,
                         struct reply *reply)
{
    struct server_cnxn *cnxn = request->cnxn;
    int64_t zxid = data_tree_last_processed_zxid(zk_database_tree(core->database));
    server_core_request_finished(core, request);
    if (server_core_is_stale(core, request))
        server_metrics_count(core->metrics, METRIC_STALE_REPLIES, 1);
    if (request->type == OP_CREATE_SESSION && error_of(request) == ZK_OK) {
        struct request_stats stats = sample_latency(core, request, "SESS", zxid);
        server_cnxn_update_stats(cnxn, &stats);
        core->callbacks->finish_session_init(core, cnxn, true);
        return;
    }
    struct outcome outcome = answer(core, request, result, reply);
    if (outcome.err == ZK_SESSION_MOVED) {
        server_cnxn_send_close(cnxn);    /* the connection's error, not the request's: ZOOKEEPER-710 */
        return;
    }
    struct request_stats stats = sample_latency(core, request, outcome.last_op, zxid);
    bool is_ping = request->type == OP_PING && outcome.err == ZK_OK;
    struct reply_header header = {is_ping ? XID_PING : request->cxid, zxid, outcome.err};
    int32_t size = reply_send(reply, cnxn, &header, &stats);
    server_metrics_count(core->metrics, METRIC_RESPONSE_BYTES, size);
    if (request->type == OP_CLOSE_SESSION)
        server_cnxn_send_close(cnxn);
}

static struct final_request_processor *final_of(struct request_processor *self)
{
    return container_of(self, struct final_request_processor, base);
}

static struct reply *take_reply(struct final_request_processor *final)
{
    struct reply *reply = atomic_exchange(&final->spare, NULL);
    return reply != NULL ? reply : MEMORY_NEW(struct reply);
}

static void free_reply(struct reply *reply)
{
    if (reply == NULL)
        return;
    reply_release(reply);
    memory_free(reply);
}

static void give_back_reply(struct final_request_processor *final, struct reply *reply)
{
    reply_clear(reply);
    free_reply(atomic_exchange(&final->spare, reply));    /* several, where there are workers; one is kept */
}

static void final_process(struct request_processor *self, struct request *request)
{
    struct final_request_processor *final = final_of(self);
    struct server_core *core = final->core;
    struct process_txn_result result LEFT_AS_IT_IS;
    if (request->is_throttled)
        result = (struct process_txn_result){.path = USTRING_NULL};
    else
        server_core_process_txn(core, request, &result);
    server_core_sample_since_txn(core, METRIC_PROPAGATION_LATENCY, request);
    if (request->cnxn == NULL) {
        finish_unasked(core, request);
    } else {
        struct reply *reply = take_reply(final);
        finish_asked(core, request, &result, reply);
        give_back_reply(final, reply);
    }
    request_unref(request);
}

static void final_flush(struct request_processor *self)
{
    struct server_core *core = final_of(self)->core;
    core->callbacks->flush_connections(core);
}

static void final_shutdown(struct request_processor *self)
{
    final_flush(self);
    log_info("shutdown of request processor complete");
}

static void final_free(struct request_processor *self)
{
    struct final_request_processor *final = final_of(self);
    free_reply(atomic_load(&final->spare));
    memory_free(final);
}

struct request_processor *final_request_processor_new(struct server_core *core)
{
    struct final_request_processor *final = MEMORY_NEW(struct final_request_processor);
    final->base = (struct request_processor){final_process, final_flush, final_shutdown, final_free};
    final->core = core;
    return &final->base;
}
