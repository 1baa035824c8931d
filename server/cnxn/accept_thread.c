/*
 * accept_thread.c - accepts connections, holds them against the limits, hands them to the selectors in turn.
 *
 * Mirrors NIOServerCnxnFactory.AcceptThread; thread "NIOServerCxnFactory.AcceptThread:<address>". A peer over a limit
 * is closed at once. Some descriptors are kept for what the server opens itself, as the next log is; when no others are
 * left, whoever comes waits in the backlog, and is looked for ten times a second.
 */
#include "server/cnxn/accept_thread.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/process.h"
#include "common/base/strings.h"
#include "common/net/poller.h"
#include "common/net/socket.h"
#include "common/thread/thread.h"
#include "server/cnxn/selector_thread.h"

#define PAUSE_OUT_OF_DESCRIPTORS_MS 100
#define MOST_RESERVED 32    /* logs, snapshots, directories, other servers */

struct accept_thread {
    struct server_cnxn_factory *factory;
    int listener;
    int64_t first_reserved;    /* the descriptor from which on none is a client's */
    struct poller *poller;
    struct thread *thread;
    _Atomic bool is_stopping;
    struct log_limiter refused, failed;
};

static int let_in(struct accept_thread *thread, const struct address *peer, struct error *error)
{
    int err = server_cnxn_factory_admit(thread->factory, peer, error);
    if (err != ZK_OK)
        return err;
    err = server_cnxn_factory_begin_handshake(thread->factory, error);
    if (err != ZK_OK)
        server_cnxn_factory_dismiss(thread->factory, peer);
    return err;
}

static void hand_over(struct accept_thread *thread, int fd, const struct address *peer)
{
    struct error error = {0};
    if (let_in(thread, peer, &error) != ZK_OK) {
        log_warn_limited(&thread->refused, "Error accepting new connection: %s", error.text);
        socket_close(fd);
        return;
    }
    const struct server_options *options = server_cnxn_factory_parts(thread->factory)->options;
    socket_set_no_delay(fd);
    socket_set_no_linger(fd);
    if (options->client_tcp_keep_alive)
        socket_set_keep_alive(fd);
    if (selector_thread_add(server_cnxn_factory_next_selector(thread->factory), fd, peer) != ZK_OK) {
        server_cnxn_factory_end_handshake(thread->factory);
        server_cnxn_factory_dismiss(thread->factory, peer);
        socket_close(fd);
    }
}

static int64_t first_reserved(void)
{
    int64_t most = process_max_descriptors();
    if (most < 0)
        return INT64_MAX;
    return most - (most / 4 < MOST_RESERVED ? most / 4 : MOST_RESERVED);
}

static void tell_of_shortage(struct accept_thread *thread)
{
    log_warn_limited(&thread->failed,
                     "%" PRId64 " descriptors are in use, the rest is kept for the server itself: no connection is "
                     "accepted until one is closed; ulimit -n permits more",
                     thread->first_reserved);
}

/* Everything that waits. False: out of descriptors, pause. */
static bool accept_all(struct accept_thread *thread)
{
    while (!atomic_load(&thread->is_stopping)) {
        int fd;
        struct address peer;
        struct error error = {0};
        int err = socket_accept(thread->listener, &fd, &peer, &error);
        if (err == ZK_AGAIN)
            return true;
        if (err != ZK_OK) {
            log_warn_limited(&thread->failed, "Error accepting new connection: %s", error.text);
            return false;
        }
        hand_over(thread, fd, &peer);
        if (fd >= thread->first_reserved) {
            tell_of_shortage(thread);
            return false;
        }
    }
    return true;
}

static void accept_run(void *arg)
{
    struct accept_thread *thread = arg;
    struct poller_event events[4];
    bool is_paused = false;
    while (!atomic_load(&thread->is_stopping)) {
        int64_t deadline_ms = INT64_MAX;
        if (is_paused) {
            poller_modify(thread->poller, thread->listener, 0, thread);
            deadline_ms = clock_elapsed_ms() + PAUSE_OUT_OF_DESCRIPTORS_MS;
        }
        poller_wait(thread->poller, events, ARRAY_SIZE(events), deadline_ms);
        if (is_paused && process_next_descriptor() >= thread->first_reserved)
            continue;
        if (is_paused)
            poller_modify(thread->poller, thread->listener, POLLER_READ, thread);
        is_paused = !accept_all(thread);
    }
    log_info("accept thread exited run method");
}

struct accept_thread *accept_thread_start(struct server_cnxn_factory *factory, int listener, const char *address_text)
{
    struct accept_thread *thread = MEMORY_NEW(struct accept_thread);
    thread->factory = factory;
    thread->listener = listener;
    thread->first_reserved = first_reserved();
    thread->poller = poller_new();
    struct error error = {0};
    if (poller_add(thread->poller, listener, POLLER_READ, thread, &error) != ZK_OK)
        log_error("cannot watch the listening socket: %s", error.text);
    char *name = string_format("NIOServerCxnFactory.AcceptThread:%s", address_text);
    thread->thread = thread_start(name, accept_run, thread);
    memory_free(name);
    return thread;
}

void accept_thread_stop(struct accept_thread *thread)
{
    if (thread == NULL)
        return;
    atomic_store(&thread->is_stopping, true);
    poller_wake(thread->poller);
    thread_join(thread->thread);
    poller_remove(thread->poller, thread->listener);
    socket_close(thread->listener);
    poller_free(thread->poller);
    memory_free(thread);
}
