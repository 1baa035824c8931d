/* pending_syncs.c - a locked fifo: the request processor adds, the thread that reads the leader's packets takes. */
#include "server/quorum/pending_syncs.h"

void pending_syncs_init(struct pending_syncs *syncs)
{
    *syncs = (struct pending_syncs){0};
    mutex_init(&syncs->lock);
}

void pending_syncs_release(struct pending_syncs *syncs)
{
    mutex_lock(&syncs->lock);
    request_fifo_release(&syncs->requests);
    mutex_unlock(&syncs->lock);
    mutex_release(&syncs->lock);
}

void pending_syncs_add(struct pending_syncs *syncs, struct request *request)
{
    mutex_lock(&syncs->lock);
    request_fifo_put(&syncs->requests, request);
    mutex_unlock(&syncs->lock);
}

struct request *pending_syncs_take(struct pending_syncs *syncs)
{
    mutex_lock(&syncs->lock);
    struct request *request = syncs->requests.count == 0 ? NULL : request_fifo_take(&syncs->requests);
    mutex_unlock(&syncs->lock);
    return request;
}

size_t pending_syncs_count(struct pending_syncs *syncs)
{
    mutex_lock(&syncs->lock);
    size_t count = syncs->requests.count;
    mutex_unlock(&syncs->lock);
    return count;
}
