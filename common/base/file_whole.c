/*
 * file_whole.c - what is made of the calls of file.c: whole files, directories with their parents, paths.
 *
 * Apart from file.c, so that a build which puts another disk under this seam keeps the order of writes, syncs and
 * renames that makes a file whole or leaves the old one.
 */
#include "common/base/file.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"

#define READ_STEP ((size_t)65536)

static int sync_parent(const char *path, struct error *error)
{
    char *directory = path_directory(path);
    int err = directory_sync(directory, error);
    memory_free(directory);
    return err;
}

int file_read_all(const char *path, size_t limit, struct buffer *buffer, struct error *error)
{
    struct file *file = NULL;
    int err = file_open(path, FILE_READ, &file, error);
    if (err != ZK_OK)
        return err;
    size_t start = buffer->size, total = 0, got;
    do {
        /* One byte beyond the limit tells that it is too large. */
        size_t step = limit - total < READ_STEP ? limit - total + 1 : READ_STEP;
        err = file_pread(file, buffer_reserve(buffer, step), step, (int64_t)total, &got, error);
        if (err != ZK_OK)
            break;
        total += got;
        buffer->size += got;
        if (total > limit)
            err = error_set(error, ZK_TOO_LARGE, "%s is larger than %zu bytes", path, limit);
        else if (got < step)
            break;
    } while (err == ZK_OK);
    if (err != ZK_OK)
        buffer->size = start;
    file_close(file, NULL);
    return err;
}

int file_write_atomic(const char *path, const void *bytes, size_t size, struct error *error)
{
    char *temporary = string_format("%s.tmp", path);
    struct file *file = NULL;
    int err = file_open(temporary, FILE_CREATE, &file, error);
    if (err != ZK_OK)
        goto out;
    err = file_write(file, bytes, size, error);
    if (err == ZK_OK)
        err = file_sync(file, error);
    int close_err = file_close(file, err == ZK_OK ? error : NULL);
    if (err == ZK_OK)
        err = close_err;
    if (err == ZK_OK)
        err = file_rename(temporary, path, error);
    if (err != ZK_OK)
        file_unlink(temporary, NULL);
    else
        err = sync_parent(path, error);
out:
    memory_free(temporary);
    return err;
}

int directory_make(const char *path, struct error *error)
{
    char *part = string_copy(path);
    int err = ZK_OK;
    /* Each end of a component in turn, the first of them behind a leading '/'. */
    for (size_t end = strspn(part, "/"); err == ZK_OK && part[end] != '\0'; end += strspn(part + end, "/")) {
        end += strcspn(part + end, "/");
        char next = part[end];
        part[end] = '\0';
        if (file_kind(part) != FILE_KIND_DIRECTORY) {
            err = directory_add(part, error);
            if (err == ZK_OK)
                err = sync_parent(part, error);
            else if (err == ZK_EXISTS && file_kind(part) == FILE_KIND_DIRECTORY)    /* another has just made it */
                err = ZK_OK;
        }
        part[end] = next;
    }
    memory_free(part);
    return err;
}

char *path_join(const char *directory, const char *name)
{
    return string_format(string_ends_with(directory, "/") ? "%s%s" : "%s/%s", directory, name);
}

char *path_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return string_copy(".");
    return slash == path ? string_copy("/") : string_copy_n(path, (size_t)(slash - path));
}
