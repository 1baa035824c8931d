/*
 * learner_registration.c - who a learner is, and its consent to the new epoch.
 *
 * Mirrors the first half of LearnerHandler.run.
 *
 *   learner                              leader
 *   FOLLOWERINFO or OBSERVERINFO ------>          zxid: accepted epoch; data: sid, protocol version, config version
 *                     waits for a quorum          getEpochToPropose
 *            <------------------ LEADERINFO       zxid: the new epoch's first
 *   ACKEPOCH ------------------------->           zxid: its last; data: its current epoch
 *                     waits for a quorum          waitForEpochAck
 * A learner of a protocol before 0x10000 knows no epochs: the last two are left out.
 * Departs from Java: who claims to be this very server is refused; Java would count it as this server.
 */
#include <inttypes.h>

#include "common/base/log.h"
#include "common/wire/zxid.h"
#include "server/quorum/learner_handler_parts.h"

#define LARGEST_INFO 4096    /* bytes of data before anything is known of a peer */
#define LEADER_PROTOCOL_VERSION EPOCH_PROTOCOL_VERSION

struct learner_identity {
    int64_t sid;
    bool has_sid;
    int32_t version;
    bool has_config_version;
    int64_t config_version;
};

/* LearnerInfo as far as it goes: each release added a field. */
static void read_identity(struct slice data, struct learner_identity *ret_identity)
{
    *ret_identity = (struct learner_identity){ .version = 1 };
    if (data.size >= 8) {
        ret_identity->has_sid = true;
        ret_identity->sid = (int64_t)load_be64(data.bytes);
    }
    if (data.size >= 12)
        ret_identity->version = (int32_t)load_be32(data.bytes + 8);
    if (data.size >= 20) {
        ret_identity->has_config_version = true;
        ret_identity->config_version = (int64_t)load_be64(data.bytes + 12);
    }
}

static void log_identity(struct learner_handler *handler, int64_t sid, struct quorum_verifier *verifier)
{
    const struct quorum_server *server = quorum_verifier_find(verifier, sid);
    const char *kind = learner_handler_type(handler) == LEARNER_OBSERVER ? "Observer" : "Follower";
    if (server == NULL) {
        log_info("%s sid: %" PRId64 " not in the current config %" PRIx64, kind, sid,
                 (uint64_t)quorum_verifier_version(verifier));
        return;
    }
    struct buffer text = { 0 };
    quorum_server_print(server, &text);
    log_info("%s sid: %" PRId64 " : info : %s", kind, sid, buffer_string(&text));
    buffer_release(&text);
}

static bool has_another(struct learner_handler *handler, int64_t sid)
{
    struct learner_list *list = &handler->master->learners;
    bool has = false;
    mutex_lock(&list->lock);
    LEARNER_LIST_EACH (link, list) {
        int64_t other;
        if (learner_handler_of(link) != handler && learner_handler_sid(learner_handler_of(link), &other))
            has = has || other == sid;
    }
    mutex_unlock(&list->lock);
    return has;
}

static int check_identity(struct learner_handler *handler, const struct learner_identity *identity,
                          struct quorum_verifier *verifier, struct error *error)
{
    if (identity->has_sid && identity->sid == handler->master->self->id)
        return error_set(error, ZK_BAD_ARGUMENTS, "it says that it is server %" PRId64 ", which is this one",
                         identity->sid);
    if (identity->has_config_version && identity->config_version > quorum_verifier_version(verifier))
        return error_set(error, ZK_INVALID_STATE,
                         "Follower is ahead of the leader (has a later activated configuration): 0x%" PRIx64
                         " against 0x%" PRIx64,
                         (uint64_t)identity->config_version, (uint64_t)quorum_verifier_version(verifier));
    return ZK_OK;
}

static int take_identity(struct learner_handler *handler, struct error *error)
{
    struct learner_identity identity;
    read_identity(handler->packet.data, &identity);
    struct quorum_verifier *verifier = quorum_self_verifier(handler->master->self);
    int err = check_identity(handler, &identity, verifier, error);
    if (err == ZK_OK) {
        int64_t sid = identity.has_sid ? identity.sid : -handler->id;    /* getAndDecrementFollowerCounter */
        handler->version = identity.version;
        atomic_store(&handler->type, handler->packet.type == QP_OBSERVERINFO ? LEARNER_OBSERVER : LEARNER_PARTICIPANT);
        atomic_store(&handler->sid, sid);
        atomic_store(&handler->has_sid, true);
        log_identity(handler, sid, verifier);
        if (has_another(handler, sid))
            log_warn("%s is server %" PRId64
                     ", which has another connection; the older one ends when it is silent for too"
                     " long",
                     handler->address, sid);
    }
    quorum_verifier_unref(verifier);
    return err;
}

static int read_info(struct learner_handler *handler, struct error *error)
{
    quorum_channel_set_limit(handler->channel, LARGEST_INFO);
    int err = learner_handler_read(handler, error);
    if (err != ZK_OK)
        return err;
    if (handler->packet.type != QP_FOLLOWERINFO && handler->packet.type != QP_OBSERVERINFO)
        return error_set(error, ZK_MARSHALLING_ERROR, "its first packet, of type %" PRId32
                         ", is neither FOLLOWERINFO nor OBSERVERINFO", handler->packet.type);
    if (handler->master->ops->is_for_observers_only && handler->packet.type != QP_OBSERVERINFO)
        return error_set(error, ZK_BAD_ARGUMENTS, "it is no observer, and only observers are fed here");
    return take_identity(handler, error);
}

/* LEADERINFO and ACKEPOCH. */
static int exchange_epochs(struct learner_handler *handler, int64_t new_leader_zxid, struct state_summary *ret_summary,
                           struct error *error)
{
    uint8_t version[4];
    store_be32(version, LEADER_PROTOCOL_VERSION);
    struct slice data = { .bytes = version, .size = sizeof(version) };
    int err = quorum_channel_write_packet(handler->channel, QP_LEADERINFO, new_leader_zxid, &data, NULL, error);
    if (err == ZK_OK)
        err = quorum_channel_flush(handler->channel, error);
    if (err == ZK_OK)
        err = learner_handler_read(handler, error);
    if (err != ZK_OK)
        return err;
    if (handler->packet.type != QP_ACKEPOCH)
        return error_set(error, ZK_MARSHALLING_ERROR, "it answered LEADERINFO with a packet of type %" PRId32
                         ", not ACKEPOCH", handler->packet.type);
    if (handler->packet.data.size < 4)
        return error_set(error, ZK_MARSHALLING_ERROR, "its ACKEPOCH has no epoch, only %zu bytes",
                         handler->packet.data.size);
    ret_summary->current_epoch = (int32_t)load_be32(handler->packet.data.bytes);
    ret_summary->last_zxid = handler->packet.zxid;
    return ZK_OK;
}

int learner_handler_register(struct learner_handler *handler, int64_t *ret_new_leader_zxid, int64_t *ret_peer_zxid,
                             struct error *error)
{
    struct learner_master *master = handler->master;
    int err = read_info(handler, error);
    if (err != ZK_OK)
        return err;
    int64_t sid = atomic_load(&handler->sid), zxid = handler->packet.zxid, epoch;
    err = master->ops->get_epoch_to_propose(master, sid, zxid_epoch(zxid), &epoch, error);
    if (err != ZK_OK)
        return err;
    int64_t new_leader_zxid = zxid_make(epoch, 0);
    struct state_summary summary = { .current_epoch = zxid_epoch(zxid), .last_zxid = zxid };
    if (handler->version >= EPOCH_PROTOCOL_VERSION)
        err = exchange_epochs(handler, new_leader_zxid, &summary, error);
    if (err == ZK_OK)
        err = master->ops->wait_for_epoch_ack(master, sid, &summary, error);
    if (err != ZK_OK)
        return err;
    *ret_new_leader_zxid = new_leader_zxid;
    *ret_peer_zxid = summary.last_zxid;
    return ZK_OK;
}
