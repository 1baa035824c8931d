/* session_table.c - sessions and their time-outs in a database. Mirrors ZKDatabase.sessionsWithTimeouts. */
#include <stdlib.h>

#include "common/base/hash_map.h"
#include "common/base/memory.h"
#include "common/thread/mutex.h"
#include "server/persistence/file_snap.h"

struct entry {
    struct hash_link link;
    struct session_timeout session;
};

struct session_table {
    struct mutex lock;
    struct hash_map map GUARDED_BY(lock);
};

static struct entry *find(struct session_table *table, int64_t id) REQUIRES(table->lock)
{
    for (struct hash_link *l = hash_map_find(&table->map, hash_int64(id)); l != NULL; l = hash_map_find_next(l)) {
        struct entry *entry = container_of(l, struct entry, link);
        if (entry->session.id == id)
            return entry;
    }
    return NULL;
}

static void clear(struct session_table *table) REQUIRES(table->lock)
{
    struct hash_link *link = hash_map_first(&table->map);
    while (link != NULL) {
        struct hash_link *next = hash_map_after(&table->map, link);
        memory_free(container_of(link, struct entry, link));
        link = next;
    }
    hash_map_release(&table->map);
    table->map = (struct hash_map){0};
}

static int compare_sessions(const void *a, const void *b)
{
    const struct session_timeout *left = a, *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

struct session_table *session_table_new(void)
{
    struct session_table *table = MEMORY_NEW(struct session_table);
    mutex_init(&table->lock);
    return table;
}

void session_table_free(struct session_table *table)
{
    if (table == NULL)
        return;
    session_table_clear(table);
    mutex_release(&table->lock);
    memory_free(table);
}

void session_table_put(struct session_table *table, int64_t id, int32_t timeout_ms)
{
    mutex_lock(&table->lock);
    struct entry *entry = find(table, id);
    if (entry == NULL) {
        entry = MEMORY_NEW(struct entry);
        entry->session.id = id;
        hash_map_insert(&table->map, &entry->link, hash_int64(id));
    }
    entry->session.timeout_ms = timeout_ms;
    mutex_unlock(&table->lock);
}

void session_table_remove(struct session_table *table, int64_t id)
{
    mutex_lock(&table->lock);
    struct entry *entry = find(table, id);
    if (entry != NULL)
        hash_map_remove(&table->map, &entry->link);
    mutex_unlock(&table->lock);
    memory_free(entry);
}

bool session_table_get(struct session_table *table, int64_t id, int32_t *ret_timeout_ms)
{
    mutex_lock(&table->lock);
    struct entry *entry = find(table, id);
    if (entry != NULL)
        *ret_timeout_ms = entry->session.timeout_ms;
    mutex_unlock(&table->lock);
    return entry != NULL;
}

size_t session_table_count(struct session_table *table)
{
    mutex_lock(&table->lock);
    size_t count = table->map.count;
    mutex_unlock(&table->lock);
    return count;
}

void session_table_clear(struct session_table *table)
{
    mutex_lock(&table->lock);
    clear(table);
    mutex_unlock(&table->lock);
}

struct session_timeout *session_table_list(struct session_table *table, size_t *ret_count)
{
    mutex_lock(&table->lock);
    size_t count = 0;
    struct session_timeout *list = MEMORY_NEW_ARRAY(table->map.count, struct session_timeout);
    for (struct hash_link *l = hash_map_first(&table->map); l != NULL; l = hash_map_after(&table->map, l))
        list[count++] = container_of(l, struct entry, link)->session;
    mutex_unlock(&table->lock);
    if (count > 0)
        qsort(list, count, sizeof(list[0]), compare_sessions);
    *ret_count = count;
    return list;
}

void session_table_apply(struct session_table *table, const struct txn_header *header, const struct txn_body *body)
{
    if (header->type == OP_CREATE_SESSION && body->is_present)
        session_table_put(table, header->client_id, body->record.create_session.time_out);
    else if (header->type == OP_CLOSE_SESSION)
        session_table_remove(table, header->client_id);
}
