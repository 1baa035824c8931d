/* persistence_test.c - what the tests of this room share. */
#include "tests/unit/server/persistence/persistence_test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/wire/acl.h"
#include "server/persistence/txn_iterator.h"

static char here[256];
static struct arena paths;

static void remove_all(const char *path)
{
    struct name_list names;
    if (directory_list(path, &names, NULL) == ZK_OK) {
        for (size_t i = 0; i < names.count; i++) {
            char *inside = path_join(path, names.names[i]);
            if (unlink(inside) != 0)
                remove_all(inside);
            memory_free(inside);
        }
        name_list_release(&names);
    }
    (void)remove(path);
}

static const char *keep(char *path)
{
    const char *kept = arena_string(&paths, path, strlen(path));
    memory_free(path);
    return kept;
}

static struct txn *new_txn(int64_t zxid, int32_t type, const struct txn_body *body)
{
    struct txn_header header = {.client_id = 0x1234, .cxid = (int32_t)zxid, .zxid = zxid, .time = 1700000000000 + zxid,
                                .type = type};
    return txn_new(&header, body, NULL);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct lines {
    char **items;
    size_t count, capacity;
};

static void print_node(struct data_tree *tree, const char *path, struct buffer *out)
{
    struct zk_stat stat, acl_stat;
    struct blob *data;
    struct acl_list *acl;
    ck_assert_int_eq(data_tree_get_data(tree, ustring_of(path), NULL, NULL, &stat, &data), ZK_OK);
    ck_assert_int_eq(data_tree_get_acl(tree, ustring_of(path), NULL, &acl_stat, &acl), ZK_OK);
    buffer_printf(out, "%s ", path);
    if (data == NULL)
        buffer_append_string(out, "null");
    for (size_t i = 0; data != NULL && i < data->size; i++)
        buffer_printf(out, "%02x", data->bytes[i]);
    buffer_append_string(out, " ");
    for (int32_t i = 0; i < acl->acl.count; i++) {
        const struct zk_acl *one = &acl->acl.items[i];
        buffer_printf(out, "%" PRId32 ":%.*s:%.*s,", one->perms, (int)one->id.scheme.size, one->id.scheme.bytes,
                      (int)one->id.id.size, one->id.id.bytes);
    }
    buffer_printf(out, " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %d %d %d %" PRId64 " %d %d %" PRId64,
                  stat.czxid, stat.mzxid, stat.ctime, stat.mtime, stat.version, stat.cversion, stat.aversion,
                  stat.ephemeral_owner, stat.data_length, stat.num_children, stat.pzxid);
    blob_unref(data);
    acl_list_unref(acl);
}

static void collect_lines(struct data_tree *tree, const char *path, struct lines *lines)
{
    struct buffer line = {0};
    print_node(tree, path, &line);
    if (lines->count == lines->capacity) {
        lines->capacity = 2 * lines->capacity + 16;
        lines->items = memory_realloc(lines->items, lines->capacity * sizeof(lines->items[0]));
    }
    lines->items[lines->count++] = buffer_detach(&line);
    struct zk_stat stat;
    struct blob *children;
    ck_assert_int_eq(data_tree_get_children(tree, ustring_of(path), NULL, NULL, &stat, &children), ZK_OK);
    struct arena arena = {0};
    struct jute_reader reader;
    jute_reader_init(&reader, children->bytes, children->size, &arena);
    struct ustring_vector names = jute_read_ustring_vector(&reader);
    for (int32_t i = 0; i < names.count; i++) {
        char *child = string_format("%s/%.*s", strcmp(path, "/") == 0 ? "" : path, (int)names.items[i].size,
                                    names.items[i].bytes);
        collect_lines(tree, child, lines);
        memory_free(child);
    }
    arena_release(&arena);
    blob_unref(children);
}

void make_directory(void)
{
    log_set_level(NULL, LOG_OFF);
    const char *parent = getenv("TMPDIR");
    if (parent == NULL)
        parent = file_kind("/dev/shm") == FILE_KIND_DIRECTORY && file_is_writable("/dev/shm") ? "/dev/shm" : "/tmp";
    snprintf(here, sizeof(here), "%s/zkc_persistence.XXXXXX", parent);
    ck_assert_ptr_nonnull(mkdtemp(here));
}

void remove_directory(void)
{
    remove_all(here);
    arena_release(&paths);
}

const char *directory(void)
{
    return here;
}

const char *in_directory(const char *name)
{
    return keep(path_join(here, name));
}

const char *golden(const char *name)
{
    const char *source = getenv("ZKC_SOURCE");
    return keep(string_format("%s/tests/golden/persistence/%s", source != NULL ? source : ".", name));
}

void read_file(const char *path, struct buffer *ret_bytes)
{
    struct error error = {0};
    ck_assert_msg(file_read_all(path, SIZE_MAX / 4, ret_bytes, &error) == ZK_OK, "%s", error.text);
}

void write_file(const char *path, const void *bytes, size_t size)
{
    struct error error = {0};
    struct file *file;
    ck_assert_msg(file_open(path, FILE_CREATE, &file, &error) == ZK_OK, "%s", error.text);
    ck_assert_int_eq(file_write(file, bytes, size, NULL), ZK_OK);
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
}

void copy_file(const char *from, const char *to)
{
    struct buffer bytes = {0};
    read_file(from, &bytes);
    write_file(to, bytes.bytes, bytes.size);
    buffer_release(&bytes);
}

bool exists(const char *name)
{
    return file_kind(in_directory(name)) != FILE_KIND_NONE;
}

struct file_txn_log_options log_options(void)
{
    return (struct file_txn_log_options){.pre_alloc_size = 8192,
                                         .force_sync = true,
                                         .fsync_warning_threshold_ms = 1000,
                                         .max_record_size = 1024 * 1024,
                                         .rules = {.digest_enabled = true}};
}

struct file_snap_options snap_options(void)
{
    return (struct file_snap_options){.compression = SNAP_PLAIN, .serialize_last_processed_zxid = true,
                                      .limit = JUTE_LIMIT_DEFAULT};
}

struct file_txn_snap_log_options snap_log_options(void)
{
    return (struct file_txn_snap_log_options){.data_dir_autocreate = true, .db_autocreate = true, .log = log_options(),
                                              .snap = snap_options()};
}

struct data_tree *new_tree(void)
{
    const struct data_tree_options options = { .ephemeral_rules = { .extended_types_enabled = true },
                                               .digest_enabled = true };
    return data_tree_new(&options, NULL);
}

struct txn *create_txn(int64_t zxid)
{
    char path[32];
    snprintf(path, sizeof(path), "/n%" PRIx64, (uint64_t)zxid);
    return create_path_txn(zxid, path, "data", 4);
}

struct txn *create_path_txn(int64_t zxid, const char *path, const void *data, size_t size)
{
    const struct txn_body body = {.is_present = true,
                                  .record.create = {.path = ustring_of(path),
                                                    .data = {data, (int32_t)size},
                                                    .acl = acl_open_unsafe,
                                                    .ephemeral = false,
                                                    .parent_c_version = (int32_t)zxid}};
    return new_txn(zxid, OP_CREATE, &body);
}

struct txn *error_txn(int64_t zxid)
{
    const struct txn_body body = {.is_present = true, .record.error = {.err = ZK_NO_NODE}};
    return new_txn(zxid, OP_ERROR, &body);
}

struct txn *session_txn(int64_t zxid, int64_t session, int32_t timeout_ms)
{
    const struct txn_body open = {.is_present = true, .record.create_session = {.time_out = timeout_ms}};
    const struct txn_body close = {.is_present = true};
    struct txn_header header = {.client_id = session, .zxid = zxid, .time = 1,
                                .type = timeout_ms >= 0 ? OP_CREATE_SESSION : OP_CLOSE_SESSION};
    return txn_new(&header, timeout_ms >= 0 ? &open : &close, NULL);
}

void write_log(const char *where, int64_t first, int64_t last, int64_t pre_alloc_size)
{
    struct error error = {0};
    struct file_txn_log_options options = log_options();
    options.pre_alloc_size = pre_alloc_size;
    struct file_txn_log *log = file_txn_log_new(in_directory(where), &options, NULL, NULL);
    for (int64_t zxid = first; zxid <= last; zxid++) {
        struct txn *txn = create_txn(zxid);
        ck_assert_msg(file_txn_log_append(log, txn, &error) == ZK_OK, "%s", error.text);
        txn_unref(txn);
    }
    ck_assert_msg(file_txn_log_commit(log, &error) == ZK_OK, "%s", error.text);
    file_txn_log_free(log);
}

char *zxids_from(const char *where, int64_t zxid, bool fast_forward)
{
    struct error error = {0};
    const struct file_txn_log_options options = log_options();
    struct txn_iterator *iterator = NULL;
    struct buffer text = {0};
    struct txn *txn;
    int err = txn_iterator_open(in_directory(where), zxid, fast_forward, &options, &iterator, &error);
    while (err == ZK_OK && (err = txn_iterator_next(iterator, &txn, &error)) == ZK_OK) {
        buffer_printf(&text, "%" PRIx64 " ", (uint64_t)txn->header.zxid);
        txn_unref(txn);
    }
    if (err != ZK_EOF)
        buffer_printf(&text, "| %s", error_name(err));
    txn_iterator_close(iterator);
    return buffer_detach(&text);
}

void print_tree(struct data_tree *tree, struct session_table *sessions, int64_t zxid, struct buffer *out)
{
    buffer_printf(out, "zxid 0x%" PRIx64 " digest %" PRIu64 " nodes %zu acls %zu\n", (uint64_t)zxid,
                  data_tree_digest(tree), data_tree_node_count(tree), data_tree_acl_cache_size(tree));
    size_t count;
    struct session_timeout *list = session_table_list(sessions, &count);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "session %" PRId64 " %" PRId32 "\n", list[i].id, list[i].timeout_ms);
    memory_free(list);
    struct lines lines = {0};
    collect_lines(tree, "/", &lines);
    qsort(lines.items, lines.count, sizeof(lines.items[0]), compare_lines);
    for (size_t i = 0; i < lines.count; i++) {
        buffer_printf(out, "%s\n", lines.items[i]);
        memory_free(lines.items[i]);
    }
    memory_free(lines.items);
}
