/*
 * watch_callbacks.c - a set of callbacks that keeps the order in which they were added.
 *
 * A set of a few is searched from its start. Beyond that there is a table of slots, open addressing with linear
 * probing, each with the number of an item plus one; 0 is free. Every watcher of a client stands in one such set when
 * the state of its session changes, and a path may have very many of them, so neither adding nor removing walks.
 */
#include "client/watch_callbacks.h"

#include <assert.h>

#include "common/base/hash_map.h"
#include "common/base/memory.h"

#define FEW 8    /* up to so many there are no slots */

static bool is_same(const struct watch_callback *a, const struct watch_callback *b)
{
    return a->watcher == b->watcher && a->context == b->context;
}

static size_t home_slot(const struct watch_callbacks *set, const struct watch_callback *item)
{
    uint64_t hash = hash_int64((int64_t)((uintptr_t)item->watcher ^ hash_int64((int64_t)(uintptr_t)item->context)));
    return (size_t)hash & (set->slot_count - 1);
}

/* The slot of this item, or the free one where it would stand. */
static size_t find_slot(const struct watch_callbacks *set, const struct watch_callback *item)
{
    size_t slot = home_slot(set, item);
    while (set->slots[slot] != 0 && !is_same(&set->items[set->slots[slot] - 1], item))
        slot = (slot + 1) & (set->slot_count - 1);
    return slot;
}

static void fill_slots(struct watch_callbacks *set)
{
    memory_free(set->slots);
    set->slot_count = 2 * set->capacity;
    set->slots = MEMORY_NEW_ARRAY(set->slot_count, uint32_t);
    for (size_t i = 0; i < set->count; i++)
        set->slots[find_slot(set, &set->items[i])] = (uint32_t)i + 1;
}

/* Moves items that were pushed beyond their home by the one in `slot` back over the hole it leaves. */
static void free_slot(struct watch_callbacks *set, size_t slot)
{
    size_t mask = set->slot_count - 1;
    for (size_t next = (slot + 1) & mask; set->slots[next] != 0; next = (next + 1) & mask) {
        size_t home = home_slot(set, &set->items[set->slots[next] - 1]);
        if (((next - home) & mask) < ((next - slot) & mask))
            continue;
        set->slots[slot] = set->slots[next];
        slot = next;
    }
    set->slots[slot] = 0;
}

size_t watch_callbacks_find(const struct watch_callbacks *callbacks, watcher_fn watcher, void *context)
{
    const struct watch_callback item = { watcher, context };
    if (callbacks->slots != NULL) {
        uint32_t found = callbacks->slots[find_slot(callbacks, &item)];
        return found != 0 ? found - 1 : callbacks->count;
    }
    size_t i = 0;
    while (i < callbacks->count && !is_same(&callbacks->items[i], &item))
        i++;
    return i;
}

void watch_callbacks_add(struct watch_callbacks *callbacks, watcher_fn watcher, void *context)
{
    if (watch_callbacks_find(callbacks, watcher, context) < callbacks->count)
        return;
    if (callbacks->count == callbacks->capacity) {
        assert(callbacks->count < UINT32_MAX / 8);
        callbacks->capacity = callbacks->capacity > 0 ? 2 * callbacks->capacity : 1;
        callbacks->items = memory_realloc(callbacks->items, callbacks->capacity * sizeof(*callbacks->items));
        if (callbacks->capacity > FEW)
            fill_slots(callbacks);
    }
    callbacks->items[callbacks->count++] = (struct watch_callback){ watcher, context };
    if (callbacks->slots != NULL)
        callbacks->slots[find_slot(callbacks, &callbacks->items[callbacks->count - 1])] = (uint32_t)callbacks->count;
}

void watch_callbacks_add_all(struct watch_callbacks *callbacks, const struct watch_callbacks *from)
{
    for (size_t i = 0; i < from->count; i++)
        watch_callbacks_add(callbacks, from->items[i].watcher, from->items[i].context);
}

bool watch_callbacks_remove(struct watch_callbacks *callbacks, watcher_fn watcher, void *context)
{
    size_t at = watch_callbacks_find(callbacks, watcher, context);
    if (at == callbacks->count)
        return false;
    size_t last = callbacks->count - 1;
    if (callbacks->slots != NULL) {
        size_t slot_of_last = find_slot(callbacks, &callbacks->items[last]);
        size_t slot = find_slot(callbacks, &callbacks->items[at]);
        callbacks->slots[slot_of_last] = (uint32_t)at + 1;
        callbacks->slots[slot] = (uint32_t)last + 1;
        struct watch_callback gone = callbacks->items[at];
        callbacks->items[at] = callbacks->items[last];
        callbacks->items[last] = gone;
        free_slot(callbacks, slot);
    } else {
        callbacks->items[at] = callbacks->items[last];
    }
    callbacks->count--;
    return true;
}

void watch_callbacks_release(struct watch_callbacks *callbacks)
{
    memory_free(callbacks->items);
    memory_free(callbacks->slots);
    *callbacks = (struct watch_callbacks){ 0 };
}
