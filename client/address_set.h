/* Addresses in an order, each there once, and found at once however many there are. Not locked. */
#ifndef ZKC_CLIENT_ADDRESS_SET_H
#define ZKC_CLIENT_ADDRESS_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/net/address.h"

struct address_set {
    struct address *items;
    size_t count;
    size_t capacity;      /* of `items` */
    size_t *slots;        /* where each address stands, plus one; 0: free. By hash, the next free one when taken */
    size_t slot_count;    /* a power of two, at least twice `capacity`; 0 while nothing is there */
};

/* {0} is an empty set. */
void address_set_release(struct address_set *set);
/* Puts it behind all others; false when it is there already. The same one is IP and port, IPv4 in IPv6 is that IPv4. */
bool address_set_append(struct address_set *set, const struct address *address);
/* Its place; `count` when it is not there. */
size_t address_set_find(const struct address_set *set, const struct address *address);
bool address_set_contains(const struct address_set *set, const struct address *address);
/* The same addresses, in whatever order. */
bool address_set_equal(const struct address_set *a, const struct address_set *b);
struct address_set address_set_copy(const struct address_set *from);
/* Any order as likely as any other. */
void address_set_shuffle(struct address_set *set);

#endif
