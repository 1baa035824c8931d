/* sid_set.c - a sorted array of server ids. */
#include "server/quorum/flexible/sid_set.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/memory.h"

#define FIRST_CAPACITY 8

/* Where the id is, or would stand. */
static size_t place_of(const struct sid_set *set, int64_t id)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void sid_set_release(struct sid_set *set)
{
    memory_free(set->ids);
    *set = (struct sid_set){0};
}

bool sid_set_add(struct sid_set *set, int64_t id)
{
    size_t place = place_of(set, id);
    if (place < set->count && set->ids[place] == id)
        return false;
    if (set->count == set->capacity) {
        set->capacity = set->capacity > 0 ? 2 * set->capacity : FIRST_CAPACITY;
        set->ids = memory_realloc(set->ids, set->capacity * sizeof(*set->ids));
    }
    memmove(set->ids + place + 1, set->ids + place, (set->count - place) * sizeof(*set->ids));
    set->ids[place] = id;
    set->count++;
    return true;
}

bool sid_set_remove(struct sid_set *set, int64_t id)
{
    size_t place = place_of(set, id);
    if (place == set->count || set->ids[place] != id)
        return false;
    set->count--;
    memmove(set->ids + place, set->ids + place + 1, (set->count - place) * sizeof(*set->ids));
    return true;
}

bool sid_set_contains(const struct sid_set *set, int64_t id)
{
    size_t place = place_of(set, id);
    return place < set->count && set->ids[place] == id;
}

void sid_set_clear(struct sid_set *set)
{
    set->count = 0;
}

void sid_set_print(const struct sid_set *set, struct buffer *out)
{
    buffer_append_byte(out, '[');
    for (size_t i = 0; i < set->count; i++)
        buffer_printf(out, "%s%" PRId64, i > 0 ? ", " : "", set->ids[i]);
    buffer_append_byte(out, ']');
}
