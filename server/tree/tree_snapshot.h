/*
 * The tree to bytes and back: ACL table, nodes in pre-order with a last path "/", digest. Mirrors DataTree.serialize,
 * deserialize and the zxid digest functions. Fuzzy: while it is written the tree goes on changing.
 */
#ifndef ZKC_SERVER_TREE_TREE_SNAPSHOT_H
#define ZKC_SERVER_TREE_TREE_SNAPSHOT_H

#include "common/base/error.h"
#include "server/tree/data_tree.h"

/* Where bytes go; ZK_OK or an error that ends the dump. */
struct byte_sink {
    int (*write)(struct byte_sink *self, const void *bytes, size_t size, struct error *error);
};
/* Where bytes come from: exactly `size` of them, or ZK_EOF, ZK_CORRUPT, ZK_IO. */
struct byte_source {
    int (*read)(struct byte_source *self, void *bytes, size_t size, struct error *error);
};

/* ACL table and nodes. Any thread; holds a stripe lock only while one node is copied. */
int tree_snapshot_write(struct data_tree *tree, struct byte_sink *sink, struct error *error);
/* zxid digest (zxid, version, digest); writes nothing and sets *ret_written false when digests are off. Any thread, but
 * not from a watch event: waits for the end of the transaction that is being applied. */
int tree_snapshot_write_digest(struct data_tree *tree, struct byte_sink *sink, bool *ret_written, struct error *error);

/* Into a tree that was just made (its own nodes are replaced); sets up quotas. A node without its parent, a path twice,
 * a length beyond `limit`, are ZK_CORRUPT. */
int tree_snapshot_read(struct data_tree *tree, struct byte_source *source, int32_t limit, struct error *error);
/* ZK_EOF: an older snapshot ends before it. */
int tree_snapshot_read_digest(struct data_tree *tree, struct byte_source *source, int64_t snapshot_zxid,
                              struct error *error);
/* compareSnapshotDigests after loading, at this zxid. */
void tree_snapshot_compare_digest(struct data_tree *tree, int64_t zxid);
/* A tree that came over the wire while its sender went on: no digest is compared until it is said to be whole. */
void tree_snapshot_set_fuzzy(struct data_tree *tree, bool is_fuzzy);
/* The digest of the snapshot that no transaction reached yet; false when there is none to wait for. */
bool tree_snapshot_pending_digest(struct data_tree *tree, struct zxid_digest *ret_digest);

#endif
