/*
 * acl_check.c - may this peer do that to this node; which list may a node be given; what of one may be shown. Mirrors
 * ZooKeeperServer.checkACL, PrepRequestProcessor.fixupACL and removeDuplicates, AuthUtil.
 *
 * All of them are functions of their arguments. Duplicates are found through hashes and not, as in Java, each against
 * each, since a list is as long as a request permits.
 */
#include "server/auth/acl_check.h"

#include <string.h>

#include "common/base/buffer.h"
#include "common/base/hash_map.h"
#include "common/base/log.h"
#include "common/base/memory.h"

/* The first members of an entry, as Java compares them one behind the other: what an earlier entry has in common with a
 * later one when the comparison goes on to the next member. */
enum prefix { PREFIX_PERMS, PREFIX_SCHEME, PREFIX_ALL };
struct seen {
    struct hash_link link;
    enum prefix prefix;
    const struct zk_acl *acl;
};
struct seen_entries {
    struct hash_map map;
    struct arena arena;
};

static uint64_t hash_prefix(const struct zk_acl *acl, enum prefix prefix)
{
    uint64_t hash = hash_int64((int64_t)acl->perms * 4 + (int64_t)prefix);
    if (prefix >= PREFIX_SCHEME)
        hash = hash_bytes_continue(hash, acl->id.scheme.bytes, (size_t)acl->id.scheme.size);
    if (prefix >= PREFIX_ALL)
        hash = hash_bytes_continue(hash, acl->id.id.bytes, (size_t)acl->id.id.size);
    return hash;
}

static bool equal_prefix(const struct zk_acl *a, const struct zk_acl *b, enum prefix prefix)
{
    return a->perms == b->perms && (prefix < PREFIX_SCHEME || ustring_equal(a->id.scheme, b->id.scheme))
           && (prefix < PREFIX_ALL || ustring_equal(a->id.id, b->id.id));
}

static bool was_seen(const struct seen_entries *seen, const struct zk_acl *acl, enum prefix prefix)
{
    for (struct hash_link *link = hash_map_find(&seen->map, hash_prefix(acl, prefix)); link != NULL;
         link = hash_map_find_next(link)) {
        const struct seen *entry = container_of(link, struct seen, link);
        if (entry->prefix == prefix && equal_prefix(entry->acl, acl, prefix))
            return true;
    }
    return false;
}

/* As far as the entry goes before its first null. */
static enum prefix longest_prefix(const struct zk_acl *acl)
{
    return acl->id.scheme.size < 0 ? PREFIX_PERMS : acl->id.id.size < 0 ? PREFIX_SCHEME : PREFIX_ALL;
}

static void add_seen(struct seen_entries *seen, const struct zk_acl *acl)
{
    enum prefix longest = longest_prefix(acl);
    for (enum prefix prefix = PREFIX_PERMS; prefix <= longest; prefix++) {
        if (was_seen(seen, acl, prefix))
            continue;
        struct seen *entry = arena_alloc(&seen->arena, sizeof(*entry));
        entry->prefix = prefix;
        entry->acl = acl;
        hash_map_insert(&seen->map, &entry->link, hash_prefix(acl, prefix));
    }
}

/* removeDuplicates: the first of equal ones stays. A null that Java would call equals() on is ZK_MARSHALLING_ERROR. */
static int remove_duplicates(const struct zk_acl_vector *acl, struct buffer *ret_unique)
{
    struct seen_entries seen = {0};
    int err = ZK_OK;
    arena_init(&seen.arena, NULL, 0);
    for (int32_t i = 0; i < acl->count && err == ZK_OK; i++) {
        const struct zk_acl *entry = &acl->items[i];
        if (acl->count > 1 && was_seen(&seen, entry, longest_prefix(entry))) {
            if (longest_prefix(entry) != PREFIX_ALL)
                err = ZK_MARSHALLING_ERROR;
            continue;
        }
        if (acl->count > 1)
            add_seen(&seen, entry);
        buffer_append(ret_unique, &entry, sizeof(entry));
    }
    hash_map_release(&seen.map);
    arena_release(&seen.arena);
    return err;
}

/* "auth": the same permissions for each id that was proved. */
static int expand_auth(struct provider_registry *registry, const struct auth_info *auth_info, int32_t perms,
                       size_t *expanded_size, struct buffer *ret_fixed)
{
    bool is_authenticated = false;
    for (int32_t i = 0; auth_info != NULL && i < auth_info->ids.count; i++) {
        const struct zk_id *id = &auth_info->ids.items[i];
        const struct auth_provider *provider = provider_registry_find(registry, id->scheme);
        if (provider == NULL)
            log_debug("Missing AuthenticationProvider for %.*s", (int)id->scheme.size, id->scheme.bytes);
        if (provider == NULL || !provider->is_authenticated)
            continue;
        is_authenticated = true;
        *expanded_size += 3 * sizeof(int32_t) + (size_t)id->scheme.size + (size_t)id->id.size;
        if (*expanded_size > ACL_FIXUP_MOST)
            return ZK_INVALID_ACL;
        struct zk_acl expanded = {perms, *id};
        buffer_append(ret_fixed, &expanded, sizeof(expanded));
    }
    return is_authenticated ? ZK_OK : ZK_INVALID_ACL;
}

/* One entry of the list as it will stand at the node, or as many as "auth" makes of it. */
static int fixup_entry(struct provider_registry *registry, const struct auth_info *auth_info,
                       const struct zk_acl *entry, size_t *expanded_size, struct buffer *ret_fixed)
{
    const struct zk_id *id = &entry->id;
    if (id->scheme.size < 0)
        return ZK_INVALID_ACL;
    if (ustring_is(id->scheme, "auth"))
        return expand_auth(registry, auth_info, entry->perms, expanded_size, ret_fixed);

    bool is_world = ustring_is(id->scheme, "world");
    struct auth_provider *provider = is_world ? NULL : provider_registry_find(registry, id->scheme);
    if (id->id.size < 0)
        return is_world || provider != NULL ? ZK_MARSHALLING_ERROR : ZK_INVALID_ACL;
    if (is_world ? !ustring_is(id->id, "anyone") : provider == NULL || !provider->is_valid(provider, id->id))
        return ZK_INVALID_ACL;
    buffer_append(ret_fixed, entry, sizeof(*entry));
    return ZK_OK;
}

static bool entry_permits(struct provider_registry *registry, const struct zk_acl *entry,
                          const struct auth_info *auth_info)
{
    if (ustring_is(entry->id.scheme, "world") && ustring_is(entry->id.id, "anyone"))
        return true;
    struct auth_provider *provider = provider_registry_find(registry, entry->id.scheme);
    for (int32_t i = 0; provider != NULL && auth_info != NULL && i < auth_info->ids.count; i++) {
        const struct zk_id *id = &auth_info->ids.items[i];
        if (ustring_equal(id->scheme, entry->id.scheme) && provider->matches(provider, id->id, entry->id.id))
            return true;
    }
    return false;
}

/* Size of what ends a line to java.util.regex, at this place; 0 when nothing does. */
static int32_t line_terminator(const char *at, const char *end)
{
    static const char *const terminators[] = {"\n", "\r", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};
    for (size_t i = 0; i < ARRAY_SIZE(terminators); i++) {
        size_t size = strlen(terminators[i]);
        if ((size_t)(end - at) >= size && memcmp(at, terminators[i], size) == 0)
            return (int32_t)size;
    }
    return 0;
}

/* id.replaceAll(":.*", ":x"), in which '.' stops at the end of a line. */
static struct ustring mask_digest(struct ustring id, struct arena *arena)
{
    if (id.size <= 0)
        return id;
    struct buffer masked = {0};
    const char *at = id.bytes, *end = at + id.size;
    while (at < end) {
        if (*at != ':') {
            buffer_append_byte(&masked, (uint8_t)*at++);
            continue;
        }
        buffer_append_string(&masked, ":x");
        while (at < end && line_terminator(at, end) == 0)
            at++;
    }
    struct ustring result = {arena_copy(arena, masked.bytes, masked.size), (int32_t)masked.size};
    buffer_release(&masked);
    return result;
}

int acl_check(struct provider_registry *registry, bool skip_acl, const struct zk_acl_vector *acl, int32_t permission,
              const struct auth_info *auth_info)
{
    if (skip_acl || acl == NULL || acl->count <= 0 || (auth_info != NULL && auth_info->is_super))
        return ZK_OK;
    for (int32_t i = 0; i < acl->count; i++)
        if ((acl->items[i].perms & permission) != 0 && entry_permits(registry, &acl->items[i], auth_info))
            return ZK_OK;
    return ZK_NO_AUTH;
}

int acl_check_list(struct provider_registry *registry, bool skip_acl, const struct acl_list *list, int32_t permission,
                   const struct auth_info *auth_info)
{
    if (skip_acl || list == NULL || (auth_info != NULL && auth_info->is_super))
        return ZK_OK;
    if (list->is_unknown)
        return ZK_NO_AUTH;
    if (list->is_open && (permission & PERM_ALL) != 0)
        return ZK_OK;
    return acl_check(registry, false, &list->acl, permission, auth_info);
}

int acl_fixup(struct provider_registry *registry, const struct auth_info *auth_info, const struct zk_acl_vector *acl,
              struct arena *arena, struct zk_acl_vector *ret_acl)
{
    struct buffer unique = {0}, fixed = {0};    /* of const struct zk_acl *, of struct zk_acl */
    size_t expanded_size = 0;
    int err = remove_duplicates(acl, &unique);
    if (err == ZK_OK && unique.size == 0)
        err = ZK_INVALID_ACL;
    for (size_t at = 0; err == ZK_OK && at < unique.size; at += sizeof(const struct zk_acl *)) {
        const struct zk_acl *entry;
        memcpy(&entry, unique.bytes + at, sizeof(entry));
        err = fixup_entry(registry, auth_info, entry, &expanded_size, &fixed);
    }
    if (err == ZK_OK) {
        ret_acl->items = arena_copy(arena, fixed.bytes, fixed.size);
        ret_acl->count = (int32_t)(fixed.size / sizeof(struct zk_acl));
    }
    buffer_release(&unique);
    buffer_release(&fixed);
    return err;
}

void acl_mask_digests(const struct zk_acl_vector *acl, struct arena *arena, struct zk_acl_vector *ret_acl)
{
    ret_acl->count = acl->count;
    ret_acl->items = NULL;
    if (acl->count <= 0)
        return;
    ret_acl->items = arena_copy(arena, acl->items, (size_t)acl->count * sizeof(acl->items[0]));
    for (int32_t i = 0; i < acl->count; i++)
        if (ustring_is(acl->items[i].id.scheme, "digest"))
            ret_acl->items[i].id.id = mask_digest(acl->items[i].id.id, arena);
}

void auth_client_infos(struct provider_registry *registry, const struct auth_info *auth_info, struct arena *arena,
                       struct client_info_vector *ret_infos)
{
    int32_t count = auth_info == NULL ? 0 : auth_info->ids.count;
    ret_infos->count = count;
    ret_infos->items = arena_alloc(arena, (size_t)count * sizeof(ret_infos->items[0]));
    for (int32_t i = 0; i < count; i++) {
        const struct zk_id *id = &auth_info->ids.items[i];
        struct auth_provider *provider = provider_registry_find(registry, id->scheme);
        ret_infos->items[i].auth_scheme = id->scheme;
        ret_infos->items[i].user = provider == NULL ? ustring_of("") : provider->user_name(provider, id->id);
    }
}
