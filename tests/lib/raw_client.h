/*
 * A client of a few lines over common/net and common/wire, which shows a test exactly what the server sent. One thread
 * at a time; every wait has a deadline, and what ends it is a code, never a hang.
 */
#ifndef ZKC_TESTS_LIB_RAW_CLIENT_H
#define ZKC_TESTS_LIB_RAW_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/wire/multi.h"
#include "common/wire/op_code.h"
#include "common/wire/records.h"

#define RAW_CLIENT_WAIT_MS 30000

struct raw_event {
    int32_t type;
    int64_t zxid;
    char path[128];
};
struct raw_client {
    int fd;                        /* -1: not connected */
    int64_t session_id;
    uint8_t password[16];
    int32_t timeout_ms;            /* as negotiated */
    int32_t next_xid;
    bool old_handshake;            /* sends, and expects, no readOnly byte */
    int64_t last_zxid_seen;        /* sent with the connect request */
    struct raw_event events[64];   /* that came while something else was waited for, oldest first */
    size_t event_count;
    struct buffer frame;           /* the last one, without its length */
    struct arena arena;            /* of what was read from it */
    struct reply_header header;    /* of the last reply */
    struct jute_reader body;       /* what stands behind that header */
};

/* ---- bytes and frames: ZK_OK, ZK_EOF (the server closed), ZK_TIMED_OUT, ZK_IO ---- */
void raw_client_init(struct raw_client *client);
/* Connects to 127.0.0.1; an earlier connection is dropped without a word. */
int raw_client_dial(struct raw_client *client, int port);
int raw_client_send_bytes(struct raw_client *client, const void *bytes, size_t size);
int raw_client_send_frame(struct raw_client *client, const void *bytes, size_t size);
/* The next frame, into client->frame. */
int raw_client_receive_frame(struct raw_client *client);
/* True if the server closes before it sends anything but frames, which are dropped. */
bool raw_client_sees_end(struct raw_client *client);
/* Drops the connection; the session stays what it is. */
void raw_client_hang_up(struct raw_client *client);
void raw_client_release(struct raw_client *client);

/* ---- sessions ---- */

/* The handshake for client->session_id and password (0: a new one) after dialling. ZK_OK; ZK_SESSION_EXPIRED when the
 * server gives the session up; else as above. */
int raw_client_handshake(struct raw_client *client, int32_t timeout_ms);
/* Dials and makes a new session. */
int raw_client_connect(struct raw_client *client, int port, int32_t timeout_ms);
/* Closes the session and waits for the end of the connection. */
int raw_client_close_session(struct raw_client *client);

/* ---- requests; each gives the reply's error, or why there was none ---- */

/* Sends with the next xid, which is returned; `record` (may be NULL) is emptied. */
int32_t raw_client_send(struct raw_client *client, int32_t type, struct buffer *record);
/* Waits for the reply with this xid; events that come before it are kept. */
int raw_client_receive(struct raw_client *client, int32_t xid);
int raw_client_call(struct raw_client *client, int32_t type, struct buffer *record);
/* The next event, one that was kept or one to come. */
int raw_client_wait_event(struct raw_client *client, struct raw_event *ret_event);

int raw_client_create(struct raw_client *client, const char *path, const char *data, int32_t flags);
int raw_client_create_ttl(struct raw_client *client, const char *path, int64_t ttl_ms);
int raw_client_delete(struct raw_client *client, const char *path, int32_t version);
int raw_client_set(struct raw_client *client, const char *path, const char *data, int32_t version);
/* *ret_stat (may be NULL) when it is there. */
int raw_client_exists(struct raw_client *client, const char *path, bool watch, struct zk_stat *ret_stat);
/* The data stands, terminated, in `text` (cut at its size). */
int raw_client_get(struct raw_client *client, const char *path, bool watch, char *text, size_t size);
int raw_client_ping(struct raw_client *client);

#endif
