/*
 * file_names.c - names in a data directory, and which files of a kind are there.
 *
 * Mirrors persistence.Util. Stricter than Java, to which log.5.bak and snapshot.5.tmp are a log and a snapshot too: a
 * name counts only if it is one that either server would give.
 */
#include "server/persistence/file_names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

#define HEX_DIGITS "0123456789abcdefABCDEF"

static bool is_snapshot_prefix(const char *prefix)
{
    return strcmp(prefix, SNAPSHOT_FILE_PREFIX) == 0;
}

static bool is_known_ending(const char *ending, const char *prefix)
{
    if (ending[0] == '\0')
        return true;
    return is_snapshot_prefix(prefix) &&
           (string_equals_ignore_case(ending, ".gz") || string_equals_ignore_case(ending, ".snappy"));
}

static int compare_files(const void *a, const void *b)
{
    const struct zxid_file *left = a, *right = b;
    if (left->zxid != right->zxid)
        return left->zxid < right->zxid ? -1 : 1;
    return strcmp(left->path, right->path);
}

static void reverse(struct zxid_file_list *list)
{
    for (size_t i = 0; i < list->count / 2; i++) {
        struct zxid_file other = list->items[i];
        list->items[i] = list->items[list->count - 1 - i];
        list->items[list->count - 1 - i] = other;
    }
}

/* Whether a file of the right name is one to use. What is no file under the name of a log may hide transactions. */
static int check_kind(const char *path, const char *prefix, bool *ret_use, struct error *error)
{
    enum file_kind kind = file_kind(path);
    *ret_use = kind == FILE_KIND_REGULAR;
    if (kind == FILE_KIND_REGULAR || kind == FILE_KIND_NONE)    /* none: purged since the directory was listed */
        return ZK_OK;
    if (!is_snapshot_prefix(prefix))
        return error_set(error, ZK_CORRUPT, "%s has the name of a transaction log but is not a regular file", path);
    log_warn("%s has the name of a snapshot but is not a regular file, it is left out", path);
    return ZK_OK;
}

int64_t file_name_zxid(const char *name, const char *prefix)
{
    size_t prefix_size = strlen(prefix);
    if (strncmp(name, prefix, prefix_size) != 0 || name[prefix_size] != '.')
        return -1;
    const char *digits = name + prefix_size + 1;
    size_t count = strspn(digits, HEX_DIGITS);
    if (count == 0 || count > 16 || !is_known_ending(digits + count, prefix))
        return -1;
    uint64_t zxid = strtoull(digits, NULL, 16);
    return zxid <= INT64_MAX ? (int64_t)zxid : -1;
}

bool file_name_is_log(const char *name)
{
    return file_name_zxid(name, LOG_FILE_PREFIX) >= 0;
}

bool file_name_is_snapshot(const char *name)
{
    return file_name_zxid(name, SNAPSHOT_FILE_PREFIX) >= 0;
}

char *log_file_name(int64_t zxid)
{
    return string_format("%s.%" PRIx64, LOG_FILE_PREFIX, (uint64_t)zxid);
}

char *snapshot_file_name(int64_t zxid, const char *extension)
{
    return string_format("%s.%" PRIx64 "%s", SNAPSHOT_FILE_PREFIX, (uint64_t)zxid, extension);
}

int zxid_file_list_read(const char *directory, const char *prefix, bool ascending, struct zxid_file_list *ret_list,
                        struct error *error)
{
    struct name_list names;
    int err = directory_list(directory, &names, error);
    if (err != ZK_OK)
        return err;
    struct zxid_file_list list = {.items = MEMORY_NEW_ARRAY(names.count, struct zxid_file)};
    for (size_t i = 0; err == ZK_OK && i < names.count; i++) {
        int64_t zxid = file_name_zxid(names.names[i], prefix);
        if (zxid < 0)
            continue;
        char *path = path_join(directory, names.names[i]);
        bool use = false;
        err = check_kind(path, prefix, &use, error);
        if (use)
            list.items[list.count++] = (struct zxid_file){zxid, path};
        else
            memory_free(path);
    }
    name_list_release(&names);
    if (err != ZK_OK) {
        zxid_file_list_release(&list);
        return err;
    }
    if (list.count > 0)
        qsort(list.items, list.count, sizeof(list.items[0]), compare_files);
    if (!ascending)
        reverse(&list);
    *ret_list = list;
    return ZK_OK;
}

void zxid_file_list_release(struct zxid_file_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        memory_free(list->items[i].path);
    memory_free(list->items);
    *list = (struct zxid_file_list){0};
}
