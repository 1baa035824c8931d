/*
 * quorum_cnx_manager.c - who is connected to whom, and what waits for whom.
 *
 *   WorkerSender --send()--> peer.outbox (Q9) ==> SendWorker:n --> socket
 *   WorkerReceiver <-- Q10 <==receive() RecvWorker:n <-- socket
 *   ListenerHandler --connected()--> a larger sid: its connection is ours; a smaller one: closed, we connect to it
 *   QuorumConnectionThread: connects (quorum_connector.c); a larger sid than ours closes, and connects back
 *
 * (1) A peer has at most one channel that is not finished: under the lock it is set, taken away and finished;
 * (2) once is_halted is set no channel and no attempt begins;
 * (3) a channel that was taken away is freed when both its threads have left, by whoever comes by, and at the end;
 * (4) peers stay until the manager is freed; of those that no configuration knows there are at most MOST_STRANGERS, for
 *     what a connection says it is, is not proved.
 */
#include "server/quorum/quorum_cnx_manager.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/list.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/net/socket.h"
#include "common/thread/blocking_queue.h"
#include "server/quorum/election_channel.h"
#include "server/quorum/election_listener.h"
#include "server/quorum/quorum_connector.h"

enum { RECV_CAPACITY = 100, MOST_STRANGERS = 100 };

BLOCKING_QUEUE_OF(packet_queue, struct election_packet);

struct peer {
    struct list link;
    int64_t sid;
    struct election_outbox outbox;
    struct election_channel *channel;    /* GUARDED_BY(manager->lock); NULL: none */
};
struct dead_channel {
    struct list link;
    struct election_channel *channel;
};

struct quorum_cnx_manager {
    struct quorum_self *self;
    int64_t socket_timeout_ms;
    struct packet_queue *received;    /* Q10 */
    struct quorum_connector *connector;
    struct election_listener *listener;
    struct log_limiter complaints;

    struct mutex halt_lock;    /* held for the whole of halt(), by nothing else; before `lock` */
    struct mutex lock;
    struct list peers GUARDED_BY(lock);
    size_t stranger_count GUARDED_BY(lock);
    struct list ended GUARDED_BY(lock);    /* channels to be joined */
    int64_t observer_counter GUARDED_BY(lock);
    bool is_halted GUARDED_BY(lock);
};

/* ---- peers ---- */

static struct peer *find_peer(struct quorum_cnx_manager *manager, int64_t sid) REQUIRES(manager->lock)
{
    LIST_EACH(link, &manager->peers)
    {
        struct peer *peer = LIST_ENTRY(link, struct peer, link);
        if (peer->sid == sid)
            return peer;
    }
    return NULL;
}

static bool is_member(struct quorum_cnx_manager *manager, int64_t sid)
{
    struct quorum_verifier *holder;
    const struct quorum_server *server;
    bool is_known = quorum_self_find_server(manager->self, sid, &holder, &server);
    if (is_known)
        quorum_verifier_unref(holder);
    return is_known;
}

/* NULL: there are too many strangers already. */
static struct peer *find_or_add_peer(struct quorum_cnx_manager *manager, int64_t sid, bool is_known)
    REQUIRES(manager->lock)
{
    struct peer *peer = find_peer(manager, sid);
    if (peer != NULL)
        return peer;
    if (!is_known && manager->stranger_count == MOST_STRANGERS) {
        log_warn_limited(&manager->complaints, "no more than %d servers that are in no configuration are connected to, "
                         "%" PRId64 " is not", MOST_STRANGERS, sid);
        return NULL;
    }
    manager->stranger_count += !is_known;
    peer = MEMORY_NEW(struct peer);
    peer->sid = sid;
    election_outbox_init(&peer->outbox);
    list_add_last(&manager->peers, &peer->link);
    return peer;
}

/* ---- channels ---- */

static void receive_packet(void *owner, int64_t sid, struct blob *message)
{
    struct quorum_cnx_manager *manager = owner;
    struct election_packet packet = {.sid = sid, .message = message}, displaced;
    bool has_displaced = false;
    if (packet_queue_displace(manager->received, packet, &displaced, &has_displaced) != ZK_OK)
        blob_unref(message);
    if (has_displaced)
        blob_unref(displaced.message);
}

static void take_away_channel(struct quorum_cnx_manager *manager, struct peer *peer) REQUIRES(manager->lock)
{
    struct dead_channel *dead = MEMORY_NEW(struct dead_channel);
    dead->channel = peer->channel;
    peer->channel = NULL;
    list_add_last(&manager->ended, &dead->link);
    election_channel_finish(dead->channel);
}

/* From the threads of the channel. */
static void channel_ended(void *owner, struct election_channel *channel)
{
    struct quorum_cnx_manager *manager = owner;
    mutex_lock(&manager->lock);
    struct peer *peer = find_peer(manager, election_channel_sid(channel));
    if (peer != NULL && peer->channel == channel)
        take_away_channel(manager, peer);
    mutex_unlock(&manager->lock);
}

/* Takes away the channel of the peer, if it is over this socket (-1: over any). */
static void end_channel(struct quorum_cnx_manager *manager, int64_t sid, int fd)
{
    mutex_lock(&manager->lock);
    struct peer *peer = find_peer(manager, sid);
    if (peer != NULL && peer->channel != NULL && (fd < 0 || election_channel_fd(peer->channel) == fd))
        take_away_channel(manager, peer);
    mutex_unlock(&manager->lock);
}

static const struct election_channel_events channel_events = {.received = receive_packet, .ended = channel_ended};

/* One that has ended and, unless `waits`, whose threads have left; NULL: none. */
static struct election_channel *take_ended(struct quorum_cnx_manager *manager, bool waits)
{
    struct election_channel *channel = NULL;
    mutex_lock(&manager->lock);
    LIST_EACH_SAFE(link, &manager->ended)
    {
        struct dead_channel *dead = LIST_ENTRY(link, struct dead_channel, link);
        if (channel != NULL || (!waits && !election_channel_is_over(dead->channel)))
            continue;
        channel = dead->channel;
        list_remove(&dead->link);
        memory_free(dead);
    }
    mutex_unlock(&manager->lock);
    return channel;
}

static void free_ended(struct quorum_cnx_manager *manager, bool waits)
{
    struct election_channel *channel;
    while ((channel = take_ended(manager, waits)) != NULL)
        election_channel_free(channel);
}

/* Unless the manager is halted, or there are too many strangers; the socket is closed then. */
static void set_channel(struct quorum_cnx_manager *manager, int64_t sid, int fd)
{
    bool is_known = is_member(manager, sid);
    free_ended(manager, false);
    mutex_lock(&manager->lock);
    struct peer *peer = manager->is_halted ? NULL : find_or_add_peer(manager, sid, is_known);
    if (peer != NULL) {
        if (peer->channel != NULL)
            take_away_channel(manager, peer);
        peer->channel = election_channel_new(fd, manager->self->id, sid, &peer->outbox, manager->socket_timeout_ms,
                                             &channel_events, manager);
        election_channel_start(peer->channel);
    }
    mutex_unlock(&manager->lock);
    if (peer == NULL)
        socket_close(fd);
}

/* ---- connections, from us and to us ---- */

/* A connection that we made is up, and our first message sent. QuorumConnectionThread. */
static void connection_made(void *owner, int64_t sid, int fd)
{
    struct quorum_cnx_manager *manager = owner;
    int64_t my_id = manager->self->id;
    if (sid > my_id) {
        log_info("Have smaller server identifier, so dropping the connection: (myId:%" PRId64 " --> sid:%" PRId64 ")",
                 my_id, sid);
        socket_close(fd);
        return;
    }
    log_debug("Have larger server identifier, so keeping the connection: (myId:%" PRId64 " --> sid:%" PRId64 ")", my_id,
              sid);
    set_channel(manager, sid, fd);
}

/* The address that this socket goes to does not answer any more. */
static void address_is_dead(void *owner, int64_t sid, int fd)
{
    end_channel(owner, sid, fd);
}

static const struct quorum_connector_events connector_events = {
    .connected = connection_made, .unreachable = address_is_dead};

static int64_t next_observer_id(struct quorum_cnx_manager *manager)
{
    mutex_lock(&manager->lock);
    int64_t id = manager->observer_counter--;
    mutex_unlock(&manager->lock);
    log_info("Setting arbitrary identifier to observer: %" PRId64, id);
    return id;
}

/* The smaller server connected: it is told by our connecting back. */
static void connect_back(struct quorum_cnx_manager *manager, int64_t sid, const struct initial_message *message)
{
    end_channel(manager, sid, -1);    /* the peer may not know of it any more */
    if (message->address_count > 0)
        quorum_connector_connect(manager->connector, sid, message->addresses, message->address_count);
    else
        quorum_cnx_manager_connect_one(manager, sid);
}

/* handleConnection. ListenerHandler. */
static void connection_arrived(void *owner, int fd, const struct address *peer, struct initial_message *message)
{
    struct quorum_cnx_manager *manager = owner;
    char text[ADDRESS_TEXT_SIZE];
    int64_t my_id = manager->self->id;
    int64_t sid = message->sid == ELECTION_OBSERVER_ID ? next_observer_id(manager) : message->sid;
    address_format(peer, text);
    if (message->sid < 0) {
        log_warn_limited(&manager->complaints, "%s says that it is server %" PRId64 ", which cannot be", text, sid);
        socket_close(fd);
    } else if (sid == my_id) {
        log_warn_limited(&manager->complaints, "We got a connection request from a server with our own ID, %s. This "
                         "should be either a configuration error, or a bug.", text);
        socket_close(fd);
    } else if (sid > my_id || message->sid == ELECTION_OBSERVER_ID) {
        set_channel(manager, sid, fd);
    } else {
        log_debug("Create new connection to server: %" PRId64, sid);
        socket_close(fd);
        connect_back(manager, sid, message);
    }
    initial_message_release(message);
}

static const struct election_listener_events listener_events = {.connected = connection_arrived};

/* True if there is a channel. Of several addresses the one that it uses may be gone: that is looked at meanwhile. */
static bool has_channel(struct quorum_cnx_manager *manager, int64_t sid, const struct quorum_server *server)
{
    const struct server_options *options = manager->self->options;
    struct address address;
    int fd = -1;
    mutex_lock(&manager->lock);
    struct peer *peer = find_peer(manager, sid);
    bool has = peer != NULL && peer->channel != NULL;
    if (has)
        fd = election_channel_fd(peer->channel);
    bool has_address = has && socket_peer_address(fd, &address) == ZK_OK;
    mutex_unlock(&manager->lock);
    if (has_address && server != NULL && server->election_address_count > 1 && options->multi_address_enabled &&
        options->multi_address_reachability_check_enabled)
        quorum_connector_check(manager->connector, sid, fd, &address);
    return has;
}

static int64_t socket_timeout_of(const struct server_options *options)
{
    int64_t limits_ms = options->tick_time * options->sync_limit;
    int64_t timeout_ms = options->quorum_cnxn_timeout_ms > 0 ? options->quorum_cnxn_timeout_ms : limits_ms;
    return timeout_ms > 0 ? timeout_ms : options->cnx_timeout;
}

/* The sids of all peers; the caller's. */
static int64_t *peer_sids(struct quorum_cnx_manager *manager, size_t *ret_count)
{
    int64_t *sids = NULL;
    size_t count = 0;
    mutex_lock(&manager->lock);
    LIST_EACH(link, &manager->peers)
    {
        sids = memory_realloc(sids, (count + 1) * sizeof(*sids));
        sids[count++] = LIST_ENTRY(link, struct peer, link)->sid;
    }
    mutex_unlock(&manager->lock);
    *ret_count = count;
    return sids;
}

struct quorum_cnx_manager *quorum_cnx_manager_new(struct quorum_self *self)
{
    struct quorum_cnx_manager *manager = MEMORY_NEW(struct quorum_cnx_manager);
    manager->self = self;
    manager->socket_timeout_ms = socket_timeout_of(self->options);
    manager->received = packet_queue_new(RECV_CAPACITY);
    manager->connector = quorum_connector_new(self, &connector_events, manager);
    manager->observer_counter = -1;
    mutex_init(&manager->halt_lock);
    mutex_init(&manager->lock);
    list_init(&manager->peers);
    list_init(&manager->ended);
    log_info("Using %" PRId64 "ms as the quorum cnxn socket timeout", manager->socket_timeout_ms);
    return manager;
}

void quorum_cnx_manager_start(struct quorum_cnx_manager *manager)
{
    mutex_lock(&manager->halt_lock);
    mutex_lock(&manager->lock);
    bool is_halted = manager->is_halted;
    mutex_unlock(&manager->lock);
    if (!is_halted)
        manager->listener =
            election_listener_start(manager->self, manager->socket_timeout_ms, &listener_events, manager);
    mutex_unlock(&manager->halt_lock);
}

void quorum_cnx_manager_send(struct quorum_cnx_manager *manager, int64_t sid, struct blob *message)
{
    if (sid == manager->self->id) {
        receive_packet(manager, sid, message);
        return;
    }
    bool is_known = is_member(manager, sid);
    mutex_lock(&manager->lock);
    struct peer *peer = find_or_add_peer(manager, sid, is_known);
    mutex_unlock(&manager->lock);
    if (peer == NULL) {
        blob_unref(message);
        return;
    }
    election_outbox_put(&peer->outbox, message);
    quorum_cnx_manager_connect_one(manager, sid);
}

bool quorum_cnx_manager_receive(struct quorum_cnx_manager *manager, struct election_packet *ret_packet)
{
    return packet_queue_take(manager->received, ret_packet, 1) == 1;
}

void quorum_cnx_manager_connect_one(struct quorum_cnx_manager *manager, int64_t sid)
{
    struct quorum_verifier *const views[] = {quorum_self_verifier(manager->self),
                                             quorum_self_last_seen_verifier(manager->self)};
    const struct quorum_server *committed = quorum_verifier_find(views[0], sid);
    const struct quorum_server *proposed = quorum_verifier_find(views[1], sid);
    const struct quorum_server *server = committed != NULL ? committed : proposed;
    if (!has_channel(manager, sid, server) && sid != manager->self->id) {
        bool is_asked = server != NULL && quorum_connector_connect(manager->connector, sid, server->election_addresses,
                                                                   server->election_address_count);
        if (server == NULL)
            log_warn_limited(&manager->complaints, "Invalid server id: %" PRId64, sid);
        else if (!is_asked && proposed != NULL && proposed != server)
            quorum_connector_connect(manager->connector, sid, proposed->election_addresses,
                                     proposed->election_address_count);
    }
    quorum_verifier_unref(views[0]);
    quorum_verifier_unref(views[1]);
}

void quorum_cnx_manager_connect_all(struct quorum_cnx_manager *manager)
{
    size_t count;
    int64_t *sids = peer_sids(manager, &count);
    free_ended(manager, false);
    for (size_t i = 0; i < count; i++)
        quorum_cnx_manager_connect_one(manager, sids[i]);
    memory_free(sids);
}

void quorum_cnx_manager_connect_new_peers(struct quorum_cnx_manager *manager)
{
    struct quorum_verifier *committed = quorum_self_verifier(manager->self);
    struct quorum_verifier *proposed = quorum_self_last_seen_verifier(manager->self);
    for (size_t i = 0; i < quorum_verifier_count(proposed); i++) {
        int64_t sid = quorum_verifier_at(proposed, i)->id;
        if (sid != manager->self->id && quorum_verifier_find(committed, sid) == NULL)
            quorum_cnx_manager_connect_one(manager, sid);
    }
    quorum_verifier_unref(committed);
    quorum_verifier_unref(proposed);
}

bool quorum_cnx_manager_have_delivered(struct quorum_cnx_manager *manager)
{
    bool have_delivered = false;
    mutex_lock(&manager->lock);
    LIST_EACH(link, &manager->peers)
        have_delivered = have_delivered || election_outbox_is_empty(&LIST_ENTRY(link, struct peer, link)->outbox);
    mutex_unlock(&manager->lock);
    return have_delivered;
}

bool quorum_cnx_manager_is_connected(struct quorum_cnx_manager *manager, int64_t sid)
{
    mutex_lock(&manager->lock);
    struct peer *peer = find_peer(manager, sid);
    bool is_connected = peer != NULL && peer->channel != NULL;
    mutex_unlock(&manager->lock);
    return is_connected;
}

void quorum_cnx_manager_soft_halt(struct quorum_cnx_manager *manager)
{
    mutex_lock(&manager->lock);
    LIST_EACH(link, &manager->peers)
    {
        struct peer *peer = LIST_ENTRY(link, struct peer, link);
        if (peer->channel != NULL)
            take_away_channel(manager, peer);
    }
    mutex_unlock(&manager->lock);
}

void quorum_cnx_manager_halt(struct quorum_cnx_manager *manager)
{
    mutex_lock(&manager->halt_lock);
    mutex_lock(&manager->lock);
    manager->is_halted = true;
    mutex_unlock(&manager->lock);
    election_listener_free(manager->listener);
    manager->listener = NULL;
    quorum_connector_stop(manager->connector);
    quorum_cnx_manager_soft_halt(manager);
    free_ended(manager, true);
    packet_queue_close(manager->received);
    mutex_unlock(&manager->halt_lock);
}

void quorum_cnx_manager_free(struct quorum_cnx_manager *manager)
{
    struct election_packet packet;
    if (manager == NULL)
        return;
    quorum_cnx_manager_halt(manager);
    while (quorum_cnx_manager_receive(manager, &packet))
        blob_unref(packet.message);
    packet_queue_free(manager->received);
    quorum_connector_free(manager->connector);
    LIST_EACH_SAFE(link, &manager->peers)
    {
        struct peer *peer = LIST_ENTRY(link, struct peer, link);
        election_outbox_release(&peer->outbox);
        memory_free(peer);
    }
    mutex_release(&manager->lock);
    mutex_release(&manager->halt_lock);
    memory_free(manager);
}
