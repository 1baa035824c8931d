/* request_fifo.c - a ring that doubles when it is full. Mirrors the unbounded uses of LinkedBlockingQueue and
 * ArrayDeque. */
#include "server/quorum/request_fifo.h"

#include <assert.h>

#include "common/base/memory.h"

#define FIRST_CAPACITY 8

static void grow(struct request_fifo *fifo)
{
    size_t capacity = fifo->capacity == 0 ? FIRST_CAPACITY : 2 * fifo->capacity;
    struct request **items = MEMORY_NEW_ARRAY(capacity, struct request *);
    for (size_t i = 0; i < fifo->count; i++)
        items[i] = fifo->items[(fifo->head + i) % fifo->capacity];
    memory_free(fifo->items);
    fifo->items = items;
    fifo->capacity = capacity;
    fifo->head = 0;
}

void request_fifo_put(struct request_fifo *fifo, struct request *request)
{
    if (fifo->count == fifo->capacity)
        grow(fifo);
    fifo->items[(fifo->head + fifo->count++) % fifo->capacity] = request;
}

struct request *request_fifo_first(const struct request_fifo *fifo)
{
    return fifo->count == 0 ? NULL : fifo->items[fifo->head];
}

struct request *request_fifo_take(struct request_fifo *fifo)
{
    assert(fifo->count > 0);
    struct request *request = fifo->items[fifo->head];
    fifo->head = (fifo->head + 1) % fifo->capacity;
    fifo->count--;
    return request;
}

size_t request_fifo_release(struct request_fifo *fifo)
{
    size_t count = fifo->count;
    while (fifo->count > 0)
        request_unref(request_fifo_take(fifo));
    memory_free(fifo->items);
    *fifo = (struct request_fifo){0};
    return count;
}
