/*
 * One session over one connection: connecting, handshake, pings, requests in flight, answers in order. What the answers
 * say is its owner's. One thread a session: that which waits on its poller.
 *
 *   DOWN --open--> CONNECTING --> SECURING (TLS) --> GREETING --> READY --close--> CLOSING --> DOWN
 *
 * (1) Answers come in the order of requests; another one ends the connection, as nothing after it can be told apart.
 * (2) A connection that ends takes its requests with it: they are lost, not sent again. A new one is a new session.
 */
#ifndef ZKC_CLIENT_BENCH_SESSION_H
#define ZKC_CLIENT_BENCH_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "client/bench/bench_target.h"
#include "common/base/buffer.h"
#include "common/net/poller.h"
#include "common/net/stream.h"

/* A request in flight. */
struct bench_pending {
    int64_t since_ns;    /* from when its latency counts */
    int32_t xid;
    uint32_t node, number;
    uint8_t kind;        /* the owner's */
};

struct bench_session;
struct bench_session_owner {
    void (*on_ready)(void *context, struct bench_session *session);
    /* `err` and what stands behind the header; `pending` is gone afterwards. */
    void (*on_reply)(void *context, struct bench_session *session, const struct bench_pending *pending, int32_t err,
                     const uint8_t *body, size_t size);
    void (*on_event)(void *context, struct bench_session *session, const uint8_t *body, size_t size);
    /* An answer out of order, or a zxid that goes back. */
    void (*on_out_of_order)(void *context, struct bench_session *session, const char *what);
    void (*on_zxid_back)(void *context, struct bench_session *session);
    /* The connection is gone, and `lost` requests with it. `why` NULL: it was closed as asked for. */
    void (*on_down)(void *context, struct bench_session *session, uint32_t lost, const char *why);
};

enum bench_session_state {
    BENCH_SESSION_DOWN,
    BENCH_SESSION_CONNECTING,
    BENCH_SESSION_SECURING,
    BENCH_SESSION_GREETING,
    BENCH_SESSION_READY,
    BENCH_SESSION_CLOSING
};
struct bench_session {
    uint32_t number;
    enum bench_session_state state;
    const struct bench_target *target;
    const struct bench_session_owner *owner;
    void *context;
    struct poller *poller;
    struct stream *stream;          /* NULL while it is connecting or down */
    int fd;                         /* -1: none */
    uint32_t server;                /* which of the target's */
    uint32_t polled;                /* POLLER_* that the poller knows of */
    struct buffer out;              /* to be sent, from out_at on */
    size_t out_at;
    struct buffer partial;          /* the beginning of a frame */
    struct bench_pending *ring;
    uint32_t room, first, count;    /* of the ring; room is a power of two */
    int32_t next_xid;
    int32_t timeout_ms;             /* as negotiated */
    int64_t last_zxid;
    int64_t heard_ms, sent_ms, began_ms;
    uint32_t downs;                 /* connections that ended */
    char why[160];                  /* the last failure */
};

void bench_session_init(struct bench_session *session, uint32_t number, uint32_t depth,
                        const struct bench_target *target, struct poller *poller);
void bench_session_release(struct bench_session *session);

/* Begins to connect; on_ready or on_down follow, from handle() or tick(), or from here. Must be DOWN. */
void bench_session_open(struct bench_session *session);
static inline bool bench_session_has_room(const struct bench_session *session, uint32_t depth)
{
    return session->state == BENCH_SESSION_READY && session->count < depth && session->count < session->room;
}
/* Takes note of a request; the caller appends it to `out` with the xid returned, and flushes in the end. */
int32_t bench_session_expect(struct bench_session *session, uint8_t kind, uint32_t node, uint32_t number,
                             int64_t since_ns);
void bench_session_flush(struct bench_session *session);
/* Ends the session once all is answered. */
void bench_session_close(struct bench_session *session);
/* Ends the connection here and now; on_down follows at once. */
void bench_session_drop(struct bench_session *session, const char *why);

/* What the poller said. `scratch` is memory of the thread's. */
void bench_session_handle(struct bench_session *session, uint32_t events, struct buffer *scratch);
/* Pings, time-outs; a few times a second. */
void bench_session_tick(struct bench_session *session, int64_t now_ms);

#endif
