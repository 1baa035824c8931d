/*
 * file.c - the only calls that touch a disk.
 *
 * Every loop here goes on after EINTR and after a short count; nothing else is tried twice, a failed sync least of all.
 * What is not there is told apart from what failed (ZK_NOT_FOUND, ZK_IO), because callers treat an empty data
 * directory and a broken one differently.
 */
#include "common/base/file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/base/strings.h"

#define ZERO_BLOCK ((size_t)65536)
#define ZERO_BLOCKS 16    /* a call: 1 MiB */
#define THROUGH_PIECE ((size_t)64 * 1024)    /* so small that a sync of another file meets little of it */

struct file {
    int fd;
    int64_t position;    /* of the next file_write() */
    char *path;
    bool writes_through;
    int64_t through;     /* then: what is before is on the disk */
};

static bool is_missing(int error_number)
{
    return error_number == ENOENT || error_number == ENOTDIR;
}

/* After a call on a path failed: ZK_NOT_FOUND, ZK_EXISTS or ZK_IO with "cannot <deed> <path>: <reason>". */
static int fail_path(struct error *error, const char *deed, const char *path)
{
    int saved_errno = errno;
    int code = is_missing(saved_errno) ? ZK_NOT_FOUND : saved_errno == EEXIST ? ZK_EXISTS : ZK_IO;
    error_set_errno(error, "cannot %s %s", deed, path);
    if (error != NULL)
        error->code = code;
    return code;
}

static int open_flags(enum file_mode mode)
{
    switch (mode) {
    case FILE_READ: return O_RDONLY | O_NONBLOCK;    /* a FIFO must not hold us before it is refused */
    case FILE_WRITE: return O_RDWR;
    case FILE_CREATE: return O_RDWR | O_CREAT | O_TRUNC;
    case FILE_CREATE_NEW: return O_RDWR | O_CREAT | O_EXCL;
    case FILE_APPEND: return O_RDWR | O_CREAT | O_APPEND;
    }
    assert(!"a file mode");
    return O_RDONLY;
}

static int check_regular(int fd, const char *path, struct error *error)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_set_errno(error, "cannot look at %s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(error, ZK_IO, "cannot open %s: not a regular file", path);
    return ZK_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int64_t modified_ms(const struct stat *status)
{
    return (int64_t)status->st_mtim.tv_sec * 1000 + status->st_mtim.tv_nsec / 1000000;
}

int file_open(const char *path, enum file_mode mode, struct file **ret_file, struct error *error)
{
    int fd = open(path, open_flags(mode) | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0)
        return fail_path(error, "open", path);
    int err = mode == FILE_READ ? check_regular(fd, path, error) : ZK_OK;
    off_t end = 0;
    if (err == ZK_OK && mode == FILE_APPEND && (end = lseek(fd, 0, SEEK_END)) < 0)
        err = error_set_errno(error, "cannot find the end of %s", path);
    if (err != ZK_OK) {
        close(fd);
        return err;
    }
    struct file *file = MEMORY_NEW(struct file);
    file->fd = fd;
    file->position = end;
    file->path = string_copy(path);
    *ret_file = file;
    return ZK_OK;
}

int file_close(struct file *file, struct error *error)
{
    if (file == NULL)
        return ZK_OK;
    /* Linux gives the descriptor back whatever close() returns. */
    int err = close(file->fd) < 0 && errno != EINTR ? error_set_errno(error, "cannot close %s", file->path) : ZK_OK;
    memory_free(file->path);
    memory_free(file);
    return err;
}

const char *file_path(const struct file *file)
{
    return file->path;
}

int file_pread(struct file *file, void *bytes, size_t size, int64_t offset, size_t *ret_read, struct error *error)
{
    uint8_t *at = bytes;
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(file->fd, at + done, size - done, offset + (int64_t)done);
        if (got == 0)
            break;
        if (got > 0)
            done += (size_t)got;
        else if (errno != EINTR)
            return error_set_errno(error, "cannot read %s at %" PRId64, file->path, offset + (int64_t)done);
    }
    *ret_read = done;
    return ZK_OK;
}

void file_write_through(struct file *file)
{
    file->writes_through = true;
    file->through = file->position;
}

/* One piece at a time is on its way: with a second one behind it a sync of another file takes half as long again. An
 * error found by waiting is told only once, so it may not be passed over. Where the kernel cannot, the sync will do. */
static int pass_through(struct file *file, struct error *error)
{
    unsigned how = SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    int result = sync_file_range(file->fd, file->through, file->position - file->through, how);
    file->through = file->position;
    if (result == 0)
        return ZK_OK;
    file->writes_through = false;
    bool cannot = errno == ENOSYS || errno == EINVAL || errno == ESPIPE;
    return cannot ? ZK_OK : error_set_errno(error, "cannot write %s", file->path);
}

static int write_all(struct file *file, const void *bytes, size_t size, struct error *error)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        ssize_t written = write(file->fd, at, size);
        if (written < 0) {
            if (errno == EINTR)
                continue;
            return error_set_errno(error, "cannot write %s at %" PRId64, file->path, file->position);
        }
        at += written;
        size -= (size_t)written;
        file->position += written;
    }
    return ZK_OK;
}

int file_write(struct file *file, const void *bytes, size_t size, struct error *error)
{
    const uint8_t *at = bytes;
    int err = ZK_OK;
    while (err == ZK_OK && size > 0) {
        size_t piece = file->writes_through && size > THROUGH_PIECE ? THROUGH_PIECE : size;
        err = write_all(file, at, piece, error);
        if (err == ZK_OK && file->writes_through && file->position - file->through >= (int64_t)THROUGH_PIECE)
            err = pass_through(file, error);
        at += piece;
        size -= piece;
    }
    return err;
}

int file_pwrite(struct file *file, const void *bytes, size_t size, int64_t offset, struct error *error)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        ssize_t written = pwrite(file->fd, at, size, offset);
        if (written < 0) {
            if (errno == EINTR)
                continue;
            return error_set_errno(error, "cannot write %s at %" PRId64, file->path, offset);
        }
        at += written;
        size -= (size_t)written;
        offset += written;
    }
    return ZK_OK;
}

int file_sync(struct file *file, struct error *error)
{
    return fdatasync(file->fd) < 0 ? error_set_errno(error, "cannot sync %s", file->path) : ZK_OK;
}

int file_size(struct file *file, int64_t *ret_size, struct error *error)
{
    struct stat status;
    if (fstat(file->fd, &status) < 0)
        return error_set_errno(error, "cannot look at %s", file->path);
    *ret_size = status.st_size;
    return ZK_OK;
}

int file_next_data(struct file *file, int64_t offset, int64_t *ret_offset, struct error *error)
{
#ifdef SEEK_DATA
    off_t at = lseek(file->fd, offset, SEEK_DATA);
    int reason = at < 0 ? errno : 0;
    if (lseek(file->fd, file->position, SEEK_SET) < 0)    /* file_write() goes on there */
        return error_set_errno(error, "cannot go to %" PRId64 " in %s", file->position, file->path);
    if (reason == ENXIO)
        return ZK_EOF;
    errno = reason;
    if (at < 0 && reason != EINVAL)
        return error_set_errno(error, "cannot look for data in %s at %" PRId64, file->path, offset);
    if (at >= 0)
        offset = at;
#else
    (void)file;
    (void)error;
#endif
    *ret_offset = offset;
    return ZK_OK;
}

int file_truncate(struct file *file, int64_t size, struct error *error)
{
    while (ftruncate(file->fd, size) < 0) {
        if (errno != EINTR)
            return error_set_errno(error, "cannot cut %s to %" PRId64 " bytes", file->path, size);
    }
    return ZK_OK;
}

int file_fill_zeros(struct file *file, int64_t from, int64_t to, struct error *error)
{
    static uint8_t zeros[ZERO_BLOCK];    /* not const, so that it takes no room in the program; never written */
    while (from < to) {
        struct iovec parts[ZERO_BLOCKS];
        int count = 0;
        int64_t planned = from;
        while (count < ZERO_BLOCKS && planned < to) {
            size_t size = to - planned < (int64_t)ZERO_BLOCK ? (size_t)(to - planned) : ZERO_BLOCK;
            parts[count++] = (struct iovec){ .iov_base = zeros, .iov_len = size };
            planned += (int64_t)size;
        }
        ssize_t written = pwritev(file->fd, parts, count, from);
        if (written >= 0)
            from += written;
        else if (errno != EINTR)
            return error_set_errno(error, "cannot write %s at %" PRId64, file->path, from);
    }
    return ZK_OK;
}

int file_lock(struct file *file, struct error *error)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    if (fcntl(file->fd, F_OFD_SETLK, &lock) == 0)
        return ZK_OK;
    if (errno == EAGAIN || errno == EACCES)
        return error_set(error, ZK_EXISTS, "%s is locked by another process", file->path);
    return error_set_errno(error, "cannot lock %s", file->path);
}

enum file_kind file_kind(const char *path)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return FILE_KIND_NONE;
    if (S_ISREG(status.st_mode))
        return FILE_KIND_REGULAR;
    return S_ISDIR(status.st_mode) ? FILE_KIND_DIRECTORY : FILE_KIND_OTHER;
}

int file_modified_ms(const char *path, int64_t *ret_ms, struct error *error)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return fail_path(error, "look at", path);
    *ret_ms = modified_ms(&status);
    return ZK_OK;
}

static int64_t nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int file_stamp(const char *path, struct file_stamp *ret_stamp, struct error *error)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return fail_path(error, "look at", path);
    *ret_stamp = (struct file_stamp){.device = (int64_t)status.st_dev, .inode = (int64_t)status.st_ino,
                                     .size = status.st_size, .modified_ns = nanoseconds(status.st_mtim),
                                     .changed_ns = nanoseconds(status.st_ctim)};
    return ZK_OK;
}

bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

int file_size_of(const char *path, int64_t *ret_size, struct error *error)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return fail_path(error, "look at", path);
    *ret_size = status.st_size;
    return ZK_OK;
}

int file_unlink(const char *path, struct error *error)
{
    return unlink(path) < 0 ? fail_path(error, "remove", path) : ZK_OK;
}

int file_rename(const char *from, const char *to, struct error *error)
{
    if (rename(from, to) == 0)
        return ZK_OK;
    int code = is_missing(errno) ? ZK_NOT_FOUND : ZK_IO;
    error_set_errno(error, "cannot rename %s to %s", from, to);
    if (error != NULL)
        error->code = code;
    return code;
}

bool file_is_writable(const char *path)
{
    return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

bool file_is_open_to_others(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 &&
           ((status.st_mode & S_IWOTH) != 0 || (status.st_uid != 0 && status.st_uid != geteuid()));
}

int directory_add(const char *path, struct error *error)
{
    return mkdir(path, 0700) < 0 ? fail_path(error, "make directory", path) : ZK_OK;
}

int directory_sync(const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_path(error, "open directory", path);
    int err = fsync(fd) < 0 ? error_set_errno(error, "cannot sync directory %s", path) : ZK_OK;
    close(fd);
    return err;
}

int directory_list(const char *path, struct name_list *ret_list, struct error *error)
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return fail_path(error, "list directory", path);
    struct name_list list = { 0 };
    size_t capacity = 0;
    struct dirent *entry;
    while ((errno = 0, entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (list.count == capacity) {
            capacity = capacity > 0 ? 2 * capacity : 16;
            list.names = memory_realloc(list.names, capacity * sizeof(list.names[0]));
        }
        list.names[list.count++] = string_copy(entry->d_name);
    }
    int err = errno != 0 ? error_set_errno(error, "cannot list directory %s", path) : ZK_OK;
    closedir(directory);
    if (err != ZK_OK) {
        name_list_release(&list);
        return err;
    }
    if (list.count > 0)
        qsort(list.names, list.count, sizeof(list.names[0]), compare_names);
    *ret_list = list;
    return ZK_OK;
}

void name_list_release(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        memory_free(list->names[i]);
    memory_free(list->names);
    *list = (struct name_list){ 0 };
}

int64_t directory_size(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return 0;
    int64_t total = 0;
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        struct stat status;
        if (fstatat(dirfd(directory), entry->d_name, &status, 0) == 0 && S_ISREG(status.st_mode))
            total += status.st_size;
    }
    closedir(directory);
    return total;
}

char *path_absolute(const char *path)
{
    if (path[0] == '/')
        return string_copy(path);
    char *current = getcwd(NULL, 0);
    if (current == NULL)    /* the directory we stand in was removed */
        return string_copy(path);
    char *absolute = path_join(current, path);
    free(current);    /* getcwd's, not memory_alloc's */
    return absolute;
}
