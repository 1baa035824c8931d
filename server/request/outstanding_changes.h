/*
 * What transactions in the pipeline will have changed, so that prep checks the next one against the state it will find.
 * Mirrors ZooKeeperServer.outstandingChanges and ChangeRecord. Prep adds; final removes after the tree has it. Own
 * lock.
 */
#ifndef ZKC_SERVER_REQUEST_OUTSTANDING_CHANGES_H
#define ZKC_SERVER_REQUEST_OUTSTANDING_CHANGES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/blob.h"
#include "common/base/block_pool.h"
#include "common/base/hash_map.h"
#include "common/base/list.h"
#include "common/wire/records.h"
#include "server/metric/server_metrics.h"
#include "server/tree/data_tree.h"

/* Immutable once added; counted. */
struct change_record {
    _Atomic uint32_t references;
    int64_t zxid;
    bool exists;                      /* false: the node will be gone (Java's stat == null) */
    struct stat_persisted stat;
    int64_t claimed_owner;            /* ephemeralOwner as the flags of a pending create have it, stat's otherwise */
    int32_t child_count;
    struct acl_list *acl_list;        /* reference: as the tree has it; or NULL and then */
    struct zk_acl_vector *acl;        /* an own copy, of a node not yet made; NULL means no list at all */
    struct slice data;                /* empty for null too */
    struct blob *data_owner;          /* reference to what the data stands in; NULL when it is empty */
    uint64_t node_digest, tree_digest;
    struct list link;                 /* in order of zxid */
    struct hash_link path_link;
    bool is_newest;                   /* of its path: the one that is found */
    bool is_listed;
    struct block_pool *pool;          /* where it and its copies have their memory; NULL: none */
    uint32_t path_size;
    char path[];
};
/* In memory of `pool`, which may be NULL. */
struct change_record *change_record_new(struct block_pool *pool, struct ustring path);
/* A copy to change, for this zxid. */
struct change_record *change_record_duplicate(const struct change_record *from, int64_t zxid);
/* The record itself, to change, if nobody else has it, else such a copy; takes the reference over. */
struct change_record *change_record_own(struct change_record *record, int64_t zxid);
struct change_record *change_record_ref(struct change_record *record);
void change_record_unref(struct change_record *record);
const struct zk_acl_vector *change_record_acl(const struct change_record *record);
/* Takes a reference to what the data stands in; drops the one to what it stood in. */
void change_record_set_data(struct change_record *record, struct slice data, struct blob *owner);

struct outstanding_changes;
struct outstanding_changes *outstanding_changes_new(struct server_metrics *metrics);
void outstanding_changes_free(struct outstanding_changes *changes);
/* For records, which end on the thread of final. */
struct block_pool *outstanding_changes_pool(struct outstanding_changes *changes);

/* A reference to the newest record of a path, or NULL. */
struct change_record *outstanding_changes_find(struct outstanding_changes *changes, struct ustring path);
/* Takes the reference over. */
void outstanding_changes_add(struct outstanding_changes *changes, struct change_record *record);
/* The tree has everything up to this zxid. */
void outstanding_changes_remove_up_to(struct outstanding_changes *changes, int64_t zxid);
/* The digest the tree will have after all of them; false when there are none. */
bool outstanding_changes_tree_digest(struct outstanding_changes *changes, uint64_t *ret_digest);

/* A failed multi: its records go, and the `previous` ones (references that were found before it began) are the newest
 * of their paths again if they are not applied yet. */
void outstanding_changes_roll_back(struct outstanding_changes *changes, int64_t zxid,
                                   struct change_record **previous, size_t count);

/*
 * Under the lock that removals take: the session's ephemerals as tree and pending changes together have it, in the
 * order of Java's HashSet. Paths as path_list.
 */
void outstanding_changes_ephemerals(struct outstanding_changes *changes, struct data_tree *tree, int64_t session_id,
                                    struct path_list *ret_paths);
size_t outstanding_changes_count(struct outstanding_changes *changes);

#endif
