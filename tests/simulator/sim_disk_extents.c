/* sim_disk_extents.c - sets of blocks, as few ranges as can be. */
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/sim_disk_internal.h"

/* The first extent that ends at or behind the block. */
static size_t find_extent(const struct sim_extents *extents, int64_t block)
{
    size_t low = 0, high = extents->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (extents->list[middle].to < block)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert_extent(struct sim_extents *extents, size_t at, int64_t from, int64_t to)
{
    if (extents->count == extents->capacity) {
        extents->capacity = extents->capacity > 0 ? 2 * extents->capacity : 4;
        extents->list = sim_disk_realloc(extents->list, extents->capacity * sizeof(extents->list[0]));
    }
    memmove(extents->list + at + 1, extents->list + at, (extents->count - at) * sizeof(extents->list[0]));
    extents->list[at] = (struct sim_extent){ from, to };
    extents->count++;
}

static void delete_extents(struct sim_extents *extents, size_t from, size_t to)
{
    memmove(extents->list + from, extents->list + to, (extents->count - to) * sizeof(extents->list[0]));
    extents->count -= to - from;
}

void sim_extents_add(struct sim_extents *extents, int64_t from, int64_t to)
{
    if (from >= to)
        return;
    size_t first = find_extent(extents, from), end = first;
    for (; end < extents->count && extents->list[end].from <= to; end++) {
        from = extents->list[end].from < from ? extents->list[end].from : from;
        to = extents->list[end].to > to ? extents->list[end].to : to;
    }
    if (end == first) {
        insert_extent(extents, first, from, to);
        return;
    }
    extents->list[first] = (struct sim_extent){ from, to };
    delete_extents(extents, first + 1, end);
}

void sim_extents_remove(struct sim_extents *extents, int64_t from, int64_t to)
{
    if (from >= to)
        return;
    for (size_t i = find_extent(extents, from); i < extents->count && extents->list[i].from < to; i++) {
        struct sim_extent old = extents->list[i];
        if (old.to <= from)
            continue;
        delete_extents(extents, i, i + 1);
        if (old.to > to)
            insert_extent(extents, i, to, old.to);
        if (old.from < from)
            insert_extent(extents, i, old.from, from);
        else
            i--;    /* what moved up has not been looked at */
        if (old.to > to)
            break;
    }
}

bool sim_extents_have(const struct sim_extents *extents, int64_t block)
{
    size_t i = find_extent(extents, block + 1);
    return i < extents->count && extents->list[i].from <= block;
}

void sim_extents_release(struct sim_extents *extents)
{
    free(extents->list);
    *extents = (struct sim_extents){ 0 };
}

int64_t sim_extents_next(const struct sim_extents *extents, int64_t block)
{
    size_t i = find_extent(extents, block + 1);
    if (i == extents->count)
        return -1;
    return extents->list[i].from > block ? extents->list[i].from : block;
}

int64_t sim_extents_count(const struct sim_extents *extents)
{
    int64_t blocks = 0;
    for (size_t i = 0; i < extents->count; i++)
        blocks += extents->list[i].to - extents->list[i].from;
    return blocks;
}
