/* buffer.c - bytes that grow, by doubling. Sizes from outside are bounded by the callers; overflow here is a bug. */
#include "common/base/buffer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base/memory.h"

#define FIRST_CAPACITY ((size_t)64)

void buffer_release(struct buffer *buffer)
{
    memory_free(buffer->bytes);
    *buffer = (struct buffer){ 0 };
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t size)
{
    if (buffer->bytes != NULL && size <= buffer->capacity - buffer->size)
        return buffer->bytes + buffer->size;
    assert(size <= SIZE_MAX / 2 - buffer->size);
    size_t wanted = buffer->size + size;
    size_t capacity = buffer->capacity > 0 ? 2 * buffer->capacity : FIRST_CAPACITY;
    if (capacity < wanted)
        capacity = wanted;
    buffer->bytes = memory_realloc(buffer->bytes, capacity);
    buffer->capacity = capacity;
    return buffer->bytes + buffer->size;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(buffer_extend(buffer, size), bytes, size);
}

void buffer_append_string(struct buffer *buffer, const char *string)
{
    buffer_append(buffer, string, strlen(string));
}

void buffer_append_byte(struct buffer *buffer, uint8_t byte)
{
    *buffer_extend(buffer, 1) = byte;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buffer_vprintf(buffer, format, args);
    va_end(args);
}

void buffer_vprintf(struct buffer *buffer, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    char *start = (char *)buffer_reserve(buffer, 1);
    int length = vsnprintf(start, buffer->capacity - buffer->size, format, args);
    assert(length >= 0);
    if ((size_t)length >= buffer->capacity - buffer->size) {
        start = (char *)buffer_reserve(buffer, (size_t)length + 1);
        vsnprintf(start, (size_t)length + 1, format, again);
    }
    va_end(again);
    buffer->size += (size_t)length;
}

void buffer_consume(struct buffer *buffer, size_t size)
{
    assert(size <= buffer->size);
    buffer->size -= size;
    if (buffer->size > 0)
        memmove(buffer->bytes, buffer->bytes + size, buffer->size);
}

char *buffer_string(struct buffer *buffer)
{
    *buffer_reserve(buffer, 1) = '\0';
    return (char *)buffer->bytes;
}

char *buffer_detach(struct buffer *buffer)
{
    char *string = buffer_string(buffer);
    *buffer = (struct buffer){ 0 };
    return string;
}
