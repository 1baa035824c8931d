/* sync_call.c - a caller that sleeps until its answer is there. */
#include "client/adaptor.h"

void sync_call_init(struct sync_call *call)
{
    mutex_init(&call->lock);
    condition_init(&call->done_condition);
    call->is_done = false;
    call->request = NULL;
}

void sync_call_wait(struct sync_call *call)
{
    mutex_lock(&call->lock);
    while (!call->is_done)
        condition_wait(&call->done_condition, &call->lock);
    mutex_unlock(&call->lock);
}

void sync_call_finish(struct pending_request *request)
{
    struct sync_call *call = request->sync;
    mutex_lock(&call->lock);
    call->request = request;
    call->is_done = true;
    condition_signal(&call->done_condition);    /* under the lock: the caller's stack goes once it has it */
    mutex_unlock(&call->lock);
}

void sync_call_release(struct sync_call *call)
{
    pending_request_free(call->request);
    condition_release(&call->done_condition);
    mutex_release(&call->lock);
}
