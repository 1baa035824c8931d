/*
 * auth_info.c - the ids of a peer, in the order in which Java's set gives them. Mirrors ServerCnxn.authInfo, a set upon
 * a ConcurrentHashMap, whose order shows in the lists that "auth" expands to.
 *
 * That order follows from the order of arrival, which is kept beside the ids. Departs from Java: there is a bound.
 */
#include "server/auth/auth_info.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/metric/java_map_order.h"

/* One block of memory: the struct, its items, arrival[n] (where in the items the n-th to come is), their strings. */
static int32_t *arrival_of(const struct auth_info *info)
{
    return (int32_t *)(void *)(info->ids.items + info->ids.count);
}

static uint32_t java_string_hash(struct ustring string)
{
    return (uint32_t)string_java_hash(string.bytes, (size_t)string.size);
}

/* Id.hashCode(), as jute generates it. */
static int32_t java_hash(const struct zk_id *id)
{
    uint32_t hash = 17;
    hash = 37 * hash + java_string_hash(id->scheme);
    hash = 37 * hash + java_string_hash(id->id);
    return (int32_t)hash;
}

static bool id_equal(const struct zk_id *a, const struct zk_id *b)
{
    return ustring_equal(a->scheme, b->scheme) && ustring_equal(a->id, b->id);
}

static size_t bytes_of(const struct auth_info *info)
{
    size_t size = 0;
    for (int32_t i = 0; i < info->ids.count; i++)
        size += (size_t)info->ids.items[i].scheme.size + (size_t)info->ids.items[i].id.size;
    return size;
}

static struct ustring copy_string(char **at, struct ustring from)
{
    struct ustring copy = {*at, from.size};
    if (from.size > 0)
        memcpy(*at, from.bytes, (size_t)from.size);
    *at += from.size;
    return copy;
}

/* Copies ids that are given in order of arrival. */
static struct auth_info *auth_info_new(const struct zk_id *arrived, size_t count, size_t string_size)
{
    size_t item_size = sizeof(struct zk_id) + sizeof(int32_t);
    struct auth_info *info = memory_alloc(sizeof(*info) + count * item_size + string_size);
    atomic_init(&info->references, 1);
    info->is_super = false;
    info->ids = (struct zk_id_vector){(struct zk_id *)(void *)(info + 1), (int32_t)count};

    int32_t *hashes = MEMORY_NEW_ARRAY(count, int32_t), *arrival = arrival_of(info);
    size_t *order = MEMORY_NEW_ARRAY(count, size_t);
    for (size_t i = 0; i < count; i++)
        hashes[i] = java_hash(&arrived[i]);
    java_map_order(hashes, count, order);

    char *at = (char *)(arrival + count);
    for (size_t i = 0; i < count; i++) {
        const struct zk_id *id = &arrived[order[i]];
        info->ids.items[i].scheme = copy_string(&at, id->scheme);
        info->ids.items[i].id = copy_string(&at, id->id);
        info->is_super |= ustring_is(id->scheme, "super");
        arrival[order[i]] = (int32_t)i;
    }
    memory_free(hashes);
    memory_free(order);
    return info;
}

struct auth_info *auth_info_new_empty(void)
{
    return auth_info_new(NULL, 0, 0);
}

bool auth_info_has_room(const struct auth_info *info, int32_t count, size_t size)
{
    return info->ids.count <= AUTH_INFO_MOST_IDS - count && size <= AUTH_INFO_MOST_BYTES
           && bytes_of(info) <= AUTH_INFO_MOST_BYTES - size;
}

struct auth_info *auth_info_add(struct auth_info *info, const struct zk_id *id)
{
    assert(id->scheme.size >= 0 && id->id.size >= 0);
    for (int32_t i = 0; i < info->ids.count; i++)
        if (id_equal(&info->ids.items[i], id))
            return info;

    size_t count = (size_t)info->ids.count;
    struct zk_id *arrived = MEMORY_NEW_ARRAY(count + 1, struct zk_id);
    for (size_t i = 0; i < count; i++)
        arrived[i] = info->ids.items[arrival_of(info)[i]];
    arrived[count] = *id;
    struct auth_info *grown = auth_info_new(arrived, count + 1,
                                            bytes_of(info) + (size_t)id->scheme.size + (size_t)id->id.size);
    memory_free(arrived);
    auth_info_unref(info);
    return grown;
}

struct auth_info *auth_info_ref(struct auth_info *info)
{
    atomic_fetch_add_explicit(&info->references, 1, memory_order_relaxed);
    return info;
}

void auth_info_unref(struct auth_info *info)
{
    if (info == NULL || atomic_fetch_sub_explicit(&info->references, 1, memory_order_acq_rel) > 1)
        return;
    memory_free(info);
}
