/* Everything that is answered from the tree, as a table by opcode. Mirrors the reading cases of
 * FinalRequestProcessor. */
#ifndef ZKC_SERVER_REQUEST_READ_OPS_H
#define ZKC_SERVER_REQUEST_READ_OPS_H

#include "server/request/reply.h"
#include "server/request/server_core.h"

/* Fills the reply. ZK_OK; a code for the client; ZK_MARSHALLING_ERROR when the record cannot be read. */
typedef int (*read_op)(struct server_core *core, struct request *request, struct reply *reply);
struct read_op_row {
    int32_t type;
    const char *last_op;    /* what `cons` shows: "GETD" */
    read_op run;
};
/* NULL when the type is not one of them. */
const struct read_op_row *read_op_find(int32_t type);

#endif
