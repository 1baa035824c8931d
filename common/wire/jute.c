/*
 * jute.c - the primitives that every record is made of, read from bytes and appended to a buffer.
 *
 * Mirrors BinaryInputArchive and BinaryOutputArchive, with what Java's strings do to text on the way: malformed UTF-8
 * becomes U+FFFD when it is read, and a character beyond U+FFFF is written as two surrogates of three bytes each (which
 * Java itself then reads as malformed). No state but the cursor; any thread that owns it.
 */
#include "common/wire/jute.h"

#include <assert.h>

#include "common/base/strings.h"

enum { LEAST_USTRING = 4 };

/* Keeps the first error and leaves nothing to read. */
static void fail(struct jute_reader *reader, int error)
{
    if (reader->error == ZK_OK)
        reader->error = error;
    reader->at = reader->end;
}

/* The next `size` bytes, NULL if they are not there. */
static const uint8_t *take(struct jute_reader *reader, size_t size)
{
    if (reader->error != ZK_OK)
        return NULL;
    if (jute_left(reader) < size) {
        fail(reader, ZK_EOF);
        return NULL;
    }
    const uint8_t *bytes = reader->at;
    reader->at += size;
    return bytes;
}

/* The bytes behind a length; *ret_size is -1 for null and for an error. */
static const uint8_t *take_counted(struct jute_reader *reader, int32_t *ret_size)
{
    *ret_size = -1;
    int32_t size = jute_read_int32(reader);
    if (reader->error != ZK_OK || size == -1)
        return NULL;
    if (size < 0 || size > reader->limit) {
        fail(reader, ZK_MARSHALLING_ERROR);
        return NULL;
    }
    const uint8_t *bytes = take(reader, (size_t)size);
    if (bytes != NULL)
        *ret_size = size;
    return bytes;
}

static bool is_ascii(const uint8_t *bytes, size_t size)
{
    uint64_t word;
    while (size >= sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            return false;
        bytes += sizeof(word);
        size -= sizeof(word);
    }
    for (size_t i = 0; i < size; i++)
        if (bytes[i] >= 0x80)
            return false;
    return true;
}

static bool is_surrogate_pair(const uint8_t *bytes, size_t left)
{
    return bytes[0] >= 0xf0 && left >= 4;
}

static void append_surrogate(struct buffer *out, uint32_t unit)
{
    buffer_append_byte(out, (uint8_t)(0xe0 | unit >> 12));
    buffer_append_byte(out, (uint8_t)(0x80 | (unit >> 6 & 0x3f)));
    buffer_append_byte(out, (uint8_t)(0x80 | (unit & 0x3f)));
}

/* Text with characters beyond ASCII. */
static void append_java_text(struct buffer *out, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size;) {
        if (!is_surrogate_pair(bytes + i, size - i)) {
            buffer_append_byte(out, bytes[i++]);
            continue;
        }
        uint32_t code = (uint32_t)(bytes[i] & 0x07) << 18 | (uint32_t)(bytes[i + 1] & 0x3f) << 12 |
                        (uint32_t)(bytes[i + 2] & 0x3f) << 6 | (bytes[i + 3] & 0x3f);
        append_surrogate(out, 0xd800 + ((code - 0x10000) >> 10 & 0x3ff));
        append_surrogate(out, 0xdc00 + ((code - 0x10000) & 0x3ff));
        i += 4;
    }
}

void jute_reader_init(struct jute_reader *reader, const void *bytes, size_t size, struct arena *arena)
{
    static const uint8_t nothing[1];
    const uint8_t *start = bytes != NULL ? bytes : nothing;
    assert(bytes != NULL || size == 0);
    *reader = (struct jute_reader){.at = start, .end = start + size, .arena = arena, .limit = JUTE_LIMIT_DEFAULT};
}

bool jute_read_boolean(struct jute_reader *reader)
{
    return jute_read_byte(reader) != 0;
}

int8_t jute_read_byte(struct jute_reader *reader)
{
    const uint8_t *bytes = take(reader, 1);
    return bytes == NULL ? 0 : (int8_t)bytes[0];
}

int32_t jute_read_int32(struct jute_reader *reader)
{
    const uint8_t *bytes = take(reader, sizeof(int32_t));
    return bytes == NULL ? 0 : (int32_t)load_be32(bytes);
}

int64_t jute_read_int64(struct jute_reader *reader)
{
    const uint8_t *bytes = take(reader, sizeof(int64_t));
    return bytes == NULL ? 0 : (int64_t)load_be64(bytes);
}

struct ustring jute_read_ustring(struct jute_reader *reader)
{
    int32_t size;
    const uint8_t *bytes = take_counted(reader, &size);
    if (bytes == NULL)
        return USTRING_NULL;
    const char *text = (const char *)bytes;
    if (is_ascii(bytes, (size_t)size) || utf8_is_valid(text, (size_t)size))
        return (struct ustring){text, size};
    size_t repaired_size;
    const char *repaired = utf8_repair(reader->arena, text, (size_t)size, &repaired_size);
    if (repaired_size > INT32_MAX) {
        fail(reader, ZK_MARSHALLING_ERROR);
        return USTRING_NULL;
    }
    return (struct ustring){repaired, (int32_t)repaired_size};
}

struct jute_buffer jute_read_buffer(struct jute_reader *reader)
{
    int32_t size;
    const uint8_t *bytes = take_counted(reader, &size);
    return (struct jute_buffer){bytes, size};
}

int32_t jute_read_count(struct jute_reader *reader, size_t least_size)
{
    int32_t count = jute_read_int32(reader);
    if (count <= 0)
        return count == -1 ? -1 : 0;
    if ((size_t)count > jute_left(reader) / least_size) {
        fail(reader, ZK_EOF);
        return 0;
    }
    return count;
}

struct ustring_vector jute_read_ustring_vector(struct jute_reader *reader)
{
    struct ustring_vector vector = {NULL, jute_read_count(reader, LEAST_USTRING)};
    if (vector.count <= 0)
        return vector;
    vector.items = arena_alloc(reader->arena, (size_t)vector.count * sizeof(vector.items[0]));
    for (int32_t i = 0; i < vector.count; i++)
        vector.items[i] = jute_read_ustring(reader);
    return vector;
}

void jute_write_boolean(struct buffer *out, bool value)
{
    buffer_append_byte(out, value ? 1 : 0);
}

void jute_write_byte(struct buffer *out, int8_t value)
{
    buffer_append_byte(out, (uint8_t)value);
}

void jute_write_int32(struct buffer *out, int32_t value)
{
    store_be32(buffer_extend(out, sizeof(value)), (uint32_t)value);
}

void jute_write_int64(struct buffer *out, int64_t value)
{
    store_be64(buffer_extend(out, sizeof(value)), (uint64_t)value);
}

void jute_write_ustring(struct buffer *out, struct ustring value)
{
    if (value.size < 0) {
        jute_write_int32(out, -1);
        return;
    }
    const uint8_t *bytes = (const uint8_t *)value.bytes;
    size_t size = (size_t)value.size;
    size_t pairs = 0;
    if (!is_ascii(bytes, size))
        for (size_t i = 0; i < size; i++)
            pairs += is_surrogate_pair(bytes + i, size - i);
    size_t written = size + 2 * pairs;
    assert(written <= INT32_MAX);
    jute_write_int32(out, (int32_t)written);
    if (pairs == 0)
        buffer_append(out, bytes, size);
    else
        append_java_text(out, bytes, size);
}

void jute_write_string(struct buffer *out, const char *value)
{
    jute_write_ustring(out, ustring_of(value));
}

void jute_write_buffer(struct buffer *out, struct jute_buffer value)
{
    jute_write_int32(out, value.size < 0 ? -1 : value.size);
    if (value.size > 0)
        buffer_append(out, value.bytes, (size_t)value.size);
}

void jute_write_ustring_vector(struct buffer *out, struct ustring_vector value)
{
    jute_write_int32(out, value.count < 0 ? -1 : value.count);
    for (int32_t i = 0; i < value.count; i++)
        jute_write_ustring(out, value.items[i]);
}
