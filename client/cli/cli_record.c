/*
 * cli_record.c - a node as a line of JSON.
 *
 *   {"zkc-export":1,"root":"/app","time":1767225600000}
 *   {"path":"/","kind":"persistent","data":"text","acl":[{"scheme":"world","id":"anyone","perms":"cdrwa"}],
 *    "sequence":0,"stat":{...}}
 *
 * Data that is no UTF-8 stands in "data64". Keys that are not known are passed over, so that a later release may add
 * some.
 */
#include "client/cli/cli_record.h"

#include <string.h>

#include "client/cli/cli_acl.h"
#include "client/cli/cli_base64.h"
#include "client/cli/cli_json.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

void record_release(struct record *record)
{
    memory_free(record->path);
    buffer_release(&record->data);
    acl_list_release(&record->acl);
    *record = (struct record){0};
}

void record_print_head(const char *root, int64_t wall_ms, struct buffer *out)
{
    json_t *head = json_object();
    json_object_set_new(head, "zkc-export", json_integer(RECORD_FORMAT));
    json_object_set_new(head, "root", json_of_text(root, strlen(root)));
    json_object_set_new(head, "time", json_integer(wall_ms));
    json_print(head, out);
    json_decref(head);
}

void record_print(const struct record *record, const struct Stat *stat, struct buffer *out)
{
    json_t *line = json_object();
    json_object_set_new(line, "path", json_of_text(record->path, strlen(record->path)));
    json_object_set_new(line, "kind", json_string(node_kind_name(record->kind)));
    if (record->kind == NODE_TTL)
        json_object_set_new(line, "ttl", json_integer(record->ttl_ms));
    if (record->kind == NODE_EPHEMERAL)
        json_object_set_new(line, "owner", json_of_hex(record->owner));
    json_set_data(line, (const char *)record->data.bytes, record->data_size);
    json_object_set_new(line, "acl", json_of_acl(&record->acl));
    json_object_set_new(line, "sequence", json_integer(record->sequence));
    json_object_set_new(line, "stat", json_of_stat(stat));
    json_print(line, out);
    json_decref(line);
}

/* ---- back ---- */

static int parse_data(const json_t *line, struct record *record, struct error *error)
{
    const json_t *text = json_object_get(line, "data"), *encoded = json_object_get(line, "data64");
    record->data_size = -1;
    if (json_is_string(text)) {
        record->data_size = (int32_t)json_string_length(text);
        buffer_append(&record->data, json_string_value(text), json_string_length(text));
    } else if (json_is_string(encoded)) {
        int err = base64_decode(json_string_value(encoded), json_string_length(encoded), &record->data, error);
        if (err != ZK_OK)
            return error_prefix(error, "data64");
        record->data_size = (int32_t)record->data.size;
    } else if ((text != NULL && !json_is_null(text)) || encoded != NULL) {
        return error_set(error, ZK_BAD_ARGUMENTS, "data is neither a text nor null");
    }
    return ZK_OK;
}

static int parse_acl(const json_t *line, struct record *record, struct error *error)
{
    const json_t *list = json_object_get(line, "acl");
    if (!json_is_array(list) || json_array_size(list) == 0)
        return error_set(error, ZK_BAD_ARGUMENTS, "acl is no list, or an empty one");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const char *scheme = json_string_value(json_object_get(entry, "scheme"));
        const char *id = json_string_value(json_object_get(entry, "id"));
        const char *letters = json_string_value(json_object_get(entry, "perms"));
        struct buffer complaints = {0};
        if (scheme != NULL && id != NULL && letters != NULL)
            acl_list_add(&record->acl, scheme, id, acl_parse_permissions(letters, &complaints));
        bool is_bad = scheme == NULL || id == NULL || letters == NULL || complaints.size > 0;
        buffer_release(&complaints);
        if (is_bad)
            return error_set(error, ZK_BAD_ARGUMENTS,
                             "an entry of acl has no scheme, id and perms of the letters cdrwa");
    }
    return ZK_OK;
}

static int parse_kind(const json_t *line, struct record *record, struct error *error)
{
    const char *kind = json_string_value(json_object_get(line, "kind"));
    if (kind == NULL || !node_kind_parse(kind, &record->kind))
        return error_set(error, ZK_BAD_ARGUMENTS, "kind is none of persistent, ephemeral, container, ttl");
    record->ttl_ms = json_integer_value(json_object_get(line, "ttl"));
    if (record->kind == NODE_TTL && record->ttl_ms <= 0)
        return error_set(error, ZK_BAD_ARGUMENTS, "ttl is no number of milliseconds");
    const char *owner = json_string_value(json_object_get(line, "owner"));
    if (owner != NULL && string_starts_with(owner, "0x"))
        string_to_int64(owner + 2, 16, &record->owner);
    record->sequence = json_integer_value(json_object_get(line, "sequence"));
    return ZK_OK;
}

static int parse_node(const json_t *line, struct record *record, struct error *error)
{
    const char *path = json_string_value(json_object_get(line, "path"));
    if (path == NULL || path[0] != '/' || strlen(path) != json_string_length(json_object_get(line, "path")))
        return error_set(error, ZK_BAD_ARGUMENTS, "path is missing or does not begin with /");
    record->path = string_copy(path);
    int err = parse_kind(line, record, error);
    if (err == ZK_OK)
        err = parse_data(line, record, error);
    if (err == ZK_OK)
        err = parse_acl(line, record, error);
    return err;
}

static int parse_head(const json_t *line, char **ret_root, struct error *error)
{
    const json_t *format = json_object_get(line, "zkc-export");
    const char *root = json_string_value(json_object_get(line, "root"));
    if (json_integer_value(format) != RECORD_FORMAT)
        return error_set(error, ZK_BAD_ARGUMENTS, "this is an export of another format than %d", RECORD_FORMAT);
    if (root == NULL || root[0] != '/')
        return error_set(error, ZK_BAD_ARGUMENTS, "root is missing or does not begin with /");
    *ret_root = string_copy(root);
    return ZK_OK;
}

int record_parse(const char *line, size_t size, enum record_line *ret_what, char **ret_root, struct record *ret_record,
                 struct error *error)
{
    json_error_t json_error;
    json_t *parsed = json_loadb(line, size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &json_error);
    if (parsed == NULL)
        return error_set(error, ZK_BAD_ARGUMENTS, "this is no JSON: %s", json_error.text);
    struct record record = {0};
    bool is_head = json_object_get(parsed, "zkc-export") != NULL;
    int err;
    if (!json_is_object(parsed))
        err = error_set(error, ZK_BAD_ARGUMENTS, "this is no object");
    else
        err = is_head ? parse_head(parsed, ret_root, error) : parse_node(parsed, &record, error);
    json_decref(parsed);
    if (err != ZK_OK) {
        record_release(&record);
        return err;
    }
    *ret_what = is_head ? RECORD_HEAD : RECORD_NODE;
    if (!is_head)
        *ret_record = record;
    return ZK_OK;
}
