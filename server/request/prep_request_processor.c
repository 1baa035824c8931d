/*
 * prep_request_processor.c - takes requests in order, checks each against the state it will find, numbers the writes.
 *
 * Mirrors PrepRequestProcessor; thread "ProcessThread(sid:<id> cport:<port>):".
 *
 *   submitted (Q3) --> [ decode, check, zxid, txn ] --> next
 * (1) A zxid is given to every write whose record could be read, in the order of the queue, and each makes exactly one
 *     transaction: what was asked, or the error it came to.
 * (2) What cannot be serialised, logged and replayed gets no zxid.
 * Departs from Java: a write whose record cannot be read makes no transaction on a server that stands alone, and one
 * with a zxid of its own in an ensemble, where only a commit answers it (Java logs one with the zxid before it); the
 * client sees the same.
 */
#include "server/request/prep_request_processor.h"

#include <assert.h>
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/blocking_queue.h"
#include "common/thread/thread.h"
#include "server/request/prep_multi.h"
#include "server/request/prep_ops.h"
#include "server/tree/digest.h"

#define SUBMITTED_BOUND 8192
#define BATCH_SIZE 256

BLOCKING_QUEUE_OF(request_queue, struct request *);

struct prep_request_processor {
    struct request_processor base;
    struct server_core *core;
    struct request_processor *next;
    struct request_queue *submitted;    /* Q3 */
    struct thread *thread;
    struct txn_maker *txns;
    struct log_limiter refused;
};

static void finish(struct prep_request_processor *prep, struct prep_context *context, const struct txn_body *body)
{
    struct txn_digest digest = {DIGEST_VERSION, (int64_t)context->tree_digest};
    context->request->txn =
        txn_maker_make(prep->txns, &context->header, body, context->has_digest ? &digest : NULL);
}

static void finish_with_error(struct prep_request_processor *prep, struct prep_context *context, int32_t code)
{
    struct txn_body body = {.is_present = true};
    body.record.error.err = code;
    context->header.type = OP_ERROR;
    context->has_digest = false;
    finish(prep, context, &body);
}

static struct prep_context begin(struct server_core *core, struct request *request)
{
    return (struct prep_context){
        .core = core,
        .request = request,
        .header = {.client_id = request->session_id,
                   .cxid = request->cxid,
                   .zxid = server_core_next_zxid(core),
                   .time = clock_wall_ms(),
                   .type = request->type},
    };
}

/* A transaction that changes no node carries the digest the tree has by then. */
static void complete(struct prep_request_processor *prep, struct prep_context *context, int err,
                     const struct txn_body *body)
{
    struct request *request = context->request;
    if (err != ZK_OK) {
        if (err != ZK_MARSHALLING_ERROR)
            request->error = err;
        finish_with_error(prep, context, err);
        return;
    }
    if (!context->has_digest && context->core->digest_enabled) {
        context->tree_digest = prep_current_tree_digest(context->core);
        context->has_digest = true;
    }
    finish(prep, context, body);
}

static void tell_unreadable(struct prep_request_processor *prep, struct request *request)
{
    struct buffer text = {0};
    request_print(request, &text);
    log_warn_limited(&prep->refused, "Failed to process %s: its record cannot be read", buffer_string(&text));
    buffer_release(&text);
    request->error = ZK_MARSHALLING_ERROR;
}

static void fail_to_read(struct prep_request_processor *prep, struct request *request)
{
    tell_unreadable(prep, request);
    if (!prep->core->role->ops->has_consensus)
        return;
    struct prep_context context = begin(prep->core, request);
    finish_with_error(prep, &context, ZK_MARSHALLING_ERROR);
}

/* Not a jute record in Java either; a null path cannot be read there. */
struct delete_container_request {
    struct ustring path;
};

static void jute_read_delete_container_request(struct jute_reader *reader, struct delete_container_request *record)
{
    record->path = jute_read_ustring(reader);
    if (record->path.size < 0 && reader->error == ZK_OK)
        reader->error = ZK_MARSHALLING_ERROR;
}

#define READ_AND_RUN(record_type, run) \
    do { \
        struct record_type record; \
        jute_read_##record_type(&reader, &record); \
        if (jute_error(&reader) != ZK_OK) { \
            fail_to_read(prep, request); \
            break; \
        } \
        struct prep_context context = begin(core, request); \
        struct txn_body body = {.is_present = true}; \
        int err = (run); \
        complete(prep, &context, err, &body); \
    } while (0)

static void prep_multi_request(struct prep_request_processor *prep, struct request *request, struct jute_reader *reader)
{
    struct multi_ops ops;
    multi_read_ops(reader, &ops);
    if (jute_error(reader) != ZK_OK && ops.null_acl) {    /* Java trips over it before it takes a zxid */
        fail_to_read(prep, request);
        return;
    }
    struct prep_context context = begin(prep->core, request);
    struct txn_body body = {.is_present = true};
    if (jute_error(reader) != ZK_OK) {
        tell_unreadable(prep, request);
        finish_with_error(prep, &context, ZK_MARSHALLING_ERROR);
        return;
    }
    int32_t error = ZK_OK;
    prep_multi(&context, &ops, &body, &error);
    if (error == ZK_MARSHALLING_ERROR) {    /* an operation Java cannot even look at fails the whole request */
        finish_with_error(prep, &context, error);
        return;
    }
    request->error = error;
    if (prep->core->digest_enabled) {
        context.tree_digest = prep_current_tree_digest(prep->core);
        context.has_digest = true;
    }
    finish(prep, &context, &body);
}

static void prep_create_session_request(struct prep_request_processor *prep, struct request *request,
                                        struct jute_reader *reader)
{
    struct create_session_txn record;
    jute_read_create_session_txn(reader, &record);
    struct prep_context context = begin(prep->core, request);
    struct txn_body body = {.is_present = true};
    int err = jute_error(reader) != ZK_OK ? ZK_MARSHALLING_ERROR : prep_create_session(&context, &record, &body);
    complete(prep, &context, err, &body);
}

static void prep_close_session_request(struct prep_request_processor *prep, struct request *request)
{
    int64_t start_ms = clock_elapsed_ms();
    struct prep_context context = begin(prep->core, request);
    struct txn_body body = {.is_present = true};
    complete(prep, &context, prep_close_session(&context, &body), &body);
    server_metrics_sample(prep->core->metrics, METRIC_CLOSE_SESSION_PREP_TIME, clock_elapsed_ms() - start_ms);
}

/* pRequestHelper */
static void request_to_txn(struct prep_request_processor *prep, struct request *request)
{
    struct server_core *core = prep->core;
    struct jute_reader reader;
    request_reader(request, core->jute_limit, &reader);
    switch (request->type) {
    case OP_CREATE:
    case OP_CREATE2:
    case OP_CREATE_CONTAINER:
        READ_AND_RUN(create_request, prep_create(&context, request->type, &record, &body));
        break;
    case OP_CREATE_TTL:
        READ_AND_RUN(create_ttl_request, prep_create_ttl(&context, &record, &body));
        break;
    case OP_DELETE:
        READ_AND_RUN(delete_request, prep_delete(&context, &record, &body));
        break;
    case OP_DELETE_CONTAINER:
        READ_AND_RUN(delete_container_request, prep_delete_container(&context, record.path, &body));
        break;
    case OP_SET_DATA:
        READ_AND_RUN(set_data_request, prep_set_data(&context, &record, &body));
        break;
    case OP_SET_ACL:
        READ_AND_RUN(set_acl_request, prep_set_acl(&context, &record, &body));
        break;
    case OP_CHECK:
        READ_AND_RUN(check_version_request, prep_check(&context, &record, &body));
        break;
    case OP_RECONFIG:
        READ_AND_RUN(reconfig_request, prep_reconfig(&context, &record, &body));
        break;
    case OP_MULTI:
        prep_multi_request(prep, request, &reader);
        break;
    case OP_CREATE_SESSION:
        if (!request->is_local_session)
            prep_create_session_request(prep, request, &reader);
        break;
    case OP_CLOSE_SESSION:
        if (!request->is_local_session)
            prep_close_session_request(prep, request);
        break;
    default:    /* everything else makes no transaction: is the session still ours? */
        request->error = core->session_tracker->ops->check_session(core->session_tracker, request->session_id,
                                                                   request->owner);
        break;
    }
}

static void prep_request(struct prep_request_processor *prep, struct request *request)
{
    if (!request->is_throttled)
        request_to_txn(prep, request);
    request->zxid = atomic_load(&prep->core->zxid);
    if (request->error != ZK_OK && log_enabled(LOG_DEBUG, __FILE__)) {
        struct buffer text = {0};
        request_print(request, &text);
        log_debug("Got user-level error %s when processing %s", error_name(request->error), buffer_string(&text));
        buffer_release(&text);
    }
}

static void prep_run(void *arg)
{
    struct prep_request_processor *prep = arg;
    struct request *batch[BATCH_SIZE];
    size_t count;
    struct server_metrics *metrics = prep->core->metrics;
    struct metric_run waited = {0}, prepared = {0}, proposed = {0};
    while ((count = request_queue_take(prep->submitted, batch, BATCH_SIZE)) > 0) {
        int64_t start_ms = clock_coarse_ms();
        server_metrics_sample(metrics, METRIC_PREP_PROCESSOR_QUEUE_SIZE, (int64_t)count);
        server_metrics_count(metrics, METRIC_PREP_PROCESSOR_QUEUED, (int64_t)count);
        for (size_t i = 0; i < count; i++) {
            int64_t waited_ms = start_ms - batch[i]->queue_start_ms;
            server_metrics_sample_run(metrics, METRIC_PREP_PROCESSOR_QUEUE_TIME, &waited, waited_ms);
            prep_request(prep, batch[i]);
            int64_t prepared_ms = batch[i]->txn != NULL ? clock_coarse_ms() : start_ms;    /* a read takes no time */
            request_processor_process(prep->next, batch[i]);
            server_metrics_sample_run(metrics, METRIC_PREP_PROCESS_TIME, &prepared, prepared_ms - start_ms);
            start_ms = clock_coarse_ms();
            server_metrics_sample_run(metrics, METRIC_PROPOSAL_PROCESS_TIME, &proposed, start_ms - prepared_ms);
        }
        server_metrics_end_run(metrics, METRIC_PREP_PROCESSOR_QUEUE_TIME, &waited);
        server_metrics_end_run(metrics, METRIC_PREP_PROCESS_TIME, &prepared);
        server_metrics_end_run(metrics, METRIC_PROPOSAL_PROCESS_TIME, &proposed);
        request_processor_flush(prep->next);
    }
    log_info("PrepRequestProcessor exited loop!");
}

static struct prep_request_processor *prep_of(struct request_processor *self)
{
    return container_of(self, struct prep_request_processor, base);
}

static void prep_process(struct request_processor *self, struct request *request)
{
    struct prep_request_processor *prep = prep_of(self);
    request->queue_start_ms = clock_coarse_ms();
    if (request_queue_put_quiet(prep->submitted, request) != ZK_OK)
        request_unref(request);    /* coming down: nobody will answer any more */
}

static void prep_flush(struct request_processor *self)
{
    request_queue_wake(prep_of(self)->submitted);
}

static void prep_shutdown(struct request_processor *self)
{
    struct prep_request_processor *prep = prep_of(self);
    request_queue_close(prep->submitted);
    thread_join(prep->thread);
    prep->thread = NULL;
    prep->next->shutdown(prep->next);
}

static void prep_free(struct request_processor *self)
{
    struct prep_request_processor *prep = prep_of(self);
    assert(prep->thread == NULL);
    request_queue_free(prep->submitted);
    txn_maker_free(prep->txns);
    memory_free(prep);
}

struct request_processor *prep_request_processor_start(struct server_core *core, int client_port,
                                                       struct request_processor *next)
{
    struct prep_request_processor *prep = MEMORY_NEW(struct prep_request_processor);
    prep->base = (struct request_processor){prep_process, prep_flush, prep_shutdown, prep_free};
    prep->core = core;
    prep->next = next;
    prep->submitted = request_queue_new(SUBMITTED_BOUND);
    prep->txns = txn_maker_new();
    char *name = string_format("ProcessThread(sid:%" PRId64 " cport:%d):", core->server_id, client_port);
    prep->thread = thread_start(name, prep_run, prep);
    memory_free(name);
    return &prep->base;
}
