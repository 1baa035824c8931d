/*
 * file_snap.c - a snapshot file from front to end.
 *
 *   "ZKSN" 2 -1 | sessions | tree | seal | zxid, version, digest | seal | last zxid | seal
 *   '------------ content ----------'      '-- if digests are on -'       '- if enabled -'
 *
 * Mirrors FileSnap and SerializeUtils. Departs from Java: which parts stand behind the first seal is told from what is
 * left of the file, not from how this server is configured, so that a snapshot can be read under other settings; and a
 * part that is cut short makes the file damaged.
 */
#include "server/persistence/file_snap.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/wire/jute.h"
#include "server/persistence/snap_reader.h"

#define SNAP_VERSION 2
#define SNAP_DBID (-1)
#define HEADER_SIZE 16
#define SESSION_SIZE 12
#define SEAL_SIZE ((size_t)13)
#define DIGEST_HEAD ((size_t)12)       /* zxid, version */
#define FIRST_BINARY_DIGEST 2          /* the version whose digest is a number, not text */
#define MOST_DIGEST_TEXT 64
#define LAST_ZXID_SIZE ((size_t)8)

/* A few bytes that were read already, for who wants to read them from a source. */
struct memory_source {
    struct byte_source base;
    const uint8_t *at, *end;
};

static int memory_read(struct byte_source *self, void *bytes, size_t size, struct error *error)
{
    struct memory_source *source = container_of(self, struct memory_source, base);
    if (size > (size_t)(source->end - source->at))
        return error_set(error, ZK_EOF, "the digest ends too early");
    memcpy(bytes, source->at, size);
    source->at += size;
    return ZK_OK;
}

static int write_sessions(struct session_table *sessions, struct byte_sink *sink, struct error *error)
{
    size_t count;
    struct session_timeout *list = session_table_list(sessions, &count);
    uint8_t bytes[SESSION_SIZE];
    store_be32(bytes, (uint32_t)count);
    int err = sink->write(sink, bytes, 4, error);
    for (size_t i = 0; err == ZK_OK && i < count; i++) {
        store_be64(bytes, (uint64_t)list[i].id);
        store_be32(bytes + 8, (uint32_t)list[i].timeout_ms);
        err = sink->write(sink, bytes, SESSION_SIZE, error);
    }
    memory_free(list);
    return err;
}

static int read_sessions(struct session_table *sessions, struct byte_source *source, struct error *error)
{
    uint8_t bytes[SESSION_SIZE];
    int err = source->read(source, bytes, 4, error);
    if (err != ZK_OK)
        return err;
    int32_t count = (int32_t)load_be32(bytes);
    if (count < 0)
        return error_set(error, ZK_CORRUPT, "%" PRId32 " sessions cannot be", count);
    for (int32_t i = 0; i < count; i++) {
        err = source->read(source, bytes, SESSION_SIZE, error);
        if (err != ZK_OK)
            return err;
        session_table_put(sessions, (int64_t)load_be64(bytes), (int32_t)load_be32(bytes + 8));
    }
    return ZK_OK;
}

static int write_last_zxid(struct data_tree *tree, struct byte_sink *sink, struct error *error)
{
    uint8_t bytes[LAST_ZXID_SIZE];
    store_be64(bytes, (uint64_t)data_tree_last_processed_zxid(tree));
    return sink->write(sink, bytes, sizeof(bytes), error);
}

static int write_file(struct data_tree *tree, struct session_table *sessions, struct snap_writer *writer,
                      const struct file_snap_options *options, struct error *error)
{
    struct byte_sink *sink = snap_writer_sink(writer);
    int err = file_snap_write_content(tree, sessions, sink, error);
    if (err == ZK_OK)
        err = snap_writer_seal(writer, error);
    bool has_digest = false;
    if (err == ZK_OK)
        err = tree_snapshot_write_digest(tree, sink, &has_digest, error);
    if (err == ZK_OK && has_digest)
        err = snap_writer_seal(writer, error);
    if (err != ZK_OK || !options->serialize_last_processed_zxid)
        return err;
    err = write_last_zxid(tree, sink, error);
    return err == ZK_OK ? snap_writer_seal(writer, error) : err;
}

/* The digest's bytes: zxid, version and, before version 2 as a string, the digest. */
static int gather_digest(struct byte_source *source, uint8_t *bytes, size_t *ret_size, struct error *error)
{
    size_t size = DIGEST_HEAD;
    int err = source->read(source, bytes, size, error);
    if (err != ZK_OK)
        return err;
    size_t rest = 8;
    if ((int32_t)load_be32(bytes + 8) < FIRST_BINARY_DIGEST) {
        err = source->read(source, bytes + size, 4, error);
        if (err != ZK_OK)
            return err;
        int32_t text_size = (int32_t)load_be32(bytes + size);
        if (text_size < 0 || text_size > MOST_DIGEST_TEXT)
            return error_set(error, ZK_CORRUPT, "its digest of %" PRId32 " characters cannot be", text_size);
        size += 4;
        rest = (size_t)text_size;
    }
    *ret_size = size + rest;
    return source->read(source, bytes + size, rest, error);
}

static int read_digest(struct data_tree *tree, struct snap_reader *reader, int64_t snapshot_zxid, struct error *error)
{
    uint8_t bytes[DIGEST_HEAD + 4 + MOST_DIGEST_TEXT];
    size_t size = 0;
    int err = gather_digest(snap_reader_source(reader), bytes, &size, error);
    if (err == ZK_OK)
        err = snap_reader_check_seal(reader, error);
    if (err != ZK_OK)
        return err;
    struct memory_source memory = {{memory_read}, bytes, bytes + size};
    err = tree_snapshot_read_digest(tree, &memory.base, snapshot_zxid, error);
    return err == ZK_EOF ? ZK_OK : err;    /* digests are off */
}

/* For who restores a copy under another name; here the name counts, as in Java. */
static int read_last_zxid(struct snap_reader *reader, struct error *error)
{
    uint8_t bytes[LAST_ZXID_SIZE];
    struct byte_source *source = snap_reader_source(reader);
    int err = source->read(source, bytes, sizeof(bytes), error);
    return err == ZK_OK ? snap_reader_check_seal(reader, error) : err;
}

/* What stands behind the first seal. A digest is never as short as a last zxid. */
static int read_trailer(struct data_tree *tree, struct snap_reader *reader, int64_t snapshot_zxid, struct error *error)
{
    const size_t last_zxid = LAST_ZXID_SIZE + SEAL_SIZE;
    size_t left;
    int err = snap_reader_peek(reader, last_zxid + 1, &left, error);
    if (err == ZK_OK && left > last_zxid) {
        err = read_digest(tree, reader, snapshot_zxid, error);
        if (err == ZK_OK)
            err = snap_reader_peek(reader, last_zxid + 1, &left, error);
    }
    if (err != ZK_OK || left == 0)
        return err;
    if (left != last_zxid)
        return error_set(error, ZK_CORRUPT, "what stands behind the tree is cut short or unknown");
    return read_last_zxid(reader, error);
}

static int find(const char *directory, size_t most, bool only_valid, struct zxid_file_list *ret_list,
                struct error *error)
{
    struct zxid_file_list list;
    int err = zxid_file_list_read(directory, SNAPSHOT_FILE_PREFIX, false, &list, error);
    if (err != ZK_OK)
        return err;
    size_t kept = 0;
    for (size_t i = 0; i < list.count; i++) {
        bool is_wanted = kept < most && (!only_valid || snap_is_probably_valid(list.items[i].path));
        if (is_wanted)
            list.items[kept++] = list.items[i];
        else
            memory_free(list.items[i].path);
    }
    list.count = kept;
    *ret_list = list;
    return ZK_OK;
}

int file_snap_write_state(struct data_tree *tree, struct session_table *sessions, struct byte_sink *sink,
                          struct error *error)
{
    int err = write_sessions(sessions, sink, error);
    return err == ZK_OK ? tree_snapshot_write(tree, sink, error) : err;
}

int file_snap_read_state(struct data_tree *tree, struct session_table *sessions, struct byte_source *source,
                         int32_t limit, struct error *error)
{
    int err = read_sessions(sessions, source, error);
    return err == ZK_OK ? tree_snapshot_read(tree, source, limit, error) : err;
}

int file_snap_write_content(struct data_tree *tree, struct session_table *sessions, struct byte_sink *sink,
                            struct error *error)
{
    uint8_t header[HEADER_SIZE];
    store_be32(header, SNAP_MAGIC);
    store_be32(header + 4, SNAP_VERSION);
    store_be64(header + 8, (uint64_t)(int64_t)SNAP_DBID);
    int err = sink->write(sink, header, sizeof(header), error);
    return err == ZK_OK ? file_snap_write_state(tree, sessions, sink, error) : err;
}

int file_snap_read_content(struct data_tree *tree, struct session_table *sessions, struct byte_source *source,
                           int32_t limit, struct error *error)
{
    uint8_t header[HEADER_SIZE];
    int err = source->read(source, header, sizeof(header), error);
    if (err != ZK_OK)
        return err;
    if (load_be32(header) != SNAP_MAGIC)
        return error_set(error, ZK_CORRUPT, "it does not begin with ZKSN");
    if (load_be32(header + 4) != SNAP_VERSION)
        return error_set(error, ZK_CORRUPT, "it has version %" PRIu32 ", not %d", load_be32(header + 4), SNAP_VERSION);
    return file_snap_read_state(tree, sessions, source, limit, error);
}

int file_snap_serialize(struct data_tree *tree, struct session_table *sessions, const char *path,
                        const struct file_snap_options *options, struct error *error)
{
    struct snap_writer *writer;
    int err = snap_writer_open(path, options->compression, &writer, error);
    if (err != ZK_OK)
        return err;
    err = write_file(tree, sessions, writer, options, error);
    if (err == ZK_OK)
        return snap_writer_finish(writer, error);
    snap_writer_abandon(writer);
    return err;
}

int file_snap_deserialize(struct data_tree *tree, struct session_table *sessions, const char *path,
                          const struct file_snap_options *options, struct error *error)
{
    const char *slash = strrchr(path, '/');
    int64_t zxid = file_name_zxid(slash != NULL ? slash + 1 : path, SNAPSHOT_FILE_PREFIX);
    struct snap_reader *reader;
    int err = snap_reader_open(path, &reader, error);
    if (err != ZK_OK)
        return err;
    err = file_snap_read_content(tree, sessions, snap_reader_source(reader), options->limit, error);
    if (err == ZK_OK)
        err = snap_reader_check_seal(reader, error);
    if (err == ZK_OK)
        err = read_trailer(tree, reader, zxid, error);
    snap_reader_close(reader);
    if (err == ZK_EOF)
        err = ZK_CORRUPT;
    if (err != ZK_OK) {
        if (error != NULL)
            error->code = err;
        error_prefix(error, "cannot load snapshot %s", path);
        return err;
    }
    data_tree_set_last_processed_zxid(tree, zxid);
    struct zxid_digest pending;
    if (tree_snapshot_pending_digest(tree, &pending))
        tree_snapshot_compare_digest(tree, zxid);
    return ZK_OK;
}

int file_snap_find_valid(const char *directory, size_t most, struct zxid_file_list *ret_list, struct error *error)
{
    return find(directory, most, true, ret_list, error);
}

int file_snap_find_recent(const char *directory, size_t most, struct zxid_file_list *ret_list, struct error *error)
{
    return find(directory, most, false, ret_list, error);
}
