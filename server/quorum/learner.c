/*
 * learner.c - what a learner says to its leader, and what it waits for.
 *
 * Mirrors org.apache.zookeeper.server.quorum.Learner (request, validateSession, ping, revalidate, writePacket,
 * shutdown).
 * (1) Packets leave whole and in the order of the calls, whoever made them: write_lock, or the sender's queue.
 * (2) Whoever finds the link broken shuts the learner down; the reader, who alone leaves the role, then returns.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/clock.h"
#include "common/wire/op_code.h"
#include "server/persistence/txn_iterator.h"
#include "server/quorum/learner_parts.h"

struct pending_revalidation {
    struct hash_link link;
    int64_t session_id;
    struct server_cnxn *cnxn;    /* reference */
};

/* ---- the link ---- */

static struct quorum_channel *channel_of(struct learner *learner)
{
    mutex_lock(&learner->lock);
    struct quorum_channel *channel = learner->channel;
    mutex_unlock(&learner->lock);
    return channel;
}

bool learner_is_shut_down(struct learner *learner)
{
    mutex_lock(&learner->lock);
    bool is_shut_down = learner->is_shut_down;
    mutex_unlock(&learner->lock);
    return is_shut_down;
}

bool learner_pause(struct learner *learner, int64_t ms)
{
    int64_t deadline_ms = clock_elapsed_ms() + ms;
    mutex_lock(&learner->lock);
    while (!learner->is_shut_down && condition_wait_until(&learner->ended, &learner->lock, deadline_ms))
        ;
    bool goes_on = !learner->is_shut_down;
    mutex_unlock(&learner->lock);
    return goes_on;
}

void learner_shutdown(struct learner *learner, const char *reason)
{
    mutex_lock(&learner->lock);
    bool is_first = !learner->is_shut_down;
    learner->is_shut_down = true;
    if (learner->channel != NULL)
        quorum_channel_shutdown(learner->channel);
    condition_broadcast(&learner->ended);
    mutex_unlock(&learner->lock);
    if (is_first)
        log_info("shutdown %s: %s", learner->is_observer ? "Observer" : "Follower", reason);
}

/* The writes of one packet and, if so, all before it. */
static void write_now(struct learner *learner, struct quorum_channel *channel, int32_t type, int64_t zxid,
                      const struct slice *data, const struct zk_id_vector *authinfo, bool flush)
{
    struct error error = {0};
    mutex_lock(&learner->write_lock);
    int err = quorum_channel_write_packet(channel, type, zxid, data, authinfo, &error);
    if (err == ZK_OK && flush)
        err = quorum_channel_flush(channel, &error);
    mutex_unlock(&learner->write_lock);
    if (err != ZK_OK)
        learner_shutdown(learner, error.text);    /* (2) */
}

static void write_packet(struct learner *learner, int32_t type, int64_t zxid, const struct slice *data,
                         struct auth_info *ids, bool flush)
{
    struct quorum_channel *channel = channel_of(learner);
    if (channel == NULL)
        return;
    if (learner->sender != NULL)
        learner_sender_queue(learner->sender, type, zxid, data, ids);
    else
        write_now(learner, channel, type, zxid, data, ids == NULL ? NULL : &ids->ids, flush);
}

int learner_write_packet(struct learner *learner, int32_t type, int64_t zxid, const struct slice *data, bool flush)
{
    write_packet(learner, type, zxid, data, NULL, flush);
    return learner_is_shut_down(learner) ? ZK_CLOSED : ZK_OK;
}

int learner_read_packet(struct learner *learner, struct error *error)
{
    struct quorum_channel *channel = channel_of(learner);
    if (!quorum_channel_has_packet(channel))
        learner_end_batch(learner);
    return quorum_channel_read_packet(channel, &learner->packet, error);
}

bool learner_has_packet(struct learner *learner)
{
    struct quorum_channel *channel = channel_of(learner);
    return channel != NULL && quorum_channel_has_packet(channel);
}

void learner_end_batch(struct learner *learner)
{
    if (!learner->is_serving)
        return;
    if (learner->follower != NULL)
        follower_zookeeper_server_flush(learner->follower);
    else
        observer_zookeeper_server_flush(learner->observer);
}

/* ---- for processors ---- */

void learner_request(struct learner *learner, const struct request *request)
{
    struct buffer data = {0};
    jute_write_int64(&data, request->session_id);
    jute_write_int32(&data, request->cxid);
    jute_write_int32(&data, request->type);
    buffer_append(&data, request->payload.bytes, request->payload.size);
    struct slice bytes = {data.bytes, data.size};
    write_packet(learner, QP_REQUEST, -1, &bytes, request->auth_info, false);
    buffer_release(&data);
}

void learner_send_ack(struct learner *learner, int64_t zxid)
{
    write_packet(learner, QP_ACK, zxid, NULL, NULL, false);
}

void learner_flush(struct learner *learner)
{
    struct quorum_channel *channel = channel_of(learner);
    if (channel == NULL || learner->sender != NULL)
        return;
    struct error error = {0};
    mutex_lock(&learner->write_lock);
    int err = quorum_channel_flush(channel, &error);
    mutex_unlock(&learner->write_lock);
    if (err != ZK_OK)
        learner_shutdown(learner, error.text);
}

/* ---- sessions ---- */

static struct pending_revalidation *take_pending(struct learner *learner, int64_t session_id) REQUIRES(learner->lock)
{
    struct hash_link *link = hash_map_find(&learner->pending_revalidations, hash_int64(session_id));
    while (link != NULL && container_of(link, struct pending_revalidation, link)->session_id != session_id)
        link = hash_map_find_next(link);
    if (link == NULL)
        return NULL;
    hash_map_remove(&learner->pending_revalidations, link);
    return container_of(link, struct pending_revalidation, link);
}

static void free_pending(struct pending_revalidation *pending)
{
    if (pending == NULL)
        return;
    server_cnxn_unref(pending->cnxn);
    memory_free(pending);
}

void learner_validate_session(struct learner *learner, struct server_cnxn *cnxn, int64_t session_id, int32_t timeout_ms)
{
    log_info("Revalidating client: 0x%" PRIx64, (uint64_t)session_id);
    struct pending_revalidation *pending = MEMORY_NEW(struct pending_revalidation);
    pending->session_id = session_id;
    pending->cnxn = server_cnxn_ref(cnxn);
    mutex_lock(&learner->lock);
    struct pending_revalidation *older = take_pending(learner, session_id);
    hash_map_insert(&learner->pending_revalidations, &pending->link, hash_int64(session_id));
    mutex_unlock(&learner->lock);
    free_pending(older);
    uint8_t bytes[12];
    store_be64(bytes, (uint64_t)session_id);
    store_be32(bytes + 8, (uint32_t)timeout_ms);
    struct slice data = {bytes, sizeof bytes};
    write_packet(learner, QP_REVALIDATE, -1, &data, NULL, true);
}

int64_t learner_master_id(struct learner *learner)
{
    return atomic_load(&learner->master_id);
}

size_t learner_pending_revalidation_count(struct learner *learner)
{
    mutex_lock(&learner->lock);
    size_t count = learner->pending_revalidations.count;
    mutex_unlock(&learner->lock);
    return count;
}

int learner_revalidate(struct learner *learner, struct error *error)
{
    struct slice data = learner->packet.data;
    if (data.size < 9)
        return error_set(error, ZK_MARSHALLING_ERROR, "a REVALIDATE of %zu bytes", data.size);
    int64_t session_id = (int64_t)load_be64(data.bytes);
    bool is_valid = ((const uint8_t *)data.bytes)[8] != 0;
    mutex_lock(&learner->lock);
    struct pending_revalidation *pending = take_pending(learner, session_id);
    mutex_unlock(&learner->lock);
    if (pending == NULL)
        log_warn("Missing session 0x%" PRIx64 " for validation", (uint64_t)session_id);
    else
        zookeeper_server_finish_session_init(learner->server, pending->cnxn, is_valid);
    free_pending(pending);
    return ZK_OK;
}

void learner_answer_ping(struct learner *learner)
{
    struct buffer touched = {0};
    if (learner->follower != NULL)
        follower_zookeeper_server_touch_snapshot(learner->follower, &touched);
    else
        observer_zookeeper_server_touch_snapshot(learner->observer, &touched);
    struct slice data = {touched.bytes, touched.size};
    learner_write_packet(learner, QP_PING, learner->packet.zxid, &data, true);
    buffer_release(&touched);
}

/* ---- what packets carry ---- */

int learner_read_txn(struct learner *learner, size_t offset, struct txn **ret_txn, struct error *error)
{
    const struct received_packet *packet = &learner->packet;
    const char *name = quorum_packet_name(packet->type);
    if (packet->data.bytes == NULL || packet->data.size < offset)
        return error_set(error, ZK_MARSHALLING_ERROR, "%s 0x%" PRIx64 " carries no transaction", name,
                         (uint64_t)packet->zxid);
    struct blob *bytes = offset == 0 ? blob_ref(packet->bytes)
                                     : blob_new_copy((const uint8_t *)packet->data.bytes + offset,
                                                     packet->data.size - offset);
    int err = txn_new_from_bytes(bytes, &learner->rules, ret_txn, error);
    blob_unref(bytes);
    return err == ZK_OK ? err
                        : error_prefix(error, "the transaction of %s 0x%" PRIx64, name, (uint64_t)packet->zxid);
}

int learner_take_order(struct learner *learner, int64_t zxid, struct error *error)
{
    bool is_first = learner->last_queued == 0;
    int64_t last = is_first ? data_tree_last_processed_zxid(zk_database_tree(
                                  zookeeper_server_core(learner->server)->database))
                            : learner->last_queued;
    int mode = atomic_load(&learner->self->sync_mode);
    bool is_covered = is_first && zxid > 0 && (mode == SYNC_SNAP || mode == SYNC_TRUNC);
    if (!is_covered && !zxid_follows(last, zxid))
        return error_set(error, ZK_CORRUPT, "Got zxid 0x%" PRIx64 ", expected 0x%" PRIx64, (uint64_t)zxid,
                         (uint64_t)last + 1);
    learner->last_queued = zxid;
    return ZK_OK;
}

int learner_parse_config(struct learner *learner, struct slice text, struct quorum_verifier **ret_verifier,
                         struct error *error)
{
    const struct server_options *options = learner->self->options;
    struct quorum_parse_options rules = {.is_multi_address_enabled = options->multi_address_enabled,
                                         .is_standalone_enabled = options->standalone_enabled,
                                         .oracle_path = options->oracle_path};
    return quorum_verifier_parse_text((const char *)text.bytes, text.size, &rules, ret_verifier, error);
}

int learner_config_of(struct learner *learner, const struct txn *txn, struct quorum_verifier **ret_verifier,
                      struct error *error)
{
    if (txn->header.type != OP_RECONFIG || !txn->body.is_present)
        return error_set(error, ZK_MARSHALLING_ERROR, "transaction 0x%" PRIx64 " holds no configuration",
                         (uint64_t)txn->header.zxid);
    struct jute_buffer data = txn->body.record.set_data.data;
    return learner_parse_config(learner, (struct slice){data.bytes, data.size < 0 ? 0 : (size_t)data.size},
                                ret_verifier, error);
}

/* ---- life ---- */

void learner_init(struct learner *learner, struct quorum_self *self, struct zookeeper_server *server, bool is_observer)
{
    const struct server_options *options = self->options;
    *learner = (struct learner){
        .self = self,
        .server = server,
        .is_observer = is_observer,
        .leader_protocol_version = 1,
        .rules = {.digest_enabled = options->digest_enabled},
    };
    atomic_store(&learner->master_id, -1);
    mutex_init(&learner->write_lock);
    mutex_init(&learner->lock);
    condition_init(&learner->ended);
    if (is_observer)
        learner->observer = observer_zookeeper_server_new(self, server, learner);
    else
        learner->follower = follower_zookeeper_server_new(self, server, learner);
}

void learner_close(struct learner *learner)
{
    learner_shutdown(learner, "the role ends");
    learner->is_serving = false;
    zookeeper_server_shutdown_role(learner->server);
    follower_zookeeper_server_free(learner->follower);
    learner->follower = NULL;
    observer_zookeeper_server_free(learner->observer);
    learner->observer = NULL;
    learner_sender_stop(learner->sender);
    learner->sender = NULL;
}

void learner_release(struct learner *learner)
{
    assert(learner->follower == NULL && learner->observer == NULL && learner->sender == NULL);
    for (struct hash_link *link = hash_map_first(&learner->pending_revalidations), *after; link != NULL; link = after) {
        after = hash_map_after(&learner->pending_revalidations, link);
        free_pending(container_of(link, struct pending_revalidation, link));
    }
    hash_map_release(&learner->pending_revalidations);
    received_packet_release(&learner->packet);
    quorum_channel_free_sampled(learner->channel, learner->self->metrics);
    condition_release(&learner->ended);
    mutex_release(&learner->lock);
    mutex_release(&learner->write_lock);
}
