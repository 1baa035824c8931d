/*
 * From request to transaction: the decisions of PrepRequestProcessor.pRequest2Txn, in Java's order of checks, without a
 * thread. Prep's thread only.
 */
#ifndef ZKC_SERVER_REQUEST_PREP_OPS_H
#define ZKC_SERVER_REQUEST_PREP_OPS_H

#include "common/wire/multi.h"
#include "server/request/server_core.h"

/* What one operation works on; in a multi all operations share it. */
struct prep_context {
    struct server_core *core;
    struct request *request;
    struct txn_header header;          /* client_id, cxid, zxid, time, type of the whole transaction */
    bool has_digest;
    uint64_t tree_digest;              /* after the operation, when has_digest */
};

/* Each gives ZK_OK with *ret_body made (in the request's arena), or the error a client gets. */
int prep_create(struct prep_context *context, int32_t type, const struct create_request *record,
                struct txn_body *ret_body);
int prep_create_ttl(struct prep_context *context, const struct create_ttl_request *record, struct txn_body *ret_body);
int prep_delete(struct prep_context *context, const struct delete_request *record, struct txn_body *ret_body);
int prep_delete_container(struct prep_context *context, struct ustring path, struct txn_body *ret_body);
int prep_set_data(struct prep_context *context, const struct set_data_request *record, struct txn_body *ret_body);
int prep_set_acl(struct prep_context *context, const struct set_acl_request *record, struct txn_body *ret_body);
int prep_check(struct prep_context *context, const struct check_version_request *record, struct txn_body *ret_body);
int prep_reconfig(struct prep_context *context, const struct reconfig_request *record, struct txn_body *ret_body);
int prep_create_session(struct prep_context *context, const struct create_session_txn *record,
                        struct txn_body *ret_body);
int prep_close_session(struct prep_context *context, struct txn_body *ret_body);

/* isSpecialPath: nodes that are always there. */
bool prep_is_special_path(struct ustring path);
/* The digest the tree has after everything prepared so far. */
uint64_t prep_current_tree_digest(struct server_core *core);

#endif
