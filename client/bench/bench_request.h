/* Requests as frames, appended to what is to be sent. Any thread, each with a buffer of its own. */
#ifndef ZKC_CLIENT_BENCH_REQUEST_H
#define ZKC_CLIENT_BENCH_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "client/bench/bench_mix.h"
#include "client/bench/bench_plan.h"
#include "common/base/buffer.h"
#include "common/wire/jute.h"

/* What a request is about: a node, or for create, delete and multi also a number of what the session made. */
struct bench_subject {
    uint32_t node;        /* its directory is read by children */
    uint32_t session;
    uint32_t number;
    uint32_t stamp;       /* of what is written */
    uint32_t size;
};
void bench_request_write(const struct bench_plan *plan, enum bench_op op, int32_t xid,
                         const struct bench_subject *subject, struct buffer *out);
/* getData of a node, with a watch. */
void bench_request_watch(const struct bench_plan *plan, int32_t xid, uint32_t node, struct buffer *out);
/* A node that holds these bytes; and its end. */
void bench_request_make(int32_t xid, const char *path, struct jute_buffer data, struct buffer *out);
void bench_request_drop(int32_t xid, const char *path, struct buffer *out);
/* Nothing but a header: ping, closeSession. */
void bench_request_header(int32_t xid, int32_t type, struct buffer *out);
void bench_request_connect(int32_t timeout_ms, struct buffer *out);

#endif
