/*
 * sim_socket.c - common/net/socket.h over the simulated network: the calls a program makes.
 *
 * Each call that is one of the kernel in socket.c begins with a switch point; from there to its return nothing else
 * runs, unless it sleeps. What a socket is ready for, and the errno of a failure, are as Linux has them (tcp_poll(),
 * tcp_reset()).
 */
#include "common/net/socket.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/sim_network_internal.h"

#define JAVA_BACKLOG 50

static struct sim_end *end_of(struct sim_socket *socket)
{
    return container_of(socket, struct sim_end, base);
}

static struct sim_listener *listener_of(struct sim_socket *socket)
{
    return container_of(socket, struct sim_listener, base);
}

/* Address without the '/' that Java puts before it. */
static const char *plain_text(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    address_format(address, text);
    return text + 1;
}

/* ---- what all sockets have ---- */

void socket_begin(struct sim_socket *socket, enum sim_kind kind, struct sim_node *node)
{
    socket->kind = kind;
    socket->node = node;
    socket->fd = -1;
    socket->serial = network_next_serial();
    list_init(&socket->registrations);
}

static uint32_t stream_ready(const struct sim_end *end)
{
    if (end->state == END_CONNECTING)
        return 0;
    bool is_closed = end->state == END_CLOSED;
    bool reads_no_more = is_closed || end->reads_no_more || stream_at_end(end);
    bool sends_no_more = is_closed || end->out.has_end;
    size_t room = stream_room(end);
    uint32_t ready = 0;
    if (stream_readable(end) > 0 || reads_no_more)
        ready |= POLLER_READ;
    if (sends_no_more || room >= (SEND_BUFFER - room) / 2)    /* a third is free */
        ready |= POLLER_WRITE;
    if ((reads_no_more && sends_no_more) || end->failure != 0)
        ready |= POLLER_HANGUP;
    return ready;
}

static uint32_t listener_ready(const struct sim_listener *listener)
{
    if (listener->is_shut)
        return POLLER_WRITE | POLLER_HANGUP;
    return listener->queued > 0 ? POLLER_READ : 0;
}

uint32_t socket_ready(const struct sim_socket *socket)
{
    if (socket->kind == SIM_STREAM)
        return stream_ready(container_of(socket, const struct sim_end, base));
    if (socket->kind == SIM_LISTENER)
        return listener_ready(container_of(socket, const struct sim_listener, base));
    return POLLER_WRITE | (datagram_is_ready(socket) ? (uint32_t)POLLER_READ : 0);
}

void socket_changed(struct sim_socket *socket)
{
    if (socket->waiters.first == NULL && list_is_empty(&socket->registrations))
        return;
    uint32_t ready = socket_ready(socket);
    if (ready == 0)
        return;
    sim_wake_all(&socket->waiters);
    poller_look_at(socket, ready);
}

void socket_lose(struct sim_socket *socket)
{
    poller_forget(socket);
    socket->fd = -1;
    sim_wake_all(&socket->waiters);
    if (socket->kind == SIM_STREAM) {
        stream_close(end_of(socket));
    } else if (socket->kind == SIM_LISTENER) {
        handshake_close(listener_of(socket));
        free(listener_of(socket));
    } else {
        datagram_lose(socket);
    }
}

/* The stream of the current program with that number; NULL and errno when there is none. */
static struct sim_end *stream_at(int fd, const char *call)
{
    struct sim_socket *socket = descriptor_socket(fd, call);
    if (socket == NULL)
        return NULL;
    if (socket->kind == SIM_STREAM)
        return end_of(socket);
    errno = ENOTCONN;
    return NULL;
}

/* ---- waiting ---- */

/* ZK_OK, ZK_TIMED_OUT, ZK_IO. */
static int wait_ready(int fd, uint32_t events, int64_t deadline_ms, const char *call)
{
    sim_switch_point();
    int64_t deadline_ns = network_deadline_ms(deadline_ms);
    struct sim_socket *socket = descriptor_socket(fd, call);
    if (socket == NULL)
        return ZK_IO;
    uint64_t serial = socket->serial;
    while ((socket_ready(socket) & (events | POLLER_HANGUP)) == 0) {
        if (sim_now_ns() >= deadline_ns)
            return ZK_TIMED_OUT;
        sim_wait(&socket->waiters, deadline_ns);
        socket = descriptor_socket(fd, NULL);
        if (socket == NULL || socket->serial != serial) {    /* closed by another thread: a violation there */
            errno = EBADF;
            return ZK_IO;
        }
    }
    return ZK_OK;
}

int socket_wait(int fd, uint32_t events, int64_t deadline_ms)
{
    return wait_ready(fd, events & (POLLER_READ | POLLER_WRITE), deadline_ms, "socket_wait");
}

/* ---- listening ---- */

/* 0, or an errno. */
static int bind_failure(struct sim_node *node, const struct address *address, uint32_t *ret_ip)
{
    if (!network_plain_ip(address, ret_ip) || !network_is_own(node, *ret_ip))
        return EADDRNOTAVAIL;
    uint16_t port = address_port(address);
    return port != 0 && !handshake_port_is_free(node, *ret_ip, port) ? EADDRINUSE : 0;
}

int socket_listen(const struct address *address, int backlog, int *ret_fd, struct error *error)
{
    char text[ADDRESS_TEXT_SIZE];
    sim_switch_point();
    struct sim_node *node = sim_current_node();
    uint32_t ip = ANY_IP;
    if (!descriptor_is_left(node)) {
        errno = EMFILE;
        return error_set_errno(error, "cannot make a socket");
    }
    errno = bind_failure(node, address, &ip);
    if (errno != 0)
        return error_set_errno(error, "cannot bind to %s", plain_text(address, text));
    struct sim_listener *listener = network_alloc(sizeof(*listener));
    socket_begin(&listener->base, SIM_LISTENER, node);
    list_init(&listener->queue);
    list_add_last(&node->network->listeners, &listener->link);
    listener->base.ip = ip;
    listener->base.is_v6 = address->socket.base.sa_family == AF_INET6;
    listener->base.port = address_port(address);
    if (listener->base.port == 0)
        listener->base.port = handshake_ephemeral_port(node);
    listener->backlog = (size_t)(backlog > 0 ? backlog : JAVA_BACKLOG);
    *ret_fd = listener->base.fd = descriptor_take(node, SIM_LISTENER, &listener->base);
    return ZK_OK;
}

static struct sim_end *first_in_queue(struct sim_listener *listener)
{
    LIST_EACH(link, &listener->queue) {
        struct sim_end *end = LIST_ENTRY(link, struct sim_end, link);
        if (end->state != END_ANSWERING)
            return end;
    }
    return NULL;
}

static int accept_failure(struct error *error)
{
    bool is_shortage = errno == EMFILE;
    error_set_errno(error, "cannot accept a connection");
    if (!is_shortage)
        return ZK_IO;
    if (error != NULL)
        error->code = ZK_FULL;
    return ZK_FULL;
}

int socket_accept(int listener_fd, int *ret_fd, struct address *ret_peer, struct error *error)
{
    sim_switch_point();
    struct sim_node *node = sim_current_node();
    struct sim_socket *socket = descriptor_socket(listener_fd, "socket_accept");
    if (socket == NULL)
        return accept_failure(error);
    bool listens = socket->kind == SIM_LISTENER && !listener_of(socket)->is_shut;
    errno = !listens ? EINVAL : descriptor_is_left(node) ? 0 : EMFILE;
    if (errno != 0)
        return accept_failure(error);
    struct sim_end *end = first_in_queue(listener_of(socket));
    if (end == NULL)
        return ZK_AGAIN;
    handshake_forget(end);
    *ret_fd = end->base.fd = descriptor_take(node, SIM_STREAM, &end->base);
    network_address(end->peer->base.ip, end->peer->base.port, ret_peer);
    sim_trace("accepts: %s:%u - %s:%u", node->name, end->base.port, end->peer->base.node->name, end->peer->base.port);
    return ZK_OK;
}

/* ---- connecting ---- */

int socket_connect_start(const struct address *address, int *ret_fd, struct error *error)
{
    char text[ADDRESS_TEXT_SIZE];
    sim_switch_point();
    struct sim_node *node = sim_current_node();
    uint32_t ip;
    if (!descriptor_is_left(node)) {
        errno = EMFILE;
        return error_set_errno(error, "cannot make a socket");
    }
    struct sim_node *to = network_plain_ip(address, &ip) ? network_node_of(ip, node) : NULL;
    if (to == NULL) {
        errno = ENETUNREACH;
        return error_set_errno(error, "cannot connect to %s", plain_text(address, text));
    }
    if (ip == ANY_IP)
        ip = LOOPBACK_IP;
    struct sim_connection *connection = stream_new(node, to);
    struct sim_end *end = &connection->ends[0];
    end->base.ip = to == node && ip != network_ip(node) ? LOOPBACK_IP : network_ip(node);
    end->base.port = handshake_ephemeral_port(node);
    end->peer->base.ip = ip;
    end->peer->base.port = address_port(address);
    *ret_fd = end->base.fd = descriptor_take(node, SIM_STREAM, &end->base);
    handshake_start(end);
    return ZK_OK;
}

/* SO_ERROR: told once. */
static int take_failure(struct sim_end *end)
{
    int failure = end->failure;
    end->failure = 0;
    return failure;
}

int socket_connect_wait(int fd, const struct address *address, int64_t deadline_ms, struct error *error)
{
    char text[ADDRESS_TEXT_SIZE];
    int err = wait_ready(fd, POLLER_WRITE, deadline_ms, "socket_connect_wait");
    if (err == ZK_TIMED_OUT)
        return error_set(error, err, "cannot connect to %s in time", plain_text(address, text));
    struct sim_end *end = err == ZK_OK ? stream_at(fd, "socket_connect_wait") : NULL;
    if (end != NULL) {
        int failure = take_failure(end);
        if (failure == 0)
            return ZK_OK;
        errno = failure;
    }
    return error_set_errno(error, "cannot connect to %s", plain_text(address, text));
}

int socket_connect(const struct address *address, int64_t deadline_ms, int *ret_fd, struct error *error)
{
    int fd;
    int err = socket_connect_start(address, &fd, error);
    if (err != ZK_OK)
        return err;
    err = socket_connect_wait(fd, address, deadline_ms, error);
    if (err == ZK_OK) {
        *ret_fd = fd;
        return ZK_OK;
    }
    int saved_errno = errno;
    socket_close(fd);
    errno = saved_errno;
    return err;
}

/* ---- what it is, and how it is to behave ---- */

int socket_local_address(int fd, struct address *ret_address)
{
    struct sim_socket *socket = descriptor_socket(fd, "socket_local_address");
    if (socket == NULL)
        return ZK_IO;
    if (!socket->is_v6 || (socket->ip != ANY_IP && socket->ip != LOOPBACK_IP)) {
        network_address(socket->ip, socket->port, ret_address);
        return ZK_OK;
    }
    memset(ret_address, 0, sizeof(*ret_address));
    ret_address->size = sizeof(ret_address->socket.v6);
    ret_address->socket.v6.sin6_family = AF_INET6;
    ret_address->socket.v6.sin6_port = htons(socket->port);
    ret_address->socket.v6.sin6_addr = socket->ip == ANY_IP ? in6addr_any : in6addr_loopback;
    return ZK_OK;
}

int socket_peer_address(int fd, struct address *ret_address)
{
    const struct sim_end *end = stream_at(fd, "socket_peer_address");
    if (end == NULL)
        return ZK_IO;
    if (end->state != END_OPEN) {    /* as Linux, which does not know it any more after a reset */
        errno = ENOTCONN;
        return ZK_IO;
    }
    network_address(end->peer->base.ip, end->peer->base.port, ret_address);
    return ZK_OK;
}

void socket_set_no_delay(int fd)
{
    (void)descriptor_socket(fd, "socket_set_no_delay");
}

/* A peer that is gone for two hours: no run is so long. */
void socket_set_keep_alive(int fd)
{
    (void)descriptor_socket(fd, "socket_set_keep_alive");
}

/* Bytes not yet sent go on after a close, without anybody waiting for it: always so here. */
void socket_set_no_linger(int fd)
{
    (void)descriptor_socket(fd, "socket_set_no_linger");
}

void socket_set_user_timeout(int fd, int64_t timeout_ms)
{
    assert(timeout_ms >= 0);
    struct sim_end *end = stream_at(fd, "socket_set_user_timeout");
    if (end != NULL)
        stream_set_user_timeout(end, (timeout_ms < INT32_MAX ? timeout_ms : INT32_MAX) * SIM_MS);
}

/* ---- bytes ---- */

static int receive(int fd, void *bytes, size_t size, bool is_peek, size_t *ret_size)
{
    assert(size > 0);
    sim_switch_point();
    struct sim_end *end = stream_at(fd, "socket_receive");
    if (end == NULL)
        return ZK_IO;
    size_t readable = stream_readable(end);
    if (readable > 0) {
        *ret_size = readable < size ? readable : size;
        stream_read(end, bytes, *ret_size, is_peek);
        return ZK_OK;
    }
    if (stream_at_end(end))
        return ZK_EOF;
    if (end->failure != 0) {
        errno = take_failure(end);
        return ZK_IO;
    }
    return end->state == END_CLOSED || end->reads_no_more ? ZK_EOF : ZK_AGAIN;
}

int socket_receive(int fd, void *bytes, size_t size, size_t *ret_size)
{
    return receive(fd, bytes, size, false, ret_size);
}

int socket_peek(int fd, void *bytes, size_t size, size_t *ret_size)
{
    return receive(fd, bytes, size, true, ret_size);
}

int socket_send(int fd, const struct iovec *parts, int count, size_t *ret_size)
{
    assert(count > 0);
    sim_switch_point();
    struct sim_end *end = stream_at(fd, "socket_send");
    if (end == NULL)
        return ZK_IO;
    if (end->failure != 0 || end->state == END_CLOSED || end->out.has_end) {
        errno = end->failure != 0 ? take_failure(end) : EPIPE;
        return ZK_IO;
    }
    if (end->state != END_OPEN || stream_room(end) == 0)
        return ZK_AGAIN;
    *ret_size = 0;
    for (int i = 0; i < count; i++)
        *ret_size += stream_write(end, parts[i].iov_base, parts[i].iov_len);
    stream_send_data(end);
    return ZK_OK;
}

/* ---- the end ---- */

static void shut_listener(struct sim_listener *listener)
{
    handshake_close(listener);
    listener->is_shut = true;
}

/* As Linux: the attempt ends with ECONNRESET for whoever waits for it. */
static void shut_attempt(struct sim_end *end)
{
    stream_calm(end);
    end->state = END_CLOSED;
    end->failure = ECONNRESET;
}

void socket_shutdown(int fd)
{
    sim_switch_point();
    struct sim_socket *socket = descriptor_socket(fd, "socket_shutdown");
    if (socket == NULL)
        return;
    if (socket->kind == SIM_LISTENER) {
        shut_listener(listener_of(socket));
    } else if (socket->kind == SIM_STREAM && end_of(socket)->state == END_CONNECTING) {
        shut_attempt(end_of(socket));
    } else if (socket->kind == SIM_STREAM) {
        end_of(socket)->reads_no_more = end_of(socket)->out.has_end = true;
        stream_send_data(end_of(socket));
    }
    socket_changed(socket);
}

void socket_shutdown_send(int fd)
{
    sim_switch_point();
    struct sim_end *end = stream_at(fd, "socket_shutdown_send");
    if (end == NULL)
        return;
    if (end->state == END_CONNECTING)
        shut_attempt(end);
    else
        end->out.has_end = true;
    stream_send_data(end);
    socket_changed(&end->base);
}

void socket_close(int fd)
{
    if (fd < 0)
        return;
    sim_switch_point();
    struct sim_socket *socket = descriptor_socket(fd, "socket_close");
    if (socket == NULL)
        return;
    if (socket->waiters.first != NULL)
        sim_violation("%s: descriptor %d is closed while another thread sleeps on it", socket->node->name, fd);
    descriptor_give(socket->node, fd);
    socket_lose(socket);
}
