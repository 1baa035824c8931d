/*
 * Who a peer is: the ids of a connection. Mirrors ServerCnxn.authInfo. Immutable and counted, so that a request keeps
 * those of its birth; adding makes a new one. The order is that of Java's set (ConcurrentHashMap over Id.hashCode).
 */
#ifndef ZKC_SERVER_AUTH_AUTH_INFO_H
#define ZKC_SERVER_AUTH_AUTH_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/records.h"

struct auth_info {
    _Atomic uint32_t references;
    bool is_super;             /* one of the ids has scheme "super" */
    struct zk_id_vector ids;
};
struct auth_info *auth_info_new_empty(void);
/* What one peer may hold; a provider refuses more. More than Java's clients come near to, where Java has no bound. */
#define AUTH_INFO_MOST_IDS 1024
#define AUTH_INFO_MOST_BYTES (4 * 1024 * 1024)
/* Is there room for `count` more ids of `size` bytes in all. */
bool auth_info_has_room(const struct auth_info *info, int32_t count, size_t size);
/* A new one with `id` copied into it (the same one, referenced, when it is there already). Drops the reference
 * given. */
struct auth_info *auth_info_add(struct auth_info *info, const struct zk_id *id);
struct auth_info *auth_info_ref(struct auth_info *info);
void auth_info_unref(struct auth_info *info);

#endif
