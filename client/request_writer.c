/*
 * request_writer.c - frames into the handle's `out`.
 *
 * (1) A frame and whoever waits for its answer enter in one step under the lock, so that both have one order (1929).
 * (2) Strings go out as they are; the server says what it thinks of bytes that are no UTF-8.
 * Departs from the old binding: callers wait while more than a bound waits to be written; it queues without end.
 */
#include "client/request_writer.h"

#include <string.h>

#include "client/adaptor.h"
#include "client/chroot.h"
#include "client/client_cnxn.h"
#include "common/base/clock.h"
#include "common/wire/jute.h"

#define OUT_LIMIT ((size_t)64 << 20)    /* bytes that may wait to be written */
#define SENT_LIMIT ((size_t)1 << 20)    /* requests that may wait for their answers */

void request_begin(zhandle_t *zh, struct request_writer *writer, int32_t type) NO_THREAD_SAFETY_ANALYSIS
{
    mutex_lock(&zh->lock);
    writer->zh = zh;
    writer->start = zh->out.size;
    writer->xid = zh->next_xid;
    zh->next_xid = writer->xid < INT32_MAX ? writer->xid + 1 : 1;    /* those below 0 mean something to the server */
    uint8_t *head = buffer_extend(&zh->out, 12);
    store_be32(head + 4, (uint32_t)writer->xid);
    store_be32(head + 8, (uint32_t)type);
}

void request_write_string(struct request_writer *writer, const char *string)
{
    request_write_data(writer, string, string == NULL ? -1 : (int)strlen(string));
}

void request_write_path(struct request_writer *writer, const char *path)
{
    chroot_write(&writer->zh->out, writer->zh->chroot, path);
}

void request_write_data(struct request_writer *writer, const char *bytes, int size)
{
    jute_write_buffer(&writer->zh->out, (struct jute_buffer){ (const uint8_t *)bytes, bytes == NULL ? -1 : size });
}

void request_write_int32(struct request_writer *writer, int32_t value)
{
    jute_write_int32(&writer->zh->out, value);
}

void request_write_int64(struct request_writer *writer, int64_t value)
{
    jute_write_int64(&writer->zh->out, value);
}

void request_write_boolean(struct request_writer *writer, bool value)
{
    jute_write_boolean(&writer->zh->out, value);
}

void request_write_acl(struct request_writer *writer, const struct ACL_vector *acl)
{
    int32_t count = acl == NULL || acl->count < 0 ? 0 : acl->count;
    request_write_int32(writer, count);
    for (int32_t i = 0; i < count; i++) {
        request_write_int32(writer, acl->data[i].perms);
        request_write_string(writer, acl->data[i].id.scheme);
        request_write_string(writer, acl->data[i].id.id);
    }
}

static void wait_for_room(zhandle_t *zh) REQUIRES(zh->lock)
{
    if (zh->out.size <= OUT_LIMIT && zh->sent.count <= SENT_LIMIT)
        return;
    zh->waiters_for_room++;
    while (!zh->is_closing && (zh->out.size > OUT_LIMIT || zh->sent.count > SENT_LIMIT) && !adaptor_must_not_wait(zh))
        condition_wait(&zh->changed, &zh->lock);
    zh->waiters_for_room--;
}

int request_end(struct request_writer *writer, struct pending_request *request) NO_THREAD_SAFETY_ANALYSIS
{
    zhandle_t *zh = writer->zh;
    if (zh->is_closing || is_unrecoverable(zh)) {
        request_abort(writer);
        pending_request_free(request);
        return ZINVALIDSTATE;
    }
    store_be32(zh->out.bytes + writer->start, (uint32_t)(zh->out.size - writer->start - 4));
    bool is_synchronous = request->sync != NULL;
    request->xid = writer->xid;
    if (zh->request_timeout_ms > 0)
        request->deadline_ms = clock_elapsed_ms() + zh->request_timeout_ms;
    if (request->deadline_ms < zh->next_deadline_ms)
        zh->next_deadline_ms = request->deadline_ms;
    pending_list_add(&zh->sent, request);
    if (is_synchronous) {
        mutex_unlock(&zh->lock);
        client_cnxn_write(zh);    /* saves a wake-up on the way */
        return ZOK;
    }
    adaptor_wake(zh);
    wait_for_room(zh);
    mutex_unlock(&zh->lock);
    return ZOK;
}

void request_abort(struct request_writer *writer) NO_THREAD_SAFETY_ANALYSIS
{
    writer->zh->out.size = writer->start;
    mutex_unlock(&writer->zh->lock);
}
