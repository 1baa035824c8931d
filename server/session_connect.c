/*
 * session_connect.c - the handshake: a connect request makes, or comes back to, a session.
 *
 * Mirrors ZooKeeperServer.processConnectRequest, createSession, reopenSession, revalidateSession, finishSessionInit,
 * and ProtocolManager. Requests come on the selector; the answer to a new session on whatever thread runs final.
 */
#include "server/zookeeper_server_parts.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/memory.h"

#define PASSWORD_SIZE 16

/* A client from before 3.4 sends no readOnly byte, and must not be sent one. */
static int read_connect_request(struct zookeeper_server *server, struct server_cnxn *cnxn, struct slice frame,
                                struct connect_request *ret_request, struct error *error)
{
    struct arena arena = {0};
    struct jute_reader reader;
    jute_reader_init(&reader, frame.bytes, frame.size, &arena);
    reader.limit = server->core.jute_limit;
    ret_request->protocol_version = jute_read_int32(&reader);
    ret_request->last_zxid_seen = jute_read_int64(&reader);
    ret_request->time_out = jute_read_int32(&reader);
    ret_request->session_id = jute_read_int64(&reader);
    ret_request->passwd = jute_read_buffer(&reader);
    int err = jute_error(&reader);
    cnxn->has_read_only_flag = err == ZK_OK && jute_left(&reader) > 0;
    ret_request->read_only = cnxn->has_read_only_flag && jute_read_boolean(&reader);
    arena_release(&arena);
    if (err != ZK_OK)
        return error_set(error, ZK_MARSHALLING_ERROR, "a first packet of %zu bytes is no connect request", frame.size);
    return ZK_OK;
}

static void create_session(struct zookeeper_server *server, struct server_cnxn *cnxn, int32_t timeout_ms)
{
    struct session_tracker *tracker = server->core.session_tracker;
    int64_t id = tracker->ops->create_session(tracker, timeout_ms);
    server_cnxn_set_session_id(cnxn, id);
    uint8_t bytes[4];
    store_be32(bytes, (uint32_t)timeout_ms);
    struct blob *payload = blob_new_copy(bytes, sizeof bytes);
    struct slice record = {payload->bytes, payload->size};
    zookeeper_server_submit(server, request_new(cnxn, id, 0, OP_CREATE_SESSION, payload, record, NULL));
    blob_unref(payload);
}

static void close_older_connection(struct zookeeper_server *server, int64_t session_id)
{
    if (server->factory != NULL)
        server_cnxn_factory_close_session(server->factory, session_id, DISCONNECT_CLIENT_RECONNECT);
    if (server->secure_factory != NULL)
        server_cnxn_factory_close_session(server->secure_factory, session_id, DISCONNECT_CLIENT_RECONNECT);
}

/* revalidateSession: at once here, by the leader's answer on a learner. */
static void revalidate_session(struct zookeeper_server *server, struct server_cnxn *cnxn, int64_t session_id,
                               int32_t timeout_ms)
{
    struct server_role *role = server->core.role;
    struct session_tracker *tracker = server->core.session_tracker;
    if (role->ops->revalidate_session != NULL)
        role->ops->revalidate_session(role, cnxn, session_id, timeout_ms);
    else
        session_connect_finish(server, cnxn, tracker->ops->touch_session(tracker, session_id, timeout_ms));
}

static void reopen_session(struct zookeeper_server *server, struct server_cnxn *cnxn,
                           const struct connect_request *request, int32_t timeout_ms)
{
    close_older_connection(server, request->session_id);
    server_cnxn_set_session_id(cnxn, request->session_id);
    if (session_password_is_valid(request->session_id, request->passwd.bytes, request->passwd.size)) {
        revalidate_session(server, cnxn, request->session_id, timeout_ms);
    } else {
        char peer[ADDRESS_TEXT_SIZE];
        address_format(&cnxn->peer, peer);
        log_warn_limited(&server->refused, "Incorrect password from %s for session 0x%" PRIx64, peer,
                         (uint64_t)request->session_id);
        session_connect_finish(server, cnxn, false);
    }
    server_metrics_count(server->core.metrics, METRIC_CONNECTION_REVALIDATE_COUNT, 1);
}

static int32_t negotiate_timeout(struct zookeeper_server *server, int32_t wanted_ms)
{
    int32_t least_ms = zookeeper_server_min_session_timeout(server);
    int32_t most_ms = zookeeper_server_max_session_timeout(server);
    if (wanted_ms < least_ms)
        wanted_ms = least_ms;
    return wanted_ms > most_ms ? most_ms : wanted_ms;
}

static int take_tokens(struct zookeeper_server *server, struct server_cnxn *cnxn, int64_t session_id,
                       struct error *error)
{
    struct blue_throttle *throttle = &server->connection_throttle;
    enum session_kind fresh = server->options->local_sessions_enabled ? SESSION_LOCAL : SESSION_GLOBAL;
    enum session_kind kind = session_id == 0 ? fresh : SESSION_RENEWED;
    if (blue_throttle_check_limit(throttle, kind, clock_elapsed_ms())) {
        server_metrics_sample(server->core.metrics, METRIC_CONNECTION_TOKEN_DEFICIT, blue_throttle_deficit(throttle));
        return ZK_OK;
    }
    server_metrics_count(server->core.metrics, METRIC_CONNECTION_REJECTED, 1);
    atomic_store(&cnxn->close_reason, DISCONNECT_CLIENT_CNX_LIMIT);
    return error_set(error, ZK_FULL,
                     "Connection throttled: connectionMaxTokens=%" PRId64 " allows no more sessions now",
                     server->options->connection_max_tokens);
}

int session_connect_process(struct zookeeper_server *server, struct server_cnxn *cnxn, struct slice frame,
                            struct error *error)
{
    struct connect_request request;
    int err = read_connect_request(server, cnxn, frame, &request, error);
    if (err != ZK_OK)
        return err;
    if (!zookeeper_server_takes_clients(server))
        return error_set(error, ZK_CLOSED, "ZooKeeperServer not running");
    err = take_tokens(server, cnxn, request.session_id, error);
    if (err != ZK_OK)
        return err;
    server_metrics_count(server->core.metrics, METRIC_CONNECTION_REQUEST_COUNT, 1);
    char peer[ADDRESS_TEXT_SIZE];
    address_format(&cnxn->peer, peer);
    if (!request.read_only && server->core.role->ops->is_read_only) {
        atomic_store(&cnxn->close_reason, DISCONNECT_NOT_READ_ONLY_CLIENT);
        return error_set(error, ZK_NOT_READ_ONLY, "Refusing session request for not-read-only client %s", peer);
    }
    int64_t last_zxid = data_tree_last_processed_zxid(zk_database_tree(server->core.database));
    if (request.last_zxid_seen > last_zxid) {
        atomic_store(&cnxn->close_reason, DISCONNECT_CLIENT_ZXID_AHEAD);
        return error_set(error, ZK_CLOSED,
                         "Refusing session(0x%" PRIx64 ") request for client %s as it has seen zxid 0x%" PRIx64
                         " our last zxid is 0x%" PRIx64 " client must try another server",
                         (uint64_t)request.session_id, peer, (uint64_t)request.last_zxid_seen, (uint64_t)last_zxid);
    }
    if (request.session_id != 0 && server->core.role->ops->validate_session != NULL) {
        err = server->core.role->ops->validate_session(server->core.role, cnxn, request.session_id, error);
        if (err != ZK_OK)
            return err;
    }
    int32_t timeout_ms = negotiate_timeout(server, request.time_out);
    server_cnxn_set_session_timeout(cnxn, timeout_ms);
    server_cnxn_disable_receive(cnxn);    /* until the session is set up */
    if (request.session_id == 0)
        create_session(server, cnxn, timeout_ms);
    else
        reopen_session(server, cnxn, &request, timeout_ms);
    return ZK_OK;
}

void session_connect_finish(struct zookeeper_server *server, struct server_cnxn *cnxn, bool is_valid)
{
    int64_t id = is_valid ? atomic_load(&cnxn->session_id) : 0;
    uint8_t password[PASSWORD_SIZE] = {0};
    if (is_valid)
        session_password(id, password);
    struct buffer out = {0};
    jute_write_int32(&out, 0);    /* the length, known below */
    jute_write_int32(&out, 0);
    jute_write_int32(&out, is_valid ? atomic_load(&cnxn->session_timeout_ms) : 0);
    jute_write_int64(&out, id);
    jute_write_buffer(&out, (struct jute_buffer){password, PASSWORD_SIZE});
    if (cnxn->has_read_only_flag)
        jute_write_boolean(&out, server->core.role->ops->is_read_only);
    store_be32(out.bytes, (uint32_t)(out.size - 4));
    server_cnxn_send_raw(cnxn, out.bytes, out.size);
    buffer_release(&out);
    if (is_valid) {
        server_cnxn_enable_receive(cnxn);
    } else {
        log_info("Invalid session 0x%" PRIx64 ", probably expired", (uint64_t)atomic_load(&cnxn->session_id));
        server_cnxn_send_close(cnxn);
    }
}

void zookeeper_server_finish_session_init(struct zookeeper_server *server, struct server_cnxn *cnxn, bool is_valid)
{
    session_connect_finish(server, cnxn, is_valid);
    server->core.callbacks->flush_connections(&server->core);
}
