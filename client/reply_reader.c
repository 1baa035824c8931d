/* reply_reader.c - answers as the structs of zookeeper.h. */
#include "client/reply_reader.h"

#include <limits.h>

#include "common/base/memory.h"

#define LEAST_STRING 4    /* bytes a string takes on the wire, at least */
#define LEAST_ACL 12
#define LEAST_INFO 8

void reply_read_stat(struct jute_reader *reader, struct Stat *ret_stat)
{
    ret_stat->czxid = jute_read_int64(reader);
    ret_stat->mzxid = jute_read_int64(reader);
    ret_stat->ctime = jute_read_int64(reader);
    ret_stat->mtime = jute_read_int64(reader);
    ret_stat->version = jute_read_int32(reader);
    ret_stat->cversion = jute_read_int32(reader);
    ret_stat->aversion = jute_read_int32(reader);
    ret_stat->ephemeralOwner = jute_read_int64(reader);
    ret_stat->dataLength = jute_read_int32(reader);
    ret_stat->numChildren = jute_read_int32(reader);
    ret_stat->pzxid = jute_read_int64(reader);
}

/* Raw: bytes that are no UTF-8 are the user's to see. */
char *reply_read_string(struct jute_reader *reader)
{
    struct jute_buffer bytes = jute_read_buffer(reader);
    if (jute_error(reader) != ZK_OK || bytes.size < 0)
        return NULL;
    char *string = memory_alloc((size_t)bytes.size + 1);
    memcpy(string, bytes.bytes, (size_t)bytes.size);
    string[bytes.size] = '\0';
    return string;
}

/* A vector's items, zeroed; of a null one none. */
static void *read_vector(struct jute_reader *reader, size_t least_size, size_t item_size, int32_t *ret_count)
{
    int32_t count = jute_read_count(reader, least_size);
    *ret_count = count > 0 ? count : 0;
    return count > 0 ? memory_alloc_zero((size_t)count, item_size) : NULL;
}

void reply_read_strings(struct jute_reader *reader, struct String_vector *ret_strings)
{
    ret_strings->data = read_vector(reader, LEAST_STRING, sizeof(*ret_strings->data), &ret_strings->count);
    for (int32_t i = 0; i < ret_strings->count; i++)
        ret_strings->data[i] = reply_read_string(reader);
}

void reply_read_acl(struct jute_reader *reader, struct ACL_vector *ret_acl)
{
    ret_acl->data = read_vector(reader, LEAST_ACL, sizeof(*ret_acl->data), &ret_acl->count);
    for (int32_t i = 0; i < ret_acl->count; i++) {
        ret_acl->data[i].perms = jute_read_int32(reader);
        ret_acl->data[i].id.scheme = reply_read_string(reader);
        ret_acl->data[i].id.id = reply_read_string(reader);
    }
}

void reply_read_client_infos(struct jute_reader *reader, struct ClientInfo_vector *ret_infos)
{
    ret_infos->data = read_vector(reader, LEAST_INFO, sizeof(*ret_infos->data), &ret_infos->count);
    for (int32_t i = 0; i < ret_infos->count; i++) {
        ret_infos->data[i].authScheme = reply_read_string(reader);
        ret_infos->data[i].user = reply_read_string(reader);
    }
}
