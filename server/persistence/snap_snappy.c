/*
 * snap_snappy.c - snapshots in the framing of Java's SnappyOutputStream, blocks by libsnappy.
 *
 *   0x82 "SNAPPY" 0x00 | version 1 | oldest compatible version 1 | length, block | length, block | ...
 *
 * Numbers are big-endian, a block is at most 32 KiB before compression. Where a length should be, the first four bytes
 * of another such header may stand, as when two files were put together; it is skipped.
 */
#include <snappy-c.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/wire/jute.h"
#include "server/persistence/snap_codec.h"

#define BLOCK ((size_t)32 * 1024)
#define MOST_BLOCK ((size_t)1024 * 1024)    /* accepted from a file: other writers may be set to larger blocks */
#define HEADER_SIZE ((size_t)16)
#define VERSION 1

const uint8_t snap_snappy_magic[SNAP_SNAPPY_MAGIC_SIZE] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};

struct snappy_encoder {
    struct snap_encoder base;
    struct file *file;
    bool has_header;    /* written */
    size_t used;
    uint8_t block[BLOCK];
    size_t packed_capacity;
    uint8_t packed[];    /* 4 bytes for the length, then the compressed block */
};

struct snappy_decoder {
    struct snap_decoder base;
    struct file_input input;
    bool has_header;    /* read */
    uint8_t *packed, *block;    /* NULL before the first */
    size_t packed_capacity, block_capacity;
    size_t at, size;    /* of what is left of the block */
};

static int write_header(struct snappy_encoder *encoder, struct error *error)
{
    uint8_t header[HEADER_SIZE];
    memcpy(header, snap_snappy_magic, SNAP_SNAPPY_MAGIC_SIZE);
    store_be32(header + 8, VERSION);
    store_be32(header + 12, VERSION);
    encoder->has_header = true;
    return file_write(encoder->file, header, sizeof(header), error);
}

static int write_block(struct snappy_encoder *encoder, struct error *error)
{
    int err = encoder->has_header ? ZK_OK : write_header(encoder, error);
    if (err != ZK_OK || encoder->used == 0)
        return err;
    size_t packed_size = encoder->packed_capacity;
    if (snappy_compress((const char *)encoder->block, encoder->used, (char *)encoder->packed + 4, &packed_size) !=
        SNAPPY_OK)
        return error_set(error, ZK_IO, "libsnappy cannot compress a block for %s", file_path(encoder->file));
    store_be32(encoder->packed, (uint32_t)packed_size);
    encoder->used = 0;
    return file_write(encoder->file, encoder->packed, 4 + packed_size, error);
}

static int snappy_write(struct snap_encoder *self, const uint8_t *bytes, size_t size, struct error *error)
{
    struct snappy_encoder *encoder = container_of(self, struct snappy_encoder, base);
    while (size > 0) {
        size_t part = size < BLOCK - encoder->used ? size : BLOCK - encoder->used;
        memcpy(encoder->block + encoder->used, bytes, part);
        encoder->used += part;
        bytes += part;
        size -= part;
        int err = encoder->used == BLOCK ? write_block(encoder, error) : ZK_OK;
        if (err != ZK_OK)
            return err;
    }
    return ZK_OK;
}

static int snappy_finish(struct snap_encoder *self, struct error *error)
{
    return write_block(container_of(self, struct snappy_encoder, base), error);
}

static void snappy_encoder_free(struct snap_encoder *self)
{
    memory_free(container_of(self, struct snappy_encoder, base));
}

static int corrupt(const struct snappy_decoder *decoder, const char *reason, struct error *error)
{
    return error_set(error, ZK_CORRUPT, "%s is not a whole snappy file: %s before %lld", file_path(decoder->input.file),
                     reason, (long long)decoder->input.offset);
}

/* Exactly `size` bytes. */
static int read_whole(struct snappy_decoder *decoder, uint8_t *bytes, size_t size, struct error *error)
{
    size_t got;
    int err = file_input_read(&decoder->input, bytes, size, &got, error);
    if (err != ZK_OK)
        return err;
    return got == size ? ZK_OK : corrupt(decoder, "it ends too early", error);
}

/* A header, of which `known` bytes were read. */
static int read_header(struct snappy_decoder *decoder, uint8_t *header, size_t known, struct error *error)
{
    int err = read_whole(decoder, header + known, HEADER_SIZE - known, error);
    if (err != ZK_OK)
        return err;
    if (memcmp(header, snap_snappy_magic, SNAP_SNAPPY_MAGIC_SIZE) != 0)
        return corrupt(decoder, "there is no snappy header", error);
    if (load_be32(header + 12) > VERSION)
        return corrupt(decoder, "there is the header of a version that is not known", error);
    decoder->has_header = true;
    return ZK_OK;
}

static uint8_t *reserve(uint8_t *bytes, size_t *capacity, size_t size)
{
    if (bytes != NULL && size <= *capacity)
        return bytes;
    memory_free(bytes);
    *capacity = size;
    return memory_alloc(size);
}

static int unpack(struct snappy_decoder *decoder, size_t packed_size, struct error *error)
{
    if (packed_size > snappy_max_compressed_length(MOST_BLOCK))
        return corrupt(decoder, "a block has a length that cannot be", error);
    decoder->packed = reserve(decoder->packed, &decoder->packed_capacity, packed_size);
    int err = read_whole(decoder, decoder->packed, packed_size, error);
    if (err != ZK_OK)
        return err;
    const char *packed = (const char *)decoder->packed;
    size_t size;
    if (snappy_uncompressed_length(packed, packed_size, &size) != SNAPPY_OK || size > MOST_BLOCK)
        return corrupt(decoder, "a block is damaged", error);
    decoder->block = reserve(decoder->block, &decoder->block_capacity, size);
    if (snappy_uncompress(packed, packed_size, (char *)decoder->block, &size) != SNAPPY_OK)
        return corrupt(decoder, "a block is damaged", error);
    decoder->at = 0;
    decoder->size = size;
    return ZK_OK;
}

/* The next block; ZK_EOF at the end of the file. */
static int next_block(struct snappy_decoder *decoder, struct error *error)
{
    uint8_t header[HEADER_SIZE];
    int err = decoder->has_header ? ZK_OK : read_header(decoder, header, 0, error);
    while (err == ZK_OK) {
        size_t got;
        err = file_input_read(&decoder->input, header, 4, &got, error);
        if (err != ZK_OK)
            return err;
        if (got == 0)
            return ZK_EOF;
        if (got < 4)
            return corrupt(decoder, "it ends too early", error);
        if (memcmp(header, snap_snappy_magic, 4) != 0)
            return unpack(decoder, load_be32(header), error);
        err = read_header(decoder, header, 4, error);
    }
    return err;
}

static int snappy_read(struct snap_decoder *self, uint8_t *bytes, size_t size, size_t *ret_read, struct error *error)
{
    struct snappy_decoder *decoder = container_of(self, struct snappy_decoder, base);
    while (decoder->at == decoder->size) {
        int err = next_block(decoder, error);
        if (err == ZK_EOF) {
            *ret_read = 0;
            return ZK_OK;
        }
        if (err != ZK_OK)
            return err;
    }
    size_t left = decoder->size - decoder->at;
    size_t part = size < left ? size : left;
    memcpy(bytes, decoder->block + decoder->at, part);
    decoder->at += part;
    *ret_read = part;
    return ZK_OK;
}

static void snappy_decoder_free(struct snap_decoder *self)
{
    struct snappy_decoder *decoder = container_of(self, struct snappy_decoder, base);
    memory_free(decoder->packed);
    memory_free(decoder->block);
    memory_free(decoder);
}

struct snap_encoder *snap_snappy_encoder_new(struct file *file)
{
    size_t capacity = snappy_max_compressed_length(BLOCK);
    struct snappy_encoder *encoder = memory_alloc_zero(1, sizeof(*encoder) + 4 + capacity);
    encoder->base = (struct snap_encoder){snappy_write, snappy_finish, snappy_encoder_free};
    encoder->file = file;
    encoder->packed_capacity = capacity;
    return &encoder->base;
}

struct snap_decoder *snap_snappy_decoder_new(struct file *file)
{
    struct snappy_decoder *decoder = MEMORY_NEW(struct snappy_decoder);
    decoder->base = (struct snap_decoder){snappy_read, snappy_decoder_free};
    decoder->input.file = file;
    return &decoder->base;
}
