/*
 * A compression as two filters: bytes to a file, and bytes from a file. Each of snap_gzip.c, snap_snappy.c and the
 * plain one in snap_stream.c is a row of functions. Internal to snap_stream; one thread.
 */
#ifndef ZKC_SERVER_PERSISTENCE_SNAP_CODEC_H
#define ZKC_SERVER_PERSISTENCE_SNAP_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/file.h"

/* The file as a codec sees it: read from the front. */
struct file_input {
    struct file *file;
    int64_t offset;    /* of the next byte */
};
/* Up to `size` bytes; *ret_read is less only at the end. */
int file_input_read(struct file_input *input, void *bytes, size_t size, size_t *ret_read, struct error *error);

struct snap_encoder {
    int (*write)(struct snap_encoder *self, const uint8_t *bytes, size_t size, struct error *error);
    int (*finish)(struct snap_encoder *self, struct error *error);    /* writes what it still holds */
    void (*free)(struct snap_encoder *self);
};
struct snap_decoder {
    /* Between 1 and `size` bytes; *ret_read 0 at a proper end. ZK_CORRUPT for anything malformed or cut short. */
    int (*read)(struct snap_decoder *self, uint8_t *bytes, size_t size, size_t *ret_read, struct error *error);
    void (*free)(struct snap_decoder *self);
};

struct snap_encoder *snap_gzip_encoder_new(struct file *file);
struct snap_decoder *snap_gzip_decoder_new(struct file *file);
struct snap_encoder *snap_snappy_encoder_new(struct file *file);
struct snap_decoder *snap_snappy_decoder_new(struct file *file);

#define SNAP_GZIP_MAGIC_SIZE 2
#define SNAP_SNAPPY_MAGIC_SIZE 8
extern const uint8_t snap_gzip_magic[SNAP_GZIP_MAGIC_SIZE];
extern const uint8_t snap_snappy_magic[SNAP_SNAPPY_MAGIC_SIZE];

#endif
