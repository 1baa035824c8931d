/*
 * snap_stream.c - a snapshot file as a stream of bytes with seals.
 *
 *   tree --> gathered, summed (Adler-32) --> plain | gzip | snappy --> <path>.tmp --> sync, rename, directory sync
 *   file --> plain | gzip | snappy --> window, summed as it is read --> tree
 *
 * Mirrors SnapStream and AtomicFileOutputStream; in Java only some snapshots are written under another name first.
 */
#include "server/persistence/snap_stream.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/adler32.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/wire/jute.h"
#include "server/persistence/snap_codec.h"
#include "server/persistence/snap_reader.h"

#define WINDOW ((size_t)128 * 1024)
#define SEAL_SIZE ((size_t)13)    /* checksum, and "/" as a jute string */

static const struct {
    const char *name, *extension;
} compressions[] = {
    [SNAP_PLAIN] = {"", ""},
    [SNAP_GZIP] = {"gz", ".gz"},
    [SNAP_SNAPPY] = {"snappy", ".snappy"},
};

static const uint8_t end_mark[] = {0, 0, 0, 1, '/'};

struct snap_writer {
    struct byte_sink sink;
    struct snap_encoder *encoder;
    struct file *file;
    char *path, *temporary;
    uint32_t sum;    /* of all before summed in the window */
    size_t summed, used;
    uint8_t window[WINDOW];
};

struct snap_reader {
    struct byte_source source;
    struct snap_decoder *decoder;
    struct file *file;
    int64_t position;    /* bytes that left the window's front, uncompressed */
    uint32_t sum;        /* of all before summed in the window */
    size_t summed, at, filled;
    uint8_t window[WINDOW];
};

struct plain_encoder {
    struct snap_encoder base;
    struct file *file;
};
struct plain_decoder {
    struct snap_decoder base;
    struct file_input input;
};

static int plain_write(struct snap_encoder *self, const uint8_t *bytes, size_t size, struct error *error)
{
    return file_write(container_of(self, struct plain_encoder, base)->file, bytes, size, error);
}

static int plain_finish(struct snap_encoder *self, struct error *error)
{
    (void)self, (void)error;
    return ZK_OK;
}

static void plain_encoder_free(struct snap_encoder *self)
{
    memory_free(container_of(self, struct plain_encoder, base));
}

static int plain_read(struct snap_decoder *self, uint8_t *bytes, size_t size, size_t *ret_read, struct error *error)
{
    return file_input_read(&container_of(self, struct plain_decoder, base)->input, bytes, size, ret_read, error);
}

static void plain_decoder_free(struct snap_decoder *self)
{
    memory_free(container_of(self, struct plain_decoder, base));
}

static struct snap_encoder *plain_encoder_new(struct file *file)
{
    struct plain_encoder *encoder = MEMORY_NEW(struct plain_encoder);
    encoder->base = (struct snap_encoder){plain_write, plain_finish, plain_encoder_free};
    encoder->file = file;
    return &encoder->base;
}

static struct snap_decoder *plain_decoder_new(struct file *file)
{
    struct plain_decoder *decoder = MEMORY_NEW(struct plain_decoder);
    decoder->base = (struct snap_decoder){plain_read, plain_decoder_free};
    decoder->input.file = file;
    return &decoder->base;
}

static struct snap_encoder *encoder_new(enum snap_compression compression, struct file *file)
{
    switch (compression) {
    case SNAP_GZIP: return snap_gzip_encoder_new(file);
    case SNAP_SNAPPY: return snap_snappy_encoder_new(file);
    case SNAP_PLAIN: break;
    }
    return plain_encoder_new(file);
}

static struct snap_decoder *decoder_new(enum snap_compression compression, struct file *file)
{
    switch (compression) {
    case SNAP_GZIP: return snap_gzip_decoder_new(file);
    case SNAP_SNAPPY: return snap_snappy_decoder_new(file);
    case SNAP_PLAIN: break;
    }
    return plain_decoder_new(file);
}

static void writer_sum(struct snap_writer *writer)
{
    writer->sum = adler32_update(writer->sum, writer->window + writer->summed, writer->used - writer->summed);
    writer->summed = writer->used;
}

static int writer_flush(struct snap_writer *writer, struct error *error)
{
    writer_sum(writer);
    size_t size = writer->used;
    writer->summed = writer->used = 0;
    return writer->encoder->write(writer->encoder, writer->window, size, error);
}

static int sink_write(struct byte_sink *self, const void *bytes, size_t size, struct error *error)
{
    struct snap_writer *writer = container_of(self, struct snap_writer, sink);
    const uint8_t *from = bytes;
    while (size > WINDOW - writer->used) {
        size_t part = WINDOW - writer->used;
        memcpy(writer->window + writer->used, from, part);
        writer->used += part;
        from += part;
        size -= part;
        int err = writer_flush(writer, error);
        if (err != ZK_OK)
            return err;
    }
    if (size > 0)
        memcpy(writer->window + writer->used, from, size);
    writer->used += size;
    return ZK_OK;
}

static void writer_free(struct snap_writer *writer)
{
    writer->encoder->free(writer->encoder);
    memory_free(writer->path);
    memory_free(writer->temporary);
    memory_free(writer);
}

static int sync_parent(const char *path, struct error *error)
{
    char *directory = path_directory(path);
    int err = directory_sync(directory, error);
    memory_free(directory);
    return err;
}

static void reader_sum(struct snap_reader *reader)
{
    reader->sum = adler32_update(reader->sum, reader->window + reader->summed, reader->at - reader->summed);
    reader->summed = reader->at;
}

/* Makes room behind what was not read yet and reads on, at least one byte; *ret_is_end at the end. */
static int refill(struct snap_reader *reader, bool *ret_is_end, struct error *error)
{
    reader_sum(reader);
    reader->position += (int64_t)reader->at;
    reader->filled -= reader->at;
    memmove(reader->window, reader->window + reader->at, reader->filled);
    reader->summed = reader->at = 0;
    assert(reader->filled < WINDOW);
    size_t got = 0;
    int err =
        reader->decoder->read(reader->decoder, reader->window + reader->filled, WINDOW - reader->filled, &got, error);
    if (err != ZK_OK)
        return err;
    reader->filled += got;
    *ret_is_end = got == 0;
    return ZK_OK;
}

static int source_read(struct byte_source *self, void *bytes, size_t size, struct error *error)
{
    struct snap_reader *reader = container_of(self, struct snap_reader, source);
    uint8_t *to = bytes;
    while (size > reader->filled - reader->at) {
        size_t part = reader->filled - reader->at;
        if (part > 0)
            memcpy(to, reader->window + reader->at, part);
        reader->at += part;
        to += part;
        size -= part;
        bool is_end;
        int err = refill(reader, &is_end, error);
        if (err != ZK_OK)
            return err;
        if (is_end)
            return error_set(error, ZK_EOF, "%s ends too early, after %" PRId64 " bytes", file_path(reader->file),
                             reader->position);
    }
    if (size > 0)
        memcpy(to, reader->window + reader->at, size);
    reader->at += size;
    return ZK_OK;
}

/* The first or last bytes of a file; false when it is shorter or cannot be read. */
static bool read_part(const char *path, bool at_end, uint8_t *bytes, size_t size, size_t least_size)
{
    struct file *file;
    if (file_open(path, FILE_READ, &file, NULL) != ZK_OK)
        return false;
    int64_t total = 0;
    size_t got = 0;
    bool is_read = file_size(file, &total, NULL) == ZK_OK && total >= (int64_t)least_size &&
                   file_pread(file, bytes, size, at_end ? total - (int64_t)size : 0, &got, NULL) == ZK_OK &&
                   got == size;
    file_close(file, NULL);
    return is_read;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

int file_input_read(struct file_input *input, void *bytes, size_t size, size_t *ret_read, struct error *error)
{
    int err = file_pread(input->file, bytes, size, input->offset, ret_read, error);
    if (err == ZK_OK)
        input->offset += (int64_t)*ret_read;
    return err;
}

int snap_reader_peek(struct snap_reader *reader, size_t most, size_t *ret_left, struct error *error)
{
    assert(most < WINDOW);
    bool is_end = false;
    while (!is_end && reader->filled - reader->at < most) {
        int err = refill(reader, &is_end, error);
        if (err != ZK_OK)
            return err;
    }
    size_t left = reader->filled - reader->at;
    *ret_left = left < most ? left : most;
    return ZK_OK;
}

bool snap_compression_parse(const char *name, enum snap_compression *ret_compression)
{
    for (size_t i = 0; i < ARRAY_SIZE(compressions); i++) {
        if (string_equals_ignore_case(name, compressions[i].name)) {
            *ret_compression = (enum snap_compression)i;
            return true;
        }
    }
    return false;
}

const char *snap_compression_extension(enum snap_compression compression)
{
    return compressions[compression].extension;
}

enum snap_compression snap_compression_of_name(const char *file_name)
{
    const char *dot = strrchr(base_name(file_name), '.');
    enum snap_compression compression;
    return dot != NULL && snap_compression_parse(dot + 1, &compression) ? compression : SNAP_PLAIN;
}

int snap_writer_open(const char *path, enum snap_compression compression, struct snap_writer **ret_writer,
                     struct error *error)
{
    char *temporary = string_format("%s.tmp", path);
    struct file *file;
    int err = file_open(temporary, FILE_CREATE, &file, error);
    if (err != ZK_OK) {
        memory_free(temporary);
        return err;
    }
    file_write_through(file);
    struct snap_writer *writer = memory_alloc(sizeof(*writer));
    writer->sink.write = sink_write;
    writer->encoder = encoder_new(compression, file);
    writer->file = file;
    writer->path = string_copy(path);
    writer->temporary = temporary;
    writer->sum = ADLER32_START;
    writer->summed = writer->used = 0;
    *ret_writer = writer;
    return ZK_OK;
}

struct byte_sink *snap_writer_sink(struct snap_writer *writer)
{
    return &writer->sink;
}

int snap_writer_seal(struct snap_writer *writer, struct error *error)
{
    writer_sum(writer);
    uint8_t seal[SEAL_SIZE];
    store_be64(seal, writer->sum);
    memcpy(seal + 8, end_mark, sizeof(end_mark));
    return sink_write(&writer->sink, seal, sizeof(seal), error);
}

int snap_writer_finish(struct snap_writer *writer, struct error *error)
{
    int err = writer_flush(writer, error);
    if (err == ZK_OK)
        err = writer->encoder->finish(writer->encoder, error);
    if (err == ZK_OK)
        err = file_sync(writer->file, error);
    int close_err = file_close(writer->file, err == ZK_OK ? error : NULL);
    if (err == ZK_OK)
        err = close_err;
    if (err == ZK_OK)
        err = file_rename(writer->temporary, writer->path, error);
    if (err != ZK_OK)
        file_unlink(writer->temporary, NULL);
    else
        err = sync_parent(writer->path, error);
    writer_free(writer);
    return err;
}

void snap_writer_abandon(struct snap_writer *writer)
{
    file_close(writer->file, NULL);
    file_unlink(writer->temporary, NULL);
    writer_free(writer);
}

int snap_reader_open(const char *path, struct snap_reader **ret_reader, struct error *error)
{
    struct file *file;
    int err = file_open(path, FILE_READ, &file, error);
    if (err != ZK_OK)
        return err;
    struct snap_reader *reader = memory_alloc(sizeof(*reader));
    reader->source.read = source_read;
    reader->decoder = decoder_new(snap_compression_of_name(path), file);
    reader->file = file;
    reader->position = 0;
    reader->sum = ADLER32_START;
    reader->summed = reader->at = reader->filled = 0;
    *ret_reader = reader;
    return ZK_OK;
}

struct byte_source *snap_reader_source(struct snap_reader *reader)
{
    return &reader->source;
}

int snap_reader_check_seal(struct snap_reader *reader, struct error *error)
{
    reader_sum(reader);
    uint32_t sum = reader->sum;
    uint8_t seal[SEAL_SIZE];
    int err = source_read(&reader->source, seal, sizeof(seal), error);
    if (err != ZK_OK)
        return err;
    if (load_be64(seal) == sum && memcmp(seal + 8, end_mark, sizeof(end_mark)) == 0)
        return ZK_OK;
    return error_set(error, ZK_CORRUPT, "%s is damaged: its checksum is 0x%" PRIx64 ", its content has 0x%" PRIx32,
                     file_path(reader->file), load_be64(seal), sum);
}

void snap_reader_close(struct snap_reader *reader)
{
    if (reader == NULL)
        return;
    reader->decoder->free(reader->decoder);
    file_close(reader->file, NULL);
    memory_free(reader);
}

bool snap_is_probably_valid(const char *path)
{
    uint8_t bytes[SNAP_SNAPPY_MAGIC_SIZE];
    switch (snap_compression_of_name(path)) {
    case SNAP_GZIP:
        return read_part(path, false, bytes, SNAP_GZIP_MAGIC_SIZE, SNAP_GZIP_MAGIC_SIZE) &&
               memcmp(bytes, snap_gzip_magic, SNAP_GZIP_MAGIC_SIZE) == 0;
    case SNAP_SNAPPY:
        return read_part(path, false, bytes, SNAP_SNAPPY_MAGIC_SIZE, SNAP_SNAPPY_MAGIC_SIZE) &&
               memcmp(bytes, snap_snappy_magic, SNAP_SNAPPY_MAGIC_SIZE) == 0;
    case SNAP_PLAIN: break;
    }
    return read_part(path, true, bytes, sizeof(end_mark), 10) && memcmp(bytes, end_mark, sizeof(end_mark)) == 0;
}
