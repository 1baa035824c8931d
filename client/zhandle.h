/*
 * One client, as its own files see it: what belongs to whom. Mirrors ZooKeeper and ClientCnxn; `zhandle_t` of
 * zookeeper.h.
 *
 * Callers (any thread) write a frame behind `out` and what waits for its answer behind `sent`, in one step under the
 * lock. The I/O thread (SendThread, or whoever calls zookeeper_process()) moves `out` to the socket, takes answers in,
 * and hands events on, which EventThread (or zookeeper_process()) runs. The lock is never held while waiting for
 * anything, nor while a callback of the user runs.
 */
#ifndef ZKC_CLIENT_ZHANDLE_H
#define ZKC_CLIENT_ZHANDLE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "client/client_event.h"
#include "client/host_provider.h"
#include "client/pending_request.h"
#include "client/watch_registry.h"
#include "common/base/list.h"
#include "common/net/tls_stream.h"
#include "common/thread/mutex.h"

#define PASSWORD_SIZE 16

struct adaptor;
struct auth_entry;
struct client_socket;

struct _zhandle {
    /* Set once, before others see it. */
    char *chroot;                       /* NULL: none */
    bool is_deterministic, allows_read_only;
    uint32_t forks;                     /* process_forks(); after one the child has no threads and may only close */
    struct tls_context *tls;            /* NULL: plain */
    struct adaptor *adaptor;
    struct client_socket *socket;       /* the I/O thread's */

    _Atomic(log_callback_fn) log_callback;
    _Atomic int state;                  /* ZOO_..._STATE, or 0 between two connections */

    struct mutex lock;
    /* Under it: */
    watcher_fn watcher GUARDED_BY(lock);
    void *context GUARDED_BY(lock);
    clientid_t client_id GUARDED_BY(lock);
    int recv_timeout_ms GUARDED_BY(lock);
    int request_timeout_ms GUARDED_BY(lock);       /* 0: none */
    int32_t next_xid GUARDED_BY(lock);
    struct buffer out GUARDED_BY(lock);            /* frames that wait to be written */
    int64_t next_deadline_ms GUARDED_BY(lock);     /* elapsed; no request times out before */
    struct pending_list sent GUARDED_BY(lock);     /* whoever waits for an answer, in the order of the frames */
    struct watch_registry *watches GUARDED_BY(lock);
    struct host_provider *hosts GUARDED_BY(lock);
    struct host_list *new_hosts GUARDED_BY(lock);  /* of zoo_set_servers(), not yet seen by the I/O thread */
    int resolution_delay_ms GUARDED_BY(lock);      /* -1: only when connecting */
    struct address current GUARDED_BY(lock);       /* whom we are connected to, or last were */
    bool has_chosen_server GUARDED_BY(lock);       /* the next one to connect to is known: */
    struct address chosen_server GUARDED_BY(lock);
    int64_t last_zxid GUARDED_BY(lock);            /* of the latest answer */
    bool has_seen_read_write GUARDED_BY(lock);     /* the session id is one that a quorum knows */
    size_t waiters_for_room GUARDED_BY(lock);      /* callers that wait until less is on its way */
    struct list auths GUARDED_BY(lock);            /* struct auth_entry */
    size_t calls GUARDED_BY(lock);                 /* threads inside of a call */
    bool was_asked_to_close GUARDED_BY(lock), is_closing GUARDED_BY(lock);
    struct condition changed;                      /* calls went down, or `out` has room again */
};

/* ---- log lines, in the old binding's layout ---- */
void zhandle_log(zhandle_t *zh, ZooLogLevel level, int line, const char *function, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
#define zh_error(zh, ...) zhandle_log((zh), ZOO_LOG_LEVEL_ERROR, __LINE__, __func__, __VA_ARGS__)
#define zh_warn(zh, ...) zhandle_log((zh), ZOO_LOG_LEVEL_WARN, __LINE__, __func__, __VA_ARGS__)
#define zh_info(zh, ...) zhandle_log((zh), ZOO_LOG_LEVEL_INFO, __LINE__, __func__, __VA_ARGS__)
#define zh_debug(zh, ...) zhandle_log((zh), ZOO_LOG_LEVEL_DEBUG, __LINE__, __func__, __VA_ARGS__)

bool zhandle_is_connected(zhandle_t *zh);
/* Another process than the one that made it. */
bool zhandle_is_forked(const zhandle_t *zh);
/* A call of the user begins: ZOK, and zhandle_leave() must follow; or ZBADARGUMENTS (NULL), ZINVALIDSTATE (expired,
 * auth failed, closing, forked). */
int zhandle_enter(zhandle_t *zh);
void zhandle_leave(zhandle_t *zh);
/* Closing: until nobody is inside of a call. */
void zhandle_wait_for_calls(zhandle_t *zh);
/* Everything but its adaptor. */
void zhandle_free(zhandle_t *zh);

/* "127.0.0.1:2181" */
#define ENDPOINT_SIZE 64
void endpoint_format(const struct address *address, char text[ENDPOINT_SIZE]);

#endif
