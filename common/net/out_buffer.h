/*
 * Bytes on their way out: a chain of own chunks and references to blobs, written with one gather call. Not locked.
 */
#ifndef ZKC_COMMON_NET_OUT_BUFFER_H
#define ZKC_COMMON_NET_OUT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/blob.h"
#include "common/net/stream.h"

struct out_part;
struct out_buffer {
    struct out_part *first, *last;
    size_t size;    /* bytes not yet written */
};

/* {0} is an empty one. */
void out_buffer_release(struct out_buffer *out);
void out_buffer_append(struct out_buffer *out, const void *bytes, size_t size);
/* References part of a blob; small parts are copied instead. Takes a reference of its own. */
void out_buffer_append_blob(struct out_buffer *out, struct blob *blob, size_t offset, size_t size);
/* Moves all of `from` behind what is in `to`, in constant time. */
void out_buffer_move(struct out_buffer *to, struct out_buffer *from);
/* Writes until it is empty or the stream says ZK_AGAIN. ZK_OK: empty. ZK_AGAIN, ZK_IO as the stream. */
int out_buffer_write(struct out_buffer *out, struct stream *stream, uint64_t *ret_written);

#endif
