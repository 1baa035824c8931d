/*
 * learner_handler.c - the leader's end of a learner's connection.
 *
 * Mirrors LearnerHandler. Thread "LearnerHandler-<addr>" reads; "Sender-<addr>" (packet_sender.c) writes once the
 * learner catches up.
 *
 *   register --> sync --> ACK of NEWLEADER --> UPTODATE --> [ ACK, PING, REVALIDATE, REQUEST ]* --> closed
 * (1) A packet that cannot be ends this connection, and nothing else.
 * (2) What packets cause is woken when no other is here yet.
 * Departs from Java: an ACK of a proposal before that of NEWLEADER (older servers send one, 4685) counts as what it is,
 * and one of what the DIFF brought is passed over: cut off there, a 3.8 learner comes back with the new epoch and less
 * than it acked (4643), is elected for that epoch, and what was committed is lost; an ACK of what was never proposed, a
 * REQUEST that no learner forwards and a table of touched sessions that is cut short end the connection.
 */
#include "server/quorum/learner_handler.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/wire/zxid.h"
#include "server/quorum/learner_handler_parts.h"

#define LARGEST_PACKET ((int32_t)16 << 20)    /* bytes of data, if jute.maxbuffer asks for no more */
#define TOUCH_SIZE 12                         /* session, timeout */
#define REQUEST_HEAD_SIZE 16                  /* session, cxid, type */

/* ---- packets ---- */

static int process_touches(struct learner_handler *handler, struct error *error)
{
    struct slice data = handler->packet.data;
    if (data.size % TOUCH_SIZE != 0)
        return error_set(error, ZK_MARSHALLING_ERROR, "its PING ends within an entry, after %zu bytes", data.size);
    for (size_t at = 0; at < data.size; at += TOUCH_SIZE)
        handler->master->ops->touch(handler->master, (int64_t)load_be64(data.bytes + at),
                                    (int32_t)load_be32(data.bytes + at + 8));
    return ZK_OK;
}

static int process_revalidate(struct learner_handler *handler, struct error *error)
{
    struct slice data = handler->packet.data;
    if (data.size < TOUCH_SIZE)
        return error_set(error, ZK_MARSHALLING_ERROR, "its REVALIDATE has %zu bytes, no session", data.size);
    server_metrics_count(handler->master->core->metrics, METRIC_REVALIDATE_COUNT, 1);
    handler->master->ops->revalidate_session(handler->master, handler, (int64_t)load_be64(data.bytes),
                                             (int32_t)load_be32(data.bytes + 8));
    return ZK_OK;
}

/* What a learner forwards; it answers all else itself. */
static bool is_forwarded(int32_t type)
{
    return (op_code_is_write(type) && type != OP_ERROR) || type == OP_SYNC;
}

/* An id lacks its scheme or itself, as nobody's does. */
static bool has_null_id(const struct received_packet *packet)
{
    for (int32_t i = 0; i < packet->authinfo.count; i++)
        if (packet->authinfo.items[i].scheme.size < 0 || packet->authinfo.items[i].id.size < 0)
            return true;
    return false;
}

static struct auth_info *auth_info_of(const struct received_packet *packet)
{
    struct auth_info *info = auth_info_new_empty();
    for (int32_t i = 0; i < packet->authinfo.count; i++) {
        const struct zk_id *id = &packet->authinfo.items[i];
        if (!auth_info_has_room(info, 1, (size_t)id->scheme.size + (size_t)id->id.size))
            break;
        info = auth_info_add(info, id);
    }
    return info;
}

static int process_request(struct learner_handler *handler, struct error *error)
{
    struct slice data = handler->packet.data;
    if (data.size < REQUEST_HEAD_SIZE)
        return error_set(error, ZK_MARSHALLING_ERROR, "its REQUEST has only %zu bytes", data.size);
    int64_t session_id = (int64_t)load_be64(data.bytes);
    int32_t cxid = (int32_t)load_be32(data.bytes + 8), type = (int32_t)load_be32(data.bytes + 12);
    if (!is_forwarded(type))
        return error_set(error, ZK_BAD_ARGUMENTS, "it forwards a request of type %" PRId32 ", which is none of ours",
                         type);
    if (has_null_id(&handler->packet))
        return error_set(error, ZK_MARSHALLING_ERROR, "its REQUEST is in the name of an id that is null");
    struct slice payload = { .bytes = data.bytes + REQUEST_HEAD_SIZE, .size = data.size - REQUEST_HEAD_SIZE };
    struct auth_info *info = auth_info_of(&handler->packet);
    struct request *request = request_new(NULL, session_id, cxid, type, handler->packet.bytes, payload, info);
    auth_info_unref(info);
    request->owner = learner_handler_owner(handler);
    if (type == OP_SYNC)
        request->learner_handler = (void *)learner_handler_owner(handler);    /* a number, see there */
    handler->master->ops->submit_learner_request(handler->master, request);
    atomic_fetch_add_explicit(&handler->requests_received, 1, memory_order_relaxed);
    return ZK_OK;
}

static int process_ack(struct learner_handler *handler, struct error *error)
{
    int64_t zxid = handler->packet.zxid;
    sync_limit_check_acked(&handler->sync_check, zxid);
    if (handler->master->ops->process_ack(handler->master, atomic_load(&handler->sid), zxid))
        return ZK_OK;
    return error_set(error, ZK_BAD_ARGUMENTS, "it acks 0x%" PRIx64 ", which was never proposed", (uint64_t)zxid);
}

static int process_packet(struct learner_handler *handler, struct error *error)
{
    switch (handler->packet.type) {
    case QP_ACK:
        return process_ack(handler, error);
    case QP_PING:
        return process_touches(handler, error);
    case QP_REVALIDATE:
        return process_revalidate(handler, error);
    case QP_REQUEST:
        return process_request(handler, error);
    default:
        log_warn("Unexpected packet from %s, type %" PRId32, handler->address, handler->packet.type);
        return ZK_OK;
    }
}

/* ---- life ---- */

static int serve(struct learner_handler *handler, struct error *error)
{
    struct learner_master *master = handler->master;
    for (;;) {
        if (!quorum_channel_has_packet(handler->channel))
            master->ops->flush(master);    /* (2) */
        int err = learner_handler_read(handler, error);
        if (err != ZK_OK)
            return err;
        atomic_store(&handler->tick_of_next_ack_deadline, master->ops->tick_of_next_ack_deadline(master));
        err = process_packet(handler, error);
        if (err != ZK_OK)
            return err;
    }
}

/* The first ACK must be that of NEWLEADER; but see above. */
static int wait_for_ack(struct learner_handler *handler, int64_t new_leader_zxid, struct error *error)
{
    for (;;) {
        int err = learner_handler_read(handler, error);
        if (err != ZK_OK)
            return err;
        if (handler->packet.type != QP_ACK)
            return error_set(error, ZK_MARSHALLING_ERROR,
                             "next packet was supposed to be an ACK, but it is of type %" PRId32, handler->packet.type);
        int64_t zxid = handler->packet.zxid;
        if (zxid == new_leader_zxid)
            return ZK_OK;
        if (zxid_epoch(zxid) < zxid_epoch(new_leader_zxid))
            continue;    /* of what the DIFF brought */
        if (zxid_epoch(zxid) != zxid_epoch(new_leader_zxid))
            return error_set(error, ZK_INVALID_STATE,
                             "its ACK of NEWLEADER is from a different epoch - current 0x%" PRIx64
                             " received 0x%" PRIx64,
                             (uint64_t)new_leader_zxid, (uint64_t)zxid);
        err = process_ack(handler, error);
        if (err != ZK_OK)
            return err;
        handler->master->ops->flush(handler->master);
    }
}

static int handle(struct learner_handler *handler, struct error *error)
{
    struct learner_master *master = handler->master;
    int64_t new_leader_zxid, peer_zxid;
    int err = learner_handler_register(handler, &new_leader_zxid, &peer_zxid, error);
    if (err != ZK_OK)
        return err;
    quorum_channel_set_limit(handler->channel,
                             master->core->jute_limit > LARGEST_PACKET ? master->core->jute_limit : LARGEST_PACKET);
    err = learner_handler_sync(handler, peer_zxid, new_leader_zxid, error);
    if (err == ZK_OK)
        err = wait_for_ack(handler, new_leader_zxid, error);
    if (err == ZK_OK)
        err = master->ops->wait_for_new_leader_ack(master, atomic_load(&handler->sid), error);
    if (err != ZK_OK)
        return err;
    log_debug("Received NEWLEADER-ACK message from %" PRId64, atomic_load(&handler->sid));
    sync_limit_check_start(&handler->sync_check);
    learner_handler_end_sync(handler);
    packet_sender_caught_up(handler->sender);
    quorum_channel_set_timeout(handler->channel, master->ops->sync_timeout_ms(master));
    err = master->ops->wait_for_startup(master, error);
    if (err != ZK_OK)
        return err;
    learner_handler_put(handler, QP_UPTODATE, -1, NULL);
    packet_sender_let_commits_go(handler->sender);
    learner_handler_wake(handler);
    return serve(handler, error);
}

static void handler_run(void *arg)
{
    struct learner_handler *handler = arg;
    struct learner_master *master = handler->master;
    struct error error = { 0 };
    atomic_store(&handler->tick_of_next_ack_deadline, master->ops->tick_of_initial_ack_deadline(master));
    handle(handler, &error);
    if (!atomic_load(&handler->has_sid))
        log_warn("Connection from %s closed: %s", handler->address, error.text);
    else
        log_warn("******* GOODBYE %s ******** server %" PRId64 ": %s", handler->address, atomic_load(&handler->sid),
                 error.text);
    quorum_channel_shutdown(handler->channel);
    learner_list_remove(&master->learners, handler);
    master->ops->remove_learner_handler(master, handler);
    learner_handler_end_sync(handler);
    packet_sender_stop(handler->sender);
    handler->sender = NULL;
    received_packet_release(&handler->packet);
    learner_list_end(&master->learners, handler);
}

int learner_handler_read(struct learner_handler *handler, struct error *error)
{
    int err = quorum_channel_read_packet(handler->channel, &handler->packet, error);
    if (err == ZK_OK)
        atomic_fetch_add_explicit(&handler->packets_received, 1, memory_order_relaxed);
    return err;
}

void learner_handler_free(struct learner_handler *handler)
{
    packet_sender_stop(handler->sender);
    quorum_channel_free_sampled(handler->channel, handler->master->core->metrics);
    sync_limit_check_release(&handler->sync_check);
    memory_free(handler);
}

/* ---- for others ---- */

bool learner_handler_start(struct learner_master *master, struct stream *stream, const struct address *peer)
{
    struct learner_handler *handler = MEMORY_NEW(struct learner_handler);
    handler->master = master;
    handler->channel = quorum_channel_new(stream, quorum_self_init_limit_ms(master->self));
    list_init(&handler->link);
    sync_limit_check_init(&handler->sync_check);
    address_format(peer, handler->address);
    const struct server_options *options = master->self->options;
    if (options->message_tracker_enabled)
        quorum_channel_track(handler->channel, (size_t)options->message_tracker_buffer_size, handler->address);
    handler->established_wall_ms = clock_wall_ms();
    handler->sender = packet_sender_new(handler->channel, handler->address, &handler->sync_check,
                                        master->core->metrics);
    char *name = string_format("LearnerHandler-%s", handler->address);
    bool is_started = learner_list_start(&master->learners, handler, name, handler_run);
    memory_free(name);
    if (!is_started)
        learner_handler_free(handler);
    return is_started;
}

struct learner_handler *learner_handler_of(struct list *link)
{
    return LIST_ENTRY(link, struct learner_handler, link);
}

const void *learner_handler_owner(const struct learner_handler *handler)
{
    return (const void *)(uintptr_t)handler->id;
}

struct learner_handler *learner_handler_find(struct learner_list *list, const void *owner)
{
    LEARNER_LIST_EACH (link, list) {
        if (learner_handler_owner(learner_handler_of(link)) == owner)
            return learner_handler_of(link);
    }
    return NULL;
}

bool learner_handler_sid(const struct learner_handler *handler, int64_t *ret_sid)
{
    if (!atomic_load(&handler->has_sid))
        return false;
    *ret_sid = atomic_load(&handler->sid);
    return true;
}

enum learner_type learner_handler_type(const struct learner_handler *handler)
{
    return (enum learner_type)atomic_load(&handler->type);
}

bool learner_handler_is_synced(const struct learner_handler *handler)
{
    return !quorum_channel_is_shut_down(handler->channel)
           && handler->master->ops->current_tick(handler->master) <= atomic_load(&handler->tick_of_next_ack_deadline);
}

bool learner_handler_is_forwarding(const struct learner_handler *handler)
{
    return handler->is_forwarding;
}

bool learner_handler_is_observing(const struct learner_handler *handler)
{
    return handler->is_observing;
}

void learner_handler_begin_forwarding(struct learner_handler *handler)
{
    if (learner_handler_type(handler) == LEARNER_OBSERVER)
        handler->is_observing = true;
    else
        handler->is_forwarding = true;
}

void learner_handler_put(struct learner_handler *handler, int32_t type, int64_t zxid, struct blob *data)
{
    packet_sender_put(handler->sender, type, zxid, data);
}

void learner_handler_put_prefixed(struct learner_handler *handler, int32_t type, int64_t zxid, int64_t prefix,
                                  struct blob *data)
{
    packet_sender_put_prefixed(handler->sender, type, zxid, prefix, data);
}

void learner_handler_wake(struct learner_handler *handler)
{
    packet_sender_wake(handler->sender);
}

void learner_handler_put_revalidation(struct learner_handler *handler, int64_t session_id, bool is_valid)
{
    uint8_t valid = is_valid;
    struct blob *data = blob_new_copy(&valid, sizeof(valid));
    packet_sender_put_prefixed(handler->sender, QP_REVALIDATE, -1, session_id, data);
    blob_unref(data);
}

void learner_handler_ping(struct learner_handler *handler, int64_t last_proposed)
{
    struct learner_master *master = handler->master;
    if (!packet_sender_is_started(handler->sender))
        return;    /* a learner that does not catch up yet takes no PING */
    if (!sync_limit_check_is_in_time(&handler->sync_check, clock_elapsed_ms(), master->ops->sync_timeout_ms(master))) {
        log_warn("Closing connection to peer %s due to transaction timeout", handler->address);
        learner_handler_shutdown(handler);
        return;
    }
    learner_handler_put(handler, QP_PING, last_proposed, NULL);
    learner_handler_wake(handler);
}

void learner_handler_shutdown(struct learner_handler *handler)
{
    quorum_channel_shutdown(handler->channel);
}

void learner_handler_get_info(struct learner_handler *handler, struct learner_handler_info *ret_info)
{
    *ret_info = (struct learner_handler_info){
        .sid = atomic_load(&handler->sid),
        .established_wall_ms = handler->established_wall_ms,
        .queued_packets = packet_sender_queued(handler->sender),
        .queued_packets_size = packet_sender_queued_size(handler->sender),
        .packets_received = atomic_load(&handler->packets_received),
        .packets_sent = packet_sender_sent(handler->sender),
        .requests = atomic_load(&handler->requests_received),
        .last_zxid = packet_sender_last_zxid(handler->sender),
    };
    memcpy(ret_info->address, handler->address, sizeof(ret_info->address));
}

void learner_handler_reset_stats(struct learner_handler *handler)
{
    atomic_store(&handler->packets_received, 0);
    atomic_store(&handler->requests_received, 0);
    packet_sender_reset_stats(handler->sender);
}
