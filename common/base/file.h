/*
 * The only calls that touch a disk. Every failure names the path and the errno. Not locked: one thread a file.
 *
 * What must survive a power cut: file_sync() for bytes, and directory_sync() for names (a new file, a rename, an
 * unlink). A failed sync is never retried: the caller must give up what it was going to acknowledge.
 */
#ifndef ZKC_COMMON_BASE_FILE_H
#define ZKC_COMMON_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

struct file;    /* opaque: an open file that knows its path */

enum file_mode {
    FILE_READ,          /* must exist and be a regular file */
    FILE_WRITE,         /* read and write, must exist */
    FILE_CREATE,        /* read and write, made or cut to nothing; 0600 less umask */
    FILE_CREATE_NEW,    /* as FILE_CREATE, but ZK_EXISTS when it is there */
    FILE_APPEND,        /* made or opened, every write goes to the end */
};
/* ZK_OK; ZK_NOT_FOUND; ZK_EXISTS; ZK_IO. Opened close-on-exec. */
int file_open(const char *path, enum file_mode mode, struct file **ret_file, struct error *error);
/* NULL is accepted. A failed close of written data is ZK_IO. */
int file_close(struct file *file, struct error *error);
const char *file_path(const struct file *file);

/* Up to `size` bytes from `offset`; *ret_read is less only at the end of the file. */
int file_pread(struct file *file, void *bytes, size_t size, int64_t offset, size_t *ret_read, struct error *error);
/* At the file's position (start, or the end for FILE_APPEND), all of it or an error. */
int file_write(struct file *file, const void *bytes, size_t size, struct error *error);
int file_pwrite(struct file *file, const void *bytes, size_t size, int64_t offset, struct error *error);
/* From now on file_write() returns when but for the last 64 KiB all is on the disk, and hands the disk no more than so
 * much at a time: file_sync() finds little to do, and syncs of other files need not wait for it all. */
void file_write_through(struct file *file);
/* fdatasync. */
int file_sync(struct file *file, struct error *error);
int file_size(struct file *file, int64_t *ret_size, struct error *error);
/*
 * Where, at or behind `offset`, bytes are that were written; between there and `offset` is a hole, which reads as
 * zeros. `offset` itself where the file system does not tell. ZK_EOF, without a sentence, when nothing but a hole is
 * left.
 */
int file_next_data(struct file *file, int64_t offset, int64_t *ret_offset, struct error *error);
int file_truncate(struct file *file, int64_t size, struct error *error);
/* Zeros written from `from` up to `to`, so that later writes there need no metadata. */
int file_fill_zeros(struct file *file, int64_t from, int64_t to, struct error *error);
/* Takes an exclusive lock for as long as the file is open; ZK_EXISTS if another process (or file) holds it. */
int file_lock(struct file *file, struct error *error);

/* All of a file of at most `limit` bytes, appended to the buffer; ZK_TOO_LARGE beyond. */
int file_read_all(const char *path, size_t limit, struct buffer *buffer, struct error *error);
/* Mirrors AtomicFileOutputStream: path.tmp, sync, rename, directory sync. After a failure the old content is whole. */
int file_write_atomic(const char *path, const void *bytes, size_t size, struct error *error);

enum file_kind { FILE_KIND_NONE, FILE_KIND_REGULAR, FILE_KIND_DIRECTORY, FILE_KIND_OTHER };
/* FILE_KIND_NONE when it is not there or may not be seen. */
enum file_kind file_kind(const char *path);
/* Wall time of the last change of content, ms; ZK_NOT_FOUND. */
int file_modified_ms(const char *path, int64_t *ret_ms, struct error *error);
/* What changes whenever a file is written or replaced by another: compared, never looked into. */
struct file_stamp {
    int64_t device, inode, size, modified_ns, changed_ns;
};
int file_stamp(const char *path, struct file_stamp *ret_stamp, struct error *error);    /* ZK_NOT_FOUND, ZK_IO */
bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b);
int file_size_of(const char *path, int64_t *ret_size, struct error *error);
int file_unlink(const char *path, struct error *error);                              /* no directory sync */
int file_rename(const char *from, const char *to, struct error *error);              /* no directory sync */
bool file_is_writable(const char *path);
/* Whether somebody beside root and the user of this process may change it: by its mode, or as its owner. */
bool file_is_open_to_others(const char *path);

/* Makes a directory in one that is there, 0700 less umask; ZK_EXISTS, ZK_NOT_FOUND, ZK_IO. No directory sync. */
int directory_add(const char *path, struct error *error);
/* Makes the directory and its parents, 0700 less umask; fine when it is there. Syncs what it made. */
int directory_make(const char *path, struct error *error);
int directory_sync(const char *path, struct error *error);
/* Names (not paths) of its entries without . and .., sorted by byte. */
struct name_list {
    char **names;
    size_t count;
};
int directory_list(const char *path, struct name_list *ret_list, struct error *error);
void name_list_release(struct name_list *list);
/* Sum of the sizes of the regular files right in it; 0 when it is not there. */
int64_t directory_size(const char *path);

/* "directory/name", the caller's. */
char *path_join(const char *directory, const char *name);
/* The part before the last '/', or "."; the caller's. */
char *path_directory(const char *path);
/* Absolute form without resolving links; the caller's. */
char *path_absolute(const char *path);

#endif
