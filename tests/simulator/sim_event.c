/* sim_event.c - what is to happen at a time: a heap by time, then by the order in which it was asked for. */
#include <assert.h>
#include <stdlib.h>

#include "tests/simulator/world.h"

struct event {
    int64_t when_ns;
    uint64_t order;
    void (*run)(void *arg);
    void *arg;
    uint32_t heap_at;       /* its place in the heap; unused: the next free slot */
    uint32_t generation;    /* tells a number from those of earlier events of the slot */
    bool is_pending;
};

static struct {
    struct event *slots;
    uint32_t slot_count, slot_capacity, first_free;
    uint32_t *heap;
    uint32_t count;
    uint64_t last_order;
} events;

#define NO_SLOT UINT32_MAX

static bool is_before(uint32_t a, uint32_t b)
{
    const struct event *left = &events.slots[a], *right = &events.slots[b];
    return left->when_ns != right->when_ns ? left->when_ns < right->when_ns : left->order < right->order;
}

static void put(uint32_t at, uint32_t slot)
{
    events.heap[at] = slot;
    events.slots[slot].heap_at = at;
}

static void rise(uint32_t at)
{
    uint32_t slot = events.heap[at];
    for (; at > 0 && is_before(slot, events.heap[(at - 1) / 2]); at = (at - 1) / 2)
        put(at, events.heap[(at - 1) / 2]);
    put(at, slot);
}

static void sink(uint32_t at)
{
    uint32_t slot = events.heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= events.count)
            break;
        if (child + 1 < events.count && is_before(events.heap[child + 1], events.heap[child]))
            child++;
        if (!is_before(events.heap[child], slot))
            break;
        put(at, events.heap[child]);
        at = child;
    }
    put(at, slot);
}

static uint32_t take_slot(void)
{
    uint32_t slot = events.first_free;
    if (slot != NO_SLOT) {
        events.first_free = events.slots[slot].heap_at;
        return slot;
    }
    if (events.slot_count == events.slot_capacity) {
        events.slot_capacity = events.slot_capacity > 0 ? 2 * events.slot_capacity : 256;
        events.slots = realloc(events.slots, events.slot_capacity * sizeof(struct event));
        events.heap = realloc(events.heap, events.slot_capacity * sizeof(uint32_t));
        assert(events.slots != NULL && events.heap != NULL);
    }
    events.slots[events.slot_count] = (struct event){.generation = 0};
    return events.slot_count++;
}

static void take_out(uint32_t slot)
{
    struct event *event = &events.slots[slot];
    uint32_t at = event->heap_at, last = events.heap[--events.count];
    if (last != slot) {
        put(at, last);
        sink(at);
        rise(events.slots[last].heap_at);
    }
    event->is_pending = false;
    event->generation++;
    event->heap_at = events.first_free;
    events.first_free = slot;
}

uint64_t sim_at(int64_t when_ns, void (*run)(void *arg), void *arg)
{
    uint32_t slot = take_slot();
    struct event *event = &events.slots[slot];
    event->when_ns = when_ns;
    event->order = ++events.last_order;
    event->run = run;
    event->arg = arg;
    event->is_pending = true;
    put(events.count++, slot);
    rise(event->heap_at);
    return (uint64_t)event->generation << 32 | (slot + 1);
}

void sim_cancel(uint64_t number)
{
    uint32_t slot = (uint32_t)number - 1;
    if ((uint32_t)number == 0 || slot >= events.slot_count)
        return;
    struct event *event = &events.slots[slot];
    if (event->is_pending && event->generation == (uint32_t)(number >> 32))
        take_out(slot);
}

int64_t events_next_ns(void)
{
    return events.count > 0 ? events.slots[events.heap[0]].when_ns : SIM_FOREVER;
}

void events_run_due(int64_t now_ns)
{
    while (events.count > 0 && events.slots[events.heap[0]].when_ns <= now_ns) {
        uint32_t slot = events.heap[0];
        void (*run)(void *arg) = events.slots[slot].run;
        void *arg = events.slots[slot].arg;
        take_out(slot);
        run(arg);
    }
}

void events_begin(void)
{
    events.slot_count = events.count = 0;
    events.first_free = NO_SLOT;
    events.last_order = 0;
}

void events_end(void)
{
    free(events.slots);
    free(events.heap);
    events.slots = NULL;
    events.heap = NULL;
    events.slot_capacity = 0;
    events_begin();
}
