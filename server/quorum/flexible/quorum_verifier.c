/*
 * quorum_verifier.c - the list of members of one version, with the rule of what makes a quorum of it.
 *
 * One struct for Java's three classes: the groups are there if it is hierarchical, the oracle's path if it has one.
 * Members stand by rising id; only print() turns to the order of Java's maps.
 */
#include "server/quorum/flexible/quorum_verifier.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/quorum/flexible/java_id_order.h"
#include "server/quorum/flexible/quorum_hierarchical.h"
#include "server/quorum/flexible/quorum_oracle.h"

#define MOST_LINES 4096    /* of a text from a peer; looking for keys that are there twice takes their square */

struct quorum_verifier {
    _Atomic uint32_t references;
    int64_t version;
    struct quorum_server *members;    /* by rising id */
    size_t count;
    struct sid_set voters;
    bool is_hierarchical;
    struct quorum_hierarchical groups;
    struct quorum_oracle oracle;    /* without a path: none */
};

static struct quorum_verifier *new_verifier(int64_t version, const char *oracle_path)
{
    struct quorum_verifier *verifier = MEMORY_NEW(struct quorum_verifier);
    atomic_store(&verifier->references, 1);
    verifier->version = version;
    quorum_oracle_init(&verifier->oracle, oracle_path);
    return verifier;
}

/* Takes the member over, in the place of one of the same id if there is one. */
static void add_member(struct quorum_verifier *verifier, struct quorum_server *member)
{
    size_t place = 0;
    while (place < verifier->count && verifier->members[place].id < member->id)
        place++;
    if (place < verifier->count && verifier->members[place].id == member->id) {
        quorum_server_release(&verifier->members[place]);
    } else {
        verifier->members = memory_realloc(verifier->members, (verifier->count + 1) * sizeof(*verifier->members));
        memmove(verifier->members + place + 1, verifier->members + place,
                (verifier->count - place) * sizeof(*verifier->members));
        verifier->count++;
    }
    verifier->members[place] = *member;
}

static void count_voters(struct quorum_verifier *verifier)
{
    sid_set_clear(&verifier->voters);
    for (size_t i = 0; i < verifier->count; i++)
        if (verifier->members[i].type == LEARNER_PARTICIPANT)
            sid_set_add(&verifier->voters, verifier->members[i].id);
}

static int parse_server(struct quorum_verifier *verifier, const struct property *line,
                        const struct quorum_parse_options *options, struct error *error)
{
    int64_t id;
    struct quorum_server server;
    if (!string_to_int64(line->key + strlen("server."), 10, &id))
        return error_set(error, ZK_BAD_CONFIG, "%s: \"%s\" is not a number", line->key, line->key + strlen("server."));
    if (id < 0)
        return error_set(error, ZK_BAD_CONFIG, "%s: an id below 0 is no server's", line->key);
    int err = quorum_server_parse(id, line->value, options->is_multi_address_enabled, &server, error);
    if (err == ZK_OK)
        add_member(verifier, &server);
    return err;
}

/* A zxid; below 0 it could not be printed so that it is read again, in Java neither. */
static bool parse_version(const char *text, int64_t *ret_version)
{
    return string_to_int64(text, 16, ret_version) && *ret_version >= 0;
}

static bool is_of_groups(const char *key)
{
    return string_starts_with(key, "group") || string_starts_with(key, "weight");
}

static int parse_lines(struct quorum_verifier *verifier, const struct properties *lines,
                       const struct quorum_parse_options *options, struct error *error)
{
    int err = ZK_OK;
    for (size_t i = 0; err == ZK_OK && i < lines->count; i++) {
        const struct property *line = &lines->items[i];
        if (string_starts_with(line->key, "server."))
            err = parse_server(verifier, line, options, error);
        else if (strcmp(line->key, "version") == 0 && !parse_version(line->value, &verifier->version))
            err = error_set(error, ZK_BAD_CONFIG, "version: \"%s\" is not a hexadecimal number", line->value);
        else if (is_of_groups(line->key))
            verifier->is_hierarchical = options->oracle_path == NULL;
        else if (strcmp(line->key, "version") != 0)
            err = error_set(error, ZK_BAD_CONFIG, "Unrecognised parameter: %s", line->key);
    }
    count_voters(verifier);
    if (err == ZK_OK && verifier->is_hierarchical)
        err = quorum_hierarchical_parse(&verifier->groups, lines, &verifier->voters, error);
    return err;
}

/* What Java refuses of the numbers of participants and observers. */
static int check_counts(const struct quorum_verifier *verifier, bool is_standalone_enabled, struct error *error)
{
    size_t observers = verifier->count - verifier->voters.count;
    if (verifier->voters.count == 0 && !is_standalone_enabled)
        return error_set(error, ZK_BAD_CONFIG, "standaloneEnabled = false then number of participants should be >0");
    if (verifier->voters.count == 0 && observers > 0)
        return error_set(error, ZK_BAD_CONFIG, "Observers w/o participants is an invalid configuration");
    if (verifier->voters.count == 1 && is_standalone_enabled && observers > 0)
        return error_set(error, ZK_BAD_CONFIG, "Observers w/o quorum is an invalid configuration");
    return ZK_OK;
}

static struct quorum_verifier *copy_of(const struct quorum_verifier *verifier, int64_t version)
{
    struct quorum_verifier *copy = new_verifier(version, verifier->oracle.path);
    copy->members = MEMORY_NEW_ARRAY(verifier->count, struct quorum_server);
    copy->count = verifier->count;
    for (size_t i = 0; i < verifier->count; i++)
        quorum_server_copy(&verifier->members[i], &copy->members[i]);
    count_voters(copy);
    copy->is_hierarchical = verifier->is_hierarchical;
    quorum_hierarchical_copy(&verifier->groups, &copy->groups);
    quorum_verifier_set_need_oracle(copy, quorum_verifier_get_need_oracle(verifier));
    return copy;
}

static bool has_too_many_lines(const char *text, size_t size)
{
    size_t lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n' || text[i] == '\r';
    return lines > MOST_LINES;
}

static struct quorum_server *find_member(const struct quorum_verifier *verifier, int64_t id)
{
    for (size_t i = 0; i < verifier->count; i++)
        if (verifier->members[i].id == id)
            return &verifier->members[i];
    return NULL;
}

int quorum_verifier_parse(const struct properties *lines, const struct quorum_parse_options *options,
                          struct quorum_verifier **ret_verifier, struct error *error)
{
    struct quorum_verifier *verifier = new_verifier(0, options->oracle_path);
    int err = parse_lines(verifier, lines, options, error);
    if (err == ZK_OK)
        err = check_counts(verifier, options->is_standalone_enabled, error);
    if (err == ZK_OK)
        *ret_verifier = verifier;
    else
        quorum_verifier_unref(verifier);
    return err;
}

int quorum_verifier_parse_text(const char *text, size_t size, const struct quorum_parse_options *options,
                               struct quorum_verifier **ret_verifier, struct error *error)
{
    struct properties lines = {0};
    if (has_too_many_lines(text, size))
        return error_set(error, ZK_TOO_LARGE, "a configuration of more than %d lines", MOST_LINES);
    int err = properties_parse(&lines, "configuration", text, size, error);
    if (err == ZK_OK)
        err = quorum_verifier_parse(&lines, options, ret_verifier, error);
    properties_release(&lines);
    return err;
}

struct quorum_verifier *quorum_verifier_ref(struct quorum_verifier *verifier)
{
    atomic_fetch_add(&verifier->references, 1);
    return verifier;
}

void quorum_verifier_unref(struct quorum_verifier *verifier)
{
    if (verifier == NULL || atomic_fetch_sub(&verifier->references, 1) > 1)
        return;
    for (size_t i = 0; i < verifier->count; i++)
        quorum_server_release(&verifier->members[i]);
    memory_free(verifier->members);
    sid_set_release(&verifier->voters);
    quorum_hierarchical_release(&verifier->groups);
    quorum_oracle_release(&verifier->oracle);
    memory_free(verifier);
}

void quorum_verifier_print(const struct quorum_verifier *verifier, struct buffer *out)
{
    int64_t *ids = MEMORY_NEW_ARRAY(verifier->count, int64_t);
    size_t *order = MEMORY_NEW_ARRAY(verifier->count, size_t);
    for (size_t i = 0; i < verifier->count; i++)
        ids[i] = verifier->members[i].id;
    java_id_order(ids, verifier->count, order);
    for (size_t i = 0; i < verifier->count; i++) {
        const struct quorum_server *member = &verifier->members[order[i]];
        buffer_printf(out, "server.%" PRId64 "=", member->id);
        quorum_server_print(member, out);
        buffer_append_byte(out, '\n');
    }
    memory_free(ids);
    memory_free(order);
    if (verifier->is_hierarchical)
        quorum_hierarchical_print(&verifier->groups, out);
    buffer_printf(out, "version=%" PRIx64, (uint64_t)verifier->version);
}

struct quorum_verifier *quorum_verifier_with_version(const struct quorum_verifier *verifier, int64_t version)
{
    return copy_of(verifier, version);
}

struct quorum_verifier *quorum_verifier_with_members(const struct quorum_verifier *verifier,
                                                     const struct quorum_server *const *members, size_t count,
                                                     int64_t version)
{
    struct quorum_verifier *other = new_verifier(version, verifier->oracle.path);
    for (size_t i = 0; i < count; i++) {
        struct quorum_server copy;
        quorum_server_copy(members[i], &copy);
        add_member(other, &copy);
    }
    count_voters(other);
    return other;
}

struct quorum_verifier *quorum_verifier_with_static_client_address(const struct quorum_verifier *verifier, int64_t id,
                                                                   const struct quorum_address *address)
{
    struct quorum_verifier *copy = copy_of(verifier, verifier->version);
    struct quorum_server *member = find_member(copy, id);
    if (member != NULL && member->client_address.host == NULL) {
        member->client_address = (struct quorum_address){.host = string_copy(address->host), .port = address->port};
        member->is_client_address_from_static = true;
    }
    return copy;
}

int64_t quorum_verifier_version(const struct quorum_verifier *verifier)
{
    return verifier->version;
}

bool quorum_verifier_is_hierarchical(const struct quorum_verifier *verifier)
{
    return verifier->is_hierarchical;
}

int64_t quorum_verifier_weight(const struct quorum_verifier *verifier, int64_t id)
{
    return verifier->is_hierarchical ? quorum_hierarchical_weight(&verifier->groups, id) : 1;
}

bool quorum_verifier_contains_quorum(struct quorum_verifier *verifier, const struct sid_set *acks)
{
    if (verifier->is_hierarchical)
        return quorum_hierarchical_contains_quorum(&verifier->groups, acks);
    if (acks->count > verifier->voters.count / 2)
        return true;
    return verifier->voters.count <= 2 && quorum_verifier_get_need_oracle(verifier) &&
           quorum_verifier_ask_oracle(verifier);
}

bool quorum_verifier_equal(const struct quorum_verifier *a, const struct quorum_verifier *b)
{
    if (a->is_hierarchical != b->is_hierarchical ||
        quorum_verifier_has_oracle(a) != quorum_verifier_has_oracle(b))
        return false;
    if (a->version == b->version)
        return true;
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!quorum_server_equal(&a->members[i], &b->members[i]))
            return false;
    return !a->is_hierarchical || quorum_hierarchical_equal(&a->groups, &b->groups);
}

size_t quorum_verifier_count(const struct quorum_verifier *verifier)
{
    return verifier->count;
}

const struct quorum_server *quorum_verifier_at(const struct quorum_verifier *verifier, size_t index)
{
    return &verifier->members[index];
}

const struct quorum_server *quorum_verifier_find(const struct quorum_verifier *verifier, int64_t id)
{
    return find_member(verifier, id);
}

size_t quorum_verifier_voter_count(const struct quorum_verifier *verifier)
{
    return verifier->voters.count;
}

bool quorum_verifier_is_voter(const struct quorum_verifier *verifier, int64_t id)
{
    return sid_set_contains(&verifier->voters, id);
}

bool quorum_verifier_has_oracle(const struct quorum_verifier *verifier)
{
    return verifier->oracle.path != NULL;
}

const char *quorum_verifier_oracle_path(const struct quorum_verifier *verifier)
{
    return verifier->oracle.path;
}

void quorum_verifier_set_need_oracle(struct quorum_verifier *verifier, bool need)
{
    atomic_store(&verifier->oracle.is_needed, need);
}

bool quorum_verifier_get_need_oracle(const struct quorum_verifier *verifier)
{
    return quorum_verifier_has_oracle(verifier) && atomic_load(&verifier->oracle.is_needed);
}

bool quorum_verifier_ask_oracle(struct quorum_verifier *verifier)
{
    return quorum_verifier_has_oracle(verifier) && quorum_oracle_ask(&verifier->oracle);
}

bool quorum_verifier_update_need_oracle(struct quorum_verifier *verifier, const struct sid_set *forwarding)
{
    quorum_verifier_set_need_oracle(verifier, forwarding->count == 0 && verifier->voters.count == 2);
    return quorum_verifier_get_need_oracle(verifier);
}

bool quorum_verifier_override_quorum_decision(struct quorum_verifier *verifier, const struct sid_set *forwarding)
{
    return quorum_verifier_update_need_oracle(verifier, forwarding) && quorum_verifier_ask_oracle(verifier);
}
