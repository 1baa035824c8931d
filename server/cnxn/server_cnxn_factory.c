/*
 * server_cnxn_factory.c - the connections of one port: who they are, how many may be, which is whose session.
 *
 * Mirrors ServerCnxnFactory and NIOServerCnxnFactory (configure, start, closeSession, createConnection, removeCnxn).
 * One lock for list, sessions, expiry and counts by address; never held while a connection's or a selector's is wanted
 * by a call that waits.
 */
#include "server/cnxn/server_cnxn_factory.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/net/socket.h"
#include "common/thread/thread.h"
#include "server/cnxn/accept_thread.h"
#include "server/cnxn/certificate_checker.h"
#include "server/cnxn/connection_expirer.h"
#include "server/cnxn/selector_thread.h"
#include "server/cnxn/server_tls.h"

#define FEW_CORES 4
#define WORKER_QUEUE_BOUND 8192

/* How many connections come from one address. */
struct peer_count {
    struct hash_link link;
    struct address peer;
    size_t count;
};

struct server_cnxn_factory {
    struct factory_parts parts;
    struct address address;    /* as bound */
    int listener;              /* -1 once AcceptThread has it */
    struct mutex accept_lock;    /* one opens or closes the port at a time; outside of all others */
    struct accept_thread *accept_thread GUARDED_BY(accept_lock);
    struct connection_expirer *expirer;
    struct selector_thread **selectors;
    _Atomic size_t selector_count;    /* set when they are there: the other port may be serving already */
    _Atomic size_t next_selector;
    struct expiry_queue *expiry;
    _Atomic size_t connection_count;
    _Atomic int64_t outstanding_handshakes;
    _Atomic int64_t max_cnxns, max_client_cnxns;    /* 0 or less: no limit */

    struct mutex lock;
    struct list cnxns GUARDED_BY(lock);
    struct hash_map sessions GUARDED_BY(lock);    /* session id to connection */
    struct hash_map peers GUARDED_BY(lock);
    size_t admitted GUARDED_BY(lock);
    struct condition gone;                        /* one more connection was removed */
};

/* ---- configuration ---- */

/* sqrt(cores / 2), at least 1. */
static size_t number_of_selectors(const struct server_options *options)
{
    if (options->nio_num_selector_threads > 0)
        return (size_t)options->nio_num_selector_threads;
    double count = sqrt((double)thread_processors() / 2);
    return count < 1 ? 1 : (size_t)count;
}

/* Twice the cores as in Java, but none on few cores, where handing I/O over costs more than it gains. */
static int number_of_workers(const struct server_options *options)
{
    if (options->nio_num_worker_threads >= 0)
        return (int)options->nio_num_worker_threads;
    int cores = thread_processors();
    return cores <= FEW_CORES ? 0 : 2 * cores;
}

static struct expiry_queue *make_expiry(struct server_cnxn_factory *factory)
{
    factory->parts.sessionless_timeout_ms = (int32_t)factory->parts.options->nio_sessionless_cnxn_timeout;
    return expiry_queue_new(factory->parts.sessionless_timeout_ms, clock_elapsed_ms());
}

int server_cnxn_factory_new(const struct server_options *options, const struct address *address,
                            struct packet_sink *sink, struct server_metrics *metrics, struct server_stats *stats,
                            struct server_cnxn_factory **ret_factory, struct error *error)
{
    int listener;
    char text[ADDRESS_TEXT_SIZE];
    address_format(address, text);
    int err = socket_listen(address, (int)options->client_port_listen_backlog, &listener, error);
    if (err != ZK_OK)
        return error_prefix(error, "cannot listen for clients on %s", text);

    struct server_cnxn_factory *factory = MEMORY_NEW(struct server_cnxn_factory);
    factory->parts = (struct factory_parts){.options = options, .sink = sink, .metrics = metrics, .stats = stats};
    factory->address = *address;
    socket_local_address(listener, &factory->address);
    factory->listener = listener;
    mutex_init(&factory->accept_lock);
    mutex_init(&factory->lock);
    condition_init(&factory->gone);
    mutex_lock(&factory->lock);
    list_init(&factory->cnxns);
    mutex_unlock(&factory->lock);
    factory->expiry = make_expiry(factory);
    server_cnxn_factory_reload(factory);
    address_format(&factory->address, text);
    log_info("binding to port %s", text);
    *ret_factory = factory;
    return ZK_OK;
}

void server_cnxn_factory_use_tls(struct server_cnxn_factory *factory, struct server_tls *tls, bool is_unified)
{
    assert(factory->selector_count == 0);
    factory->parts.tls = tls;
    factory->parts.is_unified = is_unified;
}

/* ---- expiry ---- */

static struct server_cnxn *next_expired(struct server_cnxn_factory *factory, int64_t now_ms)
{
    mutex_lock(&factory->lock);
    struct expiry_link *link = expiry_queue_poll(factory->expiry, now_ms);
    struct server_cnxn *cnxn =
        link == NULL ? NULL : server_cnxn_ref(container_of(link, struct server_cnxn, expiry_link));
    mutex_unlock(&factory->lock);
    return cnxn;
}

/* The ConnectionExpirer's work. */
static int64_t expire_silent(void *context, int64_t late_ms)
{
    struct server_cnxn_factory *factory = context;
    int64_t now_ms = clock_elapsed_ms();
    expiry_queue_put_off(factory->expiry, late_ms);
    struct server_cnxn *cnxn;
    while ((cnxn = next_expired(factory, now_ms)) != NULL) {
        server_metrics_count(factory->parts.metrics, METRIC_SESSIONLESS_CONNECTIONS_EXPIRED, 1);
        server_cnxn_close(cnxn, DISCONNECT_CONNECTION_EXPIRED);
        server_cnxn_unref(cnxn);
    }
    return expiry_queue_wait_time(factory->expiry, now_ms);
}

/* ---- life ---- */

static void start_accepting(struct server_cnxn_factory *factory) REQUIRES(factory->accept_lock)
{
    char text[ADDRESS_TEXT_SIZE];
    address_format(&factory->address, text);
    factory->accept_thread = accept_thread_start(factory, factory->listener, text);
    factory->listener = -1;
}

void server_cnxn_factory_start(struct server_cnxn_factory *factory)
{
    const struct server_options *options = factory->parts.options;
    int workers = number_of_workers(options);
    if (workers > 0)
        factory->parts.workers = worker_service_start("NIOWorker", workers, WORKER_QUEUE_BOUND);
    if (factory->parts.tls != NULL && server_tls_asks_responders(factory->parts.tls))
        factory->parts.checker = certificate_checker_start();
    size_t selectors = number_of_selectors(options);
    factory->selectors = MEMORY_NEW_ARRAY(selectors, struct selector_thread *);
    for (size_t i = 0; i < selectors; i++)
        factory->selectors[i] = selector_thread_start(factory, (int)i);
    atomic_store(&factory->selector_count, selectors);
    log_info("Configuring NIO connection handler with %ds sessionless connection timeout, %zu selector thread(s), "
             "%d worker threads",
             factory->parts.sessionless_timeout_ms / 1000, selectors, workers);
    mutex_lock(&factory->accept_lock);
    start_accepting(factory);
    mutex_unlock(&factory->accept_lock);
    factory->expirer = connection_expirer_start(expire_silent, factory);
}

void server_cnxn_factory_stop_accepting(struct server_cnxn_factory *factory)
{
    mutex_lock(&factory->accept_lock);
    accept_thread_stop(factory->accept_thread);
    factory->accept_thread = NULL;
    socket_close(factory->listener);
    factory->listener = -1;
    mutex_unlock(&factory->accept_lock);
    connection_expirer_stop(factory->expirer);
    factory->expirer = NULL;
}

/* The new address; where it cannot be had, the old one again. */
static int listen_again(struct server_cnxn_factory *factory, const struct address *address, struct error *error)
    REQUIRES(factory->accept_lock)
{
    int backlog = (int)factory->parts.options->client_port_listen_backlog;
    struct address bound = *address, before = factory->address;
    int err = socket_listen(address, backlog, &factory->listener, error);
    if (err != ZK_OK) {
        bound = before;
        if (socket_listen(&before, backlog, &factory->listener, NULL) != ZK_OK)
            return err;
    }
    socket_local_address(factory->listener, &bound);
    mutex_lock(&factory->lock);
    factory->address = bound;
    mutex_unlock(&factory->lock);
    return err;
}

int server_cnxn_factory_rebind(struct server_cnxn_factory *factory, const struct address *address, struct error *error)
{
    char text[ADDRESS_TEXT_SIZE];
    address_format(address, text);
    mutex_lock(&factory->accept_lock);
    if (factory->accept_thread == NULL) {
        mutex_unlock(&factory->accept_lock);
        return error_set(error, ZK_CLOSED, "connections are not accepted any more");
    }
    log_info("binding to port %s", text);
    accept_thread_stop(factory->accept_thread);
    factory->accept_thread = NULL;
    int err = listen_again(factory, address, error);
    if (factory->listener >= 0)
        start_accepting(factory);
    mutex_unlock(&factory->accept_lock);
    if (err != ZK_OK)
        error_prefix(error, "cannot listen for clients on %s", text);
    return err;
}

void server_cnxn_factory_shutdown(struct server_cnxn_factory *factory)
{
    server_cnxn_factory_stop_accepting(factory);
    for (size_t i = 0; i < factory->selector_count; i++)
        selector_thread_stop(factory->selectors[i]);
    worker_service_stop(factory->parts.workers);
    factory->parts.workers = NULL;
    certificate_checker_stop(factory->parts.checker);
    factory->parts.checker = NULL;
    for (size_t i = 0; i < factory->selector_count; i++)
        selector_thread_free(factory->selectors[i]);
    memory_free(factory->selectors);
    factory->selectors = NULL;
    factory->selector_count = 0;
}

void server_cnxn_factory_reload(struct server_cnxn_factory *factory)
{
    atomic_store(&factory->max_cnxns, factory->parts.options->max_cnxns);
    atomic_store(&factory->max_client_cnxns, factory->parts.options->max_client_cnxns);
}

void server_cnxn_factory_free(struct server_cnxn_factory *factory)
{
    if (factory == NULL)
        return;
    assert(factory->selector_count == 0);
    socket_close(factory->listener);
    expiry_queue_free(factory->expiry);
    mutex_lock(&factory->lock);
    hash_map_release(&factory->sessions);
    hash_map_release(&factory->peers);
    mutex_unlock(&factory->lock);
    condition_release(&factory->gone);
    mutex_release(&factory->lock);
    mutex_release(&factory->accept_lock);
    memory_free(factory);
}

/* ---- sessions and lists ---- */

void server_cnxn_factory_flush(struct server_cnxn_factory *factory)
{
    for (size_t i = 0; i < factory->selector_count; i++)
        selector_thread_flush(factory->selectors[i]);
}

static struct server_cnxn *find_session(struct server_cnxn_factory *factory, int64_t session_id)
    REQUIRES(factory->lock)
{
    struct hash_link *link = hash_map_find(&factory->sessions, hash_int64(session_id));
    while (link != NULL) {
        struct server_cnxn *cnxn = container_of(link, struct server_cnxn, session_link);
        if (atomic_load(&cnxn->session_id) == session_id)
            return cnxn;
        link = hash_map_find_next(link);
    }
    return NULL;
}

static void forget_session(struct server_cnxn_factory *factory, struct server_cnxn *cnxn) REQUIRES(factory->lock)
{
    if (!cnxn->is_in_sessions)
        return;
    hash_map_remove(&factory->sessions, &cnxn->session_link);
    cnxn->is_in_sessions = false;
}

bool server_cnxn_factory_close_session(struct server_cnxn_factory *factory, int64_t session_id,
                                       enum disconnect_reason reason)
{
    mutex_lock(&factory->lock);
    struct server_cnxn *cnxn = find_session(factory, session_id);
    if (cnxn != NULL) {
        server_cnxn_ref(cnxn);
        forget_session(factory, cnxn);
    }
    mutex_unlock(&factory->lock);
    if (cnxn == NULL)
        return false;
    server_cnxn_close(cnxn, reason);
    server_cnxn_unref(cnxn);
    return true;
}

void server_cnxn_factory_close_all(struct server_cnxn_factory *factory, enum disconnect_reason reason)
{
    size_t count;
    struct server_cnxn **cnxns = server_cnxn_factory_list(factory, &count);
    for (size_t i = 0; i < count; i++) {
        server_cnxn_close(cnxns[i], reason);
        server_cnxn_unref(cnxns[i]);
    }
    memory_free(cnxns);
}

/* Of any connection that has, or had, a session. */
static bool has_session_cnxn(struct server_cnxn_factory *factory) REQUIRES(factory->lock)
{
    LIST_EACH (link, &factory->cnxns)
        if (atomic_load(&LIST_ENTRY(link, struct server_cnxn, factory_link)->session_id) != 0)
            return true;
    return false;
}

void server_cnxn_factory_wait_for_sessions(struct server_cnxn_factory *factory)
{
    mutex_lock(&factory->lock);
    while (has_session_cnxn(factory))
        condition_wait(&factory->gone, &factory->lock);
    mutex_unlock(&factory->lock);
}

struct address server_cnxn_factory_address(struct server_cnxn_factory *factory)
{
    mutex_lock(&factory->lock);
    struct address address = factory->address;
    mutex_unlock(&factory->lock);
    return address;
}

int server_cnxn_factory_local_port(struct server_cnxn_factory *factory)
{
    struct address address = server_cnxn_factory_address(factory);
    return address_port(&address);
}

size_t server_cnxn_factory_connection_count(struct server_cnxn_factory *factory)
{
    return atomic_load(&factory->connection_count);
}

int64_t server_cnxn_factory_outstanding_handshakes(struct server_cnxn_factory *factory)
{
    return atomic_load(&factory->outstanding_handshakes);
}

int server_cnxn_factory_max_client_cnxns(struct server_cnxn_factory *factory)
{
    return (int)atomic_load(&factory->max_client_cnxns);
}

struct server_cnxn **server_cnxn_factory_list(struct server_cnxn_factory *factory, size_t *ret_count)
{
    mutex_lock(&factory->lock);
    size_t count = 0;
    LIST_EACH (link, &factory->cnxns)
        count++;
    struct server_cnxn **cnxns = MEMORY_NEW_ARRAY(count + 1, struct server_cnxn *);
    size_t at = 0;
    LIST_EACH (link, &factory->cnxns)
        cnxns[at++] = server_cnxn_ref(LIST_ENTRY(link, struct server_cnxn, factory_link));
    mutex_unlock(&factory->lock);
    *ret_count = count;
    return cnxns;
}

/* ---- for the other files of this room ---- */

struct factory_parts *server_cnxn_factory_parts(struct server_cnxn_factory *factory)
{
    return &factory->parts;
}

void server_cnxn_factory_add(struct server_cnxn_factory *factory, struct server_cnxn *cnxn)
{
    mutex_lock(&factory->lock);
    list_add_last(&factory->cnxns, &cnxn->factory_link);
    expiry_queue_update(factory->expiry, &cnxn->expiry_link, atomic_load(&cnxn->session_timeout_ms),
                        clock_elapsed_ms());
    mutex_unlock(&factory->lock);
    atomic_fetch_add(&factory->connection_count, 1);
}

static struct peer_count *find_peer(struct server_cnxn_factory *factory, const struct address *peer)
    REQUIRES(factory->lock)
{
    struct hash_link *link = hash_map_find(&factory->peers, address_hash_ip(peer));
    while (link != NULL) {
        struct peer_count *entry = container_of(link, struct peer_count, link);
        if (address_equal_ip(&entry->peer, peer))
            return entry;
        link = hash_map_find_next(link);
    }
    return NULL;
}

static void count_down_peer(struct server_cnxn_factory *factory, const struct address *peer) REQUIRES(factory->lock)
{
    struct peer_count *entry = find_peer(factory, peer);
    assert(entry != NULL && factory->admitted > 0);
    factory->admitted--;
    if (--entry->count > 0)
        return;
    hash_map_remove(&factory->peers, &entry->link);
    memory_free(entry);
}

bool server_cnxn_factory_remove(struct server_cnxn_factory *factory, struct server_cnxn *cnxn)
{
    mutex_lock(&factory->lock);
    bool was_there = !list_is_empty(&cnxn->factory_link);
    if (was_there) {
        list_remove(&cnxn->factory_link);
        expiry_queue_remove(factory->expiry, &cnxn->expiry_link);
        forget_session(factory, cnxn);
        count_down_peer(factory, &cnxn->peer);
        condition_broadcast(&factory->gone);
    }
    mutex_unlock(&factory->lock);
    if (was_there)
        atomic_fetch_sub(&factory->connection_count, 1);
    return was_there;
}

void server_cnxn_factory_set_session(struct server_cnxn_factory *factory, struct server_cnxn *cnxn, int64_t session_id)
{
    mutex_lock(&factory->lock);
    forget_session(factory, cnxn);
    if (!list_is_empty(&cnxn->factory_link)) {
        struct server_cnxn *other = find_session(factory, session_id);
        if (other != NULL)
            forget_session(factory, other);
        hash_map_insert(&factory->sessions, &cnxn->session_link, hash_int64(session_id));
        cnxn->is_in_sessions = true;
    }
    mutex_unlock(&factory->lock);
}

void server_cnxn_factory_touch(struct server_cnxn_factory *factory, struct server_cnxn *cnxn)
{
    if (atomic_load_explicit(&cnxn->is_stale, memory_order_relaxed))
        return;
    expiry_queue_update(factory->expiry, &cnxn->expiry_link, atomic_load(&cnxn->session_timeout_ms),
                        clock_elapsed_ms());
}

int server_cnxn_factory_admit(struct server_cnxn_factory *factory, const struct address *peer, struct error *error)
{
    int64_t most = atomic_load(&factory->max_cnxns), most_a_peer = atomic_load(&factory->max_client_cnxns);
    char ip[ADDRESS_TEXT_SIZE];
    address_format_ip(peer, ip);
    int err = ZK_OK;
    mutex_lock(&factory->lock);
    struct peer_count *entry = find_peer(factory, peer);
    if (most > 0 && factory->admitted >= (size_t)most) {
        err = error_set(error, ZK_FULL, "Too many connections max allowed is %" PRId64, most);
    } else if (most_a_peer > 0 && entry != NULL && entry->count >= (size_t)most_a_peer) {
        err = error_set(error, ZK_FULL, "Too many connections from /%s - max is %" PRId64, ip, most_a_peer);
    } else {
        if (entry == NULL) {
            entry = MEMORY_NEW(struct peer_count);
            entry->peer = *peer;
            hash_map_insert(&factory->peers, &entry->link, address_hash_ip(peer));
        }
        entry->count++;
        factory->admitted++;
    }
    mutex_unlock(&factory->lock);
    if (err != ZK_OK)
        server_metrics_count(factory->parts.metrics, METRIC_CONNECTION_REJECTED, 1);
    return err;
}

void server_cnxn_factory_dismiss(struct server_cnxn_factory *factory, const struct address *peer)
{
    mutex_lock(&factory->lock);
    count_down_peer(factory, peer);
    mutex_unlock(&factory->lock);
}

int server_cnxn_factory_begin_handshake(struct server_cnxn_factory *factory, struct error *error)
{
    struct factory_parts *parts = &factory->parts;
    int64_t most = parts->options->outstanding_handshake_limit;
    if (parts->tls == NULL)
        return ZK_OK;
    if (!parts->is_unified && parts->options->netty_server_early_drop_secure_connection_handshakes &&
        !parts->sink->ops->is_running(parts->sink)) {
        server_metrics_count(parts->metrics, METRIC_CNXN_CLOSED_WITHOUT_ZK_SERVER_RUNNING, 1);
        return error_set(error, ZK_CLOSED, "Zookeeper server is not running, no TLS handshake is started");
    }
    if (atomic_fetch_add(&factory->outstanding_handshakes, 1) >= most && most > 0) {
        atomic_fetch_sub(&factory->outstanding_handshakes, 1);
        server_metrics_count(parts->metrics, METRIC_TLS_HANDSHAKE_EXCEEDED, 1);
        return error_set(error, ZK_FULL, "Too many TLS handshakes in progress, max allowed is %" PRId64, most);
    }
    return ZK_OK;
}

void server_cnxn_factory_end_handshake(struct server_cnxn_factory *factory)
{
    if (factory->parts.tls != NULL)
        atomic_fetch_sub(&factory->outstanding_handshakes, 1);
}

struct selector_thread *server_cnxn_factory_next_selector(struct server_cnxn_factory *factory)
{
    size_t index = atomic_fetch_add(&factory->next_selector, 1) % factory->selector_count;
    return factory->selectors[index];
}
