/*
 * quorum_connector.c - attempts to connect, at most one a peer at a time.
 *
 * Departs from Java: where a peer has several addresses, each is tried for as long as the reachability check may take,
 * in place of pinging all of them first; a connection that works is proof enough.
 */
#include "server/quorum/quorum_connector.h"

#include <errno.h>
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/list.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/socket.h"
#include "server/quorum/connection_executor.h"
#include "server/quorum/election_message.h"

enum { MOST_THREADS = 1000, MOST_ADDRESSES = 16, CHECK_TIMEOUT_MS = 500, ECHO_PORT = 7 };

/* A connection that is being made or, with checked_fd, an address that is being looked at. */
struct attempt {
    struct list link;
    struct quorum_connector *connector;
    int64_t sid;
    struct quorum_address *addresses;
    size_t address_count;
    int checked_fd;    /* -1: none */
    struct address checked_address;
    int fd;            /* GUARDED_BY(connector->lock); that is connecting, -1: none */
};

struct quorum_connector {
    struct quorum_self *self;
    const struct quorum_connector_events *events;
    void *owner;
    struct connection_executor *executor;
    struct log_limiter complaints;
    struct mutex lock;
    struct list attempts GUARDED_BY(lock);    /* inprogressConnections */
    bool is_stopped GUARDED_BY(lock);
};

static void free_attempt(struct attempt *attempt)
{
    for (size_t i = 0; i < attempt->address_count; i++)
        memory_free(attempt->addresses[i].host);
    memory_free(attempt->addresses);
    memory_free(attempt);
}

static bool is_in_progress(struct quorum_connector *connector, int64_t sid, bool is_check) REQUIRES(connector->lock)
{
    LIST_EACH(link, &connector->attempts)
    {
        struct attempt *attempt = LIST_ENTRY(link, struct attempt, link);
        if (attempt->sid == sid && (attempt->checked_fd >= 0) == is_check)
            return true;
    }
    return false;
}

/* False: the connector is stopped. */
static bool expose(struct attempt *attempt, int fd)
{
    struct quorum_connector *connector = attempt->connector;
    mutex_lock(&connector->lock);
    bool goes_on = !connector->is_stopped;
    attempt->fd = goes_on ? fd : -1;
    mutex_unlock(&connector->lock);
    return goes_on;
}

static int connect_to(struct attempt *attempt, const struct address *address, int64_t timeout_ms, int *ret_fd,
                      struct error *error)
{
    int fd;
    int err = socket_connect_start(address, &fd, error);
    if (err != ZK_OK)
        return err;
    if (!expose(attempt, fd)) {
        socket_close(fd);
        return error_set(error, ZK_CLOSED, "the server goes down");
    }
    err = socket_connect_wait(fd, address, clock_elapsed_ms() + timeout_ms, error);
    int saved_errno = errno;
    expose(attempt, -1);
    if (err == ZK_OK)
        *ret_fd = fd;
    else
        socket_close(fd);
    errno = saved_errno;
    return err;
}

static int connect_to_any(struct attempt *attempt, int *ret_fd, struct error *error)
{
    const struct server_options *options = attempt->connector->self->options;
    struct address addresses[MOST_ADDRESSES];
    size_t count = 0;
    int err = quorum_addresses_resolve(attempt->addresses, attempt->address_count, addresses, MOST_ADDRESSES, &count,
                                       error);
    int64_t timeout_ms = options->cnx_timeout;
    if (count > 1 && options->multi_address_reachability_check_timeout_ms < timeout_ms)
        timeout_ms = options->multi_address_reachability_check_timeout_ms;
    bool goes_on = err == ZK_OK;
    for (size_t i = 0; i < count && goes_on; i++) {
        err = connect_to(attempt, &addresses[i], timeout_ms, ret_fd, error);
        goes_on = err != ZK_OK && err != ZK_CLOSED;
    }
    return err;
}

/* startConnection as far as it sends. */
static int introduce(struct quorum_connector *connector, int fd)
{
    struct buffer message = {0};
    struct quorum_verifier *holder;
    const struct quorum_server *me;
    if (!quorum_self_find_server(connector->self, connector->self->id, &holder, &me))
        return ZK_NOT_FOUND;
    const struct server_options *options = connector->self->options;
    initial_message_write(connector->self->id, me->election_addresses, me->election_address_count,
                          options->multi_address_enabled, &message);
    quorum_verifier_unref(holder);
    int err = socket_send_all(fd, message.bytes, message.size, clock_elapsed_ms() + options->cnx_timeout);
    buffer_release(&message);
    return err;
}

static void run_connect(struct attempt *attempt)
{
    struct quorum_connector *connector = attempt->connector;
    struct error error = {0};
    int fd;
    int err = connect_to_any(attempt, &fd, &error);
    if (err != ZK_OK) {
        struct buffer text = {0};
        quorum_addresses_print(attempt->addresses, attempt->address_count, &text);
        if (err != ZK_CLOSED)
            log_warn_limited(&connector->complaints, "Cannot open channel to %" PRId64 " at election address %s: %s",
                             attempt->sid, buffer_string(&text), error.text);
        buffer_release(&text);
        return;
    }
    socket_set_no_delay(fd);
    if (connector->self->options->tcp_keep_alive)
        socket_set_keep_alive(fd);
    err = introduce(connector, fd);
    if (err != ZK_OK) {
        log_warn("connection to %" PRId64 " for elections broke at once: %s", attempt->sid, error_sentence(err));
        socket_close(fd);
        return;
    }
    connector->events->connected(connector->owner, attempt->sid, fd);
}

/* As InetAddress.isReachable() without privileges: any answer of the echo port, a refusal too. */
static void run_check(struct attempt *attempt)
{
    struct quorum_connector *connector = attempt->connector;
    struct error error = {0};
    int fd = -1;
    int err = connect_to(attempt, &attempt->checked_address, CHECK_TIMEOUT_MS, &fd, &error);
    bool is_refused = err == ZK_IO && errno == ECONNREFUSED;
    if (err == ZK_OK)
        socket_close(fd);
    if (err == ZK_OK || err == ZK_CLOSED || is_refused)
        return;
    log_warn("address of server %" PRId64 " is not reachable any more, its connection is closed: %s", attempt->sid,
             error.text);
    connector->events->unreachable(connector->owner, attempt->sid, attempt->checked_fd);
}

static void run_attempt(void *arg)
{
    struct attempt *attempt = arg;
    struct quorum_connector *connector = attempt->connector;
    if (attempt->checked_fd < 0)
        run_connect(attempt);
    else
        run_check(attempt);
    mutex_lock(&connector->lock);
    list_remove(&attempt->link);
    mutex_unlock(&connector->lock);
    free_attempt(attempt);
}

/* Takes the attempt over. */
static bool submit(struct quorum_connector *connector, struct attempt *attempt)
{
    mutex_lock(&connector->lock);
    bool is_new = !connector->is_stopped && !is_in_progress(connector, attempt->sid, attempt->checked_fd >= 0);
    int err = connector->is_stopped ? ZK_CLOSED : ZK_OK;
    if (is_new) {
        list_add_last(&connector->attempts, &attempt->link);
        err = connection_executor_execute(connector->executor, run_attempt, attempt);
        if (err != ZK_OK)
            list_remove(&attempt->link);
    }
    mutex_unlock(&connector->lock);
    if (err == ZK_FULL)
        log_warn_limited(&connector->complaints, "all threads of quorum.cnxn.threads.size are at work, server %" PRId64
                         " is not connected to", attempt->sid);
    if (!is_new || err != ZK_OK)
        free_attempt(attempt);
    return err == ZK_OK;
}

static struct attempt *new_attempt(struct quorum_connector *connector, int64_t sid)
{
    struct attempt *attempt = MEMORY_NEW(struct attempt);
    attempt->connector = connector;
    attempt->sid = sid;
    attempt->fd = attempt->checked_fd = -1;
    return attempt;
}

struct quorum_connector *quorum_connector_new(struct quorum_self *self, const struct quorum_connector_events *events,
                                              void *owner)
{
    struct quorum_connector *connector = MEMORY_NEW(struct quorum_connector);
    int64_t threads = self->options->quorum_cnxn_threads_size;
    char *name = string_format("QuorumConnectionThread-[myid=%" PRId64 "]", self->id);
    connector->self = self;
    connector->events = events;
    connector->owner = owner;
    connector->executor = connection_executor_new(name, threads < MOST_THREADS ? (size_t)threads : MOST_THREADS);
    mutex_init(&connector->lock);
    list_init(&connector->attempts);
    memory_free(name);
    return connector;
}

bool quorum_connector_connect(struct quorum_connector *connector, int64_t sid, const struct quorum_address *addresses,
                              size_t count)
{
    struct attempt *attempt = new_attempt(connector, sid);
    attempt->addresses = MEMORY_NEW_ARRAY(count, struct quorum_address);
    attempt->address_count = count;
    for (size_t i = 0; i < count; i++)
        attempt->addresses[i] =
            (struct quorum_address){.host = string_copy(addresses[i].host), .port = addresses[i].port};
    return submit(connector, attempt);
}

void quorum_connector_check(struct quorum_connector *connector, int64_t sid, int fd, const struct address *address)
{
    struct attempt *attempt = new_attempt(connector, sid);
    char ip[ADDRESS_TEXT_SIZE];
    attempt->checked_fd = fd;
    address_format_ip(address, ip);
    if (address_from_ip(ip, ECHO_PORT, &attempt->checked_address))
        submit(connector, attempt);
    else
        free_attempt(attempt);
}

void quorum_connector_stop(struct quorum_connector *connector)
{
    mutex_lock(&connector->lock);
    connector->is_stopped = true;
    LIST_EACH(link, &connector->attempts)
    {
        struct attempt *attempt = LIST_ENTRY(link, struct attempt, link);
        if (attempt->fd >= 0)
            socket_shutdown(attempt->fd);
    }
    mutex_unlock(&connector->lock);
    connection_executor_stop(connector->executor);
}

void quorum_connector_free(struct quorum_connector *connector)
{
    if (connector == NULL)
        return;
    quorum_connector_stop(connector);
    connection_executor_free(connector->executor);
    mutex_release(&connector->lock);
    memory_free(connector);
}
