/*
 * tree_owners.c - sets of nodes by session and by kind, in the order of Java's sets of paths.
 *
 * As in Java a session stays known when the last of its ephemerals is deleted, until the session is closed.
 */
#include "server/tree/tree_owners.h"

#include <assert.h>
#include <inttypes.h>

#include "common/base/hash_map.h"
#include "common/base/list.h"
#include "common/base/strings.h"
#include "common/thread/mutex.h"
#include "server/metric/java_map_order.h"

#define FIRST_CAPACITY 16    /* new HashSet<>() */

struct owned {
    struct java_hash_link link;    /* hash of the path */
    struct data_node *node;
};

struct session_nodes {
    struct hash_link link;     /* by session id */
    struct list in_order;      /* as they came */
    int64_t session_id;
    struct java_hash_set nodes;
};

struct tree_owners {
    struct mutex lock;
    struct ephemeral_rules rules;
    struct hash_map sessions GUARDED_BY(lock);
    struct list sessions_in_order GUARDED_BY(lock);
    struct java_hash_set containers GUARDED_BY(lock);
    struct java_hash_set ttls GUARDED_BY(lock);
    size_t ephemerals_count GUARDED_BY(lock);
};

static struct session_nodes *find_session(struct tree_owners *owners, int64_t session_id) REQUIRES(owners->lock)
{
    struct hash_link *link = hash_map_find(&owners->sessions, hash_int64(session_id));
    for (; link != NULL; link = hash_map_find_next(link)) {
        struct session_nodes *session = container_of(link, struct session_nodes, link);
        if (session->session_id == session_id)
            return session;
    }
    return NULL;
}

static struct session_nodes *add_session(struct tree_owners *owners, int64_t session_id) REQUIRES(owners->lock)
{
    struct session_nodes *session = MEMORY_NEW(struct session_nodes);
    session->session_id = session_id;
    java_hash_set_init(&session->nodes, FIRST_CAPACITY);
    hash_map_insert(&owners->sessions, &session->link, hash_int64(session_id));
    list_add_last(&owners->sessions_in_order, &session->in_order);
    return session;
}

static void free_entries(struct java_hash_set *set)
{
    struct java_hash_link *next;
    for (struct java_hash_link *link = java_hash_set_first(set); link != NULL; link = next) {
        next = java_hash_set_after(set, link);
        memory_free(container_of(link, struct owned, link));
    }
    java_hash_set_release(set);
}

static void free_session(struct tree_owners *owners, struct session_nodes *session) REQUIRES(owners->lock)
{
    assert(owners->ephemerals_count >= session->nodes.count);
    owners->ephemerals_count -= session->nodes.count;
    free_entries(&session->nodes);
    hash_map_remove(&owners->sessions, &session->link);
    list_remove(&session->in_order);
    memory_free(session);
}

static char *path_of(const struct java_hash_link *link)
{
    struct buffer path = {0};
    data_node_append_path(container_of(link, const struct owned, link)->node, &path);
    return buffer_detach(&path);
}

static int compare_paths(const struct java_hash_link *a, const struct java_hash_link *b)
{
    char *path = path_of(a), *other = path_of(b);
    int order = string_java_compare(path, strlen(path), other, strlen(other));
    memory_free(path);
    memory_free(other);
    return order;
}

static void add_to_set(struct java_hash_set *set, struct data_node *node, struct ustring path)
{
    struct owned *owned = MEMORY_NEW(struct owned);
    owned->link.hash = string_java_hash(path.bytes, (size_t)path.size);
    owned->node = node;
    java_hash_set_add(set, &owned->link, compare_paths);
}

static bool remove_from_set(struct java_hash_set *set, const struct data_node *node, struct ustring path)
{
    struct java_hash_link *link = java_hash_set_chain(set, string_java_hash(path.bytes, (size_t)path.size));
    while (link != NULL && container_of(link, struct owned, link)->node != node)
        link = link->next;
    if (link == NULL)
        return false;
    java_hash_set_remove(set, link);
    memory_free(container_of(link, struct owned, link));
    return true;
}

static void list_set(const struct java_hash_set *set, struct path_list *ret_paths)
{
    *ret_paths = (struct path_list){MEMORY_NEW_ARRAY(set->count, char *), 0};
    for (struct java_hash_link *link = java_hash_set_first(set); link != NULL; link = java_hash_set_after(set, link))
        ret_paths->paths[ret_paths->count++] = path_of(link);
}

static void list_copied_set(const struct java_hash_set *set, uint32_t capacity, struct path_list *ret_paths)
{
    struct java_hash_link **order = java_hash_set_copy_order(set, capacity, compare_paths);
    *ret_paths = (struct path_list){MEMORY_NEW_ARRAY(set->count, char *), set->count};
    for (size_t i = 0; i < set->count; i++)
        ret_paths->paths[i] = path_of(order[i]);
    memory_free(order);
}

static struct session_nodes **sessions_in_java_order(struct tree_owners *owners) REQUIRES(owners->lock)
{
    size_t count = owners->sessions.count;
    struct session_nodes **came = MEMORY_NEW_ARRAY(count, struct session_nodes *);
    struct session_nodes **ordered = MEMORY_NEW_ARRAY(count, struct session_nodes *);
    int32_t *hashes = MEMORY_NEW_ARRAY(count, int32_t);
    size_t *order = MEMORY_NEW_ARRAY(count, size_t);
    size_t n = 0;
    LIST_EACH(link, &owners->sessions_in_order) {
        came[n] = LIST_ENTRY(link, struct session_nodes, in_order);
        hashes[n] = java_long_hash(came[n]->session_id);
        n++;
    }
    java_map_order(hashes, count, order);
    for (size_t i = 0; i < count; i++)
        ordered[i] = came[order[i]];
    memory_free(order);
    memory_free(hashes);
    memory_free(came);
    return ordered;
}

struct tree_owners *tree_owners_new(const struct ephemeral_rules *rules)
{
    struct tree_owners *owners = MEMORY_NEW(struct tree_owners);
    mutex_init(&owners->lock);
    owners->rules = *rules;
    list_init(&owners->sessions_in_order);
    java_hash_set_init(&owners->containers, FIRST_CAPACITY);
    java_hash_set_init(&owners->ttls, FIRST_CAPACITY);
    return owners;
}

void tree_owners_free(struct tree_owners *owners)
{
    if (owners == NULL)
        return;
    tree_owners_clear(owners);
    hash_map_release(&owners->sessions);
    mutex_release(&owners->lock);
    memory_free(owners);
}

void tree_owners_clear(struct tree_owners *owners)
{
    mutex_lock(&owners->lock);
    LIST_EACH_SAFE(link, &owners->sessions_in_order)
        free_session(owners, LIST_ENTRY(link, struct session_nodes, in_order));
    free_entries(&owners->containers);
    free_entries(&owners->ttls);
    mutex_unlock(&owners->lock);
}

void tree_owners_add(struct tree_owners *owners, struct data_node *node, struct ustring path, int64_t owner)
{
    enum ephemeral_type type = ephemeral_type_get(&owners->rules, owner, NULL);
    if (type == EPHEMERAL_VOID)
        return;
    mutex_lock(&owners->lock);
    if (type == EPHEMERAL_CONTAINER) {
        add_to_set(&owners->containers, node, path);
    } else if (type == EPHEMERAL_TTL) {
        add_to_set(&owners->ttls, node, path);
    } else {
        struct session_nodes *session = find_session(owners, owner);
        if (session == NULL)
            session = add_session(owners, owner);
        add_to_set(&session->nodes, node, path);
        owners->ephemerals_count++;
    }
    mutex_unlock(&owners->lock);
}

void tree_owners_remove(struct tree_owners *owners, struct data_node *node, struct ustring path, int64_t owner)
{
    enum ephemeral_type type = ephemeral_type_get(&owners->rules, owner, NULL);
    if (type == EPHEMERAL_VOID)
        return;
    mutex_lock(&owners->lock);
    if (type == EPHEMERAL_CONTAINER) {
        remove_from_set(&owners->containers, node, path);
    } else if (type == EPHEMERAL_TTL) {
        remove_from_set(&owners->ttls, node, path);
    } else {
        struct session_nodes *session = find_session(owners, owner);
        if (session != NULL && remove_from_set(&session->nodes, node, path))
            owners->ephemerals_count--;
    }
    mutex_unlock(&owners->lock);
}

void tree_owners_remove_session(struct tree_owners *owners, int64_t session_id)
{
    mutex_lock(&owners->lock);
    struct session_nodes *session = find_session(owners, session_id);
    if (session != NULL)
        free_session(owners, session);
    mutex_unlock(&owners->lock);
}

void tree_owners_list_session(struct tree_owners *owners, int64_t session_id, bool copied, struct path_list *ret_paths)
{
    mutex_lock(&owners->lock);
    struct session_nodes *session = find_session(owners, session_id);
    if (session == NULL)
        *ret_paths = (struct path_list){0};
    else if (copied)
        list_copied_set(&session->nodes, java_hash_clone_capacity(session->nodes.count), ret_paths);
    else
        list_set(&session->nodes, ret_paths);
    mutex_unlock(&owners->lock);
}

void tree_owners_list(struct tree_owners *owners, enum ephemeral_type type, struct path_list *ret_paths)
{
    assert(type == EPHEMERAL_CONTAINER || type == EPHEMERAL_TTL);
    mutex_lock(&owners->lock);
    struct java_hash_set *set = type == EPHEMERAL_CONTAINER ? &owners->containers : &owners->ttls;
    list_copied_set(set, java_hash_copy_capacity(set->count), ret_paths);
    mutex_unlock(&owners->lock);
}

int64_t *tree_owners_sessions(struct tree_owners *owners, size_t *ret_count)
{
    mutex_lock(&owners->lock);
    struct session_nodes **ordered = sessions_in_java_order(owners);
    size_t count = owners->sessions.count;
    int64_t *ids = MEMORY_NEW_ARRAY(count, int64_t);
    for (size_t i = 0; i < count; i++)
        ids[i] = ordered[i]->session_id;
    mutex_unlock(&owners->lock);
    memory_free(ordered);
    *ret_count = count;
    return ids;
}

size_t tree_owners_ephemerals_count(struct tree_owners *owners)
{
    mutex_lock(&owners->lock);
    size_t count = owners->ephemerals_count;
    mutex_unlock(&owners->lock);
    return count;
}

void tree_owners_print(struct tree_owners *owners, struct buffer *out)
{
    mutex_lock(&owners->lock);
    struct session_nodes **ordered = sessions_in_java_order(owners);
    buffer_printf(out, "Sessions with Ephemerals (%zu):\n", owners->sessions.count);
    for (size_t i = 0; i < owners->sessions.count; i++) {
        const struct java_hash_set *nodes = &ordered[i]->nodes;
        buffer_printf(out, "0x%" PRIx64 ":\n", (uint64_t)ordered[i]->session_id);
        struct java_hash_link *link = java_hash_set_first(nodes);
        for (; link != NULL; link = java_hash_set_after(nodes, link)) {
            buffer_append_byte(out, '\t');
            data_node_append_path(container_of(link, struct owned, link)->node, out);
            buffer_append_byte(out, '\n');
        }
    }
    mutex_unlock(&owners->lock);
    memory_free(ordered);
}
