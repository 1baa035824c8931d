/*
 * fuzz_snapshot.c - libFuzzer target: the reader of snapshots. The first byte says how the others are taken:
 *
 *   0  a tree, straight from memory                    1  a snapshot, with its seals made right before
 *   2  a snapshot file    3  one in gzip's form        4  one in snappy's form
 *
 * Oracle: a tree that could be read has the digest its nodes have, and is the same after being written and read again.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/adler32.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/wire/jute.h"
#include "server/persistence/file_snap.h"
#include "server/tree/tree_snapshot.h"

#define MOST_SIZE 65536
#define LIMIT 4096
#define SEAL_SIZE 13

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[64];
static const struct data_tree_options tree_options = {.ephemeral_rules = {true, false}, .digest_enabled = true};
static const struct file_snap_options options = {.limit = LIMIT};

struct memory {
    struct byte_source source;
    struct byte_sink sink;
    const uint8_t *at, *end;
    struct buffer written;
};

static int memory_read(struct byte_source *self, void *bytes, size_t size, struct error *error)
{
    struct memory *memory = container_of(self, struct memory, source);
    if (size > (size_t)(memory->end - memory->at))
        return error_set(error, ZK_EOF, "the end");
    if (size > 0)
        memcpy(bytes, memory->at, size);
    memory->at += size;
    return ZK_OK;
}

static int memory_write(struct byte_sink *self, const void *bytes, size_t size, struct error *error)
{
    (void)error;
    buffer_append(&container_of(self, struct memory, sink)->written, bytes, size);
    return ZK_OK;
}

static void remove_directory(void)
{
    static const char *const names[] = {"snapshot.1", "snapshot.1.gz", "snapshot.1.snappy"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char *path = path_join(directory, names[i]);
        file_unlink(path, NULL);
        memory_free(path);
    }
    rmdir(directory);
}

static void make_directory(void)
{
    log_set_level(NULL, LOG_OFF);
    const char *parent = file_kind("/dev/shm") == FILE_KIND_DIRECTORY ? "/dev/shm" : "/tmp";
    snprintf(directory, sizeof(directory), "%s/zkc_fuzz.XXXXXX", parent);
    if (mkdtemp(directory) == NULL || atexit(remove_directory) != 0)
        abort();
}

/* A tree that reading accepted holds together, and comes back the same. */
static void check_tree(struct data_tree *tree)
{
    assert(data_tree_digest_is_consistent(tree));
    struct memory first = {.sink = {memory_write}}, second = {.sink = {memory_write}};
    int err = tree_snapshot_write(tree, &first.sink, NULL);
    assert(err == ZK_OK);
    struct data_tree *again = data_tree_new(&tree_options, NULL);
    struct memory in = {.source = {memory_read}, .at = first.written.bytes,
                        .end = first.written.bytes + first.written.size};
    err = tree_snapshot_read(again, &in.source, 4 * LIMIT, NULL);    /* repaired text is longer */
    assert(err == ZK_OK && in.at == in.end);
    assert(data_tree_digest(again) == data_tree_digest(tree));
    err = tree_snapshot_write(again, &second.sink, NULL);
    assert(err == ZK_OK && second.written.size == first.written.size);
    (void)err;
    data_tree_free(again);
    buffer_release(&first.written);
    buffer_release(&second.written);
}

static void from_memory(const uint8_t *bytes, size_t size)
{
    struct data_tree *tree = data_tree_new(&tree_options, NULL);
    struct memory memory = {.source = {memory_read}, .at = bytes, .end = bytes + size};
    if (tree_snapshot_read(tree, &memory.source, LIMIT, NULL) == ZK_OK) {
        check_tree(tree);
        if (tree_snapshot_read_digest(tree, &memory.source, 1, NULL) == ZK_OK)
            tree_snapshot_compare_digest(tree, 1);
    }
    data_tree_free(tree);
}

/* How much of the bytes is a snapshot's content; 0 when it cannot be read. */
static size_t content_size(const uint8_t *bytes, size_t size)
{
    struct data_tree *tree = data_tree_new(&tree_options, NULL);
    struct session_table *sessions = session_table_new();
    struct memory memory = {.source = {memory_read}, .at = bytes, .end = bytes + size};
    int err = file_snap_read_content(tree, sessions, &memory.source, LIMIT, NULL);
    data_tree_free(tree);
    session_table_free(sessions);
    return err == ZK_OK ? size - (size_t)(memory.end - memory.at) : 0;
}

static void seal(uint8_t *bytes, size_t at)
{
    static const uint8_t end_mark[] = {0, 0, 0, 1, '/'};
    store_be64(bytes + at, adler32_update(ADLER32_START, bytes, at));
    memcpy(bytes + at + 8, end_mark, sizeof(end_mark));
}

/* Behind the content, behind a digest, behind a last zxid. */
static void make_seals_right(uint8_t *bytes, size_t size)
{
    static const size_t parts[] = {0, 20, 8};
    size_t at = content_size(bytes, size);
    for (size_t i = 0; at > 0 && i < ARRAY_SIZE(parts) && size - at >= parts[i] + SEAL_SIZE; i++) {
        at += parts[i];
        seal(bytes, at);
        at += SEAL_SIZE;
    }
}

static void from_file(const char *name, const uint8_t *bytes, size_t size)
{
    char *path = path_join(directory, name);
    struct file *file;
    if (file_open(path, FILE_CREATE, &file, NULL) != ZK_OK || file_write(file, bytes, size, NULL) != ZK_OK)
        abort();
    file_close(file, NULL);
    struct data_tree *tree = data_tree_new(&tree_options, NULL);
    struct session_table *sessions = session_table_new();
    struct error error = {0};
    snap_is_probably_valid(path);
    int err = file_snap_deserialize(tree, sessions, path, &options, &error);
    assert(err == ZK_OK || err == ZK_CORRUPT);
    assert(err == ZK_OK || error.text[0] != '\0');
    if (err == ZK_OK)
        check_tree(tree);
    data_tree_free(tree);
    session_table_free(sessions);
    memory_free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (directory[0] == '\0')
        make_directory();
    if (size < 1 || size > MOST_SIZE)
        return 0;
    uint8_t *bytes = memory_copy(data + 1, size - 1);
    size--;
    switch (data[0] % 5) {
    case 0: from_memory(bytes, size); break;
    case 1:
        make_seals_right(bytes, size);
        from_file("snapshot.1", bytes, size);
        break;
    case 2: from_file("snapshot.1", bytes, size); break;
    case 3: from_file("snapshot.1.gz", bytes, size); break;
    case 4: from_file("snapshot.1.snappy", bytes, size); break;
    }
    memory_free(bytes);
    return 0;
}
