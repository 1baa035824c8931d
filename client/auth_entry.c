/* auth_entry.c - credentials of a session. */
#include "client/auth_entry.h"

#include "common/base/strings.h"
#include "common/wire/jute.h"

#define AUTH_XID (-4)

struct auth_entry *auth_entry_new(const char *scheme, const char *credentials, int size, void_completion_t completion,
                                  const void *data)
{
    struct auth_entry *entry = MEMORY_NEW(struct auth_entry);
    list_init(&entry->link);
    entry->scheme = string_copy(scheme);
    if (credentials != NULL && size > 0) {
        entry->credentials = memory_copy(credentials, (size_t)size);
        entry->size = size;
    }
    entry->completion = completion;
    entry->data = data;
    return entry;
}

void auth_entry_free(struct auth_entry *entry)
{
    list_remove(&entry->link);
    memory_free(entry->scheme);
    if (entry->credentials != NULL)
        memory_free_secret(entry->credentials, (size_t)entry->size);
    memory_free(entry);
}

void auth_entry_write(const struct auth_entry *entry, struct buffer *out)
{
    size_t start = out->size;
    jute_write_int32(out, 0);
    jute_write_int32(out, AUTH_XID);
    jute_write_int32(out, ZOO_SETAUTH_OP);
    jute_write_int32(out, 0);    /* ignored by the server */
    jute_write_string(out, entry->scheme);
    jute_write_buffer(out, (struct jute_buffer){ (const uint8_t *)entry->credentials, entry->size });
    store_be32(out->bytes + start, (uint32_t)(out->size - start - 4));
}
