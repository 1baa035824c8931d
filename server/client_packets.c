/*
 * client_packets.c - what connections bring: authentication is answered here, everything else becomes a request.
 *
 * Mirrors ZooKeeperServer.processPacket, processSasl, submitRequestNow and shouldThrottle, AuthenticationHelper and
 * UnimplementedRequestProcessor. Runs on the selector, or worker, of the connection.
 */
#include "server/zookeeper_server_parts.h"

#include <inttypes.h>
#include <string.h>

#include "common/wire/op_code.h"

static struct zookeeper_server *server_of(struct packet_sink *sink)
{
    return container_of(sink, struct zookeeper_server, sink);
}

static void send_error(struct server_cnxn *cnxn, int32_t xid, int64_t zxid, int32_t err)
{
    struct reply_header header = {xid, zxid, err};
    server_cnxn_send_reply(cnxn, &header, NULL, 0);
}

/* ---- authentication ---- */

/* Adds what the provider finds out to the ids of the connection. */
static int prove(struct auth_provider *provider, struct server_cnxn *cnxn, struct slice data)
{
    struct auth_info *info = server_cnxn_auth_info(cnxn);
    struct auth_peer peer = {.address = &cnxn->peer, .certificate_name = cnxn->certificate_name};
    int err = provider->handle_authentication(provider, &peer, data, &info);
    server_cnxn_set_auth_info(cnxn, info);
    return err;
}

/* CertificateVerifier.operationComplete. That there is a provider was made sure of at the start. */
static int process_certificate(struct packet_sink *sink, struct server_cnxn *cnxn)
{
    struct zookeeper_server *server = server_of(sink);
    struct ustring scheme = ustring_of(server->options->ssl_auth_provider);
    struct auth_provider *provider = provider_registry_find(server->core.providers, scheme);
    int err = provider == NULL ? ZK_AUTH_FAILED : prove(provider, cnxn, (struct slice){NULL, 0});
    if (err != ZK_OK)
        log_warn_limited(&server->refused, "Authentication failed for a certificate of %s", cnxn->certificate_name);
    return err;
}

static int authenticate(struct zookeeper_server *server, struct server_cnxn *cnxn, const struct auth_packet *packet)
{
    struct auth_provider *provider = provider_registry_find(server->core.providers, packet->scheme);
    if (provider == NULL) {
        struct buffer known = {0};
        provider_registry_list(server->core.providers, &known);
        log_warn_limited(&server->refused, "No authentication provider for scheme: %.*s has %s",
                         packet->scheme.size < 0 ? 4 : packet->scheme.size,
                         packet->scheme.size < 0 ? "null" : packet->scheme.bytes, buffer_string(&known));
        buffer_release(&known);
        return ZK_AUTH_FAILED;
    }
    bool is_null = packet->auth.size < 0;
    struct slice data = {is_null ? NULL : packet->auth.bytes, is_null ? 0 : (size_t)packet->auth.size};
    int err = prove(provider, cnxn, data);
    if (err != ZK_OK)
        log_warn_limited(&server->refused, "Authentication failed for scheme: %s", provider->scheme);
    return err;
}

static int process_auth(struct zookeeper_server *server, struct server_cnxn *cnxn, int32_t xid,
                        struct jute_reader *reader, struct error *error)
{
    struct auth_packet packet;
    jute_read_auth_packet(reader, &packet);
    if (jute_error(reader) != ZK_OK)
        return error_set(error, ZK_MARSHALLING_ERROR, "an auth packet cannot be read");
    if (authenticate(server, cnxn, &packet) == ZK_OK) {
        send_error(cnxn, xid, 0, ZK_OK);
        return ZK_OK;
    }
    atomic_fetch_add(&server->core.stats.auth_failed_count, 1);
    send_error(cnxn, xid, 0, ZK_AUTH_FAILED);
    server_cnxn_send_close(cnxn);
    server_cnxn_disable_receive(cnxn);
    return ZK_OK;
}

/* A server without SASL answers every token with an empty success, as Java does. */
static int process_sasl(struct server_cnxn *cnxn, int32_t xid, struct jute_reader *reader, struct error *error)
{
    struct get_sasl_request request;
    jute_read_get_sasl_request(reader, &request);
    if (jute_error(reader) != ZK_OK || request.token.size < 0)
        return error_set(error, ZK_MARSHALLING_ERROR, "a sasl packet cannot be read");
    uint8_t null_token[4];
    store_be32(null_token, (uint32_t)-1);
    struct packet_part part = {.bytes = null_token, .size = sizeof null_token};
    struct reply_header header = {xid, 0, ZK_OK};
    server_cnxn_send_reply(cnxn, &header, &part, 1);
    return ZK_OK;
}

static bool has_enforced_scheme(const struct zookeeper_server *server, const struct auth_info *info)
{
    for (int32_t i = 0; i < info->ids.count; i++)
        for (size_t k = 0; k < server->enforced_scheme_count; k++)
            if (ustring_is(info->ids.items[i].scheme, server->enforced_schemes[k]))
                return true;
    return false;
}

/* enforceAuthentication */
static bool is_authenticated_enough(struct zookeeper_server *server, struct server_cnxn *cnxn, int32_t xid)
{
    if (server->enforced_schemes == NULL)
        return true;
    struct auth_info *info = server_cnxn_auth_info(cnxn);
    bool is_enough = has_enforced_scheme(server, info);
    auth_info_unref(info);
    if (is_enough)
        return true;
    log_warn_limited(&server->refused, "Client has authenticated by none of enforce.auth.schemes, closing session");
    send_error(cnxn, xid, 0, ZK_SESSION_CLOSED_REQUIRE_SASL_AUTH);
    server_cnxn_send_close(cnxn);
    server_cnxn_disable_receive(cnxn);
    return false;
}

/* ---- submitting ---- */

static void refuse_unknown_type(struct zookeeper_server *server, struct request *request)
{
    log_warn_limited(&server->refused, "Received packet at server of unknown type %d", request->type);
    if (request->cnxn != NULL) {
        send_error(request->cnxn, request->cxid, request->zxid, ZK_UNIMPLEMENTED);
        server_cnxn_send_close(request->cnxn);
    }
    request_unref(request);
}

static bool touch(struct zookeeper_server *server, struct server_cnxn *cnxn)
{
    struct session_tracker *tracker = server->core.session_tracker;
    return cnxn == NULL || tracker->ops->touch_session(tracker, atomic_load(&cnxn->session_id),
                                                       atomic_load(&cnxn->session_timeout_ms));
}

/* A ping whose connection waits for nothing else: no answer is due before its own. */
static bool goes_beside_the_chain(const struct zookeeper_server *server, const struct request *request)
{
    return request->type == OP_PING && server->pings != NULL && server->core.throttler == NULL &&
           request->cnxn != NULL && atomic_load(&request->cnxn->outstanding) == 0;
}

/* submitRequestNow. Nobody takes chain and tracker away meanwhile: the caller holds role_lock, or is the throttler. */
static void submit_now(struct zookeeper_server *server, struct request *request)
{
    if (!zookeeper_server_is_running(server) || !touch(server, request->cnxn)) {
        log_debug("Dropping a request of session 0x%" PRIx64 ": it is gone, or the server is coming down",
                  (uint64_t)request->session_id);
        request_unref(request);
        return;
    }
    if (!op_code_is_valid(request->type)) {
        refuse_unknown_type(server, request);
        return;
    }
    struct server_role *role = server->core.role;
    if (role->ops->set_local_session_flag != NULL)
        role->ops->set_local_session_flag(role, request);
    if (request->cnxn != NULL)
        atomic_fetch_add(&server->core.requests_in_process, 1);
    request_processor_process(goes_beside_the_chain(server, request) ? server->pings : server->first, request);
}

void zookeeper_server_submit(struct zookeeper_server *server, struct request *request)
{
    if (server->core.throttler != NULL)
        request_throttler_submit(server->core.throttler, request);
    else
        submit_now(server, request);
}

void zookeeper_server_flush(struct zookeeper_server *server)
{
    if (server->core.throttler != NULL)
        request_throttler_flush(server->core.throttler);
    else if (zookeeper_server_is_running(server))
        request_processor_flush(server->first);
}

/* ---- behind the throttler, its thread ---- */

static void intake_process(struct request_processor *self, struct request *request)
{
    submit_now(container_of(self, struct zookeeper_server, intake), request);
}

static void intake_flush(struct request_processor *self)
{
    request_processor_flush(container_of(self, struct zookeeper_server, intake)->first);
}

void client_packets_init_intake(struct request_processor *intake)
{
    *intake = (struct request_processor){.process = intake_process, .flush = intake_flush};
}

/* ---- as packet_sink ---- */

static bool sink_is_running(struct packet_sink *sink)
{
    return zookeeper_server_takes_clients(server_of(sink));
}

static int sink_process_connect(struct packet_sink *sink, struct server_cnxn *cnxn, struct slice frame,
                                struct error *error)
{
    struct zookeeper_server *server = server_of(sink);
    rw_lock_read(&server->role_lock);
    int err = session_connect_process(server, cnxn, frame, error);
    rw_lock_unlock_read(&server->role_lock);
    return err;
}

static int refuse_large(struct zookeeper_server *server, int64_t size, int64_t in_process, struct error *error)
{
    server_metrics_count(server->core.metrics, METRIC_LARGE_REQUESTS_REJECTED, 1);
    return error_set(error, ZK_TOO_LARGE,
                     "Rejecting large request: it has %" PRId64 " bytes and those in process have %" PRId64
                     ", which is more than largeRequestMaxBytes=%" PRId64,
                     size, in_process, server->options->large_request_max_bytes);
}

static bool is_large(const struct zookeeper_server *server, int64_t size)
{
    int64_t threshold = server->options->large_request_threshold;
    return threshold > 0 && size > threshold;
}

/* checkRequestSizeWhenMessageReceived: counted until the request is answered or dropped. */
static int count_if_large(struct zookeeper_server *server, struct request *request, struct error *error)
{
    int64_t size = (int64_t)request->payload.size;
    if (!is_large(server, size))
        return ZK_OK;
    _Atomic int64_t *sum = &server->core.large_request_bytes;
    request->large_bytes = sum;
    request->large_size = (int32_t)size;
    int64_t before = atomic_fetch_add(sum, size);
    return before + size > server->options->large_request_max_bytes ? refuse_large(server, size, before, error) : ZK_OK;
}

static int sink_process_packet(struct packet_sink *sink, struct server_cnxn *cnxn, const struct request_header *header,
                               struct blob *chunk, struct slice payload, struct error *error)
{
    struct zookeeper_server *server = server_of(sink);
    server_cnxn_request_received(cnxn, header->xid);
    if (header->type == OP_AUTH || header->type == OP_SASL) {
        struct arena arena = {0};
        struct jute_reader reader;
        jute_reader_init(&reader, payload.bytes, payload.size, &arena);
        reader.limit = server->core.jute_limit;
        int err = header->type == OP_AUTH ? process_auth(server, cnxn, header->xid, &reader, error)
                                          : process_sasl(cnxn, header->xid, &reader, error);
        arena_release(&arena);
        return err;
    }
    if (!is_authenticated_enough(server, cnxn, header->xid))
        return ZK_OK;
    struct request *request = request_new_at(server->requests, cnxn->read_ms, cnxn,
                                             atomic_load(&cnxn->session_id), header->xid, header->type, chunk, payload,
                                             server_cnxn_own_auth_info(cnxn));
    request->owner = server_core_me;
    int err = count_if_large(server, request, error);
    if (err != ZK_OK) {
        request_unref(request);
        return err;
    }
    rw_lock_read(&server->role_lock);
    zookeeper_server_submit(server, request);
    rw_lock_unlock_read(&server->role_lock);
    return ZK_OK;
}

static bool sink_four_letter_word(struct packet_sink *sink, struct server_cnxn *cnxn, uint32_t word, struct slice rest)
{
    struct zookeeper_server *server = server_of(sink);
    if (server->four_letter == NULL)
        return false;
    rw_lock_read(&server->role_lock);
    bool is_word = server->four_letter->handle(server->four_letter, server, cnxn, word, rest);
    rw_lock_unlock_read(&server->role_lock);
    return is_word;
}

static int sink_check_frame_size(struct packet_sink *sink, int32_t length, struct error *error)
{
    struct zookeeper_server *server = server_of(sink);
    int64_t limit = server->options->jute_maxbuffer;
    if (length >= 0 && length <= limit) {
        int64_t large = atomic_load(&server->core.large_request_bytes);
        bool is_too_much = is_large(server, length) && large + length > server->options->large_request_max_bytes;
        return is_too_much ? refuse_large(server, length, large, error) : ZK_OK;
    }
    return error_set(error, ZK_TOO_LARGE,
                     "Len error. A message with advertised length of %d is either a malformed message or too large to "
                     "process (length is greater than jute.maxbuffer=%" PRId64 ")",
                     length, limit);
}

static bool sink_should_throttle(struct packet_sink *sink, int64_t outstanding)
{
    struct zookeeper_server *server = server_of(sink);
    int64_t limit = atomic_load(&server->global_outstanding_limit);
    if (outstanding <= 0)
        return false;
    return atomic_load(&server->core.requests_in_process) > limit ||
           atomic_load(&server->core.requests_waiting) > limit;
}

static bool sink_may_see_event(struct packet_sink *sink, struct server_cnxn *cnxn, const struct watch_event *event)
{
    struct server_core *core = &server_of(sink)->core;
    if (event->acl == NULL || event->acl->is_open)
        return true;
    struct auth_info *info = server_cnxn_auth_info(cnxn);
    int err = acl_check_list(core->providers, core->skip_acl, event->acl, PERM_READ, info);
    auth_info_unref(info);
    return err == ZK_OK;
}

static void sink_remove_cnxn(struct packet_sink *sink, struct server_cnxn *cnxn)
{
    data_tree_remove_watcher(zk_database_tree(server_of(sink)->core.database), &cnxn->watcher);
}

static void sink_flush(struct packet_sink *sink)
{
    struct zookeeper_server *server = server_of(sink);
    rw_lock_read(&server->role_lock);
    zookeeper_server_flush(server);
    rw_lock_unlock_read(&server->role_lock);
}

const struct packet_sink_ops client_packets_ops = {
    .is_running = sink_is_running,
    .process_certificate = process_certificate,
    .process_connect = sink_process_connect,
    .process_packet = sink_process_packet,
    .four_letter_word = sink_four_letter_word,
    .check_frame_size = sink_check_frame_size,
    .should_throttle = sink_should_throttle,
    .may_see_event = sink_may_see_event,
    .remove_cnxn = sink_remove_cnxn,
    .flush = sink_flush,
};
