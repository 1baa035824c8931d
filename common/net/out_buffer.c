/*
 * out_buffer.c - a chain of own chunks and references to blobs.
 *
 *   first -> [ own: 512 B .. 64 KiB ] -> [ blob, from..to ] -> [ own ] <- last
 *                 from^      ^to                                 ^ what is appended goes here while there is room
 *
 * A reference costs a part and an I/O vector, a copy costs its bytes: below 1 KiB the copy is cheaper.
 */
#include "common/net/out_buffer.h"

#include <assert.h>
#include <string.h>

#include "common/base/memory.h"

#define FIRST_CHUNK ((size_t)512)    /* a reply or two: many connections have no more, all at once */
#define LAST_CHUNK ((size_t)65536)
#define LEAST_REFERENCE ((size_t)1024)
#define MOST_VECTORS 64

struct out_part {
    struct out_part *next;
    struct blob *blob;        /* NULL: an own chunk */
    const uint8_t *bytes;     /* the blob's or `own` */
    size_t from, to;          /* what is not written yet */
    size_t capacity;          /* of `own` */
    uint8_t own[];
};

static struct out_part *part_new(struct out_buffer *out, size_t capacity)
{
    struct out_part *part = memory_alloc(sizeof(*part) + capacity);
    *part = (struct out_part){ .capacity = capacity };
    part->bytes = part->own;
    if (out->last != NULL)
        out->last->next = part;
    else
        out->first = part;
    out->last = part;
    return part;
}

static void part_free(struct out_part *part)
{
    blob_unref(part->blob);
    memory_free(part);
}

/* Twice the chunk before it, and enough for a large piece at once. */
static size_t next_capacity(const struct out_buffer *out, size_t size)
{
    size_t capacity = out->last != NULL ? 2 * out->last->capacity : FIRST_CHUNK;
    if (capacity < FIRST_CHUNK)
        capacity = FIRST_CHUNK;
    while (capacity < LAST_CHUNK && capacity < size)
        capacity *= 2;
    return capacity < LAST_CHUNK ? capacity : LAST_CHUNK;
}

static void consume(struct out_buffer *out, size_t size)
{
    assert(size <= out->size);
    out->size -= size;
    while (out->first != NULL && size >= out->first->to - out->first->from) {
        struct out_part *part = out->first;
        size -= part->to - part->from;
        out->first = part->next;
        part_free(part);
    }
    if (out->first == NULL)
        out->last = NULL;
    else
        out->first->from += size;
}

static int gather(const struct out_buffer *out, struct iovec vectors[MOST_VECTORS])
{
    int count = 0;
    for (struct out_part *part = out->first; part != NULL && count < MOST_VECTORS; part = part->next) {
        vectors[count++] = (struct iovec){
            .iov_base = (void *)(part->bytes + part->from),    /* only read */
            .iov_len = part->to - part->from,
        };
    }
    return count;
}

void out_buffer_release(struct out_buffer *out)
{
    struct out_part *part = out->first;
    while (part != NULL) {
        struct out_part *next = part->next;
        part_free(part);
        part = next;
    }
    *out = (struct out_buffer){ 0 };
}

void out_buffer_append(struct out_buffer *out, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    out->size += size;
    while (size > 0) {
        struct out_part *part = out->last;
        if (part == NULL || part->to == part->capacity || part->blob != NULL)
            part = part_new(out, next_capacity(out, size));
        size_t room = part->capacity - part->to;
        size_t step = size < room ? size : room;
        memcpy(part->own + part->to, at, step);
        part->to += step;
        at += step;
        size -= step;
    }
}

void out_buffer_append_blob(struct out_buffer *out, struct blob *blob, size_t offset, size_t size)
{
    assert(offset <= blob->size && size <= blob->size - offset);
    if (size < LEAST_REFERENCE) {
        out_buffer_append(out, blob->bytes + offset, size);
        return;
    }
    struct out_part *part = part_new(out, 0);
    part->blob = blob_ref(blob);
    part->bytes = blob->bytes;
    part->from = offset;
    part->to = offset + size;
    out->size += size;
}

void out_buffer_move(struct out_buffer *to, struct out_buffer *from)
{
    assert(to != from);
    if (from->first == NULL)
        return;
    if (to->last != NULL)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    to->size += from->size;
    *from = (struct out_buffer){ 0 };
}

int out_buffer_write(struct out_buffer *out, struct stream *stream, uint64_t *ret_written)
{
    uint64_t total = 0;
    int err = ZK_OK;
    while (out->size > 0) {
        struct iovec vectors[MOST_VECTORS] LEFT_AS_IT_IS;
        size_t written = 0;
        err = stream_write(stream, vectors, gather(out, vectors), &written);
        if (err != ZK_OK)
            break;
        consume(out, written);
        total += written;
    }
    *ret_written = total;
    return err;
}
