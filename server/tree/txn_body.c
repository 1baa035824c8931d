/*
 * txn_body.c - a transaction's record from bytes and back, whichever type the header says.
 *
 * Mirrors SerializeUtils.deserializeTxn and, for the parts of a multi, the first half of DataTree.processTxn's own.
 * Logs of all releases are read: a create without parentCVersion (before 3.4), a closeSession without paths (before
 * 3.6), a transaction without digest (before 3.6), and the bare check that 3.5 to 3.8 could log (ZOOKEEPER-2623).
 */
#include "server/tree/txn_body.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/wire/records.h"
#include "server/tree/digest.h"

#define DIGEST_SIZE (sizeof(int32_t) + sizeof(int64_t))    /* version, sum */

/* From where the record starts: what a create was before 3.4. */
static void read_create_v0(struct jute_reader *reader, struct create_txn *ret_create)
{
    struct create_txn_v0 old;
    jute_read_create_txn_v0(reader, &old);
    *ret_create = (struct create_txn){old.path, old.data, old.acl, old.ephemeral, -1};
}

static void read_create(struct jute_reader *reader, struct create_txn *ret_create, bool may_be_v0)
{
    struct jute_reader start = *reader;
    jute_read_create_txn(reader, ret_create);
    if (jute_error(reader) == ZK_EOF && may_be_v0) {
        *reader = start;
        read_create_v0(reader, ret_create);
    }
}

static void read_close_session(struct jute_reader *reader, struct txn_body *body)
{
    jute_read_close_session_txn(reader, &body->record.close_session);
    if (jute_error(reader) == ZK_EOF) {
        reader->error = ZK_OK;
        reader->at = reader->end;
        body->is_present = false;
    }
}

/* False: there is no record of that type. Errors of the reader stay in it. */
static bool read_single(struct jute_reader *reader, int32_t type, bool may_be_old, struct txn_body *body)
{
    switch (type) {
    case OP_CREATE:
    case OP_CREATE2:
        read_create(reader, &body->record.create, may_be_old && type == OP_CREATE);
        return true;
    case OP_CREATE_TTL:
        jute_read_create_ttl_txn(reader, &body->record.create_ttl);
        return true;
    case OP_CREATE_CONTAINER:
        jute_read_create_container_txn(reader, &body->record.create_container);
        return true;
    case OP_DELETE:
    case OP_DELETE_CONTAINER:
        jute_read_delete_txn(reader, &body->record.remove);
        return true;
    case OP_SET_DATA:
    case OP_RECONFIG:
        jute_read_set_data_txn(reader, &body->record.set_data);
        return true;
    case OP_SET_ACL:
        jute_read_set_acl_txn(reader, &body->record.set_acl);
        return true;
    case OP_CHECK:
        jute_read_check_version_txn(reader, &body->record.check);
        return true;
    case OP_CREATE_SESSION:
        jute_read_create_session_txn(reader, &body->record.create_session);
        return true;
    case OP_CLOSE_SESSION:
        read_close_session(reader, body);
        return true;
    case OP_ERROR:
        jute_read_error_txn(reader, &body->record.error);
        return true;
    default:
        return false;
    }
}

static bool may_be_in_multi(int32_t type)
{
    switch (type) {
    case OP_CREATE:
    case OP_CREATE2:
    case OP_CREATE_TTL:
    case OP_CREATE_CONTAINER:
    case OP_DELETE:
    case OP_DELETE_CONTAINER:
    case OP_SET_DATA:
    case OP_CHECK:
    case OP_ERROR:
        return true;
    default:
        return false;
    }
}

static int part_decode(const struct jute_reader *reader, const struct jute_txn *txn, struct txn_part *part,
                       struct error *error)
{
    struct jute_reader inner;
    jute_reader_init(&inner, txn->data.bytes, txn->data.size > 0 ? (size_t)txn->data.size : 0, reader->arena);
    inner.limit = reader->limit;
    *part = (struct txn_part){.type = txn->type, .body.is_present = true};
    if (!may_be_in_multi(txn->type))
        return error_set(error, ZK_CORRUPT, "type %" PRId32 " in a multi transaction", txn->type);
    read_single(&inner, txn->type, false, &part->body);
    if (jute_error(&inner) != ZK_OK)
        return error_set(error, ZK_CORRUPT, "transaction of type %" PRId32 " in a multi is damaged (%s)", txn->type,
                         error_name(jute_error(&inner)));
    return ZK_OK;
}

/* One error makes errors of all parts. */
static void spread_error(struct txn_part *parts, int32_t count)
{
    bool has_failed = false;
    for (int32_t i = 0; i < count; i++)
        has_failed = has_failed || parts[i].type == OP_ERROR;
    if (!has_failed)
        return;
    int32_t err = ZK_OK;
    for (int32_t i = 0; i < count; i++) {
        if (parts[i].type == OP_ERROR) {
            err = ZK_RUNTIME_INCONSISTENCY;
            continue;
        }
        parts[i].type = OP_ERROR;
        parts[i].body.record.error.err = err;
    }
}

static int multi_decode(struct jute_reader *reader, struct txn_body *body, struct error *error)
{
    struct multi_txn multi;
    jute_read_multi_txn(reader, &multi);
    if (jute_error(reader) != ZK_OK || multi.txns.count <= 0)
        return ZK_OK;
    struct txn_part *parts = arena_alloc(reader->arena, (size_t)multi.txns.count * sizeof(parts[0]));
    for (int32_t i = 0; i < multi.txns.count; i++) {
        int err = part_decode(reader, &multi.txns.items[i], &parts[i], error);
        if (err != ZK_OK)
            return err;
    }
    spread_error(parts, multi.txns.count);
    body->record.multi.items = parts;
    body->record.multi.count = multi.txns.count;
    return ZK_OK;
}

static bool digest_decode(struct jute_reader *reader, const struct txn_rules *rules, struct txn_digest *ret_digest)
{
    if (!rules->digest_enabled || jute_left(reader) < DIGEST_SIZE)
        return false;
    jute_read_txn_digest(reader, ret_digest);
    return true;
}

static void multi_encode(const struct txn_body *body, struct buffer *out)
{
    jute_write_int32(out, body->record.multi.count);
    for (int32_t i = 0; i < body->record.multi.count; i++) {
        const struct txn_part *part = &body->record.multi.items[i];
        jute_write_int32(out, part->type);
        size_t length_at = out->size;
        jute_write_int32(out, 0);
        txn_body_encode_record(part->type, &part->body, out);
        store_be32(out->bytes + length_at, (uint32_t)(out->size - length_at - sizeof(int32_t)));
    }
}

static void print_type(int32_t type, struct buffer *out)
{
    const char *name = op_code_name(type);
    if (name != NULL)
        buffer_append_string(out, name);
    else
        buffer_printf(out, "unknown %" PRId32, type);
}

/* Strings of the log come from clients: what could steer a terminal or forge a line is escaped. */
static void print_text(const void *bytes, int32_t size, struct buffer *out)
{
    const uint8_t *at = bytes;
    for (int32_t i = 0; i < size; i++) {
        if (at[i] < 0x20 || at[i] == 0x7f)
            buffer_printf(out, "\\x%02x", at[i]);
        else
            buffer_append_byte(out, at[i]);
    }
}

static void print_path_and_data(struct ustring path, struct jute_buffer data, struct buffer *out)
{
    print_text(path.bytes, path.size, out);
    buffer_append_byte(out, ',');
    print_text(data.bytes, data.size, out);
}

static void print_acl(const struct zk_acl_vector *acl, struct buffer *out)
{
    if (acl->count < 0) {
        buffer_append_string(out, ",null");
        return;
    }
    buffer_append_string(out, ",[");
    for (int32_t i = 0; i < acl->count; i++) {
        buffer_printf(out, "%s%" PRId32 ",s{'", i > 0 ? ", " : "", acl->items[i].perms);
        print_text(acl->items[i].id.scheme.bytes, acl->items[i].id.scheme.size, out);
        buffer_append_string(out, ",'");
        print_text(acl->items[i].id.id.bytes, acl->items[i].id.id.size, out);
        buffer_append_byte(out, '}');
    }
    buffer_append_byte(out, ']');
}

static void print_create(const struct create_txn *create, struct buffer *out)
{
    print_path_and_data(create->path, create->data, out);
    print_acl(&create->acl, out);
    buffer_printf(out, ",%s,%" PRId32, create->ephemeral ? "true" : "false", create->parent_c_version);
}

static void print_close_session(const struct close_session_txn *close_session, struct buffer *out)
{
    buffer_append_string(out, "v{");
    for (int32_t i = 0; i < close_session->paths2_delete.count; i++) {
        struct ustring path = close_session->paths2_delete.items[i];
        buffer_append_string(out, i > 0 ? ",'" : "'");
        print_text(path.bytes, path.size, out);
    }
    buffer_append_byte(out, '}');
}

static void print_single(int32_t type, const struct txn_body *body, struct buffer *out)
{
    switch (type) {
    case OP_CREATE:
    case OP_CREATE2:
        print_create(&body->record.create, out);
        break;
    case OP_CREATE_TTL:
        print_path_and_data(body->record.create_ttl.path, body->record.create_ttl.data, out);
        print_acl(&body->record.create_ttl.acl, out);
        buffer_printf(out, ",%" PRId32 ",%" PRId64, body->record.create_ttl.parent_c_version,
                      body->record.create_ttl.ttl);
        break;
    case OP_CREATE_CONTAINER:
        print_path_and_data(body->record.create_container.path, body->record.create_container.data, out);
        print_acl(&body->record.create_container.acl, out);
        buffer_printf(out, ",%" PRId32, body->record.create_container.parent_c_version);
        break;
    case OP_DELETE:
    case OP_DELETE_CONTAINER:
        buffer_append_byte(out, '\'');
        print_text(body->record.remove.path.bytes, body->record.remove.path.size, out);
        break;
    case OP_SET_DATA:
    case OP_RECONFIG:
        print_path_and_data(body->record.set_data.path, body->record.set_data.data, out);
        buffer_printf(out, ",%" PRId32, body->record.set_data.version);
        break;
    case OP_SET_ACL:
        buffer_append_byte(out, '\'');
        print_text(body->record.set_acl.path.bytes, body->record.set_acl.path.size, out);
        print_acl(&body->record.set_acl.acl, out);
        buffer_printf(out, ",%" PRId32, body->record.set_acl.version);
        break;
    case OP_CHECK:
        buffer_append_byte(out, '\'');
        print_text(body->record.check.path.bytes, body->record.check.path.size, out);
        buffer_printf(out, ",%" PRId32, body->record.check.version);
        break;
    case OP_CREATE_SESSION:
        buffer_printf(out, "%" PRId32, body->record.create_session.time_out);
        break;
    case OP_CLOSE_SESSION:
        print_close_session(&body->record.close_session, out);
        break;
    case OP_ERROR:
        buffer_printf(out, "%" PRId32, body->record.error.err);
        break;
    default:
        break;
    }
}

static void print_multi(const struct txn_body *body, struct buffer *out)
{
    for (int32_t i = 0; i < body->record.multi.count; i++) {
        const struct txn_part *part = &body->record.multi.items[i];
        if (i > 0)
            buffer_append_byte(out, ';');
        print_type(part->type, out);
        buffer_append_byte(out, ':');
        print_single(part->type, &part->body, out);
    }
}

/* As DateFormat.SHORT and LONG print it in the language of the JDK's default: "1/31/26, 3:12:07 PM UTC". */
static void print_time(int64_t wall_ms, struct buffer *out)
{
    struct tm local;
    clock_local_time(wall_ms, &local);
    int hour = local.tm_hour % 12 == 0 ? 12 : local.tm_hour % 12;
    buffer_printf(out, "%d/%d/%02d, %d:%02d:%02d %s %s", local.tm_mon + 1, local.tm_mday, local.tm_year % 100, hour,
                  local.tm_min, local.tm_sec, local.tm_hour < 12 ? "AM" : "PM", local.tm_zone);
}

/*
 * A leader with closeSessionTxn.enabled=false writes no record, and a digest behind it. Those 12 bytes are no list of
 * paths: one of as many as the digest's version says would be longer, unless paths were empty. (Java takes the one for
 * the other where servers differ in the option.)
 */
static bool has_close_session_record(const struct jute_reader *reader)
{
    return jute_left(reader) != DIGEST_SIZE || load_be32(reader->at) != DIGEST_VERSION;
}

int txn_body_decode(struct jute_reader *reader, const struct txn_rules *rules, struct txn_header *ret_header,
                    struct txn_body *ret_body, bool *ret_has_digest, struct txn_digest *ret_digest,
                    struct error *error)
{
    struct txn_header header;
    struct txn_body body = {0};
    jute_read_txn_header(reader, &header);
    if (jute_error(reader) != ZK_OK)
        return error_set(error, ZK_CORRUPT, "transaction header is damaged (%s)", error_name(jute_error(reader)));
    if (header.type != OP_CLOSE_SESSION || has_close_session_record(reader)) {
        int err = txn_body_decode_record(reader, header.type, &body, error);
        if (err != ZK_OK)
            return error_prefix(error, "zxid 0x%" PRIx64, (uint64_t)header.zxid);
    }
    struct txn_digest digest = {0};
    bool has_digest = digest_decode(reader, rules, &digest);
    *ret_header = header;
    *ret_body = body;
    *ret_has_digest = has_digest;
    if (has_digest)
        *ret_digest = digest;
    return ZK_OK;
}

int txn_body_decode_record(struct jute_reader *reader, int32_t type, struct txn_body *ret_body, struct error *error)
{
    struct txn_body body = {.is_present = true};
    if (type == OP_MULTI) {
        int err = multi_decode(reader, &body, error);
        if (err != ZK_OK)
            return err;
    } else if (!read_single(reader, type, true, &body)) {
        return error_set(error, ZK_CORRUPT, "transaction of unknown type %" PRId32, type);
    }
    if (jute_error(reader) != ZK_OK)
        return error_set(error, ZK_CORRUPT, "transaction of type %" PRId32 " is damaged (%s)", type,
                         error_name(jute_error(reader)));
    *ret_body = body;
    return ZK_OK;
}

void txn_body_encode(const struct txn_header *header, const struct txn_body *body, const struct txn_digest *digest,
                     struct buffer *out)
{
    jute_write_txn_header(out, header);
    txn_body_encode_record(header->type, body, out);
    if (digest != NULL)
        jute_write_txn_digest(out, digest);
}

void txn_body_encode_record(int32_t type, const struct txn_body *body, struct buffer *out)
{
    if (!body->is_present)
        return;
    switch (type) {
    case OP_CREATE:
    case OP_CREATE2:
        jute_write_create_txn(out, &body->record.create);
        break;
    case OP_CREATE_TTL:
        jute_write_create_ttl_txn(out, &body->record.create_ttl);
        break;
    case OP_CREATE_CONTAINER:
        jute_write_create_container_txn(out, &body->record.create_container);
        break;
    case OP_DELETE:
    case OP_DELETE_CONTAINER:
        jute_write_delete_txn(out, &body->record.remove);
        break;
    case OP_SET_DATA:
    case OP_RECONFIG:
        jute_write_set_data_txn(out, &body->record.set_data);
        break;
    case OP_SET_ACL:
        jute_write_set_acl_txn(out, &body->record.set_acl);
        break;
    case OP_CHECK:
        jute_write_check_version_txn(out, &body->record.check);
        break;
    case OP_CREATE_SESSION:
        jute_write_create_session_txn(out, &body->record.create_session);
        break;
    case OP_CLOSE_SESSION:
        jute_write_close_session_txn(out, &body->record.close_session);
        break;
    case OP_ERROR:
        jute_write_error_txn(out, &body->record.error);
        break;
    case OP_MULTI:
        multi_encode(body, out);
        break;
    default:
        break;
    }
}

void txn_body_print(const struct txn_header *header, const struct txn_body *body, struct buffer *out)
{
    print_time(header->time, out);
    buffer_printf(out, " session 0x%" PRIx64 " cxid 0x%" PRIx32 " zxid 0x%" PRIx64 " ", (uint64_t)header->client_id,
                  (uint32_t)header->cxid, (uint64_t)header->zxid);
    print_type(header->type, out);
    buffer_append_byte(out, ' ');
    if (!body->is_present)
        return;
    if (header->type == OP_MULTI)
        print_multi(body, out);
    else
        print_single(header->type, body, out);
}
