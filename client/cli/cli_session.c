/*
 * cli_session.c - opens, watches over and closes the handle of the library.
 *
 * The library tells of a connection on a thread of its own, so an answer can be there before the event that belongs in
 * front of it; session_settle() waits for that event, and nothing else here waits but for answers.
 */
#include "client/cli/cli_session.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

#define FIRST_ROOM ((size_t)65536)
#define SETTLE_MS 1000
#define CLOSED_STATE 7    /* KeeperState.Closed, which the C binding has no number for */

void session_init(struct session *session, const struct session_options *options, session_event_fn on_event,
                  void *context)
{
    *session = (struct session){.options = *options, .on_event = on_event, .context = context};
    mutex_init(&session->lock);
    condition_init(&session->changed);
}

void session_release(struct session *session)
{
    if (session->handle != NULL)
        zookeeper_close(session->handle);
    memory_free(session->servers);
    buffer_release(&session->data);
    condition_release(&session->changed);
    mutex_release(&session->lock);
}

static void note_session_event(struct session *session, int state)
{
    mutex_lock(&session->lock);
    session->has_event = true;
    session->is_connected = state == ZOO_CONNECTED_STATE || state == ZOO_READONLY_STATE;
    if (state == ZOO_EXPIRED_SESSION_STATE || state == ZOO_AUTH_FAILED_STATE)
        session->final_state = state;
    condition_broadcast(&session->changed);
    mutex_unlock(&session->lock);
}

/* The event is told before it is noted: who waits for it then finds it written. */
void session_watcher(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    struct session *session = context;
    (void)handle;
    bool is_told = type != ZOO_SESSION_EVENT || state != ZOO_NOTCONNECTED_STATE;
    if (is_told)
        session->on_event(session->context, type, state, path);
    if (type == ZOO_SESSION_EVENT)
        note_session_event(session, state);
}

static const char *property(const struct session *session, const char *key)
{
    return session->options.properties == NULL ? NULL : properties_get(session->options.properties, key);
}

static bool is_true(const struct session *session, const char *key, bool otherwise)
{
    const char *value = property(session, key);
    return value == NULL ? otherwise : string_equals_ignore_case(value, "true");
}

/* "ca,certificate,key,password": PEM files, where a key store of Java's configuration holds both of the middle ones. */
static char *certificates(const struct session *session)
{
    const char *trust = property(session, "zookeeper.ssl.trustStore.location");
    const char *key = property(session, "zookeeper.ssl.keyStore.location");
    const char *password = property(session, "zookeeper.ssl.keyStore.password");
    key = key == NULL ? "" : key;
    return string_format("%s,%s,%s,%s", trust == NULL ? "" : trust, key, key, password == NULL ? "" : password);
}

static int wait_until_connected(struct session *session, struct error *error)
{
    int64_t deadline_ms = clock_elapsed_ms() + session->options.timeout_ms;
    mutex_lock(&session->lock);
    while (!session->is_connected && session->final_state == 0 &&
           condition_wait_until(&session->changed, &session->lock, deadline_ms)) {
    }
    bool is_connected = session->is_connected;
    mutex_unlock(&session->lock);
    if (is_connected)
        return ZK_OK;
    session_close(session);
    return error_set(error, ZK_CONNECTION_LOSS, "KeeperErrorCode = ConnectionLoss: no session with %s in %" PRId32
                     " ms (--debug says why)", session->servers, session->options.timeout_ms);
}

static zhandle_t *make_handle(struct session *session, int flags)
{
    if (!is_true(session, "zookeeper.client.secure", false))
        return zookeeper_init(session->servers, session_watcher, session->options.timeout_ms, NULL, session, flags);
    if (is_true(session, "zookeeper.ssl.hostnameVerification", true))
        flags |= ZOO_SSL_VERIFY_HOST;
    char *files = certificates(session);
    zhandle_t *handle = zookeeper_init_ssl(session->servers, files, session_watcher, session->options.timeout_ms, NULL,
                                           session, flags);
    memory_free(files);
    return handle;
}

int session_open(struct session *session, const char *servers, struct error *error)
{
    if (session->handle != NULL)
        session_close(session);
    char *copy = string_copy(servers);
    memory_free(session->servers);
    session->servers = copy;
    mutex_lock(&session->lock);
    session->has_event = session->is_connected = false;
    session->final_state = 0;
    mutex_unlock(&session->lock);
    session->handle = make_handle(session, session->options.read_only ? ZOO_READONLY : 0);
    if (session->handle == NULL)
        return error_set_errno(error, "cannot connect to %s", servers);
    const char *request_timeout = property(session, "zookeeper.request.timeout");
    int64_t request_timeout_ms;
    if (request_timeout != NULL && string_to_int64(request_timeout, 10, &request_timeout_ms) && request_timeout_ms > 0)
        zoo_set_request_timeout(session->handle, (int)request_timeout_ms);
    return session->options.wait_for_connection ? wait_until_connected(session, error) : ZK_OK;
}

void session_close(struct session *session)
{
    if (session->handle == NULL)
        return;
    bool was_alive = session_is_alive(session);
    zookeeper_close(session->handle);
    session->handle = NULL;
    mutex_lock(&session->lock);
    session->is_connected = false;
    mutex_unlock(&session->lock);
    if (was_alive)
        session->on_event(session->context, ZOO_SESSION_EVENT, CLOSED_STATE, "");
}

bool session_is_alive(struct session *session)
{
    mutex_lock(&session->lock);
    bool is_alive = session->handle != NULL && session->final_state == 0;
    mutex_unlock(&session->lock);
    return is_alive;
}

bool session_is_connected(struct session *session)
{
    mutex_lock(&session->lock);
    bool is_connected = session->handle != NULL && session->is_connected;
    mutex_unlock(&session->lock);
    return is_connected;
}

const char *session_state_name(struct session *session)
{
    mutex_lock(&session->lock);
    int final_state = session->final_state;
    mutex_unlock(&session->lock);
    if (session->handle == NULL || final_state == ZOO_EXPIRED_SESSION_STATE)
        return "CLOSED";
    int state = zoo_state(session->handle);
    if (final_state == ZOO_AUTH_FAILED_STATE || state == ZOO_AUTH_FAILED_STATE)
        return "AUTH_FAILED";
    if (state == ZOO_CONNECTED_STATE)
        return "CONNECTED";
    if (state == ZOO_READONLY_STATE)
        return "CONNECTEDREADONLY";
    return "CONNECTING";
}

void session_wait_for_event(struct session *session, int64_t timeout_ms)
{
    int64_t deadline_ms = clock_elapsed_ms() + timeout_ms;
    mutex_lock(&session->lock);
    while (!session->has_event && condition_wait_until(&session->changed, &session->lock, deadline_ms)) {
    }
    mutex_unlock(&session->lock);
}

void session_settle(struct session *session)
{
    int state = session->handle == NULL ? 0 : zoo_state(session->handle);
    if (state == ZOO_CONNECTED_STATE || state == ZOO_READONLY_STATE)
        session_wait_for_event(session, SETTLE_MS);
}

typedef int (*read_call)(zhandle_t *handle, const char *path, int watch, char *bytes, int *size, struct Stat *stat);

static int read_config(zhandle_t *handle, const char *path, int watch, char *bytes, int *size, struct Stat *stat)
{
    (void)path;
    return zoo_getconfig(handle, watch, bytes, size, stat);
}

/* Reads until the data fits, which grows now and then between two reads. */
static int read_whole(struct session *session, read_call call, const char *path, bool watch, int32_t *ret_size,
                      struct Stat *ret_stat)
{
    buffer_clear(&session->data);
    buffer_reserve(&session->data, FIRST_ROOM);
    for (;;) {
        int size = session->data.capacity > INT32_MAX ? INT32_MAX : (int)session->data.capacity;
        int rc = call(session->handle, path, watch ? 1 : 0, (char *)session->data.bytes, &size, ret_stat);
        if (rc != ZOK)
            return rc;
        if (ret_stat->dataLength <= (int64_t)session->data.capacity) {
            *ret_size = size;
            session->data.size = size > 0 ? (size_t)size : 0;
            return ZOK;
        }
        buffer_reserve(&session->data, (size_t)ret_stat->dataLength);
    }
}

int session_get(struct session *session, const char *path, bool watch, int32_t *ret_size, struct Stat *ret_stat)
{
    return read_whole(session, zoo_get, path, watch, ret_size, ret_stat);
}

int session_get_config(struct session *session, bool watch, int32_t *ret_size, struct Stat *ret_stat)
{
    return read_whole(session, read_config, NULL, watch, ret_size, ret_stat);
}

struct auth_call {
    struct session *session;
    bool is_done;    /* GUARDED_BY(session->lock) */
    int rc;
};

static void auth_done(int rc, const void *data)
{
    struct auth_call *call = (struct auth_call *)data;
    mutex_lock(&call->session->lock);
    call->rc = rc;
    call->is_done = true;
    condition_broadcast(&call->session->changed);
    mutex_unlock(&call->session->lock);
}

int session_add_auth(struct session *session, const char *scheme, const char *credentials, int32_t size)
{
    struct auth_call call = {.session = session};
    int rc = zoo_add_auth(session->handle, scheme, credentials, size, auth_done, &call);
    if (rc != ZOK)
        return rc;
    mutex_lock(&session->lock);
    while (!call.is_done)
        condition_wait(&session->changed, &session->lock);
    mutex_unlock(&session->lock);
    return call.rc;
}
