/*
 * quorum_hierarchical.c - who is in which group, what each weighs, and when that is enough.
 *
 * Departs from Java, which counts lines: a group counts if it has weight, and once, also if it stands in two lines
 * (group.1, group.01) or in one without members; so that what is printed means what was read.
 */
#include "server/quorum/flexible/quorum_hierarchical.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/quorum/flexible/host_and_port.h"
#include "server/quorum/flexible/java_id_order.h"

#define FIRST_CAPACITY 8

/* Where the key is, or would stand. */
static size_t place_of(const struct id_map *map, int64_t key)
{
    size_t low = 0, high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (map->items[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* NULL: not there. */
static int64_t *find(const struct id_map *map, int64_t key)
{
    size_t place = place_of(map, key);
    return place < map->count && map->items[place].key == key ? &map->items[place].value : NULL;
}

/* The value of the key, 0 at first. */
static int64_t *find_or_add(struct id_map *map, int64_t key)
{
    size_t place = place_of(map, key);
    if (place < map->count && map->items[place].key == key)
        return &map->items[place].value;
    if (map->count == map->capacity) {
        map->capacity = map->capacity > 0 ? 2 * map->capacity : FIRST_CAPACITY;
        map->items = memory_realloc(map->items, map->capacity * sizeof(*map->items));
    }
    memmove(map->items + place + 1, map->items + place, (map->count - place) * sizeof(*map->items));
    map->count++;
    map->items[place] = (struct id_pair){.key = key};
    return &map->items[place].value;
}

static void copy_map(const struct id_map *map, struct id_map *ret_copy)
{
    *ret_copy = (struct id_map){.count = map->count, .capacity = map->count};
    if (map->count > 0)
        ret_copy->items = memory_copy(map->items, map->count * sizeof(*map->items));
}

static void release_map(struct id_map *map)
{
    memory_free(map->items);
    *map = (struct id_map){0};
}

static bool maps_are_equal(const struct id_map *a, const struct id_map *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].key != b->items[i].key || a->items[i].value != b->items[i].value)
            return false;
    return true;
}

/* Sums wrap as Java's do. */
static void add_wrapping(int64_t *sum, int64_t value)
{
    *sum = (int64_t)((uint64_t)*sum + (uint64_t)value);
}

/* The number behind the first '.', or the whole key where there is none, which is no number then. */
static int parse_key(const char *key, int64_t *ret_id, struct error *error)
{
    const char *dot = strchr(key, '.');
    if (!string_to_int64(dot != NULL ? dot + 1 : key, 10, ret_id))
        return error_set(error, ZK_BAD_CONFIG, "%s: \"%s\" is not a number", key, dot != NULL ? dot + 1 : key);
    return ZK_OK;
}

static int parse_member(struct quorum_hierarchical *groups, int64_t group, const char *key, const char *text,
                        struct error *error)
{
    int64_t sid;
    if (!string_to_int64(text, 10, &sid))
        return error_set(error, ZK_BAD_CONFIG, "%s: \"%s\" is not a number", key, text);
    if (find(&groups->server_group, sid) != NULL)
        return error_set(error, ZK_BAD_CONFIG, "Server %" PRId64 " is in multiple groups", sid);
    *find_or_add(&groups->server_group, sid) = group;
    return ZK_OK;
}

static int parse_group(struct quorum_hierarchical *groups, const struct property *line, struct error *error)
{
    int64_t group;
    int err = parse_key(line->key, &group, error);
    if (err != ZK_OK)
        return err;
    struct text_pieces members;
    text_split(line->value, ':', &members);
    for (size_t i = 0; err == ZK_OK && i < members.count; i++)
        err = parse_member(groups, group, line->key, members.items[i], error);
    text_pieces_release(&members);
    return err;
}

static int parse_weight(struct quorum_hierarchical *groups, const struct property *line, struct error *error)
{
    int64_t sid, weight;
    int err = parse_key(line->key, &sid, error);
    if (err != ZK_OK)
        return err;
    if (!string_to_int64(line->value, 10, &weight))
        return error_set(error, ZK_BAD_CONFIG, "%s: \"%s\" is not a number", line->key, line->value);
    *find_or_add(&groups->server_weight, sid) = weight;
    return ZK_OK;
}

static int give_default_weights(struct quorum_hierarchical *groups, const struct sid_set *participants,
                                struct error *error)
{
    for (size_t i = 0; i < participants->count; i++) {
        int64_t sid = participants->ids[i];
        if (find(&groups->server_group, sid) == NULL)
            return error_set(error, ZK_BAD_CONFIG, "Server %" PRId64 " is not in a group", sid);
        if (find(&groups->server_weight, sid) == NULL)
            *find_or_add(&groups->server_weight, sid) = 1;
    }
    return ZK_OK;
}

static int sum_up_groups(struct quorum_hierarchical *groups, struct error *error)
{
    for (size_t i = 0; i < groups->server_group.count; i++) {
        const struct id_pair *member = &groups->server_group.items[i];
        const int64_t *weight = find(&groups->server_weight, member->key);
        if (weight == NULL)
            return error_set(error, ZK_BAD_CONFIG,
                             "group.%" PRId64 " names server %" PRId64 ", which takes no part and has no weight",
                             member->value, member->key);
        add_wrapping(find_or_add(&groups->group_weight, member->value), *weight);
    }
    for (size_t i = 0; i < groups->group_weight.count; i++)
        groups->group_count += groups->group_weight.items[i].value != 0;
    return ZK_OK;
}

/* Keys of a map in Java's order; the caller's. */
static size_t *order_of(const struct id_map *map)
{
    int64_t *keys = MEMORY_NEW_ARRAY(map->count, int64_t);
    size_t *order = MEMORY_NEW_ARRAY(map->count, size_t);
    for (size_t i = 0; i < map->count; i++)
        keys[i] = map->items[i].key;
    java_id_order(keys, map->count, order);
    memory_free(keys);
    return order;
}

static void print_members(const struct quorum_hierarchical *groups, const size_t *order, int64_t group,
                          struct buffer *out)
{
    const char *separator = "=";
    buffer_printf(out, "group.%" PRId64, group);
    for (size_t i = 0; i < groups->server_group.count; i++) {
        const struct id_pair *member = &groups->server_group.items[order[i]];
        if (member->value != group)
            continue;
        buffer_printf(out, "%s%" PRId64, separator, member->key);
        separator = ":";
    }
    buffer_append_byte(out, '\n');
}

void quorum_hierarchical_release(struct quorum_hierarchical *groups)
{
    release_map(&groups->server_weight);
    release_map(&groups->server_group);
    release_map(&groups->group_weight);
    groups->group_count = 0;
}

int quorum_hierarchical_parse(struct quorum_hierarchical *groups, const struct properties *lines,
                              const struct sid_set *participants, struct error *error)
{
    int err = ZK_OK;
    for (size_t i = 0; err == ZK_OK && i < lines->count; i++) {
        if (string_starts_with(lines->items[i].key, "group"))
            err = parse_group(groups, &lines->items[i], error);
        else if (string_starts_with(lines->items[i].key, "weight"))
            err = parse_weight(groups, &lines->items[i], error);
    }
    if (err == ZK_OK)
        err = give_default_weights(groups, participants, error);
    return err == ZK_OK ? sum_up_groups(groups, error) : err;
}

void quorum_hierarchical_copy(const struct quorum_hierarchical *groups, struct quorum_hierarchical *ret_copy)
{
    copy_map(&groups->server_weight, &ret_copy->server_weight);
    copy_map(&groups->server_group, &ret_copy->server_group);
    copy_map(&groups->group_weight, &ret_copy->group_weight);
    ret_copy->group_count = groups->group_count;
}

int64_t quorum_hierarchical_weight(const struct quorum_hierarchical *groups, int64_t sid)
{
    const int64_t *weight = find(&groups->server_weight, sid);
    return weight != NULL ? *weight : 0;
}

bool quorum_hierarchical_contains_quorum(const struct quorum_hierarchical *groups, const struct sid_set *acks)
{
    struct id_map acked = {0};
    for (size_t i = 0; i < acks->count; i++) {
        const int64_t *group = find(&groups->server_group, acks->ids[i]);
        if (group != NULL)
            add_wrapping(find_or_add(&acked, *group), quorum_hierarchical_weight(groups, acks->ids[i]));
    }
    int64_t majorities = 0;
    for (size_t i = 0; i < acked.count; i++)
        majorities += acked.items[i].value > *find(&groups->group_weight, acked.items[i].key) / 2;
    release_map(&acked);
    return acks->count > 0 && majorities > groups->group_count / 2;
}

bool quorum_hierarchical_equal(const struct quorum_hierarchical *a, const struct quorum_hierarchical *b)
{
    return maps_are_equal(&a->server_weight, &b->server_weight) && maps_are_equal(&a->server_group, &b->server_group) &&
           maps_are_equal(&a->group_weight, &b->group_weight);
}

void quorum_hierarchical_print(const struct quorum_hierarchical *groups, struct buffer *out)
{
    size_t *by_server = order_of(&groups->server_group), *by_group = order_of(&groups->group_weight);
    for (size_t i = 0; i < groups->group_weight.count; i++)
        print_members(groups, by_server, groups->group_weight.items[by_group[i]].key, out);
    memory_free(by_server);
    memory_free(by_group);
    size_t *by_weight = order_of(&groups->server_weight);
    for (size_t i = 0; i < groups->server_weight.count; i++) {
        const struct id_pair *weight = &groups->server_weight.items[by_weight[i]];
        buffer_printf(out, "weight.%" PRId64 "=%" PRId64 "\n", weight->key, weight->value);
    }
    memory_free(by_weight);
}
