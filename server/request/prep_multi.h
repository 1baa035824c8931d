/* A multi: all of its operations or none, under one zxid. Mirrors the multi case of PrepRequestProcessor.pRequest. */
#ifndef ZKC_SERVER_REQUEST_PREP_MULTI_H
#define ZKC_SERVER_REQUEST_PREP_MULTI_H

#include "server/request/prep_ops.h"

/* Fills the body with one part for each operation; after a failure every part is an error, what was prepared is rolled
 * back, and *ret_error is the first failure (ZK_OK when there is none). */
void prep_multi(struct prep_context *context, const struct multi_ops *ops, struct txn_body *ret_body,
                int32_t *ret_error);

#endif
