/* Requests, first in, first out, without bound. Not locked. */
#ifndef ZKC_SERVER_QUORUM_REQUEST_FIFO_H
#define ZKC_SERVER_QUORUM_REQUEST_FIFO_H

#include "server/request/request.h"

/* {0} is an empty one. References are the caller's to count. */
struct request_fifo {
    struct request **items;
    size_t head, count, capacity;
};
void request_fifo_put(struct request_fifo *fifo, struct request *request);
struct request *request_fifo_first(const struct request_fifo *fifo);    /* NULL: empty */
struct request *request_fifo_take(struct request_fifo *fifo);           /* must not be empty */
/* Unrefs what is in it; returns how many that were. */
size_t request_fifo_release(struct request_fifo *fifo);

#endif
