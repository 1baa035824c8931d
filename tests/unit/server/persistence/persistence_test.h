/* What the tests of this room share: a directory, golden files, transactions, and a tree as text. */
#ifndef ZKC_TESTS_UNIT_SERVER_PERSISTENCE_TEST_H
#define ZKC_TESTS_UNIT_SERVER_PERSISTENCE_TEST_H

#include "common/base/buffer.h"
#include "server/persistence/file_snap.h"
#include "server/persistence/file_txn_log.h"
#include "server/persistence/file_txn_snap_log.h"
#include "tests/lib/check_main.h"

/* A new directory, removed with all in it (directories within included) by the second. */
void make_directory(void);
void remove_directory(void);
const char *directory(void);

/* "directory/name", valid for the rest of the test. */
const char *in_directory(const char *name);
/* A file of tests/golden/persistence. */
const char *golden(const char *name);

void read_file(const char *path, struct buffer *ret_bytes);
void write_file(const char *path, const void *bytes, size_t size);
void copy_file(const char *from, const char *to);
bool exists(const char *name);    /* in the directory */

struct file_txn_log_options log_options(void);    /* padding of 8 KiB, no size limit, records up to 1 MiB */
struct file_snap_options snap_options(void);      /* plain, with the last zxid */
struct file_txn_snap_log_options snap_log_options(void);
struct data_tree *new_tree(void);

/* A create of /n<zxid> with data, or another kind of transaction; references are the caller's. */
struct txn *create_txn(int64_t zxid);
struct txn *create_path_txn(int64_t zxid, const char *path, const void *data, size_t size);
struct txn *error_txn(int64_t zxid);
struct txn *session_txn(int64_t zxid, int64_t session, int32_t timeout_ms);    /* closes it for a timeout of -1 */

/* A log in the directory (below `where` in it, "" for itself) of one file with these zxids. */
void write_log(const char *where, int64_t first, int64_t last, int64_t pre_alloc_size);
/* Zxids of all that an iterator gives, in hexadecimal with a blank behind each, and "| <error>" if one ends it. */
char *zxids_from(const char *where, int64_t zxid, bool fast_forward);

/* Everything a tree and its sessions hold, as tests/golden/persistence/tree.txt has it from Java. */
void print_tree(struct data_tree *tree, struct session_table *sessions, int64_t zxid, struct buffer *out);

#endif
