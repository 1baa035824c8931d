/*
 * A client connection: frames in, replies and events out. Mirrors ServerCnxn and NIOServerCnxn.
 *
 * Counted: factory, requests and watches hold it. Its selector, or the worker it is lent to, alone reads, polls and
 * closes; everyone else appends to the out-buffer under the connection's lock, and server_cnxn_factory_flush() sends:
 * at once where connections are few and sockets without TLS take it all, else the selector does, woken once for all.
 */
#ifndef ZKC_SERVER_CNXN_SERVER_CNXN_H
#define ZKC_SERVER_CNXN_SERVER_CNXN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/blob.h"
#include "common/base/buffer.h"
#include "common/base/hash_map.h"
#include "common/base/list.h"
#include "common/net/address.h"
#include "common/net/out_buffer.h"
#include "common/net/stream.h"
#include "common/thread/mutex.h"
#include "common/wire/records.h"
#include "server/auth/auth_info.h"
#include "server/cnxn/packet_sink.h"
#include "server/session/expiry_queue.h"
#include "server/watch/watcher.h"

struct server_cnxn_factory;
struct selector_thread;

/* ServerCnxn.DisconnectReason, as far as this server has them; the text is Java's. */
enum disconnect_reason {
    DISCONNECT_UNKNOWN,
    DISCONNECT_SERVER_SHUTDOWN,
    DISCONNECT_CONNECTION_EXPIRED,
    DISCONNECT_CLIENT_CLOSED_CONNECTION,
    DISCONNECT_CLIENT_CLOSED_SESSION,
    DISCONNECT_UNABLE_TO_READ_FROM_CLIENT,
    DISCONNECT_NOT_READ_ONLY_CLIENT,
    DISCONNECT_CLIENT_ZXID_AHEAD,
    DISCONNECT_INFO_PROBE,
    DISCONNECT_CLIENT_RECONNECT,
    DISCONNECT_IO_EXCEPTION,
    DISCONNECT_RESET_COMMAND,
    DISCONNECT_CLIENT_CNX_LIMIT,
    DISCONNECT_RENEW_GLOBAL_SESSION_IN_RO_MODE,
    DISCONNECT_SASL_AUTH_FAILURE,
    DISCONNECT_FAILED_HANDSHAKE
};
const char *disconnect_reason_text(enum disconnect_reason reason);

/* What stands between an accepted socket and its first frame; see cnxn_handshake.h. */
enum handshake_state { HANDSHAKE_OVER, HANDSHAKE_DETECTING, HANDSHAKE_STARTED, HANDSHAKE_CHECKING };

struct server_cnxn {
    struct watcher watcher;    /* first, so that a watcher is a connection */
    _Atomic uint32_t references;
    struct server_cnxn_factory *factory;
    struct selector_thread *selector;
    struct packet_sink *sink;
    struct address peer;
    int64_t established_ms;    /* wall */

    /* ---- the selector's (or the worker's, while lent) ---- */
    struct stream *stream;               /* NULL once closed */
    enum handshake_state handshake;
    enum handshake_state followed_handshake;    /* as handshake_deadlines last saw it */
    struct list handshake_link;
    int64_t handshake_deadline_ms;       /* elapsed */
    bool is_secure;                      /* TLS */
    char *certificate_name;              /* of the peer; NULL: it showed none */
    bool is_initialized;                 /* the connect request came */
    bool is_lent;                        /* a worker has it; the selector leaves it alone */
    bool writes_directly;                /* without TLS: whoever flushes may write; never changes */
    uint32_t interest;                   /* what the poller was told */
    uint8_t length_bytes[4];             /* a length of which some bytes are there */
    uint8_t length_have;
    struct blob *partial;                /* a frame of which some bytes are there */
    uint32_t partial_have, partial_size; /* of the frame; the blob grows as they come */
    struct blob *backlog;                /* frames that came while the connection was throttled */
    uint32_t backlog_at, backlog_end;
    int64_t read_ms;                     /* elapsed, when the frames in hand were taken up */
    int64_t new_packets, new_bytes;      /* frames that the server's counters do not have yet */

    /* ---- any thread ---- */
    bool has_read_only_flag;             /* set before anybody else knows the connection */
    _Atomic int certificate_verdict;     /* of the responder; ZK_AGAIN: it was not heard yet */
    _Atomic int64_t session_id;          /* 0: none yet */
    _Atomic int32_t session_timeout_ms;
    _Atomic bool is_stale;               /* closing or closed */
    _Atomic bool is_invalid;             /* a request of it was dropped: so is all that follows */
    _Atomic bool is_throttled;           /* not read for the time being */
    _Atomic int64_t outstanding;         /* requests with an xid > 0 that have no reply yet */
    _Atomic int64_t packets_received;
    _Atomic int64_t unsent_events;       /* bytes of events since everything was last sent */
    _Atomic int close_reason;            /* enum disconnect_reason */
    _Atomic bool close_now;              /* the selector is to close it without writing any more */
    _Atomic size_t unsent;               /* bytes of `sending` when somebody last wrote */

    struct mutex write_lock;             /* one writes or closes the stream at a time; outside of `lock` */
    struct out_buffer sending GUARDED_BY(write_lock);

    struct mutex lock;
    struct out_buffer out GUARDED_BY(lock);
    bool close_when_sent GUARDED_BY(lock);        /* nothing is accepted behind this */
    struct auth_info *auth_info GUARDED_BY(lock);
    int64_t packets_sent GUARDED_BY(lock);
    int64_t min_latency GUARDED_BY(lock), max_latency GUARDED_BY(lock), total_latency GUARDED_BY(lock);
    int64_t latency_count GUARDED_BY(lock), last_latency GUARDED_BY(lock);
    int64_t last_cxid GUARDED_BY(lock), last_zxid GUARDED_BY(lock), last_response_ms GUARDED_BY(lock);
    const char *last_op GUARDED_BY(lock);

    /* ---- under the factory's or the selector's lock ---- */
    struct list factory_link;
    struct hash_link session_link;       /* in the factory's sessions when is_in_sessions */
    bool is_in_sessions;
    struct expiry_link expiry_link;
    struct list flush_link;              /* under the selector's lock; empty when not listed */
    bool needs_selector;                 /* likewise: listed for more than being written */
    _Atomic bool is_listed;              /* written under that lock */
};

/* A handshake that its stream has in front of it is the caller's to set. */
struct server_cnxn *server_cnxn_new(struct server_cnxn_factory *factory, struct selector_thread *selector,
                                    struct packet_sink *sink, struct stream *stream, const struct address *peer,
                                    int32_t session_timeout_ms);
struct server_cnxn *server_cnxn_ref(struct server_cnxn *cnxn);
void server_cnxn_unref(struct server_cnxn *cnxn);    /* NULL is accepted */

/* ---- any thread ---- */

/* Part of a packet: bytes, or a stretch of a blob. */
struct packet_part {
    const void *bytes;    /* when blob is NULL */
    size_t size;
    struct blob *blob;
    size_t blob_offset;
};
/* A reply: length, ReplyHeader and the parts; counts down what is outstanding for an xid > 0 and reads the connection
 * again if that was what it waited for. Returns the size of the packet behind its length. The caller flushes. */
int32_t server_cnxn_send_reply(struct server_cnxn *cnxn, const struct reply_header *header,
                               const struct packet_part *parts, size_t count);
/* What a connection keeps of the last request that was answered, and of all: for cons. */
struct request_stats {
    int64_t cxid, zxid;    /* a cxid below 0 is not kept */
    const char *op;
    int64_t create_ms, now_ms;
};
/* A reply, and updateStatsForResponse for its request. */
int32_t server_cnxn_send_answer(struct server_cnxn *cnxn, const struct reply_header *header,
                                const struct packet_part *parts, size_t count, const struct request_stats *stats);
/* Bytes as they are: the connect response, the answer to a word. */
void server_cnxn_send_raw(struct server_cnxn *cnxn, const void *bytes, size_t size);
/* Closes when all that was sent so far is out. Mirrors sendCloseSession. */
void server_cnxn_send_close(struct server_cnxn *cnxn);
/* setInvalid: a request was dropped, so that nothing behind it may go on; closes as send_close does. The caller
 * flushes. */
void server_cnxn_set_invalid(struct server_cnxn *cnxn);
/* Closes without writing any more; done by the selector. */
void server_cnxn_close(struct server_cnxn *cnxn, enum disconnect_reason reason);
void server_cnxn_disable_receive(struct server_cnxn *cnxn);
void server_cnxn_enable_receive(struct server_cnxn *cnxn);

/* Sets it and makes the connection the one of its session. */
void server_cnxn_set_session_id(struct server_cnxn *cnxn, int64_t session_id);
void server_cnxn_set_session_timeout(struct server_cnxn *cnxn, int32_t timeout_ms);
/* A reference to the ids it has now. */
struct auth_info *server_cnxn_auth_info(struct server_cnxn *cnxn);
/* Them, lent until they are set again: for its selector or worker, where alone that is done. */
struct auth_info *server_cnxn_own_auth_info(struct server_cnxn *cnxn);
/* Swaps the ids for `info`, whose reference it takes. Its selector or worker. */
void server_cnxn_set_auth_info(struct server_cnxn *cnxn, struct auth_info *info);
/* incrOutstandingAndCheckThrottle for a request with this xid. */
void server_cnxn_request_received(struct server_cnxn *cnxn, int32_t xid);
void server_cnxn_update_stats(struct server_cnxn *cnxn, const struct request_stats *stats);
void server_cnxn_reset_stats(struct server_cnxn *cnxn);
/* dumpConnectionInfo: one line without its end, for cons, and brief for stat. */
void server_cnxn_print(struct server_cnxn *cnxn, bool brief, struct buffer *out);

/* Writes what waits, if nothing is being sent yet. False: the selector has to see to it. */
bool server_cnxn_write_directly(struct server_cnxn *cnxn);

/* ---- its selector, or the worker it is lent to ---- */

/* A four-letter word came, which is about to be answered: counts it, and reads nothing more. */
void server_cnxn_word_received(struct server_cnxn *cnxn);

/* A chunk that frames are received into; requests reference it. One a thread that does I/O. */
struct input_chunk {
    struct blob *blob;    /* NULL at first */
    uint32_t used;
};
void input_chunk_release(struct input_chunk *chunk);
/* What the poller said (POLLER_* bits). False: the connection must be closed, close_reason says why. */
bool server_cnxn_do_io(struct server_cnxn *cnxn, uint32_t events, struct input_chunk *chunk);
/* Writes what waits, goes on with frames that waited. False: must be closed. */
bool server_cnxn_pump(struct server_cnxn *cnxn, struct input_chunk *chunk);
/* What to poll for now. */
uint32_t server_cnxn_wanted_interest(struct server_cnxn *cnxn);
/* Takes stream and input down; the last step of closing, by the selector. */
void server_cnxn_take_down(struct server_cnxn *cnxn);

#endif
