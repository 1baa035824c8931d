/*
 * completion.c - answers decoded and completions called.
 *
 * (1) Nothing of an answer reaches the user before all of it could be read.
 * (2) Data is lent where it came in; strings are copies, as they need a zero behind them.
 */
#include "client/completion.h"

#include <string.h>

#include "client/chroot.h"
#include "client/reply_reader.h"
#include "client/zhandle.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/wire/op_code.h"

/* ---- multi ---- */

struct multi_header {
    int32_t type, err;
    bool is_done;
};

static struct multi_header read_multi_header(struct jute_reader *reader)
{
    struct multi_header header;
    header.type = jute_read_int32(reader);
    header.is_done = jute_read_boolean(reader);
    header.err = jute_read_int32(reader);
    return header;
}

static void fill_path(const char *chroot, char *server_path, const struct multi_result *place, zoo_op_result_t *result)
{
    result->value = NULL;
    if (place->value != NULL && server_path != NULL && place->value_size > 0) {
        const char *path = chroot_strip(chroot, server_path);
        size_t size = strlen(path);
        if (size >= (size_t)place->value_size)
            size = (size_t)place->value_size - 1;
        memcpy(place->value, path, size);
        place->value[size] = '\0';
        result->value = place->value;
    }
    memory_free(server_path);
}

/* One result that is none of an error; *result gets what it brings. */
static void read_multi_result(struct jute_reader *reader, int32_t type, const char *chroot,
                              const struct multi_result *place, zoo_op_result_t *result)
{
    struct Stat stat;
    switch (type) {
    case ZOO_CREATE_OP:
        fill_path(chroot, reply_read_string(reader), place, result);
        break;
    case ZOO_CREATE2_OP:
    case ZOO_CREATE_CONTAINER_OP:
    case ZOO_CREATE_TTL_OP:
        fill_path(chroot, reply_read_string(reader), place, result);
        reply_read_stat(reader, &stat);
        break;
    case ZOO_SETDATA_OP:
        reply_read_stat(reader, &stat);
        if (place->stat != NULL)
            *place->stat = stat;
        result->stat = place->stat;
        break;
    case ZOO_DELETE_OP:
    case ZOO_CHECK_OP:
        break;
    default:
        reader->error = ZK_MARSHALLING_ERROR;
    }
}

static void fail_results(struct pending_request *request, int rc)
{
    for (int i = 0; request->multi_results != NULL && i < request->multi_count; i++) {
        request->multi_results[i].err = rc;
        request->multi_results[i].value = NULL;
        request->multi_results[i].stat = NULL;
    }
}

/* (1) `fills`: the user's results and places are written to; else it is only looked whether that can be. */
static int read_multi(struct jute_reader *reader, struct pending_request *request, const char *chroot, bool fills)
{
    int rc = ZOK;
    zoo_op_result_t ignored = { 0 };
    const struct multi_result nowhere = { 0 };
    for (int i = 0; i < request->multi_count; i++) {
        zoo_op_result_t *result = fills && request->multi_results != NULL ? &request->multi_results[i] : &ignored;
        struct multi_header header = read_multi_header(reader);
        if (header.is_done)
            reader->error = ZK_MARSHALLING_ERROR;
        result->value = NULL;
        result->stat = NULL;
        result->err = header.err;
        if (header.type == OP_ERROR) {
            result->err = jute_read_int32(reader);
            if (rc == ZOK && result->err != ZRUNTIMEINCONSISTENCY)
                rc = result->err;
        } else if (jute_error(reader) == ZK_OK) {
            read_multi_result(reader, header.type, chroot, fills ? &request->multi[i] : &nowhere, result);
        }
    }
    if (!read_multi_header(reader).is_done)
        reader->error = ZK_MARSHALLING_ERROR;
    return rc;
}

static int decode_multi(struct jute_reader *reader, struct pending_request *request, const char *chroot)
{
    struct jute_reader again = *reader;
    int rc = read_multi(reader, request, chroot, false);
    return jute_error(reader) == ZK_OK ? read_multi(&again, request, chroot, true) : rc;
}

static void decode_multi_read(struct jute_reader *reader, const struct pending_request *request,
                              struct decoded_reply *reply)
{
    int count = request->multi_count;
    reply->reads = MEMORY_NEW_ARRAY((size_t)count + 1, zoo_read_result_t);
    reply->read_count = count;
    for (int i = 0; i < count && jute_error(reader) == ZK_OK; i++) {
        zoo_read_result_t *result = &reply->reads[i];
        struct multi_header header = read_multi_header(reader);
        result->type = request->multi[i].type;
        result->err = header.err;
        if (header.is_done) {
            reader->error = ZK_MARSHALLING_ERROR;
        } else if (header.type == OP_ERROR) {
            result->err = jute_read_int32(reader);
        } else if (header.type == ZOO_GETDATA_OP) {
            struct jute_buffer data = jute_read_buffer(reader);
            reply_read_stat(reader, &result->stat);
            result->valuelen = -1;
            if (jute_error(reader) == ZK_OK && data.size >= 0) {
                result->value = memory_alloc((size_t)data.size + 1);
                memcpy(result->value, data.bytes, (size_t)data.size);
                result->value[data.size] = '\0';
                result->valuelen = data.size;
            }
        } else if (header.type == ZOO_GETCHILDREN_OP) {
            reply_read_strings(reader, &result->strings);
        } else {
            reader->error = ZK_MARSHALLING_ERROR;
        }
    }
    if (!read_multi_header(reader).is_done)
        reader->error = ZK_MARSHALLING_ERROR;
}

/* ---- decoding ---- */

/* As the user has them; what is not below the chroot is none of theirs. */
static void strip_paths(const char *chroot, struct String_vector *paths)
{
    int32_t kept = 0;
    for (int32_t i = 0; chroot != NULL && i < paths->count; i++) {
        char *path = paths->data[i];
        const char *stripped = path != NULL ? chroot_strip(chroot, path) : NULL;
        if (stripped != NULL && stripped != path)
            paths->data[kept++] = string_copy(stripped);
        memory_free(path);
    }
    if (chroot != NULL)
        paths->count = kept;
}

static int decode_body(struct jute_reader *reader, struct pending_request *request, const char *chroot,
                       struct decoded_reply *reply)
{
    switch (request->type) {
    case COMPLETION_VOID:
        break;
    case COMPLETION_STAT:
        reply_read_stat(reader, &reply->stat);
        break;
    case COMPLETION_DATA:
        reply->data = jute_read_buffer(reader);
        reply_read_stat(reader, &reply->stat);
        break;
    case COMPLETION_STRINGS:
        reply_read_strings(reader, &reply->strings);
        break;
    case COMPLETION_PATHS:
        reply_read_strings(reader, &reply->strings);
        strip_paths(chroot, &reply->strings);
        break;
    case COMPLETION_STRINGS_STAT:
        reply_read_strings(reader, &reply->strings);
        reply_read_stat(reader, &reply->stat);
        break;
    case COMPLETION_STRING:
        reply->string = reply_read_string(reader);
        break;
    case COMPLETION_STRING_STAT:
        reply->string = reply_read_string(reader);
        reply_read_stat(reader, &reply->stat);
        break;
    case COMPLETION_ACL:
        reply_read_acl(reader, &reply->acl);
        reply_read_stat(reader, &reply->stat);
        break;
    case COMPLETION_MULTI:
        return decode_multi(reader, request, chroot);
    case COMPLETION_MULTI_READ:
        decode_multi_read(reader, request, reply);
        break;
    case COMPLETION_INT:
        reply->number = jute_read_int32(reader);
        break;
    case COMPLETION_CLIENT_INFOS:
        reply_read_client_infos(reader, &reply->infos);
        break;
    }
    return ZOK;
}

int completion_decode(struct pending_request *request, const char *chroot, struct decoded_reply *ret_reply)
{
    memset(ret_reply, 0, sizeof(*ret_reply));
    ret_reply->data.size = -1;
    if (request->rc != ZOK) {
        fail_results(request, request->rc);
        return request->rc;
    }
    struct jute_reader reader;
    jute_reader_init(&reader, request->body.bytes, request->body.size, NULL);
    reader.limit = INT32_MAX;    /* the frame was small enough to come in */
    int rc = decode_body(&reader, request, chroot, ret_reply);
    if (jute_error(&reader) == ZK_OK)
        return rc;
    decoded_reply_release(ret_reply);
    memset(ret_reply, 0, sizeof(*ret_reply));
    ret_reply->data.size = -1;
    fail_results(request, ZMARSHALLINGERROR);
    return ZMARSHALLINGERROR;
}

void decoded_reply_release(struct decoded_reply *reply)
{
    memory_free(reply->string);
    deallocate_String_vector(&reply->strings);
    deallocate_ACL_vector(&reply->acl);
    deallocate_ClientInfo_vector(&reply->infos);
    if (reply->reads != NULL)
        zoo_free_read_results(reply->read_count, reply->reads);
    memory_free(reply->reads);
}

/* ---- calling ---- */

/* From here on it is the user's code: nothing of ours may be locked. */
void completion_call(zhandle_t *zh, struct pending_request *request)
{
    struct decoded_reply reply;
    int rc = completion_decode(request, zh->chroot, &reply);
    bool ok = rc == ZOK;
    const char *string = reply.string != NULL ? chroot_strip(zh->chroot, reply.string) : NULL;
    const union completion *completion = &request->completion;
    const void *data = request->data;
    if (completion->void_result == NULL)
        goto out;    /* nobody wants to know */
    switch (request->type) {
    case COMPLETION_VOID:
    case COMPLETION_MULTI:
        completion->void_result(rc, data);
        break;
    case COMPLETION_STAT:
        completion->stat_result(rc, ok ? &reply.stat : NULL, data);
        break;
    case COMPLETION_DATA:
        completion->data_result(rc, (const char *)reply.data.bytes, ok ? reply.data.size : 0, ok ? &reply.stat : NULL,
                                data);
        break;
    case COMPLETION_STRINGS:
    case COMPLETION_PATHS:
        completion->strings_result(rc, ok ? &reply.strings : NULL, data);
        break;
    case COMPLETION_STRINGS_STAT:
        completion->strings_stat_result(rc, ok ? &reply.strings : NULL, ok ? &reply.stat : NULL, data);
        break;
    case COMPLETION_STRING:
        completion->string_result(rc, string, data);
        break;
    case COMPLETION_STRING_STAT:
        completion->string_stat_result(rc, string, ok ? &reply.stat : NULL, data);
        break;
    case COMPLETION_ACL:
        completion->acl_result(rc, ok ? &reply.acl : NULL, ok ? &reply.stat : NULL, data);
        break;
    case COMPLETION_MULTI_READ:
        completion->read_results(rc, reply.read_count, reply.reads, data);
        break;
    case COMPLETION_INT:
        completion->int_result(rc, reply.number, data);
        break;
    case COMPLETION_CLIENT_INFOS:
        completion->client_infos_result(rc, ok ? &reply.infos : NULL, data);
        break;
    }
out:
    decoded_reply_release(&reply);
}
