/*
 * records.c - reader, writer and printer of every record, grown from the lists in records.h.
 *
 * Mirrors the classes that jute generates. Printed text is for people: it has names, numbers and strings, zxids and
 * session ids in hexadecimal, and of a buffer the size only, since buffers hold data, passwords and tokens.
 */
#include "common/wire/records.h"

#include <inttypes.h>
#include <stddef.h>

/* Bytes an item takes at the least. */
#define LEAST_FIELD(type, name) +LEAST_##type
#define LEAST_VECTOR(type, name) +4
enum {
    LEAST_boolean = 1,
    LEAST_int32 = 4,
    LEAST_int64 = 8,
    LEAST_ustring = 4,
    LEAST_buffer = 4,
    LEAST_zk_id = 0 ZK_ID_FIELDS(LEAST_FIELD, LEAST_VECTOR),
    LEAST_zk_acl = 0 ZK_ACL_FIELDS(LEAST_FIELD, LEAST_VECTOR),
    LEAST_client_info = 0 CLIENT_INFO_FIELDS(LEAST_FIELD, LEAST_VECTOR),
    LEAST_jute_txn = 0 JUTE_TXN_FIELDS(LEAST_FIELD, LEAST_VECTOR)
};

/* How each type of a row is read, written and printed. */
#define READ_boolean(to) (to) = jute_read_boolean(reader)
#define READ_int32(to) (to) = jute_read_int32(reader)
#define READ_int64(to) (to) = jute_read_int64(reader)
#define READ_ustring(to) (to) = jute_read_ustring(reader)
#define READ_buffer(to) (to) = jute_read_buffer(reader)
#define READ_zk_id(to) jute_read_zk_id(reader, &(to))
#define READ_zk_acl(to) jute_read_zk_acl(reader, &(to))
#define READ_zk_stat(to) jute_read_zk_stat(reader, &(to))

#define WRITE_boolean(from) jute_write_boolean(out, from)
#define WRITE_int32(from) jute_write_int32(out, from)
#define WRITE_int64(from) jute_write_int64(out, from)
#define WRITE_ustring(from) jute_write_ustring(out, from)
#define WRITE_buffer(from) jute_write_buffer(out, from)
#define WRITE_zk_id(from) jute_write_zk_id(out, &(from))
#define WRITE_zk_acl(from) jute_write_zk_acl(out, &(from))
#define WRITE_zk_stat(from) jute_write_zk_stat(out, &(from))

#define PRINT_boolean(name, from) buffer_append_string(out, (from) ? "true" : "false")
#define PRINT_int32(name, from) buffer_printf(out, "%" PRId32, from)
#define PRINT_int64(name, from) print_int64(out, name, from)
#define PRINT_ustring(name, from) print_ustring(out, from)
#define PRINT_buffer(name, from) print_buffer(out, from)
#define PRINT_zk_id(name, from) jute_print_zk_id(out, &(from))
#define PRINT_zk_acl(name, from) jute_print_zk_acl(out, &(from))
#define PRINT_zk_stat(name, from) jute_print_zk_stat(out, &(from))

static void print_int64(struct buffer *out, const char *name, int64_t value)
{
    static const char *const in_hex[] = {"zxid", "session_id", "client_id", "ephemeral_owner", "digest", "magic"};
    for (size_t i = 0; i < sizeof(in_hex) / sizeof(in_hex[0]); i++) {
        if (strstr(name, in_hex[i]) != NULL) {
            buffer_printf(out, "0x%" PRIx64, (uint64_t)value);
            return;
        }
    }
    buffer_printf(out, "%" PRId64, value);
}

static void print_ustring(struct buffer *out, struct ustring value)
{
    if (value.size < 0) {
        buffer_append_string(out, "null");
        return;
    }
    buffer_append_byte(out, '"');
    for (int32_t i = 0; i < value.size; i++) {
        uint8_t byte = (uint8_t)value.bytes[i];
        if (byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\')
            buffer_printf(out, "\\x%02x", byte);
        else
            buffer_append_byte(out, byte);
    }
    buffer_append_byte(out, '"');
}

static void print_buffer(struct buffer *out, struct jute_buffer value)
{
    if (value.size < 0)
        buffer_append_string(out, "null");
    else
        buffer_printf(out, "%" PRId32 " bytes", value.size);
}

/* "name=" before a value, with a comma when one went before. */
static void print_name(struct buffer *out, const char *separator, const char *name)
{
    buffer_append_string(out, separator);
    buffer_append_string(out, name);
    buffer_append_byte(out, '=');
}

static void jute_print_ustring(struct buffer *out, const struct ustring *value)
{
    print_ustring(out, *value);
}

#define PRINT_ITEMS(type, from) \
    do { \
        if ((from).count < 0) { \
            buffer_append_string(out, "null"); \
            break; \
        } \
        buffer_append_byte(out, '['); \
        for (int32_t i_ = 0; i_ < (from).count; i_++) { \
            if (i_ > 0) \
                buffer_append_string(out, ", "); \
            jute_print_##type(out, &(from).items[i_]); \
        } \
        buffer_append_byte(out, ']'); \
    } while (0)

#define DEFINE_VECTOR(type) \
    struct type##_vector jute_read_##type##_vector(struct jute_reader *reader) \
    { \
        struct type##_vector vector = {NULL, jute_read_count(reader, LEAST_##type)}; \
        if (vector.count <= 0) \
            return vector; \
        vector.items = arena_alloc(reader->arena, (size_t)vector.count * sizeof(vector.items[0])); \
        for (int32_t i = 0; i < vector.count; i++) \
            jute_read_##type(reader, &vector.items[i]); \
        return vector; \
    } \
    void jute_write_##type##_vector(struct buffer *out, struct type##_vector value) \
    { \
        jute_write_int32(out, value.count < 0 ? -1 : value.count); \
        for (int32_t i = 0; i < value.count; i++) \
            jute_write_##type(out, &value.items[i]); \
    }

#define READ_MEMBER(type, name) READ_##type(ret_record->name);
#define READ_VECTOR(type, name) ret_record->name = jute_read_##type##_vector(reader);
#define WRITE_MEMBER(type, name) WRITE_##type(record->name);
#define WRITE_VECTOR(type, name) jute_write_##type##_vector(out, record->name);
#define PRINT_MEMBER(type, name) \
    print_name(out, separator, #name); \
    PRINT_##type(#name, record->name); \
    separator = ", ";
#define PRINT_VECTOR(type, name) \
    print_name(out, separator, #name); \
    PRINT_ITEMS(type, record->name); \
    separator = ", ";

#define DEFINE_RECORD(record_name, FIELDS) \
    void jute_read_##record_name(struct jute_reader *reader, struct record_name *ret_record) \
    { \
        FIELDS(READ_MEMBER, READ_VECTOR) \
    } \
    void jute_write_##record_name(struct buffer *out, const struct record_name *record) \
    { \
        FIELDS(WRITE_MEMBER, WRITE_VECTOR) \
    } \
    void jute_print_##record_name(struct buffer *out, const struct record_name *record) \
    { \
        const char *separator = #record_name "{"; \
        FIELDS(PRINT_MEMBER, PRINT_VECTOR) \
        (void)separator; \
        buffer_append_byte(out, '}'); \
    }

WIRE_RECORDS(DEFINE_RECORD)

DEFINE_VECTOR(zk_id)
DEFINE_VECTOR(zk_acl)
DEFINE_VECTOR(client_info)
DEFINE_VECTOR(jute_txn)
