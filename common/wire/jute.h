/*
 * Jute primitives: big-endian numbers, length-prefixed strings and buffers, counted vectors. Mirrors BinaryInputArchive
 * and BinaryOutputArchive.
 *
 * The reader keeps its first error, returns zeros after it, and so one reads a whole record and asks jute_error() once.
 * Strings and buffers point into the bytes they came from, which must outlive the record; a string that is not valid
 * UTF-8 is repaired as Java does, into the arena. Every count is held against the bytes that are left before anything
 * is allocated.
 */
#ifndef ZKC_COMMON_WIRE_JUTE_H
#define ZKC_COMMON_WIRE_JUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/error.h"

/* A ustring, not terminated; size -1 is Java's null. May contain zero bytes. */
struct ustring {
    const char *bytes;
    int32_t size;
};
struct jute_buffer {    /* size -1 is Java's null */
    const uint8_t *bytes;
    int32_t size;
};
struct ustring_vector {    /* count -1 is Java's null */
    struct ustring *items;
    int32_t count;
};

#define USTRING_NULL ((struct ustring){NULL, -1})
static inline struct ustring ustring_of(const char *string)
{
    return string == NULL ? USTRING_NULL : (struct ustring){string, (int32_t)strlen(string)};
}
static inline bool ustring_equal(struct ustring a, struct ustring b)
{
    return a.size == b.size && (a.size <= 0 || memcmp(a.bytes, b.bytes, (size_t)a.size) == 0);
}
static inline bool ustring_is(struct ustring a, const char *string)
{
    return ustring_equal(a, ustring_of(string));
}

/* Java's jute.maxbuffer plus jute.maxbuffer.extrasize when neither is set. */
#define JUTE_LIMIT_DEFAULT (2 * 0xfffff)

struct jute_reader {
    const uint8_t *at, *end;
    struct arena *arena;    /* vectors and repaired strings; borrowed */
    int error;              /* ZK_OK, ZK_EOF (bytes ran out) or ZK_MARSHALLING_ERROR (a length that cannot be) */
    int32_t limit;          /* longest string or buffer accepted: jute.maxbuffer + extra */
};
/* The limit is JUTE_LIMIT_DEFAULT until the caller sets another. */
void jute_reader_init(struct jute_reader *reader, const void *bytes, size_t size, struct arena *arena);
static inline int jute_error(const struct jute_reader *reader) { return reader->error; }
static inline size_t jute_left(const struct jute_reader *reader) { return (size_t)(reader->end - reader->at); }

bool jute_read_boolean(struct jute_reader *reader);
int8_t jute_read_byte(struct jute_reader *reader);
int32_t jute_read_int32(struct jute_reader *reader);
int64_t jute_read_int64(struct jute_reader *reader);
struct ustring jute_read_ustring(struct jute_reader *reader);
struct jute_buffer jute_read_buffer(struct jute_reader *reader);
/* The count of a vector: -1 for null, and as in Java any other negative count is an empty vector. A count that the
 * bytes left cannot hold, at `least_size` bytes an item, sets ZK_EOF and returns 0. */
int32_t jute_read_count(struct jute_reader *reader, size_t least_size);
struct ustring_vector jute_read_ustring_vector(struct jute_reader *reader);

void jute_write_boolean(struct buffer *out, bool value);
void jute_write_byte(struct buffer *out, int8_t value);
void jute_write_int32(struct buffer *out, int32_t value);
void jute_write_int64(struct buffer *out, int64_t value);
/* As BinaryOutputArchive: a character beyond U+FFFF goes out as its two surrogates, three bytes each. */
void jute_write_ustring(struct buffer *out, struct ustring value);
void jute_write_string(struct buffer *out, const char *value);    /* NULL is null */
void jute_write_buffer(struct buffer *out, struct jute_buffer value);
void jute_write_ustring_vector(struct buffer *out, struct ustring_vector value);

/* Raw big-endian numbers for headers and patches. */
static inline uint32_t load_be32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}
static inline uint64_t load_be64(const uint8_t *b) { return (uint64_t)load_be32(b) << 32 | load_be32(b + 4); }
static inline void store_be32(uint8_t *b, uint32_t v)
{
    b[0] = (uint8_t)(v >> 24);
    b[1] = (uint8_t)(v >> 16);
    b[2] = (uint8_t)(v >> 8);
    b[3] = (uint8_t)v;
}
static inline void store_be64(uint8_t *b, uint64_t v)
{
    store_be32(b, (uint32_t)(v >> 32));
    store_be32(b + 4, (uint32_t)v);
}

#endif
