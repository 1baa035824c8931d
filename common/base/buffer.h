/* Bytes that grow. Not locked. */
#ifndef ZKC_COMMON_BASE_BUFFER_H
#define ZKC_COMMON_BASE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *bytes;
    size_t size, capacity;
};

/* {0} is an empty buffer. */
void buffer_release(struct buffer *buffer);
void buffer_clear(struct buffer *buffer);                              /* size 0, memory kept */
uint8_t *buffer_reserve(struct buffer *buffer, size_t size);           /* room for `size` more; where that begins */
/* As reserve, and counts it as written. */
static inline uint8_t *buffer_extend(struct buffer *buffer, size_t size)
{
    bool has_room = buffer->bytes != NULL && size <= buffer->capacity - buffer->size;
    uint8_t *start = has_room ? buffer->bytes + buffer->size : buffer_reserve(buffer, size);
    buffer->size += size;
    return start;
}
void buffer_append(struct buffer *buffer, const void *bytes, size_t size);
void buffer_append_string(struct buffer *buffer, const char *string);
void buffer_append_byte(struct buffer *buffer, uint8_t byte);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_vprintf(struct buffer *buffer, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
void buffer_consume(struct buffer *buffer, size_t size);               /* drops the first `size` bytes */

/* A terminating zero behind the bytes (not counted in size); valid until the next change. Never NULL. */
char *buffer_string(struct buffer *buffer);

/* The bytes with a terminating zero, now the caller's (memory_free); the buffer is empty afterwards. */
char *buffer_detach(struct buffer *buffer);

#endif
