/*
 * A request on its way into the handle's `out`: frame, header, fields. Mirrors Packet.createBB.
 *
 *     request_begin(zh, &writer, ZOO_GETDATA_OP);       takes the handle's lock
 *     request_write_path(&writer, path); ...
 *     rc = request_end(&writer, pending);               gives it back; `pending` is taken over, also on failure
 */
#ifndef ZKC_CLIENT_REQUEST_WRITER_H
#define ZKC_CLIENT_REQUEST_WRITER_H

#include "client/zhandle.h"

struct request_writer {
    zhandle_t *zh;
    size_t start;        /* of the frame, in out */
    int32_t xid;
};

void request_begin(zhandle_t *zh, struct request_writer *writer, int32_t type);
void request_write_path(struct request_writer *writer, const char *path);    /* behind the chroot */
void request_write_string(struct request_writer *writer, const char *string);
void request_write_data(struct request_writer *writer, const char *bytes, int size);    /* NULL or -1: null */
void request_write_int32(struct request_writer *writer, int32_t value);
void request_write_int64(struct request_writer *writer, int64_t value);
void request_write_boolean(struct request_writer *writer, bool value);
void request_write_acl(struct request_writer *writer, const struct ACL_vector *acl);
/* ZOK, or ZINVALIDSTATE when the handle cannot take it any more. Waits for room before it returns, where it may. */
int request_end(struct request_writer *writer, struct pending_request *request);
/* Nothing is sent. */
void request_abort(struct request_writer *writer);

#endif
