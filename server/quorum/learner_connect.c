/*
 * learner_connect.c - finds the way to the leader and into its epoch.
 *
 * Mirrors Learner.connectToLeader, LeaderConnector and registerWithLeader.
 *
 *   connect, to each address at a time --> FOLLOWERINFO --> LEADERINFO --> acceptedEpoch on disk --> ACKEPOCH
 * (1) An epoch is acked only once its acceptance is durable, and never one below what was accepted.
 * (2) Departs from Java: who accepted an epoch that never began as a voter, and observes now, follows the leader that
 *     there is, without an ack. What it promised was a vote, and it has none; else it would stay outside until an
 *     election.
 * (3) Who needs all of the leader's state says that it has nothing (learner_sync.c (8)). Only to a leader whose epoch
 *     it has accepted before, which does not count what it says here.
 * Departs from Java: the first pauses between attempts are short, since a leader that was elected a moment ago opens
 * its port in the next; names are looked up anew for each attempt.
 */
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/strings.h"
#include "common/net/socket.h"
#include "common/thread/thread.h"
#include "common/wire/zxid.h"
#include "server/quorum/learner_parts.h"

#define MOST_ADDRESSES 16
#define MOST_TRIES 5                /* of Java; as many here after the short pauses at the beginning */
#define FIRST_PAUSE_MS 1
#define SLICE_MS 2000               /* of one attempt where others wait, or may end the role */
#define PROTOCOL_VERSION 0x10000

struct leader_connector {
    struct learner *learner;
    const struct quorum_address *address;
    int64_t deadline_ms;
    struct connectors *all;
    struct error error;
};
struct connectors {
    struct mutex lock;
    int fd GUARDED_BY(lock);        /* of the first that succeeded; -1 before */
};

static bool is_decided(struct leader_connector *connector)
{
    mutex_lock(&connector->all->lock);
    bool has_winner = connector->all->fd >= 0;
    mutex_unlock(&connector->all->lock);
    return has_winner || learner_is_shut_down(connector->learner);
}

/* Keeps the socket if it is the first. */
static void offer(struct leader_connector *connector, int fd)
{
    mutex_lock(&connector->all->lock);
    bool is_first = connector->all->fd < 0;
    if (is_first)
        connector->all->fd = fd;
    mutex_unlock(&connector->all->lock);
    if (!is_first)
        socket_close(fd);
}

static int try_once(struct leader_connector *connector)
{
    struct address addresses[MOST_ADDRESSES];
    size_t count;
    int err = quorum_addresses_resolve(connector->address, 1, addresses, MOST_ADDRESSES, &count, &connector->error);
    for (size_t i = 0; i < count && err == ZK_OK; i++) {
        int64_t deadline_ms = clock_elapsed_ms() + SLICE_MS;
        int fd;
        err = socket_connect(&addresses[i], deadline_ms < connector->deadline_ms ? deadline_ms : connector->deadline_ms,
                             &fd, &connector->error);
        if (err == ZK_OK) {
            offer(connector, fd);
            return ZK_OK;
        }
        if (i + 1 < count)
            err = ZK_OK;    /* the next address of the name */
    }
    return err;
}

static void connector_run(void *arg)
{
    struct leader_connector *connector = arg;
    int64_t pause_ms = FIRST_PAUSE_MS;
    int64_t most_pause_ms = connector->learner->self->options->leader_connect_delay_during_retry_ms;
    for (int tries = 0; tries < MOST_TRIES && !is_decided(connector);) {
        if (try_once(connector) == ZK_OK)
            return;
        if (clock_elapsed_ms() >= connector->deadline_ms)
            return;
        bool is_short = pause_ms < most_pause_ms;
        log_debug("cannot connect to the leader yet: %s", connector->error.text);
        if (!learner_pause(connector->learner, is_short ? pause_ms : most_pause_ms))
            return;
        pause_ms *= 2;
        tries += is_short ? 0 : 1;
    }
}

/* One thread an address where there are several, as in Java: the first that answers is the one. */
static int connect_any(struct learner *learner, const struct quorum_address *addresses, size_t count, int *ret_fd,
                       struct error *error)
{
    struct connectors all = {.fd = -1};
    struct leader_connector connectors[MOST_ADDRESSES];
    struct thread *threads[MOST_ADDRESSES] = {NULL};
    int64_t ticks = learner->self->options->connect_to_learner_master_limit;
    int64_t limit_ms =
        ticks > 0 ? ticks * quorum_self_tick_time(learner->self) : quorum_self_init_limit_ms(learner->self);
    if (count > MOST_ADDRESSES)
        count = MOST_ADDRESSES;
    mutex_init(&all.lock);
    for (size_t i = 0; i < count; i++)
        connectors[i] = (struct leader_connector){.learner = learner, .address = &addresses[i],
                                                  .deadline_ms = clock_elapsed_ms() + limit_ms, .all = &all};
    for (size_t i = 1; i < count; i++) {
        char *name = string_format("LeaderConnector-%s:%u", addresses[i].host, addresses[i].port);
        threads[i] = thread_start(name, connector_run, &connectors[i]);
        memory_free(name);
    }
    connector_run(&connectors[0]);
    for (size_t i = 1; i < count; i++)
        thread_join(threads[i]);
    mutex_release(&all.lock);
    *ret_fd = all.fd;
    if (all.fd >= 0)
        return ZK_OK;
    if (learner_is_shut_down(learner))
        return error_set(error, ZK_CLOSED, "the role ended while it connected to the leader");
    struct buffer text = {0};
    quorum_addresses_print(addresses, count, &text);
    error_set(error, ZK_IO, "Failed connect to %s: %s", buffer_string(&text), connectors[0].error.text);
    buffer_release(&text);
    return ZK_IO;
}

int learner_connect(struct learner *learner, const struct quorum_address *addresses, size_t count, struct error *error)
{
    const struct server_options *options = learner->self->options;
    int fd;
    int err = connect_any(learner, addresses, count, &fd, error);
    if (err != ZK_OK)
        return err;
    struct address peer;
    if (socket_peer_address(fd, &peer) == ZK_OK)
        address_format(&peer, learner->leader_name);
    if (options->follower_nodelay)
        socket_set_no_delay(fd);
    struct quorum_channel *channel =
        quorum_channel_new(stream_new_plain(fd), quorum_self_init_limit_ms(learner->self));
    if (options->message_tracker_enabled)
        quorum_channel_track(channel, (size_t)options->message_tracker_buffer_size, learner->leader_name);
    mutex_lock(&learner->lock);
    learner->channel = channel;
    bool is_shut_down = learner->is_shut_down;
    mutex_unlock(&learner->lock);
    if (is_shut_down)
        return error_set(error, ZK_CLOSED, "the role ended while it connected to the leader");
    log_info("Successfully connected to leader, using address: %s", learner->leader_name);
    if (options->learner_async_sending)
        learner->sender = learner_sender_start(learner->self->id, channel);
    return ZK_OK;
}

static void send_info(struct learner *learner, enum quorum_packet_type type)
{
    struct quorum_verifier *verifier = quorum_self_verifier(learner->self);
    struct buffer data = {0};
    struct learner_info info = {learner->self->id, PROTOCOL_VERSION, quorum_verifier_version(verifier)};
    jute_write_learner_info(&data, &info);
    quorum_verifier_unref(verifier);
    struct slice bytes = {data.bytes, data.size};
    learner_write_packet(learner, type, zxid_make(quorum_self_accepted_epoch(learner->self), 0), &bytes, true);
    buffer_release(&data);
}

/* LEADERINFO: (1). What is acked beside the last zxid is the current epoch, or -1 for an epoch accepted before. */
static int accept_epoch(struct learner *learner, int64_t last_logged_zxid, struct error *error)
{
    struct quorum_self *self = learner->self;
    struct slice data = learner->packet.data;
    if (data.size < 4)
        return error_set(error, ZK_MARSHALLING_ERROR, "a LEADERINFO of %zu bytes", data.size);
    learner->leader_protocol_version = (int32_t)load_be32(data.bytes);
    int64_t new_epoch = zxid_epoch(learner->packet.zxid), accepted = quorum_self_accepted_epoch(self);
    bool may_be_older = learner->is_observer && new_epoch >= quorum_self_current_epoch(self);    /* (2) */
    if (new_epoch < accepted && !may_be_older)
        return error_set(error, ZK_INVALID_STATE,
                         "Leaders epoch, %" PRId64 " is less than accepted epoch, %" PRId64, new_epoch, accepted);
    int32_t told = -1;
    if (new_epoch > accepted) {
        told = (int32_t)quorum_self_current_epoch(self);
        int err = quorum_self_set_accepted_epoch(self, new_epoch, error);
        if (err != ZK_OK)
            return err;
    }
    if (told == -1 && atomic_exchange(&self->snapshot_epoch, 0) == new_epoch)    /* (3) */
        last_logged_zxid = -1;
    uint8_t epoch_bytes[4];
    store_be32(epoch_bytes, (uint32_t)told);
    struct slice bytes = {epoch_bytes, sizeof epoch_bytes};
    return learner_write_packet(learner, QP_ACKEPOCH, last_logged_zxid, &bytes, true);
}

int learner_register(struct learner *learner, enum quorum_packet_type type, int64_t *ret_new_leader_zxid,
                     struct error *error)
{
    struct quorum_self *self = learner->self;
    int64_t last_logged_zxid = quorum_self_last_logged_zxid(self);
    send_info(learner, type);
    int err = learner_read_packet(learner, error);
    if (err != ZK_OK)
        return err;
    int64_t new_epoch = zxid_epoch(learner->packet.zxid);
    if (learner->packet.type == QP_LEADERINFO) {
        err = accept_epoch(learner, last_logged_zxid, error);
        if (err == ZK_CLOSED)
            return error_set(error, ZK_CLOSED, "the link to the leader broke");
        *ret_new_leader_zxid = zxid_make(new_epoch, 0);
        return err;
    }
    if (learner->packet.type != QP_NEWLEADER)    /* which a leader from before 3.4 begins with */
        return error_set(error, ZK_MARSHALLING_ERROR, "First packet should have been NEWLEADER");
    *ret_new_leader_zxid = learner->packet.zxid;
    return new_epoch > quorum_self_accepted_epoch(self) ? quorum_self_set_accepted_epoch(self, new_epoch, error)
                                                        : ZK_OK;
}
