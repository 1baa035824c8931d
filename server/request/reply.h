/* The body of a reply under construction: bytes, with at most one stretch of shared bytes in between. */
#ifndef ZKC_SERVER_REQUEST_REPLY_H
#define ZKC_SERVER_REQUEST_REPLY_H

#include "common/base/blob.h"
#include "common/base/buffer.h"
#include "server/cnxn/server_cnxn.h"

struct reply {
    struct buffer head;      /* before the blob */
    struct blob *blob;       /* reference; NULL when there is none */
    struct buffer tail;      /* behind it */
    bool has_body;           /* false: the reply is its header alone */
};
void reply_release(struct reply *reply);
void reply_clear(struct reply *reply);
/* Where to write next: head, or tail once a blob was put. */
struct buffer *reply_out(struct reply *reply);
/* A buffer field: its length and the bytes; takes the reference over. NULL data is a null buffer. */
void reply_put_data(struct reply *reply, struct blob *data);
/* Bytes of a blob as they are; takes the reference over. */
void reply_put_raw(struct reply *reply, struct blob *bytes);
int32_t reply_send(struct reply *reply, struct server_cnxn *cnxn, const struct reply_header *header,
                   const struct request_stats *stats);

#endif
