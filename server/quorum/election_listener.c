/*
 * election_listener.c - the election port.
 *
 *   QuorumPeerListener: starts the handlers, sleeps until all have left
 *   ListenerHandler:    poller over [ listener | visitors, each up to its sid and addresses ] --> connected()
 *
 * A visitor is a connection that has not said who it is. The handler reads from all of them as bytes come, so that a
 * slow one keeps nobody waiting; it has a deadline, and when there are too many the oldest goes.
 * Departs from Java, which reads the first message of one connection after another, each as slow as its sender likes.
 */
#include "server/quorum/election_listener.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/list.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/poller.h"
#include "common/net/socket.h"
#include "common/thread/thread.h"
#include "server/request/exit_code.h"

enum { MOST_VISITORS = 64, BIND_PAUSE_MS = 1000, SHORTAGE_PAUSE_MS = 100 };

enum visitor_stage { VISITOR_VERSION, VISITOR_HEAD, VISITOR_ADDRESSES };
struct visitor {
    struct list link;
    int fd;
    struct address peer;
    int64_t deadline_ms;
    enum visitor_stage stage;
    int64_t sid;
    size_t have, want;
    uint8_t bytes[INITIAL_ADDRESSES_LIMIT];
};

struct listener_handler {
    struct election_listener *listener;
    struct quorum_address address;    /* host NULL: all of this machine */
    struct poller *poller;
    int fd;                           /* -1: not bound */
    struct list visitors;             /* oldest first */
    size_t visitor_count;
    bool is_paused;                   /* out of descriptors */
    bool has_failed;
    struct error failure;             /* the last one */
    struct log_limiter unknown;
    struct thread *thread;
};

struct election_listener {
    struct quorum_self *self;
    int64_t timeout_ms;
    const struct election_listener_events *events;
    void *owner;
    int64_t most_retries;    /* 0: no end */
    struct listener_handler *handlers;
    size_t handler_count;
    struct thread *thread;
    _Atomic bool is_halted;
    struct log_limiter arrivals, complaints;
};

static bool is_halted(struct listener_handler *handler)
{
    return atomic_load(&handler->listener->is_halted);
}

static void print_address(const struct listener_handler *handler, struct buffer *out)
{
    if (handler->address.host == NULL)
        buffer_printf(out, "0.0.0.0:%u", handler->address.port);
    else
        quorum_address_print(&handler->address, out);
}

/* ---- visitors ---- */

/* The socket, if it is still the visitor's, is closed. */
static void dismiss(struct listener_handler *handler, struct visitor *visitor)
{
    list_remove(&visitor->link);
    handler->visitor_count--;
    if (visitor->fd >= 0)
        socket_close(visitor->fd);
    memory_free(visitor);
}

static void refuse(struct listener_handler *handler, struct visitor *visitor, const char *reason)
{
    char text[ADDRESS_TEXT_SIZE];
    address_format(&visitor->peer, text);
    log_warn_limited(&handler->listener->complaints, "Exception handling connection, addr: %s, closing server "
                     "connection: %s", text, reason);
    poller_remove(handler->poller, visitor->fd);
    dismiss(handler, visitor);
}

static void welcome(struct listener_handler *handler, int fd, const struct address *peer)
{
    struct election_listener *listener = handler->listener;
    char text[ADDRESS_TEXT_SIZE];
    uint32_t left_out;
    address_format(peer, text);
    if (log_limiter_pass(&listener->arrivals, &left_out))
        log_info("Received connection request from %s", text);
    socket_set_no_delay(fd);
    if (listener->self->options->tcp_keep_alive)
        socket_set_keep_alive(fd);
    if (handler->visitor_count == MOST_VISITORS)
        refuse(handler, LIST_ENTRY(handler->visitors.next, struct visitor, link),
               "too many that do not say who they are");
    struct visitor *visitor = MEMORY_NEW(struct visitor);
    visitor->fd = fd;
    visitor->peer = *peer;
    visitor->deadline_ms = clock_elapsed_ms() + listener->timeout_ms;
    visitor->want = INITIAL_VERSION_SIZE;
    list_add_last(&handler->visitors, &visitor->link);
    handler->visitor_count++;
    struct error error = {0};
    if (poller_add(handler->poller, fd, POLLER_READ, visitor, &error) != ZK_OK)
        refuse(handler, visitor, error.text);
}

static void introduce(struct listener_handler *handler, struct visitor *visitor, struct initial_message *message)
{
    struct election_listener *listener = handler->listener;
    poller_remove(handler->poller, visitor->fd);
    int fd = visitor->fd;
    visitor->fd = -1;
    listener->events->connected(listener->owner, fd, &visitor->peer, message);
    dismiss(handler, visitor);
}

/* What was wanted is there. ZK_OK: the visitor is done and gone; ZK_AGAIN: more is wanted. */
static int understand(struct listener_handler *handler, struct visitor *visitor, struct error *error)
{
    struct initial_message message = {0};
    int err;
    visitor->have = 0;
    switch (visitor->stage) {
    case VISITOR_VERSION:
        err = initial_message_read_version(visitor->bytes, &message.sid, error);
        visitor->stage = VISITOR_HEAD;
        visitor->want = INITIAL_HEAD_SIZE;
        break;
    case VISITOR_HEAD:
        err = initial_message_read_head(visitor->bytes, &visitor->sid, &visitor->want, error);
        visitor->stage = VISITOR_ADDRESSES;
        if (err == ZK_OK)
            return ZK_AGAIN;
        break;
    default:
        err = initial_message_read_addresses(visitor->sid, (const char *)visitor->bytes, visitor->want, &message,
                                             error);
    }
    if (err == ZK_OK)
        introduce(handler, visitor, &message);
    return err;
}

static void read_from(struct listener_handler *handler, struct visitor *visitor)
{
    struct error error = {0};
    int err = ZK_OK;
    do {
        size_t got = 0;
        err = socket_receive(visitor->fd, visitor->bytes + visitor->have, visitor->want - visitor->have, &got);
        if (err == ZK_AGAIN)
            return;
        if (err != ZK_OK)
            break;
        visitor->have += got;
        if (visitor->have == visitor->want)
            err = understand(handler, visitor, &error);
        else
            err = ZK_AGAIN;
    } while (err == ZK_AGAIN);
    if (err != ZK_OK)
        refuse(handler, visitor, error.text[0] != '\0' ? error.text : error_sentence(err));
}

static void dismiss_late(struct listener_handler *handler)
{
    while (!list_is_empty(&handler->visitors)) {
        struct visitor *oldest = LIST_ENTRY(handler->visitors.next, struct visitor, link);
        if (oldest->deadline_ms > clock_elapsed_ms())
            return;
        refuse(handler, oldest, "it did not say in time who it is");
    }
}

/* ---- the socket that listens ---- */

static int bind_address(struct listener_handler *handler, struct error *error)
{
    struct address address;
    size_t count;
    if (handler->address.host == NULL) {
        address_any(handler->address.port, &address);
    } else {
        int err = quorum_addresses_resolve(&handler->address, 1, &address, 1, &count, error);
        if (err != ZK_OK)
            return err;
        if (address_is_any(&address))    /* of IPv6 too, as in Java */
            address_any(handler->address.port, &address);
    }
    int err = socket_listen(&address, 0, &handler->fd, error);
    if (err == ZK_OK)
        err = poller_add(handler->poller, handler->fd, POLLER_READ, handler, error);
    return err;
}

static void unbind(struct listener_handler *handler)
{
    if (handler->fd < 0)
        return;
    poller_remove(handler->poller, handler->fd);
    socket_close(handler->fd);
    handler->fd = -1;
}

/* Everybody who waits. ZK_OK also when descriptors have run out, handler->is_paused then. */
static int accept_all(struct listener_handler *handler, int64_t *retries, struct error *error)
{
    while (!is_halted(handler)) {
        int fd;
        struct address peer;
        int err = socket_accept(handler->fd, &fd, &peer, error);
        if (err == ZK_AGAIN)
            return ZK_OK;
        if (err == ZK_FULL) {
            log_warn_limited(&handler->listener->complaints, "%s", error->text);
            handler->is_paused = true;
            return ZK_OK;
        }
        if (err != ZK_OK)
            return err;
        *retries = 0;
        welcome(handler, fd, &peer);
    }
    return ZK_OK;
}

static int64_t next_deadline(const struct listener_handler *handler)
{
    if (handler->is_paused)
        return clock_elapsed_ms() + SHORTAGE_PAUSE_MS;
    if (list_is_empty(&handler->visitors))
        return INT64_MAX;
    return LIST_ENTRY(handler->visitors.next, struct visitor, link)->deadline_ms;
}

/* Until the listener is halted (ZK_OK) or the socket fails. */
static int accept_connections(struct listener_handler *handler, int64_t *retries, struct error *error)
{
    int err = ZK_OK;
    while (!is_halted(handler) && err == ZK_OK) {
        struct poller_event event;    /* one at a time: what it does may send other visitors away */
        size_t count = poller_wait(handler->poller, &event, 1, next_deadline(handler));
        if (handler->is_paused || (count > 0 && event.data == handler)) {
            handler->is_paused = false;
            err = accept_all(handler, retries, error);
            poller_modify(handler->poller, handler->fd, handler->is_paused ? 0 : POLLER_READ, handler);
        } else if (count > 0 && event.data != NULL) {
            read_from(handler, event.data);
        }
        dismiss_late(handler);
    }
    return err;
}

static void pause_before_retry(struct listener_handler *handler)
{
    struct poller_event event;
    int64_t deadline_ms = clock_elapsed_ms() + BIND_PAUSE_MS;
    while (!is_halted(handler) && clock_elapsed_ms() < deadline_ms)
        if (poller_wait(handler->poller, &event, 1, deadline_ms) > 0 && event.data != NULL)
            read_from(handler, event.data);
}

static void handler_run(void *arg)
{
    struct listener_handler *handler = arg;
    struct buffer text = {0};
    int64_t retries = 0, most = handler->listener->most_retries;
    print_address(handler, &text);
    while (!is_halted(handler) && (most == 0 || retries < most)) {
        handler->failure = (struct error){0};
        int err = bind_address(handler, &handler->failure);
        if (err == ZK_OK) {
            log_info("%" PRId64 " is accepting connections now, my election bind port: %s", handler->listener->self->id,
                     buffer_string(&text));
            err = accept_connections(handler, &retries, &handler->failure);
        }
        unbind(handler);
        if (err == ZK_OK)
            continue;
        if (err == ZK_NOT_FOUND) {    /* F23: a server may start before its name is known */
            log_warn_limited(&handler->unknown, "No address to listen at yet, waiting for it: %s",
                             handler->failure.text);
        } else {
            log_error("Exception while listening to address %s: %s", buffer_string(&text), handler->failure.text);
            handler->has_failed = true;
            retries++;
        }
        pause_before_retry(handler);
    }
    if (!is_halted(handler))
        log_error("Leaving listener thread for address %s after %" PRId64 " errors. Use electionPortBindRetry to "
                  "increase retry count.", buffer_string(&text), retries);
    buffer_release(&text);
}

/* ---- the listener as a whole ---- */

static void add_handler(struct election_listener *listener, const char *host, uint16_t port)
{
    size_t size = (listener->handler_count + 1) * sizeof(*listener->handlers);
    listener->handlers = memory_realloc(listener->handlers, size);
    struct listener_handler *handler = &listener->handlers[listener->handler_count++];
    *handler = (struct listener_handler){.fd = -1};
    handler->listener = listener;
    handler->address = (struct quorum_address){.host = host != NULL ? string_copy(host) : NULL, .port = port};
    handler->poller = poller_new();
}

static bool has_port(const struct election_listener *listener, uint16_t port)
{
    for (size_t i = 0; i < listener->handler_count; i++)
        if (listener->handlers[i].address.port == port)
            return true;
    return false;
}

/* A handler for each of our addresses, or for each of our ports. */
static void add_handlers(struct election_listener *listener)
{
    struct quorum_verifier *holder;
    const struct quorum_server *me;
    if (!quorum_self_find_server(listener->self, listener->self->id, &holder, &me))
        return;
    bool on_all = listener->self->options->quorum_listen_on_all_ips;
    for (size_t i = 0; i < me->election_address_count; i++) {
        const struct quorum_address *address = &me->election_addresses[i];
        if (!on_all)
            add_handler(listener, address->host, address->port);
        else if (!has_port(listener, address->port))
            add_handler(listener, NULL, address->port);
    }
    quorum_verifier_unref(holder);
}

static void start_handlers(struct election_listener *listener)
{
    for (size_t i = 0; i < listener->handler_count; i++) {
        struct listener_handler *handler = &listener->handlers[i];
        struct buffer name = {0};
        list_init(&handler->visitors);    /* it stays where it is from now on */
        buffer_append_string(&name, "ListenerHandler-");
        print_address(handler, &name);
        handler->thread = thread_start(buffer_string(&name), handler_run, handler);
        buffer_release(&name);
    }
}

static void listener_run(void *arg)
{
    struct election_listener *listener = arg;
    const struct error *failure = NULL;
    start_handlers(listener);
    for (size_t i = 0; i < listener->handler_count; i++) {
        thread_join(listener->handlers[i].thread);
        if (listener->handlers[i].has_failed)
            failure = &listener->handlers[i].failure;
    }
    log_info("Leaving listener");
    if (atomic_load(&listener->is_halted))
        return;
    log_error("As I'm leaving the listener thread, I won't be able to participate in leader election any longer");
    if (failure != NULL)
        quorum_self_fail(listener->self, EXIT_CODE_UNABLE_TO_BIND_QUORUM_PORT, failure);
}

struct election_listener *election_listener_start(struct quorum_self *self, int64_t timeout_ms,
                                                  const struct election_listener_events *events, void *owner)
{
    struct election_listener *listener = MEMORY_NEW(struct election_listener);
    listener->self = self;
    listener->timeout_ms = timeout_ms;
    listener->events = events;
    listener->owner = owner;
    listener->most_retries = self->options->election_port_bind_retry;
    log_info("Election port bind maximum retries is %" PRId64 " (0 is infinite)", listener->most_retries);
    add_handlers(listener);
    listener->thread = thread_start("QuorumPeerListener", listener_run, listener);
    return listener;
}

void election_listener_halt(struct election_listener *listener)
{
    atomic_store(&listener->is_halted, true);
    for (size_t i = 0; i < listener->handler_count; i++)
        poller_wake(listener->handlers[i].poller);
    thread_join(listener->thread);
    listener->thread = NULL;
}

void election_listener_free(struct election_listener *listener)
{
    if (listener == NULL)
        return;
    election_listener_halt(listener);
    for (size_t i = 0; i < listener->handler_count; i++) {
        struct listener_handler *handler = &listener->handlers[i];
        while (!list_is_empty(&handler->visitors))
            dismiss(handler, LIST_ENTRY(handler->visitors.next, struct visitor, link));
        poller_free(handler->poller);
        memory_free(handler->address.host);
    }
    memory_free(listener->handlers);
    memory_free(listener);
}
