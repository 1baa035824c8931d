/*
 * tree_snapshot.c - the tree to bytes and back.
 *
 *   ACL table   int count; of each: long id, vector of ACLs
 *   nodes       of each, parents before children: path, data, long ACL id, 60 bytes of stat; the root's path is ""
 *   end         path "/"
 *   digest      long zxid, int version, long digest; written later, behind a checksum
 *
 * Reading believes nothing: a length is held against a limit, memory is taken a MiB ahead of the bytes that have really
 * come, a node needs its parent. A node whose ACL id the table lacks is closed to everybody until the log tells its
 * permissions (acl_cache.c).
 */
#include "server/tree/tree_snapshot.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "common/base/strings.h"
#include "common/wire/path.h"
#include "server/tree/digest.h"
#include "server/tree/tree_internal.h"
#include "server/tree/tree_walk.h"

#define FLUSH_SIZE ((size_t)64 * 1024)
#define READ_AHEAD ((size_t)1024 * 1024)
#define STAT_SIZE 60
#define OLD_DIGEST_TEXT 64    /* longest digest in text form, of versions before 2 */

/* ---- writing ---- */

struct out {
    struct byte_sink *sink;
    struct buffer buffer;
    struct error *error;
};

static int out_flush(struct out *out)
{
    int err = ZK_OK;
    if (out->buffer.size > 0)
        err = out->sink->write(out->sink, out->buffer.bytes, out->buffer.size, out->error);
    buffer_clear(&out->buffer);
    return err;
}

static int out_check(struct out *out)
{
    return out->buffer.size >= FLUSH_SIZE ? out_flush(out) : ZK_OK;
}

static void put_text(struct out *out, struct ustring text)
{
    jute_write_int32(&out->buffer, text.size);
    buffer_append(&out->buffer, text.bytes, (size_t)text.size);
}

static int put_data(struct out *out, const struct blob *data)
{
    jute_write_int32(&out->buffer, data == NULL ? -1 : (int32_t)data->size);
    if (data == NULL || data->size == 0)
        return ZK_OK;
    if (data->size < FLUSH_SIZE) {
        buffer_append(&out->buffer, data->bytes, data->size);
        return ZK_OK;
    }
    int err = out_flush(out);
    return err != ZK_OK ? err : out->sink->write(out->sink, data->bytes, data->size, out->error);
}

static int write_acls(struct data_tree *tree, struct out *out)
{
    size_t count;
    struct acl_list **lists = acl_cache_list(tree->acls, &count);
    int err = ZK_OK;
    jute_write_int32(&out->buffer, (int32_t)count);
    for (size_t i = 0; i < count; i++) {
        if (err == ZK_OK) {
            jute_write_int64(&out->buffer, lists[i]->id);
            jute_write_zk_acl_vector(&out->buffer, lists[i]->acl);
            err = out_check(out);
        }
        acl_list_unref(lists[i]);
    }
    memory_free(lists);
    return err;
}

static int write_node(const struct node_copy *copy, struct out *out)
{
    put_text(out, copy->path);
    int err = put_data(out, copy->data);
    if (err != ZK_OK)
        return err;
    jute_write_int64(&out->buffer, copy->acl_id);
    jute_write_stat_persisted(&out->buffer, &copy->stat);
    return out_check(out);
}

static int write_nodes(struct data_tree *tree, struct out *out)
{
    struct tree_walk walk;
    struct node_copy copy;
    int err = ZK_OK;
    tree_walk_init(&walk, tree, (struct ustring){"", 0});
    while (err == ZK_OK && tree_walk_next(&walk, &copy)) {
        err = write_node(&copy, out);
        node_copy_release(&copy);
    }
    tree_walk_release(&walk);
    put_text(out, ustring_of("/"));
    return err;
}

/* ---- reading ---- */

struct in {
    struct byte_source *source;
    int32_t limit;
    struct error *error;
    struct arena arena;           /* repaired strings, and the ACL that is being read */
    struct buffer path;           /* of the node that is being read */
    struct buffer last_path;      /* of `last` */
    struct data_node *last;       /* the node read before, NULL at the start */
    struct acl_list *last_acl;    /* of that node */
};

static int read_bytes(struct in *in, void *bytes, size_t size)
{
    return in->source->read(in->source, bytes, size, in->error);
}

static int read_int32(struct in *in, int32_t *ret_value)
{
    uint8_t bytes[sizeof(int32_t)];
    int err = read_bytes(in, bytes, sizeof(bytes));
    if (err == ZK_OK)
        *ret_value = (int32_t)load_be32(bytes);
    return err;
}

static int read_int64(struct in *in, int64_t *ret_value)
{
    uint8_t bytes[sizeof(int64_t)];
    int err = read_bytes(in, bytes, sizeof(bytes));
    if (err == ZK_OK)
        *ret_value = (int64_t)load_be64(bytes);
    return err;
}

/* -1 for null. */
static int read_length(struct in *in, const char *what, int32_t *ret_length)
{
    int32_t length = 0;
    int err = read_int32(in, &length);
    if (err != ZK_OK)
        return err;
    if (length < -1 || length > in->limit)
        return error_set(in->error, ZK_CORRUPT, "%s of %" PRId32 " bytes in a snapshot, at most %" PRId32 " may be",
                         what, length, in->limit);
    *ret_length = length;
    return ZK_OK;
}

/* So many bytes, appended; memory grows only as they come. */
static int read_into(struct in *in, struct buffer *buffer, size_t size)
{
    while (size > 0) {
        size_t part = size < READ_AHEAD ? size : READ_AHEAD;
        int err = read_bytes(in, buffer_reserve(buffer, part), part);
        if (err != ZK_OK)
            return err;
        buffer->size += part;
        size -= part;
    }
    return ZK_OK;
}

/* As Java decodes it: what is no UTF-8 becomes U+FFFD. */
static void repair(struct in *in, struct buffer *text)
{
    const char *bytes = (const char *)text->bytes;
    if (text->size == 0 || utf8_is_valid(bytes, text->size))
        return;
    size_t size;
    const char *repaired = utf8_repair(&in->arena, bytes, text->size, &size);
    buffer_clear(text);
    buffer_append(text, repaired, size);
}

/* In the arena. */
static int read_string(struct in *in, const char *what, struct ustring *ret_text)
{
    int32_t length = 0;
    int err = read_length(in, what, &length);
    if (err != ZK_OK)
        return err;
    struct buffer text = {0};
    if (length > 0)
        err = read_into(in, &text, (size_t)length);
    if (err == ZK_OK) {
        repair(in, &text);
        *ret_text = length < 0 ? USTRING_NULL
                               : (struct ustring){arena_copy(&in->arena, buffer_string(&text), text.size),
                                                  (int32_t)text.size};
    }
    buffer_release(&text);
    return err;
}

static int read_acl(struct in *in, struct zk_acl *ret_acl)
{
    int err = read_int32(in, &ret_acl->perms);
    if (err == ZK_OK)
        err = read_string(in, "scheme of an ACL", &ret_acl->id.scheme);
    if (err == ZK_OK)
        err = read_string(in, "id of an ACL", &ret_acl->id.id);
    return err;
}

static int check_acl_id(const struct in *in, int64_t id)
{
    if (id <= ACL_ID_LARGEST)
        return ZK_OK;
    return error_set(in->error, ZK_CORRUPT, "an ACL has id %" PRId64 " in a snapshot", id);
}

/* One list of the table. */
static int read_acl_list(struct data_tree *tree, struct in *in)
{
    int64_t id = 0;
    int32_t count = 0;
    int err = read_int64(in, &id);
    if (err == ZK_OK)
        err = check_acl_id(in, id);
    if (err == ZK_OK)
        err = read_int32(in, &count);
    if (err != ZK_OK)
        return err;
    if (count == -1)
        return error_set(in->error, ZK_CORRUPT, "no ACLs for id %" PRId64 " in a snapshot", id);
    struct buffer items = {0};
    for (int32_t i = 0; i < count && err == ZK_OK; i++) {
        struct zk_acl acl;
        err = read_acl(in, &acl);
        if (err == ZK_OK)
            buffer_append(&items, &acl, sizeof(acl));
    }
    if (err == ZK_OK) {
        struct zk_acl_vector acl = {(struct zk_acl *)(void *)items.bytes, count < 0 ? 0 : count};
        acl_cache_put(tree->acls, id, &acl);
    }
    buffer_release(&items);
    arena_release(&in->arena);
    return err;
}

static int read_acls(struct data_tree *tree, struct in *in)
{
    int32_t count = 0;
    int err = read_int32(in, &count);
    for (; err == ZK_OK && count > 0; count--)
        err = read_acl_list(tree, in);
    return err;
}

static int read_data(struct data_tree *tree, struct in *in, struct blob **ret_data)
{
    int32_t length = 0;
    int err = read_length(in, "data", &length);
    if (err != ZK_OK)
        return err;
    if (length <= 0) {
        *ret_data = length < 0 ? NULL : blob_ref(tree->no_data);
        return ZK_OK;
    }
    size_t size = (size_t)length;
    if (size <= READ_AHEAD) {
        struct blob *data = blob_new(size);
        err = read_bytes(in, data->bytes, size);
        if (err == ZK_OK)
            *ret_data = data;
        else
            blob_unref(data);
        return err;
    }
    struct buffer bytes = {0};
    err = read_into(in, &bytes, size);
    if (err == ZK_OK)
        *ret_data = blob_new_copy(bytes.bytes, size);
    buffer_release(&bytes);
    return err;
}

static struct stat_persisted decode_stat(const uint8_t *bytes)
{
    return (struct stat_persisted){
        .czxid = (int64_t)load_be64(bytes),
        .mzxid = (int64_t)load_be64(bytes + 8),
        .ctime = (int64_t)load_be64(bytes + 16),
        .mtime = (int64_t)load_be64(bytes + 24),
        .version = (int32_t)load_be32(bytes + 32),
        .cversion = (int32_t)load_be32(bytes + 36),
        .aversion = (int32_t)load_be32(bytes + 40),
        .ephemeral_owner = (int64_t)load_be64(bytes + 44),
        .pzxid = (int64_t)load_be64(bytes + 52),
    };
}

/* The node of that path, which is the one read last or above it in a snapshot as servers write it. */
static struct data_node *find_parent(struct data_tree *tree, const struct in *in, struct ustring path)
{
    struct data_node *node = in->last;
    size_t size = in->last_path.size;
    for (; node != NULL && size > (size_t)path.size; node = node->parent)
        size -= data_node_name_size(node) + (node->parent != NULL ? 1 : 0);
    if (node != NULL && size == (size_t)path.size &&
        (size == 0 || memcmp(in->last_path.bytes, path.bytes, size) == 0))
        return node;
    return node_table_find(&tree->nodes, node_table_key(&tree->nodes, path), path);
}

static struct acl_list *acl_of(struct data_tree *tree, const struct in *in, int64_t id)
{
    if (in->last_acl == NULL || in->last_acl->id != id)
        return acl_cache_by_id(tree->acls, id);
    acl_cache_add_usage(tree->acls, in->last_acl);
    return in->last_acl;
}

static int shown(struct ustring path)
{
    return path.size < 256 ? (int)path.size : 256;
}

/* Where the node of in->path belongs: *ret_parent is NULL for the root only. */
static int find_place(struct data_tree *tree, struct in *in, struct ustring path, struct data_node **ret_parent,
                      struct ustring *ret_name)
{
    struct data_node *parent = NULL;
    struct ustring name = path;
    if (path.size > 0) {
        struct ustring parent_path;
        if (!path_split(path, &parent_path, &name))
            return error_set(in->error, ZK_CORRUPT, "path %.*s in a snapshot has no /", shown(path), path.bytes);
        parent = find_parent(tree, in, parent_path);
        if (parent == NULL)
            return error_set(in->error, ZK_CORRUPT, "%.*s in a snapshot comes before its parent", shown(path),
                             path.bytes);
    }
    *ret_parent = parent;
    *ret_name = name;
    return ZK_OK;
}

static int check_is_new(const struct data_tree *tree, const struct in *in, struct node_key key, struct ustring path)
{
    if (node_table_find(&tree->nodes, key, path) == NULL)
        return ZK_OK;
    return error_set(in->error, ZK_CORRUPT, "\"%.*s\" is twice in a snapshot", shown(path), path.bytes);
}

/* What follows the path. */
static int read_node(struct data_tree *tree, struct in *in)
{
    struct ustring path = {buffer_string(&in->path), (int32_t)in->path.size};
    struct node_key key = node_table_key(&tree->nodes, path);
    struct data_node *parent = NULL;
    struct ustring name = {NULL, 0};
    node_table_prefetch(&tree->nodes, key);    /* it is far away in a large tree, so the rest is read meanwhile */
    int err = find_place(tree, in, path, &parent, &name);
    if (err != ZK_OK)
        return err;
    struct blob *data = NULL;
    uint8_t fixed[sizeof(int64_t) + STAT_SIZE];
    err = read_data(tree, in, &data);
    if (err == ZK_OK)
        err = read_bytes(in, fixed, sizeof(fixed));
    if (err == ZK_OK)
        err = check_acl_id(in, (int64_t)load_be64(fixed));
    if (err == ZK_OK)
        err = check_is_new(tree, in, key, path);
    if (err != ZK_OK) {
        blob_unref(data);
        return err;
    }
    struct stat_persisted stat = decode_stat(fixed + sizeof(int64_t));
    struct acl_list *acl = acl_of(tree, in, (int64_t)load_be64(fixed));
    struct data_node *node = data_node_new(parent, name, data, acl, &stat);
    tree_insert(tree, key, node, path);
    tree_owners_add(tree->owners, node, path, stat.ephemeral_owner);
    atomic_fetch_add(&tree->data_size, tree_node_size(path, data_node_data(node)));
    if (parent == NULL) {
        tree->root = node;
        atomic_fetch_add(&tree->data_size, tree_node_size(ustring_of("/"), data_node_data(node)));
    }
    in->last = node;
    in->last_acl = acl;
    struct buffer swapped = in->last_path;
    in->last_path = in->path;
    in->path = swapped;
    return ZK_OK;
}

static int read_path(struct in *in)
{
    int32_t length = 0;
    buffer_clear(&in->path);
    int err = read_length(in, "path", &length);
    if (err == ZK_OK && length < 0)
        return error_set(in->error, ZK_CORRUPT, "null path in a snapshot");
    if (err == ZK_OK && length > 0)
        err = read_into(in, &in->path, (size_t)length);
    if (err == ZK_OK)
        repair(in, &in->path);
    arena_release(&in->arena);
    return err;
}

static bool is_end(const struct buffer *path)
{
    return path->size == 1 && path->bytes[0] == '/';
}

static int read_nodes(struct data_tree *tree, struct in *in)
{
    int err;
    while ((err = read_path(in)) == ZK_OK && !is_end(&in->path)) {
        err = read_node(tree, in);
        if (err != ZK_OK)
            return err;
    }
    if (err == ZK_OK && tree->root == NULL)
        return error_set(in->error, ZK_CORRUPT, "a snapshot without a root");
    return err;
}

/* Version 1 wrote the digest as text. */
static int read_digest_value(struct in *in, int32_t version, uint64_t *ret_digest)
{
    int64_t value = 0;
    if (version >= DIGEST_VERSION) {
        int err = read_int64(in, &value);
        *ret_digest = (uint64_t)value;
        return err;
    }
    struct ustring text = USTRING_NULL;
    in->limit = OLD_DIGEST_TEXT;
    int err = read_string(in, "digest", &text);
    if (err == ZK_OK && text.size > 0 && !string_to_int64(arena_string(&in->arena, text.bytes, (size_t)text.size), 16,
                                                          &value))
        return error_set(in->error, ZK_CORRUPT, "a digest in a snapshot is no number");
    *ret_digest = (uint64_t)value;
    return err;
}

static void keep_loaded_digest(struct data_tree *tree, const struct zxid_digest *digest, int64_t snapshot_zxid)
{
    bool is_usable = digest->zxid > 0 && digest->zxid >= snapshot_zxid;
    if (digest->zxid <= 0)
        log_info("the snapshot has an empty digest");
    else if (!is_usable)
        log_info("the snapshot's digest is of zxid 0x%" PRIx64 ", from before 0x%" PRIx64
                 " where the snapshot begins: not compared",
                 (uint64_t)digest->zxid, (uint64_t)snapshot_zxid);
    mutex_lock(&tree->digest_lock);
    tree->history->loaded = *digest;
    atomic_store(&tree->has_loaded_digest, is_usable);
    mutex_unlock(&tree->digest_lock);
}

/* ---- public ---- */

int tree_snapshot_write(struct data_tree *tree, struct byte_sink *sink, struct error *error)
{
    struct out out = {.sink = sink, .error = error};
    int err = write_acls(tree, &out);
    if (err == ZK_OK)
        err = write_nodes(tree, &out);
    if (err == ZK_OK)
        err = out_flush(&out);
    buffer_release(&out.buffer);
    return err;
}

int tree_snapshot_write_digest(struct data_tree *tree, struct byte_sink *sink, bool *ret_written, struct error *error)
{
    *ret_written = false;
    if (!tree->options.digest_enabled)
        return ZK_OK;
    struct zxid_digest digest = {0, DIGEST_VERSION, 0};
    mutex_lock(&tree->digest_lock);
    uint64_t begun = atomic_load(&tree->txns_begun);
    while (tree->txns_done < begun)
        condition_wait(&tree->txn_done, &tree->digest_lock);
    if (tree->history->has_last)
        digest = tree->history->last;
    mutex_unlock(&tree->digest_lock);
    struct out out = {.sink = sink, .error = error};
    jute_write_int64(&out.buffer, digest.zxid);
    jute_write_int32(&out.buffer, digest.version);
    jute_write_int64(&out.buffer, (int64_t)digest.digest);
    int err = out_flush(&out);
    buffer_release(&out.buffer);
    *ret_written = err == ZK_OK;
    return err;
}

int tree_snapshot_read(struct data_tree *tree, struct byte_source *source, int32_t limit, struct error *error)
{
    struct in in = {.source = source, .limit = limit, .error = error};
    arena_init(&in.arena, NULL, 0);
    tree_clear(tree);
    int err = read_acls(tree, &in);
    if (err == ZK_OK)
        err = read_nodes(tree, &in);
    if (err == ZK_OK) {
        tree_quota_set_up(tree);
        acl_cache_purge_unused(tree->acls);
    }
    arena_release(&in.arena);
    buffer_release(&in.path);
    buffer_release(&in.last_path);
    return err;
}

int tree_snapshot_read_digest(struct data_tree *tree, struct byte_source *source, int64_t snapshot_zxid,
                              struct error *error)
{
    if (!tree->options.digest_enabled)
        return ZK_EOF;
    struct in in = {.source = source, .limit = OLD_DIGEST_TEXT, .error = error};
    arena_init(&in.arena, NULL, 0);
    struct zxid_digest digest = {0};
    int err = read_int64(&in, &digest.zxid);
    if (err == ZK_OK)
        err = read_int32(&in, &digest.version);
    if (err == ZK_OK)
        err = read_digest_value(&in, digest.version, &digest.digest);
    if (err == ZK_OK)
        keep_loaded_digest(tree, &digest, snapshot_zxid);
    arena_release(&in.arena);
    return err;
}

void tree_snapshot_compare_digest(struct data_tree *tree, int64_t zxid)
{
    tree_compare_loaded_digest(tree, zxid);
}

bool tree_snapshot_pending_digest(struct data_tree *tree, struct zxid_digest *ret_digest)
{
    mutex_lock(&tree->digest_lock);
    bool is_pending = atomic_load(&tree->has_loaded_digest);
    if (is_pending)
        *ret_digest = tree->history->loaded;
    mutex_unlock(&tree->digest_lock);
    return is_pending;
}

void tree_snapshot_set_fuzzy(struct data_tree *tree, bool is_fuzzy)
{
    mutex_lock(&tree->digest_lock);
    tree->history->loaded = (struct zxid_digest){0};
    atomic_store(&tree->has_loaded_digest, is_fuzzy);
    mutex_unlock(&tree->digest_lock);
}
