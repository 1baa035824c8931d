/* reply.c - puts a reply's body together and sends it in one go. Used by final on whatever thread runs it. */
#include "server/request/reply.h"

#include <assert.h>

#include "common/wire/jute.h"

void reply_release(struct reply *reply)
{
    buffer_release(&reply->head);
    buffer_release(&reply->tail);
    blob_unref(reply->blob);
    *reply = (struct reply){0};
}

void reply_clear(struct reply *reply)
{
    buffer_clear(&reply->head);
    buffer_clear(&reply->tail);
    blob_unref(reply->blob);
    reply->blob = NULL;
    reply->has_body = false;
}

struct buffer *reply_out(struct reply *reply)
{
    reply->has_body = true;
    return reply->blob == NULL ? &reply->head : &reply->tail;
}

void reply_put_data(struct reply *reply, struct blob *data)
{
    jute_write_int32(reply_out(reply), data == NULL ? -1 : (int32_t)data->size);
    if (data != NULL)
        reply_put_raw(reply, data);
}

void reply_put_raw(struct reply *reply, struct blob *bytes)
{
    if (reply->blob == NULL && bytes->size > 0) {
        reply->blob = bytes;
        return;
    }
    buffer_append(reply_out(reply), bytes->bytes, bytes->size);
    blob_unref(bytes);
}

int32_t reply_send(struct reply *reply, struct server_cnxn *cnxn, const struct reply_header *header,
                   const struct request_stats *stats)
{
    if (!reply->has_body)
        return server_cnxn_send_answer(cnxn, header, NULL, 0, stats);
    struct packet_part parts[3] = {{.bytes = reply->head.bytes, .size = reply->head.size}};
    size_t count = 1;
    if (reply->blob != NULL) {
        parts[count++] = (struct packet_part){.size = reply->blob->size, .blob = reply->blob};
        parts[count++] = (struct packet_part){.bytes = reply->tail.bytes, .size = reply->tail.size};
    }
    return server_cnxn_send_answer(cnxn, header, parts, count, stats);
}
