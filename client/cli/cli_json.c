/* cli_json.c - answers as JSON. */
#include "client/cli/cli_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/cli_acl.h"
#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

json_t *json_of_hex(int64_t value)
{
    return json_sprintf("0x%" PRIx64, (uint64_t)value);
}

json_t *json_of_stat(const struct Stat *stat)
{
    json_t *object = json_object();
    json_object_set_new(object, "czxid", json_of_hex(stat->czxid));
    json_object_set_new(object, "ctime", json_integer(stat->ctime));
    json_object_set_new(object, "mzxid", json_of_hex(stat->mzxid));
    json_object_set_new(object, "mtime", json_integer(stat->mtime));
    json_object_set_new(object, "pzxid", json_of_hex(stat->pzxid));
    json_object_set_new(object, "cversion", json_integer(stat->cversion));
    json_object_set_new(object, "dataVersion", json_integer(stat->version));
    json_object_set_new(object, "aclVersion", json_integer(stat->aversion));
    json_object_set_new(object, "ephemeralOwner", json_of_hex(stat->ephemeralOwner));
    json_object_set_new(object, "dataLength", json_integer(stat->dataLength));
    json_object_set_new(object, "numChildren", json_integer(stat->numChildren));
    return object;
}

json_t *json_of_text(const char *bytes, size_t size)
{
    json_t *text = json_stringn(bytes, size);
    if (text != NULL)
        return text;
    struct arena arena = {0};
    size_t repaired_size = 0;
    char *repaired = utf8_repair(&arena, bytes, size, &repaired_size);
    text = json_stringn(repaired, repaired_size);
    arena_release(&arena);
    return text;
}

json_t *json_of_acl(const struct ACL_vector *acl)
{
    json_t *list = json_array();
    for (int32_t i = 0; i < acl->count; i++) {
        struct buffer permissions = {0};
        acl_print_permissions(acl->data[i].perms, &permissions);
        json_t *entry = json_object();
        json_object_set_new(entry, "scheme", json_of_text(acl->data[i].id.scheme, strlen(acl->data[i].id.scheme)));
        json_object_set_new(entry, "id", json_of_text(acl->data[i].id.id, strlen(acl->data[i].id.id)));
        json_object_set_new(entry, "perms", json_string(buffer_string(&permissions)));
        json_array_append_new(list, entry);
        buffer_release(&permissions);
    }
    return list;
}

json_t *json_of_strings(const char *const *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_of_text(items[i], strlen(items[i])));
    return list;
}

void json_set_data(json_t *object, const char *bytes, int32_t size)
{
    if (size < 0) {
        json_object_set_new(object, "data", json_null());
        return;
    }
    json_t *text = size == 0                            ? json_string("")
                   : utf8_is_valid(bytes, (size_t)size) ? json_stringn(bytes, (size_t)size)
                                                        : NULL;
    if (text != NULL) {
        json_object_set_new(object, "data", text);
        return;
    }
    char *encoded = base64_encode(bytes, (size_t)size);
    json_object_set_new(object, "data64", json_string(encoded));
    memory_free(encoded);
}

json_t *json_of_failure(int code, const char *message, const char *path)
{
    json_t *failure = json_object(), *answer = json_object();
    json_object_set_new(failure, "code", json_integer(code));
    json_object_set_new(failure, "name", json_string(error_name(code)));
    json_object_set_new(failure, "message", json_of_text(message, strlen(message)));
    if (path != NULL)
        json_object_set_new(failure, "path", json_of_text(path, strlen(path)));
    json_object_set_new(answer, "error", failure);
    return answer;
}

static int append(const char *bytes, size_t size, void *context)
{
    buffer_append(context, bytes, size);
    return 0;
}

void json_print(const json_t *value, struct buffer *out)
{
    json_dump_callback(value, append, out, JSON_COMPACT | JSON_ENCODE_ANY);
}

void json_use_our_memory(void)
{
    json_set_alloc_funcs(memory_alloc, memory_free);
}
