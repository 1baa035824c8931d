/* durable_mark.c - one line in one sector: the log's zxid, the offset, and their Adler-32, in hexadecimal. */
#include "server/persistence/durable_mark.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/adler32.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "server/persistence/file_names.h"

#define FACTS_SIZE 33    /* two numbers of 16 digits with a blank between */
#define MARK_SIZE 43     /* a blank, 8 digits, a line feed */

struct durable_mark {
    struct file *file;
};

/* By hand, as it is done at every sync. */
static void put_hex(char *text, uint64_t value, int digits)
{
    for (int i = digits; i > 0; i--, value >>= 4)
        text[i - 1] = "0123456789abcdef"[value & 15];
}

static void print(char text[MARK_SIZE + 1], int64_t log_zxid, int64_t offset)
{
    memset(text, ' ', MARK_SIZE);
    put_hex(text, (uint64_t)log_zxid, 16);
    put_hex(text + 17, (uint64_t)offset, 16);
    put_hex(text + FACTS_SIZE + 1, adler32_update(ADLER32_START, (const uint8_t *)text, FACTS_SIZE), 8);
    text[MARK_SIZE - 1] = '\n';
    text[MARK_SIZE] = '\0';
}

/* A mark that says nothing yet, durable with its name: whoever finds none takes no end for torn that is not surely
 * so. */
static int make_first(const char *directory, const char *path, struct file **ret_file, struct error *error)
{
    char text[MARK_SIZE + 1];
    struct file *file;
    int err = file_open(path, FILE_CREATE, &file, error);
    if (err != ZK_OK)
        return err;
    print(text, 0, 0);
    err = file_pwrite(file, text, MARK_SIZE, 0, error);
    if (err == ZK_OK)
        err = file_sync(file, error);
    if (err == ZK_OK)
        err = directory_sync(directory, error);
    if (err != ZK_OK)
        file_close(file, NULL);
    else
        *ret_file = file;
    return err;
}

int durable_mark_open(const char *directory, struct durable_mark **ret_mark, struct error *error)
{
    char *path = path_join(directory, DURABLE_MARK_NAME);
    struct file *file = NULL;
    int64_t size = 0;
    int err = file_open(path, FILE_WRITE, &file, error);
    if (err == ZK_OK)
        err = file_size(file, &size, error);
    if (err == ZK_NOT_FOUND || (err == ZK_OK && size < MARK_SIZE)) {
        file_close(file, NULL);
        err = make_first(directory, path, &file, error);
    }
    memory_free(path);
    if (err != ZK_OK)
        return err;
    *ret_mark = MEMORY_NEW(struct durable_mark);
    (*ret_mark)->file = file;
    return ZK_OK;
}

void durable_mark_set(struct durable_mark *mark, int64_t log_zxid, int64_t offset)
{
    char text[MARK_SIZE + 1];
    print(text, log_zxid, offset);
    file_pwrite(mark->file, text, MARK_SIZE, 0, NULL);
}

void durable_mark_close(struct durable_mark *mark)
{
    if (mark == NULL)
        return;
    file_close(mark->file, NULL);
    memory_free(mark);
}

int durable_mark_forget(const char *directory, struct error *error)
{
    char *path = path_join(directory, DURABLE_MARK_NAME);
    int err = file_unlink(path, error);
    memory_free(path);
    return err == ZK_NOT_FOUND ? ZK_OK : err;
}

static bool parse(const struct buffer *bytes, uint64_t *ret_zxid, uint64_t *ret_offset)
{
    char text[MARK_SIZE + 1], expected[MARK_SIZE + 1];
    if (bytes->size < MARK_SIZE)
        return false;
    memcpy(text, bytes->bytes, MARK_SIZE);
    text[MARK_SIZE] = '\0';
    if (sscanf(text, "%16" SCNx64 " %16" SCNx64, ret_zxid, ret_offset) != 2)
        return false;
    print(expected, (int64_t)*ret_zxid, (int64_t)*ret_offset);
    return memcmp(text, expected, MARK_SIZE) == 0;
}

/* A log comes into being only when the one before it is written and synced. */
static bool has_newer_log(const char *directory, int64_t log_zxid)
{
    struct zxid_file_list logs;
    if (zxid_file_list_read(directory, LOG_FILE_PREFIX, true, &logs, NULL) != ZK_OK)
        return false;
    bool has = logs.count > 0 && logs.items[logs.count - 1].zxid > log_zxid;
    zxid_file_list_release(&logs);
    return has;
}

int64_t durable_mark_of(const char *directory, int64_t log_zxid)
{
    char *path = path_join(directory, DURABLE_MARK_NAME);
    struct buffer bytes = {0};
    uint64_t zxid, offset;
    bool is_there = file_read_all(path, 4096, &bytes, NULL) == ZK_OK && parse(&bytes, &zxid, &offset);
    buffer_release(&bytes);
    memory_free(path);
    if (!is_there)
        return -1;
    if (has_newer_log(directory, log_zxid))    /* the mark may be older than that */
        return INT64_MAX;
    return log_zxid < (int64_t)zxid ? INT64_MAX : log_zxid == (int64_t)zxid ? (int64_t)offset : 0;
}
