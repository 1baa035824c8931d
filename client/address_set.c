/* address_set.c - addresses in an order, with a table to find them by. */
#include "client/address_set.h"

#include "common/base/hash_map.h"
#include "common/base/memory.h"
#include "common/base/random.h"

#define LEAST_CAPACITY 8

static bool is_same(const struct address *a, const struct address *b)
{
    return address_port(a) == address_port(b) && address_equal_ip(a, b);
}

/* The slot that names it, or the free one where it would be named. */
static size_t *slot_of(const struct address_set *set, const struct address *address)
{
    uint64_t hash = hash_int64((int64_t)(address_hash_ip(address) ^ address_port(address)));
    for (;; hash++) {
        size_t *slot = &set->slots[hash & (set->slot_count - 1)];
        if (*slot == 0 || is_same(&set->items[*slot - 1], address))
            return slot;
    }
}

static void name_all(struct address_set *set)
{
    memory_free(set->slots);
    set->slots = MEMORY_NEW_ARRAY(set->slot_count, size_t);
    for (size_t i = 0; i < set->count; i++)
        *slot_of(set, &set->items[i]) = i + 1;
}

static void grow(struct address_set *set)
{
    set->capacity = set->capacity > 0 ? 2 * set->capacity : LEAST_CAPACITY;
    set->items = memory_realloc(set->items, set->capacity * sizeof(*set->items));
    set->slot_count = 2 * set->capacity;
    name_all(set);
}

void address_set_release(struct address_set *set)
{
    memory_free(set->items);
    memory_free(set->slots);
    *set = (struct address_set){ 0 };
}

bool address_set_append(struct address_set *set, const struct address *address)
{
    if (address_set_contains(set, address))
        return false;
    if (set->count == set->capacity)
        grow(set);
    set->items[set->count++] = *address;
    *slot_of(set, address) = set->count;
    return true;
}

size_t address_set_find(const struct address_set *set, const struct address *address)
{
    size_t slot = set->slot_count > 0 ? *slot_of(set, address) : 0;
    return slot > 0 ? slot - 1 : set->count;
}

bool address_set_contains(const struct address_set *set, const struct address *address)
{
    return address_set_find(set, address) < set->count;
}

bool address_set_equal(const struct address_set *a, const struct address_set *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!address_set_contains(b, &a->items[i]))
            return false;
    }
    return true;
}

struct address_set address_set_copy(const struct address_set *from)
{
    struct address_set set = *from;
    set.items = memory_copy(from->items, from->capacity * sizeof(*from->items));
    set.slots = memory_copy(from->slots, from->slot_count * sizeof(*from->slots));
    return set;
}

void address_set_shuffle(struct address_set *set)
{
    for (size_t i = set->count; i > 1; i--) {
        size_t other = (size_t)random_below(i);
        struct address swapped = set->items[i - 1];
        set->items[i - 1] = set->items[other];
        set->items[other] = swapped;
    }
    name_all(set);
}
