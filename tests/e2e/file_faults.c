/*
 * file_faults.c - a library to preload: counts the calls by which a server changes what is below a directory, and at
 * one of them kills it, or lets the call fail.
 *
 *   ZKC_FAULT_DIR     where; calls on other files are left alone and not counted
 *   ZKC_FAULT_AT      at which call, from 1 on; 0: at none
 *   ZKC_FAULT         before, after: SIGKILL before or after the call
 *                     EIO: the call fails, that one alone; ENOSPC: it fails, and all writes after it
 *                     short: half of a write is written, and all writes after it fail with ENOSPC
 *   ZKC_FAULT_COUNT   a file that gets the number of calls, written anew at each (so that the last is left)
 *   ZKC_FAULT_FULL    a file: while it is there, no write finds room (ENOSPC)
 *   ZKC_FAULT_SLOW    a file with a number: so many ms each sync takes longer
 *   ZKC_FAULT_READ    a part of a path: what has it there can be opened, but not read (EIO)
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MOST_FDS 4096

enum fault { FAULT_NONE, FAULT_BEFORE, FAULT_AFTER, FAULT_EIO, FAULT_ENOSPC, FAULT_SHORT };

static const char *directory, *full_path, *slow_path, *unreadable;
static long fault_at;
static enum fault fault;
static int count_fd = -1;
static _Atomic long count;
static _Atomic bool is_full;
static _Atomic bool is_ours[MOST_FDS];    /* descriptors of files below the directory, open for writing */
static _Atomic bool is_unreadable[MOST_FDS];

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL)
        abort();
    return function;
}

__attribute__((constructor)) static void read_environment(void)
{
    static const char *const names[] = {"none", "before", "after", "EIO", "ENOSPC", "short"};
    const char *at = getenv("ZKC_FAULT_AT"), *name = getenv("ZKC_FAULT"), *count_path = getenv("ZKC_FAULT_COUNT");
    directory = getenv("ZKC_FAULT_DIR");
    full_path = getenv("ZKC_FAULT_FULL");
    slow_path = getenv("ZKC_FAULT_SLOW");
    unreadable = getenv("ZKC_FAULT_READ");
    fault_at = at == NULL ? 0 : atol(at);
    for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            fault = (enum fault)i;
    int (*open_)(const char *, int, ...) = (int (*)(const char *, int, ...))real("open");
    if (count_path != NULL)
        count_fd = open_(count_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    pause();
}

/* Counts the call. True: it is the one. */
static bool is_the_one(void)
{
    long number = atomic_fetch_add(&count, 1) + 1;
    if (count_fd >= 0) {
        char text[24];
        int size = snprintf(text, sizeof text, "%ld", number);
        ssize_t (*pwrite_)(int, const void *, size_t, off_t) =
            (ssize_t(*)(int, const void *, size_t, off_t))real("pwrite");
        if (pwrite_(count_fd, text, (size_t)size, 0) < 0)
            abort();
    }
    if (number != fault_at)
        return false;
    if (fault == FAULT_BEFORE)
        die();
    return true;
}

/* What a call that is no write does in its place: true when it fails. */
static bool fails(bool is_one)
{
    if (!is_one || (fault != FAULT_EIO && fault != FAULT_ENOSPC))
        return false;
    if (fault == FAULT_ENOSPC)
        atomic_store(&is_full, true);
    errno = fault == FAULT_EIO ? EIO : ENOSPC;
    return true;
}

static void end_call(bool is_one)
{
    int error_number = errno;
    if (is_one && fault == FAULT_AFTER)
        die();
    errno = error_number;
}

static bool is_below(const char *path)
{
    return directory != NULL && strncmp(path, directory, strlen(directory)) == 0;
}

static bool is_file_of_ours(int fd)
{
    return fd >= 0 && fd < MOST_FDS && atomic_load(&is_ours[fd]);
}

/* ---- open ---- */

static int open_any(const char *name, const char *path, int flags, mode_t mode)
{
    int (*open_)(const char *, int, ...) = (int (*)(const char *, int, ...))real(name);
    bool is_writing = (flags & O_ACCMODE) != O_RDONLY && is_below(path);
    bool counts = is_below(path) && (flags & O_CREAT) != 0, is_one = false;
    if (counts) {
        is_one = is_the_one();
        if (fails(is_one))
            return -1;
    }
    int fd = open_(path, flags, mode);
    if (fd >= 0 && fd < MOST_FDS) {
        atomic_store(&is_ours[fd], is_writing || (is_below(path) && (flags & O_DIRECTORY) != 0));
        atomic_store(&is_unreadable[fd], unreadable != NULL && is_below(path) && strstr(path, unreadable) != NULL);
    }
    end_call(is_one);
    return fd;
}

static mode_t mode_of(int flags, va_list arguments)
{
    return (flags & O_CREAT) != 0 ? (mode_t)va_arg(arguments, int) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_any("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_any("open64", path, flags, mode);
}

/* What fortified code calls where no mode is given. */
int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return open_any("open", path, flags, 0);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
    return open_any("open64", path, flags, 0);
}

int close(int fd)
{
    int (*close_)(int) = (int (*)(int))real("close");
    if (fd >= 0 && fd < MOST_FDS)
        atomic_store(&is_ours[fd], false);
    return close_(fd);
}

/* ---- writing ---- */

/* How much of a write is written: *size, less for the one that is cut short. False: nothing, errno says why. */
static bool permit_write(bool is_one, size_t *size)
{
    if (atomic_load(&is_full) || (full_path != NULL && access(full_path, F_OK) == 0)) {
        errno = ENOSPC;
        return false;
    }
    if (fails(is_one))
        return false;
    if (is_one && fault == FAULT_SHORT) {
        atomic_store(&is_full, true);
        *size /= 2;
        if (*size == 0) {
            errno = ENOSPC;
            return false;
        }
    }
    return true;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    ssize_t (*write_)(int, const void *, size_t) = (ssize_t(*)(int, const void *, size_t))real("write");
    if (!is_file_of_ours(fd))
        return write_(fd, bytes, size);
    bool is_one = is_the_one();
    if (!permit_write(is_one, &size))
        return -1;
    ssize_t written = write_(fd, bytes, size);
    end_call(is_one);
    return written;
}

static ssize_t pwrite_any(const char *name, int fd, const void *bytes, size_t size, off_t offset)
{
    ssize_t (*pwrite_)(int, const void *, size_t, off_t) = (ssize_t(*)(int, const void *, size_t, off_t))real(name);
    if (!is_file_of_ours(fd))
        return pwrite_(fd, bytes, size, offset);
    bool is_one = is_the_one();
    if (!permit_write(is_one, &size))
        return -1;
    ssize_t written = pwrite_(fd, bytes, size, offset);
    end_call(is_one);
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    return pwrite_any("pwrite", fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
    return pwrite_any("pwrite64", fd, bytes, size, offset);
}

static ssize_t pwritev_any(const char *name, int fd, const struct iovec *parts, int part_count, off_t offset)
{
    ssize_t (*pwritev_)(int, const struct iovec *, int, off_t) =
        (ssize_t(*)(int, const struct iovec *, int, off_t))real(name);
    if (!is_file_of_ours(fd))
        return pwritev_(fd, parts, part_count, offset);
    bool is_one = is_the_one();
    size_t size = parts[0].iov_len;
    if (!permit_write(is_one, &size))
        return -1;
    if (size == parts[0].iov_len) {
        ssize_t written = pwritev_(fd, parts, part_count, offset);
        end_call(is_one);
        return written;
    }
    struct iovec half = {parts[0].iov_base, size};
    return pwritev_(fd, &half, 1, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int part_count, off_t offset)
{
    return pwritev_any("pwritev", fd, parts, part_count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int part_count, off_t offset)
{
    return pwritev_any("pwritev64", fd, parts, part_count, offset);
}

/* ---- reading ---- */

static ssize_t pread_any(const char *name, int fd, void *bytes, size_t size, off_t offset)
{
    ssize_t (*pread_)(int, void *, size_t, off_t) = (ssize_t(*)(int, void *, size_t, off_t))real(name);
    if (fd < 0 || fd >= MOST_FDS || !atomic_load(&is_unreadable[fd]))
        return pread_(fd, bytes, size, offset);
    errno = EIO;
    return -1;
}

ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
    return pread_any("pread", fd, bytes, size, offset);
}

ssize_t pread64(int fd, void *bytes, size_t size, off_t offset)
{
    return pread_any("pread64", fd, bytes, size, offset);
}

/* ---- what takes a descriptor, or a path ---- */

/* The time a slow disk takes to sync, as the file says at this moment. Always true. */
static bool take_time(void)
{
    char text[24] = "";
    int (*open_)(const char *, int, ...) = (int (*)(const char *, int, ...))real("open");
    int fd = slow_path == NULL ? -1 : open_(slow_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    if (read(fd, text, sizeof text - 1) > 0) {
        long ms = atol(text);
        struct timespec left = {ms / 1000, ms % 1000 * 1000000};
        while (nanosleep(&left, &left) != 0 && errno == EINTR)
            ;
    }
    int (*close_)(int) = (int (*)(int))real("close");
    close_(fd);
    return true;
}

/* A call on a file of ours (`is_counted`) that does nothing but change it or its name. */
#define CALL(name, parameters, arguments, is_counted) \
    int name parameters; \
    int name parameters \
    { \
        int (*function) parameters = (int (*) parameters)real(#name); \
        if (!(is_counted)) \
            return function arguments; \
        bool is_one = is_the_one(); \
        if (fails(is_one)) \
            return -1; \
        int result = function arguments; \
        end_call(is_one); \
        return result; \
    }

CALL(fsync, (int fd), (fd), is_file_of_ours(fd) && take_time())
CALL(fdatasync, (int fd), (fd), is_file_of_ours(fd) && take_time())
CALL(ftruncate, (int fd, off_t size), (fd, size), is_file_of_ours(fd))
CALL(ftruncate64, (int fd, off_t size), (fd, size), is_file_of_ours(fd))
CALL(rename, (const char *path, const char *to), (path, to), is_below(path))
CALL(unlink, (const char *path), (path), is_below(path))
CALL(mkdir, (const char *path, mode_t mode), (path, mode), is_below(path))
