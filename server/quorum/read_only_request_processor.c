/*
 * read_only_request_processor.c - lets reads through, and the sessions that are this server's alone.
 *
 * Mirrors org.apache.zookeeper.server.quorum.ReadOnlyRequestProcessor.
 */
#include "server/quorum/read_only_request_processor.h"

#include <assert.h>
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/blocking_queue.h"
#include "common/thread/thread.h"
#include "common/wire/op_code.h"

#define SUBMITTED_BOUND 8192
#define BATCH_SIZE 256

BLOCKING_QUEUE_OF(request_queue, struct request *);

struct read_only_request_processor {
    struct request_processor base;
    struct server_core *core;
    struct request_processor *next;
    struct request_queue *submitted;    /* Q3 */
    struct thread *thread;
};

/* ---- the thread ---- */

/* sendErrorResponse */
static void refuse(struct read_only_request_processor *processor, struct request *request)
{
    struct server_core *core = processor->core;
    server_core_request_finished(core, request);
    if (request->cnxn == NULL)
        return;
    int64_t zxid = data_tree_last_processed_zxid(zk_database_tree(core->database));
    struct reply_header header = {request->cxid, zxid, ZK_NOT_READ_ONLY};
    server_cnxn_send_reply(request->cnxn, &header, NULL, 0);
}

static void processor_run(void *arg)
{
    struct read_only_request_processor *processor = arg;
    struct request *batch[BATCH_SIZE];
    size_t count;
    while ((count = request_queue_take(processor->submitted, batch, BATCH_SIZE)) > 0) {
        bool did_refuse = false;
        for (size_t i = 0; i < count; i++) {
            if (batch[i]->type != OP_SYNC && !request_is_quorum(batch[i])) {
                request_processor_process(processor->next, batch[i]);
                continue;
            }
            refuse(processor, batch[i]);
            request_unref(batch[i]);
            did_refuse = true;
        }
        request_processor_flush(processor->next);
        if (did_refuse)
            processor->core->callbacks->flush_connections(processor->core);
    }
    log_info("ReadOnlyRequestProcessor exited loop!");
}

/* ---- as a processor ---- */

static struct read_only_request_processor *processor_of(struct request_processor *self)
{
    return container_of(self, struct read_only_request_processor, base);
}

static void processor_process(struct request_processor *self, struct request *request)
{
    struct read_only_request_processor *processor = processor_of(self);
    request->queue_start_ms = clock_coarse_ms();
    if (request_queue_put_quiet(processor->submitted, request) != ZK_OK)
        request_unref(request);
}

static void processor_flush(struct request_processor *self)
{
    request_queue_wake(processor_of(self)->submitted);
}

static void processor_shutdown(struct request_processor *self)
{
    struct read_only_request_processor *processor = processor_of(self);
    request_queue_close(processor->submitted);
    thread_join(processor->thread);
    processor->thread = NULL;
    processor->next->shutdown(processor->next);
}

static void processor_free(struct request_processor *self)
{
    struct read_only_request_processor *processor = processor_of(self);
    assert(processor->thread == NULL);
    request_queue_free(processor->submitted);
    memory_free(processor);
}

struct request_processor *read_only_request_processor_start(struct server_core *core, struct request_processor *next)
{
    struct read_only_request_processor *processor = MEMORY_NEW(struct read_only_request_processor);
    processor->base = (struct request_processor){processor_process, processor_flush, processor_shutdown,
                                                 processor_free};
    processor->core = core;
    processor->next = next;
    processor->submitted = request_queue_new(SUBMITTED_BOUND);
    char *name = string_format("ReadOnlyRequestProcessor:%" PRId64, core->server_id);
    processor->thread = thread_start(name, processor_run, processor);
    memory_free(name);
    return &processor->base;
}
