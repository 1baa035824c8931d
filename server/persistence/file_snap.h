/* snapshot.* files: header "ZKSN", sessions, tree, seals, digest, last zxid. Mirrors FileSnap. */
#ifndef ZKC_SERVER_PERSISTENCE_FILE_SNAP_H
#define ZKC_SERVER_PERSISTENCE_FILE_SNAP_H

#include "common/base/error.h"
#include "server/persistence/file_names.h"
#include "server/persistence/snap_stream.h"
#include "server/tree/data_tree.h"
#include "server/tree/txn_body.h"

#define SNAP_MAGIC 0x5a4b534e    /* "ZKSN" */

struct session_timeout {
    int64_t id;
    int32_t timeout_ms;
};
/* The sessions of a database: id to time-out. Own lock; any thread. Mirrors ZKDatabase.sessionsWithTimeouts. */
struct session_table;
struct session_table *session_table_new(void);
void session_table_free(struct session_table *table);
void session_table_put(struct session_table *table, int64_t id, int32_t timeout_ms);
void session_table_remove(struct session_table *table, int64_t id);
bool session_table_get(struct session_table *table, int64_t id, int32_t *ret_timeout_ms);
size_t session_table_count(struct session_table *table);
void session_table_clear(struct session_table *table);
/* A copy, by id; memory_free. */
struct session_timeout *session_table_list(struct session_table *table, size_t *ret_count);
/* What a committed transaction does to the table: createSession puts, closeSession removes, all else is nothing. */
void session_table_apply(struct session_table *table, const struct txn_header *header, const struct txn_body *body);

struct file_snap_options {
    enum snap_compression compression;
    bool serialize_last_processed_zxid;
    int32_t limit;    /* longest string or data accepted from a file, bytes */
};
/* What is written first: header, sessions, tree. */
int file_snap_write_content(struct data_tree *tree, struct session_table *sessions, struct byte_sink *sink,
                            struct error *error);
int file_snap_read_content(struct data_tree *tree, struct session_table *sessions, struct byte_source *source,
                           int32_t limit, struct error *error);

/* The same without the header: what goes from a leader to a learner (SerializeUtils.serializeSnapshot). */
int file_snap_write_state(struct data_tree *tree, struct session_table *sessions, struct byte_sink *sink,
                          struct error *error);
int file_snap_read_state(struct data_tree *tree, struct session_table *sessions, struct byte_source *source,
                         int32_t limit, struct error *error);

/* Writes the whole file, durable when it returns ZK_OK; a failure leaves no file of that name. Snapshot Thread. */
int file_snap_serialize(struct data_tree *tree, struct session_table *sessions, const char *path,
                        const struct file_snap_options *options, struct error *error);
/* Reads one file with all its seals into a new tree. ZK_CORRUPT says what and where. */
int file_snap_deserialize(struct data_tree *tree, struct session_table *sessions, const char *path,
                          const struct file_snap_options *options, struct error *error);
/* The newest `most` that look valid, newest first. */
int file_snap_find_valid(const char *directory, size_t most, struct zxid_file_list *ret_list, struct error *error);
/* The newest `most` by name alone. */
int file_snap_find_recent(const char *directory, size_t most, struct zxid_file_list *ret_list, struct error *error);

#endif
