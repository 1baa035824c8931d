/*
 * A link of the chain. Mirrors RequestProcessor and Flushable. A chain is composed by its role; each link passes on to
 * the one it was made with.
 */
#ifndef ZKC_SERVER_REQUEST_REQUEST_PROCESSOR_H
#define ZKC_SERVER_REQUEST_REQUEST_PROCESSOR_H

#include "server/request/request.h"

struct request_processor {
    /* Takes one reference. May wait for room in a queue. */
    void (*process)(struct request_processor *self, struct request *request);
    /* End of the caller's batch; called before it sleeps. May be NULL. */
    void (*flush)(struct request_processor *self);
    /* This processor, draining, then the next; its thread is joined when it returns. */
    void (*shutdown)(struct request_processor *self);
    void (*free)(struct request_processor *self);    /* this one only; after shutdown */
};

static inline void request_processor_process(struct request_processor *processor, struct request *request)
{
    processor->process(processor, request);
}
static inline void request_processor_flush(struct request_processor *processor)
{
    if (processor->flush != NULL)
        processor->flush(processor);
}

#endif
