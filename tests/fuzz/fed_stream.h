/* A stream that is fed from the input of a fuzz target, in pieces; what is written to it is kept or lost. */
#ifndef ZKC_TESTS_FUZZ_FED_STREAM_H
#define ZKC_TESTS_FUZZ_FED_STREAM_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/base/buffer.h"
#include "common/net/stream.h"

struct fed_stream {
    struct stream stream;      /* lives in this struct: closing it frees nothing but its descriptor */
    const uint8_t *at, *end;
    uint8_t pieces;            /* 0: as much as is asked for; else up to so many bytes at a time; odd: with waits */
    uint32_t state;            /* of the lengths of pieces */
    bool is_dry;               /* the next read says ZK_AGAIN */
    _Atomic size_t reads;
    struct buffer *written;    /* NULL: lost */
};
void fed_stream_init(struct fed_stream *fed, const uint8_t *bytes, size_t size, uint8_t pieces, struct buffer *written);

#endif
