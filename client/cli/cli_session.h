/*
 * The connection of the shell: one handle of the library, replaced by `connect` and gone after `close`. Calls come from
 * the main thread; events from the library's.
 */
#ifndef ZKC_CLIENT_CLI_SESSION_H
#define ZKC_CLIENT_CLI_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "client/public.h"
#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/config/properties.h"
#include "common/thread/mutex.h"

struct session_options {
    int32_t timeout_ms;
    bool read_only, wait_for_connection;
    const struct properties *properties;    /* zookeeper.client.secure, zookeeper.ssl.*, zookeeper.request.timeout */
};
typedef void (*session_event_fn)(void *context, int type, int state, const char *path);

struct session {
    struct session_options options;
    session_event_fn on_event;    /* thread: the library's, or who calls session_close() */
    void *context;
    zhandle_t *handle;            /* NULL: closed */
    char *servers;                /* of the last session_open() */
    struct mutex lock;
    struct condition changed;
    bool has_event;               /* GUARDED_BY(lock) of this handle */
    bool is_connected;            /* GUARDED_BY(lock) now */
    int final_state;              /* GUARDED_BY(lock) expired or refused; 0 while it may go on */
    struct buffer data;           /* of session_get() */
};

void session_init(struct session *session, const struct session_options *options, session_event_fn on_event,
                  void *context);
void session_release(struct session *session);

/*
 * Closes the handle there is and begins to connect to `servers`. With wait_for_connection it waits for it, at most the
 * time-out, and ZK_CONNECTION_LOSS then says that nobody answered.
 */
int session_open(struct session *session, const char *servers, struct error *error);
/* Ends the session at the server too; on_event hears of it as Java's watcher does. */
void session_close(struct session *session);

/* False once it was closed, has expired or was refused. */
bool session_is_alive(struct session *session);
bool session_is_connected(struct session *session);
/* "CONNECTED", "CONNECTING", ... as Java's States has it. */
const char *session_state_name(struct session *session);
/* Waits, for a moment at most, until the event of an established connection was told. */
void session_settle(struct session *session);
/* Waits for the first event of this handle, at most `timeout_ms`: for who shows the state to a person. */
void session_wait_for_event(struct session *session, int64_t timeout_ms);
/* As watcher for calls that take one: tells on_event. The context is the session. */
void session_watcher(zhandle_t *handle, int type, int state, const char *path, void *context);

/* All the data of a node, in session->data until the next call; *ret_size is -1 where there is none. */
int session_get(struct session *session, const char *path, bool watch, int32_t *ret_size, struct Stat *ret_stat);
int session_get_config(struct session *session, bool watch, int32_t *ret_size, struct Stat *ret_stat);
/* Waits for the answer. */
int session_add_auth(struct session *session, const char *scheme, const char *credentials, int32_t size);

#endif
