/*
 * Lists of permissions, each held once. Mirrors ReferenceCountedACLCache. Any thread; own lock, innermost.
 */
#ifndef ZKC_SERVER_TREE_ACL_CACHE_H
#define ZKC_SERVER_TREE_ACL_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/wire/acl.h"

#define ACL_ID_OPEN_UNSAFE (-1)    /* world:anyone with all permissions, by Java's convention for a null list */
#define ACL_ID_LARGEST (INT64_MAX / 2)    /* in a snapshot; beyond, there is room for ids made later */

/*
 * An interned list. Immutable; lives while anyone holds a reference (a node, a reader between lock and use). `id` is
 * the number it has in snapshots.
 */
struct acl_list {
    _Atomic uint32_t references;    /* of readers and the cache */
    int64_t id;
    int64_t usage;                  /* nodes that have it; under the cache's lock; mirrors referenceCounter */
    bool is_open;                   /* one entry, world:anyone, all permissions: the check can be skipped */
    bool is_unknown;                /* an id that no table names: denies everything */
    struct zk_acl_vector acl;
};
struct acl_list *acl_list_ref(struct acl_list *list);
void acl_list_unref(struct acl_list *list);

struct acl_cache;
struct acl_cache *acl_cache_new(void);
void acl_cache_free(struct acl_cache *cache);

/* convertAcls: the interned list (made when new) with its usage one higher. A null vector is the open one. */
struct acl_list *acl_cache_intern(struct acl_cache *cache, const struct zk_acl_vector *acl);
/* convertLong for a node of a snapshot, with its usage one higher; an id nobody knows gives a list that denies
 * everything and keeps that id, and ids made later stay above every id seen. */
struct acl_list *acl_cache_by_id(struct acl_cache *cache, int64_t id);
/* addUsage / removeUsage: a node has it one more or one less; at 0 the list leaves the table. */
void acl_cache_add_usage(struct acl_cache *cache, struct acl_list *list);
void acl_cache_remove_usage(struct acl_cache *cache, struct acl_list *list);

size_t acl_cache_size(struct acl_cache *cache);
void acl_cache_clear(struct acl_cache *cache);
/* purgeUnused: after loading. */
void acl_cache_purge_unused(struct acl_cache *cache);

/* Every (id, list) with a reference held for the caller, for a snapshot; memory_free the array, unref each. */
struct acl_list **acl_cache_list(struct acl_cache *cache, size_t *ret_count);
/* One entry of a snapshot's table, before its nodes. */
void acl_cache_put(struct acl_cache *cache, int64_t id, const struct zk_acl_vector *acl);

#endif
