/*
 * snap_gzip.c - snapshots as gzip files, by zlib.
 *
 * Mirrors GZIPOutputStream and GZIPInputStream; like the latter it reads several members one behind the other.
 */
#include <assert.h>
#include <string.h>
#include <zlib.h>

#include "common/base/memory.h"
#include "server/persistence/snap_codec.h"

#define CHUNK ((size_t)64 * 1024)
#define GZIP_WINDOW (15 + 16)    /* the largest window; +16: gzip's header and trailer */

const uint8_t snap_gzip_magic[SNAP_GZIP_MAGIC_SIZE] = {0x1f, 0x8b};

struct gzip_encoder {
    struct snap_encoder base;
    struct file *file;
    z_stream stream;
    uint8_t out[CHUNK];
};

struct gzip_decoder {
    struct snap_decoder base;
    struct file_input input;
    z_stream stream;
    bool in_member;    /* bytes of the member at hand are still to come */
    uint8_t in[CHUNK];
};

static int deflate_all(struct gzip_encoder *encoder, int flush, struct error *error)
{
    int result;
    do {
        encoder->stream.next_out = encoder->out;
        encoder->stream.avail_out = CHUNK;
        result = deflate(&encoder->stream, flush);
        assert(result != Z_STREAM_ERROR);
        int err = file_write(encoder->file, encoder->out, CHUNK - encoder->stream.avail_out, error);
        if (err != ZK_OK)
            return err;
    } while (flush == Z_FINISH ? result != Z_STREAM_END : encoder->stream.avail_out == 0);
    return ZK_OK;
}

static int gzip_write(struct snap_encoder *self, const uint8_t *bytes, size_t size, struct error *error)
{
    struct gzip_encoder *encoder = container_of(self, struct gzip_encoder, base);
    assert(size <= UINT32_MAX);
    encoder->stream.next_in = (Bytef *)(uintptr_t)bytes;    /* zlib only reads it */
    encoder->stream.avail_in = (uInt)size;
    return deflate_all(encoder, Z_NO_FLUSH, error);
}

static int gzip_finish(struct snap_encoder *self, struct error *error)
{
    struct gzip_encoder *encoder = container_of(self, struct gzip_encoder, base);
    encoder->stream.avail_in = 0;
    return deflate_all(encoder, Z_FINISH, error);
}

static void gzip_encoder_free(struct snap_encoder *self)
{
    struct gzip_encoder *encoder = container_of(self, struct gzip_encoder, base);
    deflateEnd(&encoder->stream);
    memory_free(encoder);
}

static int refill(struct gzip_decoder *decoder, size_t *ret_read, struct error *error)
{
    int err = file_input_read(&decoder->input, decoder->in, CHUNK, ret_read, error);
    if (err != ZK_OK)
        return err;
    decoder->stream.next_in = decoder->in;
    decoder->stream.avail_in = (uInt)*ret_read;
    return ZK_OK;
}

static int corrupt(const struct gzip_decoder *decoder, const char *reason, struct error *error)
{
    return error_set(error, ZK_CORRUPT, "%s is not a whole gzip file: %s", file_path(decoder->input.file), reason);
}

static int gzip_read(struct snap_decoder *self, uint8_t *bytes, size_t size, size_t *ret_read, struct error *error)
{
    struct gzip_decoder *decoder = container_of(self, struct gzip_decoder, base);
    z_stream *stream = &decoder->stream;
    uInt room = size < CHUNK ? (uInt)size : (uInt)CHUNK;
    stream->next_out = bytes;
    stream->avail_out = room;
    while (stream->avail_out == room) {
        if (stream->avail_in == 0) {
            size_t got;
            int err = refill(decoder, &got, error);
            if (err != ZK_OK)
                return err;
            if (got == 0 && decoder->in_member)
                return corrupt(decoder, "it ends too early", error);
            if (got == 0)
                break;
        }
        decoder->in_member = true;
        int result = inflate(stream, Z_NO_FLUSH);
        if (result == Z_STREAM_END) {
            decoder->in_member = false;
            inflateReset(stream);
        } else if (result == Z_MEM_ERROR) {
            return error_set(error, ZK_IO, "zlib has no memory to read %s", file_path(decoder->input.file));
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            return corrupt(decoder, stream->msg != NULL ? stream->msg : "zlib gives no reason", error);
        }
    }
    *ret_read = room - stream->avail_out;
    return ZK_OK;
}

static void gzip_decoder_free(struct snap_decoder *self)
{
    struct gzip_decoder *decoder = container_of(self, struct gzip_decoder, base);
    inflateEnd(&decoder->stream);
    memory_free(decoder);
}

struct snap_encoder *snap_gzip_encoder_new(struct file *file)
{
    struct gzip_encoder *encoder = MEMORY_NEW(struct gzip_encoder);
    encoder->base = (struct snap_encoder){gzip_write, gzip_finish, gzip_encoder_free};
    encoder->file = file;
    int result = deflateInit2(&encoder->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY);
    assert(result == Z_OK);
    (void)result;
    return &encoder->base;
}

struct snap_decoder *snap_gzip_decoder_new(struct file *file)
{
    struct gzip_decoder *decoder = MEMORY_NEW(struct gzip_decoder);
    decoder->base = (struct snap_decoder){gzip_read, gzip_decoder_free};
    decoder->input.file = file;
    decoder->in_member = true;    /* an empty file is no gzip file */
    int result = inflateInit2(&decoder->stream, GZIP_WINDOW);
    assert(result == Z_OK);
    (void)result;
    return &decoder->base;
}
