/*
 * learner_cnx_acceptor.c - listening for learners.
 *
 * Mirrors Leader.LearnerCnxAcceptor and LearnerCnxAcceptorHandler.
 * (1) When descriptors run out nothing is accepted for a while; connections wait in the backlog, and nobody spins.
 * (2) A thread that cannot go on says so, and leadership ends (4203).
 */
#include "server/quorum/learner_cnx_acceptor.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/poller.h"
#include "common/net/socket.h"
#include "common/thread/thread.h"
#include "server/quorum/learner_handler.h"

#define PAUSE_MS 100

struct listener {
    struct learner_cnx_acceptor *acceptor;
    int fd;
    char address[ADDRESS_TEXT_SIZE];
    struct poller *poller;
    struct thread *thread;
    struct log_limiter limiter;
};
struct learner_cnx_acceptor {
    struct learner_master *master;
    struct learner_cnx_acceptor_hook *hook;
    struct listener *listeners;
    size_t count;
    _Atomic bool is_shut_down, has_failed;
};

static void take_connection(struct listener *listener, int fd, const struct address *peer)
{
    struct learner_master *master = listener->acceptor->master;
    if (master->self->options->leader_nodelay)
        socket_set_no_delay(fd);
    if (!learner_handler_start(master, stream_new_plain(fd), peer) && !atomic_load(&listener->acceptor->is_shut_down))
        log_warn_limited(&listener->limiter, "%d connections of learners are open, another one is closed",
                         LEARNER_LIST_MOST);
}

/* (1) Until the pause is over, or the end. */
static void pause_accepting(struct listener *listener)
{
    struct poller_event event;
    int64_t deadline_ms = clock_elapsed_ms() + PAUSE_MS;
    poller_modify(listener->poller, listener->fd, 0, listener);
    while (!atomic_load(&listener->acceptor->is_shut_down) && poller_wait(listener->poller, &event, 1, deadline_ms) > 0)
        ;
    poller_modify(listener->poller, listener->fd, POLLER_READ, listener);
}

static int accept_all(struct listener *listener, struct error *error)
{
    int fd, err;
    struct address peer;
    while ((err = socket_accept(listener->fd, &fd, &peer, error)) == ZK_OK)
        take_connection(listener, fd, &peer);
    if (err == ZK_AGAIN)
        return ZK_OK;
    if (err != ZK_FULL)
        return err;
    log_warn_limited(&listener->limiter, "Learners wait at %s: %s", listener->address, error->text);
    pause_accepting(listener);
    return ZK_OK;
}

static void listener_run(void *arg)
{
    struct listener *listener = arg;
    struct learner_cnx_acceptor *acceptor = listener->acceptor;
    struct error error = { 0 };
    int err = ZK_OK;
    while (err == ZK_OK && !atomic_load(&acceptor->is_shut_down)) {
        struct poller_event event;
        poller_wait(listener->poller, &event, 1, INT64_MAX);
        learner_list_reap(&acceptor->master->learners);
        if (!atomic_load(&acceptor->is_shut_down))
            err = accept_all(listener, &error);
    }
    if (err == ZK_OK || atomic_exchange(&acceptor->has_failed, true))
        return;
    log_error("Cannot accept learners at %s any more: %s", listener->address, error.text);
    acceptor->hook->failed(acceptor->hook, error.text);    /* (2) */
}

static int listener_open(struct listener *listener, const struct address *address, struct error *error)
{
    int err = socket_listen(address, 0, &listener->fd, error);
    if (err != ZK_OK)
        return err;
    struct address bound = *address;
    socket_local_address(listener->fd, &bound);
    address_format(&bound, listener->address);
    listener->poller = poller_new();
    err = poller_add(listener->poller, listener->fd, POLLER_READ, listener, error);
    if (err != ZK_OK) {
        poller_free(listener->poller);
        socket_close(listener->fd);
    }
    return err;
}

int learner_cnx_acceptor_new(const struct address *addresses, size_t count, struct learner_master *master,
                             struct learner_cnx_acceptor_hook *hook, struct learner_cnx_acceptor **ret_acceptor,
                             struct error *error)
{
    struct learner_cnx_acceptor *acceptor = MEMORY_NEW(struct learner_cnx_acceptor);
    acceptor->master = master;
    acceptor->hook = hook;
    acceptor->listeners = MEMORY_NEW_ARRAY(count, struct listener);
    for (size_t i = 0; i < count; i++) {
        struct error why = { 0 };
        struct listener *listener = &acceptor->listeners[acceptor->count];
        listener->acceptor = acceptor;
        if (listener_open(listener, &addresses[i], &why) == ZK_OK) {
            acceptor->count++;
            continue;
        }
        log_error("No learner can come in there: %s", why.text);
        error_set(error, why.code, "%s", why.text);
    }
    if (acceptor->count == 0) {
        learner_cnx_acceptor_free(acceptor);
        return error_prefix(error, "Leader failed to initialize any of its sockets");
    }
    *ret_acceptor = acceptor;
    return ZK_OK;
}

/* getWildcardAddresses: each port once. */
static size_t wildcard_addresses(const struct quorum_server *server, struct address *ret_addresses, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < server->address_count && count < most; i++) {
        bool is_new = true;
        for (size_t j = 0; j < count; j++)
            is_new = is_new && address_port(&ret_addresses[j]) != server->addresses[i].port;
        if (is_new)
            address_any(server->addresses[i].port, &ret_addresses[count++]);
    }
    return count;
}

static void set_port(struct address *address, uint16_t port)
{
    if (address->socket.base.sa_family == AF_INET6)
        address->socket.v6.sin6_port = htons(port);
    else
        address->socket.v4.sin_port = htons(port);
}

int learner_cnx_acceptor_addresses(struct quorum_self *self, uint16_t port, struct address *ret_addresses, size_t most,
                                   size_t *ret_count, struct error *error)
{
    struct quorum_verifier *holder;
    const struct quorum_server *server;
    if (!quorum_self_find_server(self, self->id, &holder, &server))
        return error_set(error, ZK_NOT_FOUND, "server %" PRId64 " is in no configuration", self->id);
    int err = ZK_OK;
    if (self->options->quorum_listen_on_all_ips)
        *ret_count = wildcard_addresses(server, ret_addresses, most);
    else
        err = quorum_addresses_resolve(server->addresses, server->address_count, ret_addresses, most, ret_count, error);
    quorum_verifier_unref(holder);
    for (size_t i = 0; err == ZK_OK && port != 0 && i < *ret_count; i++)
        set_port(&ret_addresses[i], port);
    return err;
}

void learner_cnx_acceptor_start(struct learner_cnx_acceptor *acceptor)
{
    for (size_t i = 0; i < acceptor->count; i++) {
        struct listener *listener = &acceptor->listeners[i];
        char *name = string_format("LearnerCnxAcceptorHandler-%s", listener->address);
        listener->thread = thread_start(name, listener_run, listener);
        memory_free(name);
    }
}

void learner_cnx_acceptor_shutdown(struct learner_cnx_acceptor *acceptor)
{
    atomic_store(&acceptor->is_shut_down, true);
    for (size_t i = 0; i < acceptor->count; i++)
        poller_wake(acceptor->listeners[i].poller);
}

void learner_cnx_acceptor_free(struct learner_cnx_acceptor *acceptor)
{
    if (acceptor == NULL)
        return;
    for (size_t i = 0; i < acceptor->count; i++) {
        struct listener *listener = &acceptor->listeners[i];
        thread_join(listener->thread);
        poller_free(listener->poller);
        socket_close(listener->fd);
    }
    memory_free(acceptor->listeners);
    memory_free(acceptor);
}

uint16_t learner_cnx_acceptor_port(const struct learner_cnx_acceptor *acceptor)
{
    struct address address;
    return socket_local_address(acceptor->listeners[0].fd, &address) == ZK_OK ? address_port(&address) : 0;
}
