/*
 * fuzz_txn_log.c - libFuzzer target: one log file, read, repaired and read again.
 *
 * The first byte says whether checksums are made right before, so that what stands behind them is reached too.
 * Oracle: a repair that succeeds keeps every record that could be read before it and leaves nothing else; one that is
 * refused changes no byte; a second one finds nothing to do.
 */
#include <assert.h>
#include <inttypes.h>
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
#include "server/persistence/file_names.h"
#include "server/persistence/file_txn_log.h"

#define HEADER_SIZE 16
#define ZXID_AT (HEADER_SIZE + 12 + 12)
#define MOST_SIZE 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[64];
static const struct file_txn_log_options options = {.max_record_size = 32768, .rules = {.digest_enabled = true}};

static void clear_directory(void)
{
    struct name_list names;
    if (directory_list(directory, &names, NULL) != ZK_OK)
        abort();
    for (size_t i = 0; i < names.count; i++) {
        char *path = path_join(directory, names.names[i]);
        file_unlink(path, NULL);
        memory_free(path);
    }
    name_list_release(&names);
}

static void remove_directory(void)
{
    clear_directory();
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

static void make_checksums_right(uint8_t *bytes, size_t size)
{
    size_t at = HEADER_SIZE;
    while (at + 12 < size) {
        size_t length = load_be32(bytes + at + 8);
        if (length == 0 || length > size - at - 12)
            return;
        store_be64(bytes + at, adler32_update(ADLER32_START, bytes + at + 12, length));
        at += 13 + length;
    }
}

static char *write_log(const uint8_t *bytes, size_t size)
{
    int64_t zxid = size >= ZXID_AT + 8 ? (int64_t)(load_be64(bytes + ZXID_AT) & INT64_MAX) : 1;
    char *name = log_file_name(zxid), *path = path_join(directory, name);
    memory_free(name);
    struct file *file;
    if (file_open(path, FILE_CREATE, &file, NULL) != ZK_OK || file_write(file, bytes, size, NULL) != ZK_OK)
        abort();
    file_close(file, NULL);
    return path;
}

/* The records that can be read, as bytes behind each other; how the reading ended. */
static int read_all(struct buffer *ret_records)
{
    struct txn_iterator *iterator;
    struct error error = {0};
    int err = txn_iterator_open(directory, 0, false, &options, &iterator, &error);
    if (err != ZK_OK)
        return err;
    struct txn *txn;
    while ((err = txn_iterator_next(iterator, &txn, &error)) == ZK_OK) {
        struct buffer printed = {0};
        txn_body_print(&txn->header, &txn->body, &printed);
        buffer_release(&printed);
        buffer_append(ret_records, txn->bytes->bytes, txn->bytes->size);
        txn_unref(txn);
    }
    assert(err == ZK_EOF || err == ZK_CORRUPT);
    assert(err == ZK_EOF || error.text[0] != '\0');
    txn_iterator_close(iterator);
    return err;
}

static void assert_unchanged(const char *path, const uint8_t *bytes, size_t size)
{
    struct buffer now = {0};
    int err = file_read_all(path, MOST_SIZE, &now, NULL);
    assert(err == ZK_OK && now.size == size && (size == 0 || memcmp(now.bytes, bytes, size) == 0));
    (void)err, (void)bytes, (void)size;
    buffer_release(&now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (directory[0] == '\0')
        make_directory();
    if (size < 1 || size > MOST_SIZE)
        return 0;
    uint8_t *bytes = memory_copy(data + 1, size - 1);
    size--;
    if (data[0] % 2 == 1)
        make_checksums_right(bytes, size);
    char *path = write_log(bytes, size);

    struct buffer before = {0}, after = {0};
    int64_t zxid = 0;
    int read_err = read_all(&before);
    int err = file_txn_log_repair_tail(directory, 0, &options, NULL);
    assert(err == ZK_OK || err == ZK_CORRUPT);
    if (err == ZK_OK) {
        int again_err = read_all(&after);
        assert(again_err == read_err);
        assert(after.size == before.size && (after.size == 0 || memcmp(after.bytes, before.bytes, after.size) == 0));
        (void)again_err;
        err = file_txn_log_repair_tail(directory, 0, &options, NULL);
        assert(err == ZK_OK);
        err = file_txn_log_last_logged_zxid(directory, &options, &zxid, NULL);
        assert(err == ZK_OK);
    } else {
        assert(read_err == ZK_CORRUPT);
        assert_unchanged(path, bytes, size);
    }
    (void)read_err;
    clear_directory();
    buffer_release(&before);
    buffer_release(&after);
    memory_free(bytes);
    memory_free(path);
    return 0;
}
