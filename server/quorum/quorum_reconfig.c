/*
 * quorum_reconfig.c - who joins, who leaves, and what becomes of the list.
 *
 * Mirrors PrepRequestProcessor.pRequest2Txn, case reconfig: a list of new members replaces the old one, or else servers
 * leave first and then join, one after the other.
 * Departs from Java: a whole list that is no good, for whatever reason, is ZK_BAD_ARGUMENTS (Java trips over some, and
 * answers MARSHALLINGERROR).
 */
#include "server/quorum/quorum_reconfig.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/quorum/flexible/host_and_port.h"

#define MOST_SERVERS 256    /* ids stand in a byte of session ids */

/* The members to be; copies. */
struct member_list {
    struct quorum_server items[MOST_SERVERS];
    size_t count;
};

static void release_members(struct member_list *members)
{
    for (size_t i = 0; i < members->count; i++)
        quorum_server_release(&members->items[i]);
    memory_free(members);
}

static void remove_member(struct member_list *members, int64_t id)
{
    for (size_t i = 0; i < members->count; i++) {
        if (members->items[i].id != id)
            continue;
        quorum_server_release(&members->items[i]);
        members->items[i] = members->items[--members->count];
        return;
    }
}

static char *text_of(struct ustring text)
{
    return string_copy_n(text.size > 0 ? text.bytes : "", text.size > 0 ? (size_t)text.size : 0);
}

/* Long.parseLong: no blanks around it. */
static int parse_id(const char *text, int64_t *ret_id, struct error *error)
{
    if (!string_to_int64(text, 10, ret_id))
        return error_set(error, ZK_MARSHALLING_ERROR, "\"%s\" is no server id", text);
    return ZK_OK;
}

/* ---- leaving and joining ---- */

static int leave(struct member_list *members, char *item, struct error *error)
{
    int64_t id;
    int err = parse_id(item, &id, error);
    if (err == ZK_OK)
        remove_member(members, id);
    return err;
}

/* "server.5=host:2888:3888:participant;2181", taken apart at '='. */
static int parse_joiner(char *name, char *value, bool is_multi_address_enabled, struct quorum_server *ret_server,
                        struct error *error)
{
    int64_t id;
    const char *dot = strrchr(name, '.');
    int err = parse_id(dot == NULL ? name : dot + 1, &id, error);
    if (err != ZK_OK)
        return err;
    if (quorum_server_parse(id, value, is_multi_address_enabled, ret_server, error) != ZK_OK)
        return error->code = ZK_BAD_ARGUMENTS;
    if (ret_server->client_address.host != NULL)
        return ZK_OK;
    quorum_server_release(ret_server);
    return error_set(error, ZK_BAD_ARGUMENTS,
                     "Wrong format of server string - each server should have 3 ports specified");
}

static int check_duplicates(const struct member_list *members, const struct quorum_server *joiner, struct error *error)
{
    int err = ZK_OK;
    for (size_t i = 0; err == ZK_OK && i < members->count; i++)
        if (members->items[i].id != joiner->id)
            err = quorum_server_check_duplicate(joiner, &members->items[i], error);
    return err;
}

static int add_joiner(struct member_list *members, struct quorum_server *joiner, struct error *error)
{
    int err = check_duplicates(members, joiner, error);
    if (err == ZK_OK)
        remove_member(members, joiner->id);
    if (err == ZK_OK && members->count == MOST_SERVERS)
        err = error_set(error, ZK_BAD_ARGUMENTS, "more than %d servers", MOST_SERVERS);
    if (err == ZK_OK)
        members->items[members->count++] = *joiner;
    else
        quorum_server_release(joiner);
    return err;
}

static int join(struct member_list *members, char *item, bool is_multi_address_enabled, struct error *error)
{
    struct text_pieces pieces;
    struct quorum_server joiner;
    char *parts[2];
    size_t count = 0;
    text_split(item, '=', &pieces);
    for (size_t i = 0; i < pieces.count; i++) {
        char *part = string_trim(pieces.items[i]);
        if (*part != '\0' && count++ < ARRAY_SIZE(parts))
            parts[count - 1] = part;
    }
    int err = count == ARRAY_SIZE(parts)
                  ? parse_joiner(parts[0], parts[1], is_multi_address_enabled, &joiner, error)
                  : error_set(error, ZK_BAD_ARGUMENTS, "Wrong format of server string");
    if (err == ZK_OK)
        err = add_joiner(members, &joiner, error);
    text_pieces_release(&pieces);
    return err;
}

static int leave_all(struct member_list *members, struct ustring leaving, struct error *error)
{
    char *text = text_of(leaving), *rest = text, *item;
    int err = ZK_OK;
    while (err == ZK_OK && (item = strsep(&rest, ",")) != NULL)
        if (*(item = string_trim(item)) != '\0')
            err = leave(members, item, error);
    memory_free(text);
    return err;
}

static int join_all(struct member_list *members, struct ustring joining, bool is_multi_address_enabled,
                    struct error *error)
{
    char *text = text_of(joining), *rest = text, *item;
    int err = ZK_OK;
    while (err == ZK_OK && (item = strsep(&rest, ",")) != NULL)
        if (*(item = string_trim(item)) != '\0')
            err = join(members, item, is_multi_address_enabled, error);
    memory_free(text);
    return err;
}

static struct quorum_verifier *make_verifier(const struct reconfig_state *state, const struct member_list *members,
                                             int64_t zxid)
{
    const struct quorum_server *pointers[MOST_SERVERS];
    for (size_t i = 0; i < members->count; i++)
        pointers[i] = &members->items[i];
    return quorum_verifier_with_members(state->last_seen, pointers, members->count, zxid);
}

static int change_members(const struct reconfig_state *state, const struct reconfig_request *request, int64_t zxid,
                          struct quorum_verifier **ret_next, struct error *error)
{
    size_t count = quorum_verifier_count(state->last_seen);
    if (quorum_verifier_is_hierarchical(state->last_seen))
        return error_set(error, ZK_BAD_ARGUMENTS,
                         "Incremental reconfiguration requested but last configuration seen has a non-majority quorum "
                         "system");
    if (count > MOST_SERVERS)
        return error_set(error, ZK_BAD_ARGUMENTS, "more than %d servers", MOST_SERVERS);
    struct member_list *members = MEMORY_NEW(struct member_list);
    for (size_t i = 0; i < count; i++)
        quorum_server_copy(quorum_verifier_at(state->last_seen, i), &members->items[members->count++]);
    int err = leave_all(members, request->leaving_servers, error);
    if (err == ZK_OK)
        err = join_all(members, request->joining_servers, state->is_multi_address_enabled, error);
    if (err == ZK_OK)
        *ret_next = make_verifier(state, members, zxid);
    release_members(members);
    return err;
}

/* ---- a list in place of the old one ---- */

static int replace_members(const struct reconfig_state *state, struct ustring new_members, int64_t zxid,
                           struct quorum_verifier **ret_next, struct error *error)
{
    struct quorum_parse_options options = {
        .is_multi_address_enabled = state->is_multi_address_enabled,
        .is_standalone_enabled = state->is_standalone_enabled,
        .oracle_path = quorum_verifier_oracle_path(state->last_seen),
    };
    struct quorum_verifier *parsed;
    char *text = text_of(new_members);
    for (char *at = text; *at != '\0'; at++)
        if (*at == ',')
            *at = '\n';
    int err = quorum_verifier_parse_text(text, strlen(text), &options, &parsed, error);
    memory_free(text);
    if (err != ZK_OK)
        return error->code = ZK_BAD_ARGUMENTS;
    *ret_next = quorum_verifier_with_version(parsed, zxid);
    quorum_verifier_unref(parsed);
    return ZK_OK;
}

/* ---- what both must come to ---- */

static int check_next(const struct reconfig_state *state, struct quorum_verifier *next, struct error *error)
{
    size_t least = state->is_standalone_enabled ? 2 : 1;
    if (quorum_verifier_voter_count(next) < least)
        return error_set(error, ZK_BAD_ARGUMENTS,
                         "Reconfig failed - new configuration must include at least %zu follower%s", least,
                         least == 1 ? "" : "s");
    if (!state->is_quorum_synced(state->owner, next))
        return error_set(error, ZK_NEW_CONFIG_NO_QUORUM,
                         "Reconfig failed - there must be a connected and synced quorum in new configuration");
    return ZK_OK;
}

static int check_versions(const struct reconfig_state *state, int64_t config_id, struct error *error)
{
    int64_t last_seen = quorum_verifier_version(state->last_seen);
    if (last_seen != quorum_verifier_version(state->current))
        return error_set(error, ZK_RECONFIG_IN_PROGRESS, "configuration 0x%" PRIx64 " is proposed and not committed",
                         (uint64_t)last_seen);
    if (config_id != -1 && config_id != last_seen)
        return error_set(error, ZK_BAD_VERSION,
                         "Reconfiguration from version %" PRId64 " failed -- last seen version is %" PRId64, config_id,
                         last_seen);
    return ZK_OK;
}

int quorum_reconfig_prepare(const struct reconfig_state *state, const struct reconfig_request *request, int64_t zxid,
                            struct quorum_verifier **ret_next, struct error *error)
{
    struct error ignored = {0};
    struct quorum_verifier *next = NULL;
    if (error == NULL)
        error = &ignored;
    int err = check_versions(state, request->cur_config_id, error);
    if (err != ZK_OK)
        return err;
    err = request->new_members.size >= 0 ? replace_members(state, request->new_members, zxid, &next, error)
                                         : change_members(state, request, zxid, &next, error);
    if (err == ZK_OK)
        err = check_next(state, next, error);
    if (err == ZK_OK)
        *ret_next = next;
    else
        quorum_verifier_unref(next);
    return err;
}
