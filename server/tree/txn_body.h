/*
 * A transaction's record, whichever it is. Mirrors SerializeUtils.deserializeTxn. Points into the bytes it was decoded
 * from and into the arena.
 */
#ifndef ZKC_SERVER_TREE_TXN_BODY_H
#define ZKC_SERVER_TREE_TXN_BODY_H

#include "common/wire/op_code.h"
#include "common/wire/records.h"

struct txn_part;    /* one transaction of a multi */
struct txn_body {
    bool is_present;    /* false: closeSession of an old log, which has no record */
    union {
        struct create_txn create;    /* create, create2 */
        struct create_ttl_txn create_ttl;
        struct create_container_txn create_container;
        struct delete_txn remove;    /* delete, deleteContainer */
        struct set_data_txn set_data;    /* setData, reconfig */
        struct set_acl_txn set_acl;
        struct check_version_txn check;
        struct create_session_txn create_session;
        struct close_session_txn close_session;
        struct error_txn error;
        struct {
            struct txn_part *items;
            int32_t count;
        } multi;
    } record;
};
struct txn_part {
    int32_t type;
    struct txn_body body;
};

/* Whether digests are looked at: digest.enabled. */
struct txn_rules {
    bool digest_enabled;
};

/*
 * Decodes header, record and, where it is there, digest. ZK_OK, or ZK_CORRUPT with what is wrong. A create without
 * parentCVersion (before 3.4) gets -1 there; a closeSession without paths is not present; whether it has any is seen
 * from its bytes, whatever closeSessionTxn.enabled is here, as the server that made it may have another. A multi is
 * decoded into its parts, and as DataTree.processTxn has it: if one part is an error, every part becomes one (ZK_OK
 * before the first error, ZK_RUNTIME_INCONSISTENCY after it, unless it names an error of its own).
 */
int txn_body_decode(struct jute_reader *reader, const struct txn_rules *rules, struct txn_header *ret_header,
                    struct txn_body *ret_body, bool *ret_has_digest, struct txn_digest *ret_digest,
                    struct error *error);
/* The record alone, of a type. */
int txn_body_decode_record(struct jute_reader *reader, int32_t type, struct txn_body *ret_body, struct error *error);
/* Header, record and, unless NULL, digest; nothing for a record that is not present. */
void txn_body_encode(const struct txn_header *header, const struct txn_body *body, const struct txn_digest *digest,
                     struct buffer *out);
void txn_body_encode_record(int32_t type, const struct txn_body *body, struct buffer *out);
/* One line for people, as TxnLogToolkit prints it. */
void txn_body_print(const struct txn_header *header, const struct txn_body *body, struct buffer *out);

#endif
