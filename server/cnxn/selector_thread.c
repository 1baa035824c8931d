/*
 * selector_thread.c - waits for many connections, does their I/O or lends them to workers, and closes them.
 *
 * Mirrors NIOServerCnxnFactory.SelectorThread (and IOWorkRequest). Thread "NIOServerCxnFactory.SelectorThread-<n>".
 *
 *   AcceptThread ==Q1==> [ register ]
 *   poller ------------> [ do_io, or worker ] --> packet_sink, flushed once a round
 *   anyone ==Q7, wants-> [ pump: write, go on reading, close ]
 *   anyone ==Q7, output> [ written by whoever flushes, if they are few; else, and what sockets do not take, by pump ]
 * (1) A connection is registered, re-armed and closed by this thread only; a worker that has it does I/O, and hands it
 *     back through Q7.
 * (2) Closing is the last thing that happens to a connection in a round, so that no event of the round is left for it.
 * (3) Who put a connection on Q7 flushes before he sleeps. What this thread itself has answered is for itself to write.
 * (4) Whoever takes a connection off a list locks it after that, to write what it has then, or lists it again. So who
 *     gave it something under its lock need not list it when he sees it listed.
 * Departs from Java: Q7 stands for the queue of interest-op updates, and carries what is to be written too.
 */
#include "server/cnxn/selector_thread.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/poller.h"
#include "common/net/socket.h"
#include "common/thread/blocking_queue.h"
#include "common/thread/thread.h"
#include "server/cnxn/cnxn_handshake.h"
#include "server/cnxn/handshake_deadlines.h"
#include "server/cnxn/server_cnxn_factory.h"

#define HANDSHAKE_MS 10000    /* Netty's; no option sets it */
#define ACCEPTED_BOUND 128
#define EVENTS_A_ROUND 256
#define DIRECT_MOST 4    /* connections at a time; for more the selector is woken for less than what it then saves */
#define OUTPUT_RUN 64    /* connections; after so many it begins to write while others are still queued */

struct accepted {
    int fd;
    struct address peer;
};
BLOCKING_QUEUE_OF(accepted_queue, struct accepted);

/* Input chunks of workers, one for each connection lent; kept for the next. */
struct spare_chunks {
    struct input_chunk *items;
    size_t count, capacity;
};

struct selector_thread {
    struct server_cnxn_factory *factory;
    struct factory_parts *parts;
    struct poller *poller;
    struct accepted_queue *accepted;    /* Q1 */
    struct thread *thread;
    struct input_chunk chunk;           /* the thread's own */
    struct handshake_deadlines handshakes;
    _Atomic bool is_stopping;
    struct mutex lock;
    struct list flush_list GUARDED_BY(lock);    /* Q7: those that want this thread */
    struct list output_list GUARDED_BY(lock);   /* Q7: those that only have something to be written */
    bool takes_output GUARDED_BY(lock);         /* this thread is to write those */
    size_t output_run GUARDED_BY(lock);         /* that came to output_list since somebody last took some */
    struct spare_chunks spare GUARDED_BY(lock);
    size_t lent GUARDED_BY(lock);       /* connections that workers have */
    struct condition all_back;
    _Atomic bool has_new;               /* flush_list got something since it was last taken */
    _Atomic bool has_output;            /* output_list likewise */
    _Atomic uintptr_t thread_id;
};

static void add_to_list(struct list *to, struct server_cnxn *cnxn)
{
    list_add_last(to, &cnxn->flush_link);
    atomic_store_explicit(&cnxn->is_listed, true, memory_order_relaxed);
}

static void take_from_list(struct server_cnxn *cnxn)
{
    list_remove(&cnxn->flush_link);
    atomic_store_explicit(&cnxn->is_listed, false, memory_order_relaxed);
}

static void close_cnxn(struct selector_thread *selector, struct server_cnxn *cnxn)
{
    if (!server_cnxn_factory_remove(selector->factory, cnxn))
        return;
    atomic_store(&cnxn->is_stale, true);
    handshake_deadlines_remove(cnxn);
    cnxn_handshake_abandon(cnxn);
    cnxn->sink->ops->remove_cnxn(cnxn->sink, cnxn);
    poller_remove(selector->poller, cnxn->stream->fd);
    log_debug("closed connection of session 0x%" PRIx64 ": %s", (uint64_t)atomic_load(&cnxn->session_id),
              disconnect_reason_text((enum disconnect_reason)atomic_load(&cnxn->close_reason)));
    server_cnxn_take_down(cnxn);
    mutex_lock(&selector->lock);
    bool was_listed = !list_is_empty(&cnxn->flush_link);
    take_from_list(cnxn);
    mutex_unlock(&selector->lock);
    if (was_listed)
        server_cnxn_unref(cnxn);
    server_cnxn_unref(cnxn);    /* the factory's */
}

/* `unheeded` are events that came and were left. A poller that tells of bytes nobody wants to read is told to stop when
 * it has done so, and not before: mostly, as while a session is made, none come. */
static void rearm(struct selector_thread *selector, struct server_cnxn *cnxn, uint32_t unheeded)
{
    if (cnxn->handshake != HANDSHAKE_OVER || cnxn->followed_handshake != HANDSHAKE_OVER)
        handshake_deadlines_follow(&selector->handshakes, cnxn, clock_elapsed_ms());
    uint32_t wanted = server_cnxn_wanted_interest(cnxn);
    if ((unheeded & POLLER_READ) == 0)
        wanted |= cnxn->interest & POLLER_READ;
    if (wanted == cnxn->interest)
        return;
    poller_modify(selector->poller, cnxn->stream->fd, wanted, cnxn);
    cnxn->interest = wanted;
}

/* ---- lending to workers ---- */

struct io_work {
    struct server_cnxn *cnxn;    /* reference */
    uint32_t events;
};

static struct input_chunk take_spare(struct selector_thread *selector)
{
    struct input_chunk chunk = {0};
    mutex_lock(&selector->lock);
    if (selector->spare.count > 0)
        chunk = selector->spare.items[--selector->spare.count];
    mutex_unlock(&selector->lock);
    return chunk;
}

static void give_spare(struct selector_thread *selector, struct input_chunk chunk)
{
    mutex_lock(&selector->lock);
    struct spare_chunks *spare = &selector->spare;
    if (spare->count == spare->capacity) {
        spare->capacity = spare->capacity == 0 ? 4 : spare->capacity * 2;
        spare->items = memory_realloc(spare->items, spare->capacity * sizeof spare->items[0]);
    }
    spare->items[spare->count++] = chunk;
    mutex_unlock(&selector->lock);
}

/* Also out of the other list. */
static void put_on_flush_list(struct selector_thread *selector, struct server_cnxn *cnxn) REQUIRES(selector->lock)
{
    bool is_listed = !list_is_empty(&cnxn->flush_link);
    if (is_listed && cnxn->needs_selector)
        return;
    if (is_listed)
        take_from_list(cnxn);
    else
        server_cnxn_ref(cnxn);
    cnxn->needs_selector = true;
    add_to_list(&selector->flush_list, cnxn);
    atomic_store(&selector->has_new, true);
}

/* True when the selector should not wait for the flush. */
static bool put_on_output_list(struct selector_thread *selector, struct server_cnxn *cnxn) REQUIRES(selector->lock)
{
    if (!list_is_empty(&cnxn->flush_link))
        return false;
    server_cnxn_ref(cnxn);
    cnxn->needs_selector = false;
    add_to_list(&selector->output_list, cnxn);
    atomic_store(&selector->has_output, true);
    if (++selector->output_run % OUTPUT_RUN != 0)
        return false;
    selector->takes_output = true;
    atomic_store(&selector->has_new, true);
    return true;
}

/* In one step, so that a selector that comes down closes nothing a worker still has, nor finds it on Q7 afterwards. */
static void hand_back(struct selector_thread *selector, struct server_cnxn *cnxn)
{
    mutex_lock(&selector->lock);
    cnxn->is_lent = false;
    put_on_flush_list(selector, cnxn);
    if (--selector->lent == 0)
        condition_broadcast(&selector->all_back);
    mutex_unlock(&selector->lock);
    selector_thread_wake(selector);
}

static void work(void *arg)
{
    struct io_work *io = arg;
    struct server_cnxn *cnxn = io->cnxn;
    struct selector_thread *selector = cnxn->selector;
    struct input_chunk chunk = take_spare(selector);
    if (!server_cnxn_do_io(cnxn, io->events, &chunk))
        atomic_store(&cnxn->close_now, true);
    cnxn->sink->ops->flush(cnxn->sink);
    give_spare(selector, chunk);
    hand_back(selector, cnxn);
    server_cnxn_unref(cnxn);
    memory_free(io);
}

static void lend_if_here(struct selector_thread *selector, struct server_cnxn *cnxn, uint32_t events)
{
    mutex_lock(&selector->lock);
    bool is_here = !cnxn->is_lent;
    cnxn->is_lent = true;
    selector->lent += is_here ? 1 : 0;
    mutex_unlock(&selector->lock);
    if (!is_here)
        return;    /* a hang-up, which no poller can be told to keep quiet about */
    struct io_work *io = MEMORY_NEW(struct io_work);
    io->cnxn = server_cnxn_ref(cnxn);
    io->events = events;
    poller_modify(selector->poller, cnxn->stream->fd, 0, cnxn);
    cnxn->interest = 0;
    int err = worker_service_schedule(selector->parts->workers, work, io, hash_int64(cnxn->stream->fd));
    assert(err == ZK_OK);    /* workers outlive the selectors' threads */
}

/* ---- one round ---- */

static void handle_events(struct selector_thread *selector, const struct poller_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct server_cnxn *cnxn = events[i].data;
        if (cnxn == NULL)
            continue;    /* a wake-up */
        if (selector->parts->workers != NULL) {
            lend_if_here(selector, cnxn, events[i].events);
            continue;
        }
        uint32_t unheeded = events[i].events & ~server_cnxn_wanted_interest(cnxn);
        if (server_cnxn_do_io(cnxn, events[i].events, &selector->chunk))
            rearm(selector, cnxn, unheeded);
        else
            close_cnxn(selector, cnxn);
    }
}

static void register_one(struct selector_thread *selector, const struct accepted *accepted)
{
    enum handshake_state handshake;
    struct error error = {0};
    struct stream *stream = cnxn_handshake_new_stream(selector->factory, accepted->fd, &accepted->peer, &handshake);
    struct server_cnxn *cnxn = server_cnxn_new(selector->factory, selector, selector->parts->sink, stream,
                                               &accepted->peer, selector->parts->sessionless_timeout_ms);
    cnxn->handshake = handshake;
    cnxn->interest = POLLER_READ;
    server_cnxn_factory_add(selector->factory, cnxn);
    if (poller_add(selector->poller, accepted->fd, cnxn->interest, cnxn, &error) == ZK_OK) {
        handshake_deadlines_follow(&selector->handshakes, cnxn, clock_elapsed_ms());
        return;
    }
    log_warn("cannot watch a new connection: %s", error.text);
    close_cnxn(selector, cnxn);
}

static void register_accepted(struct selector_thread *selector)
{
    struct accepted accepted[16];
    size_t count;
    while ((count = accepted_queue_poll(selector->accepted, accepted, ARRAY_SIZE(accepted), 0)) > 0) {
        for (size_t i = 0; i < count; i++)
            register_one(selector, &accepted[i]);
    }
}

/* Behind what is in `to`. */
static void move_list(struct list *to, struct list *from)
{
    if (list_is_empty(from))
        return;
    to->previous->next = from->next;
    from->next->previous = to->previous;
    from->previous->next = to;
    to->previous = from->previous;
    list_init(from);
}

/* The next connection of Q7 that no worker has, with the list's reference; NULL when there is none. */
static struct server_cnxn *take_flush(struct selector_thread *selector, struct list *round)
{
    mutex_lock(&selector->lock);
    struct server_cnxn *cnxn = NULL;
    while (cnxn == NULL && !list_is_empty(round)) {
        struct server_cnxn *candidate = LIST_ENTRY(round->next, struct server_cnxn, flush_link);
        take_from_list(candidate);
        if (candidate->is_lent)
            server_cnxn_unref(candidate);    /* hand_back() lists it again; the factory has a reference too */
        else
            cnxn = candidate;
    }
    mutex_unlock(&selector->lock);
    return cnxn;
}

static void handle_flush_list(struct selector_thread *selector)
{
    if (!atomic_exchange(&selector->has_new, false))
        return;
    struct list round;
    list_init(&round);
    mutex_lock(&selector->lock);
    move_list(&round, &selector->flush_list);
    if (selector->takes_output)
        move_list(&round, &selector->output_list);
    selector->takes_output = false;
    selector->output_run = 0;
    mutex_unlock(&selector->lock);
    struct server_cnxn *cnxn;
    while ((cnxn = take_flush(selector, &round)) != NULL) {
        if (cnxn->stream == NULL)
            ;    /* closed while it stood in the queue */
        else if (server_cnxn_pump(cnxn, &selector->chunk))
            rearm(selector, cnxn, 0);
        else
            close_cnxn(selector, cnxn);
        server_cnxn_unref(cnxn);
    }
}

static void wait_for_workers(struct selector_thread *selector)
{
    mutex_lock(&selector->lock);
    while (selector->lent > 0)
        condition_wait(&selector->all_back, &selector->lock);
    mutex_unlock(&selector->lock);
}

static void close_all(struct selector_thread *selector)
{
    register_accepted(selector);
    size_t count;
    struct server_cnxn **cnxns = server_cnxn_factory_list(selector->factory, &count);
    for (size_t i = 0; i < count; i++) {
        if (cnxns[i]->selector == selector && cnxns[i]->stream != NULL) {
            server_cnxn_pump(cnxns[i], &selector->chunk);    /* a last flush */
            atomic_store(&cnxns[i]->close_reason, DISCONNECT_SERVER_SHUTDOWN);
            close_cnxn(selector, cnxns[i]);
        }
        server_cnxn_unref(cnxns[i]);
    }
    memory_free(cnxns);
}

static bool is_lent(struct selector_thread *selector, struct server_cnxn *cnxn)
{
    mutex_lock(&selector->lock);
    bool is_lent = cnxn->is_lent;
    mutex_unlock(&selector->lock);
    return is_lent;
}

/* One that a worker has may be through; it is looked at again when it is back. */
static void close_late_handshakes(struct selector_thread *selector)
{
    struct server_cnxn *cnxn;
    while ((cnxn = handshake_deadlines_take_due(&selector->handshakes, clock_elapsed_ms())) != NULL) {
        if (is_lent(selector, cnxn))
            continue;
        cnxn_handshake_time_out(cnxn);
        atomic_store(&cnxn->is_stale, true);
        atomic_store(&cnxn->close_now, true);
        selector_thread_queue(selector, cnxn);
    }
}

static void selector_run(void *arg)
{
    struct selector_thread *selector = arg;
    struct poller_event events[EVENTS_A_ROUND];
    atomic_store(&selector->thread_id, thread_current_id());
    while (!atomic_load(&selector->is_stopping)) {
        int64_t deadline_ms = handshake_deadlines_next(&selector->handshakes);
        size_t count = poller_wait(selector->poller, events, ARRAY_SIZE(events), deadline_ms);
        handle_events(selector, events, count);
        register_accepted(selector);
        close_late_handshakes(selector);
        selector->parts->sink->ops->flush(selector->parts->sink);
        handle_flush_list(selector);
        selector->parts->sink->ops->flush(selector->parts->sink);    /* a backlog may have brought packets */
    }
    wait_for_workers(selector);
    close_all(selector);
    log_info("selector thread exited run method");
}

struct selector_thread *selector_thread_start(struct server_cnxn_factory *factory, int index)
{
    struct selector_thread *selector = MEMORY_NEW(struct selector_thread);
    selector->factory = factory;
    selector->parts = server_cnxn_factory_parts(factory);
    selector->poller = poller_new();
    handshake_deadlines_init(&selector->handshakes,
                             selector->parts->options->ssl_handshake_detection_timeout_millis, HANDSHAKE_MS);
    selector->accepted = accepted_queue_new(ACCEPTED_BOUND);
    mutex_init(&selector->lock);
    condition_init(&selector->all_back);
    mutex_lock(&selector->lock);
    list_init(&selector->flush_list);
    list_init(&selector->output_list);
    mutex_unlock(&selector->lock);
    bool is_secure = selector->parts->tls != NULL && !selector->parts->is_unified;
    char *name = string_format("NIOServerCxnFactory.%sSelectorThread-%d", is_secure ? "Secure" : "", index);
    selector->thread = thread_start(name, selector_run, selector);
    memory_free(name);
    return selector;
}

/* Chunks of workers, and connections that somebody listed when they were closed already. */
static void release_lists(struct selector_thread *selector)
{
    mutex_lock(&selector->lock);
    struct list *lists[] = {&selector->flush_list, &selector->output_list};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        LIST_EACH_SAFE (link, lists[i]) {
            struct server_cnxn *cnxn = LIST_ENTRY(link, struct server_cnxn, flush_link);
            take_from_list(cnxn);
            server_cnxn_unref(cnxn);
        }
    }
    for (size_t i = 0; i < selector->spare.count; i++)
        input_chunk_release(&selector->spare.items[i]);
    memory_free(selector->spare.items);
    mutex_unlock(&selector->lock);
}

void selector_thread_stop(struct selector_thread *selector)
{
    accepted_queue_close(selector->accepted);
    atomic_store(&selector->is_stopping, true);
    poller_wake(selector->poller);
    thread_join(selector->thread);
    selector->thread = NULL;
}

void selector_thread_free(struct selector_thread *selector)
{
    assert(selector->thread == NULL);
    release_lists(selector);
    input_chunk_release(&selector->chunk);
    accepted_queue_free(selector->accepted);
    poller_free(selector->poller);
    condition_release(&selector->all_back);
    mutex_release(&selector->lock);
    memory_free(selector);
}

int selector_thread_add(struct selector_thread *selector, int fd, const struct address *peer)
{
    int err = accepted_queue_put(selector->accepted, (struct accepted){fd, *peer});
    if (err == ZK_OK)
        poller_wake(selector->poller);
    return err;
}

void selector_thread_queue(struct selector_thread *selector, struct server_cnxn *cnxn)
{
    mutex_lock(&selector->lock);
    put_on_flush_list(selector, cnxn);
    mutex_unlock(&selector->lock);
}

void selector_thread_queue_output(struct selector_thread *selector, struct server_cnxn *cnxn)
{
    bool is_ours = atomic_load(&selector->thread_id) == thread_current_id(), is_due = false;    /* (3) */
    if (cnxn->writes_directly && !is_ours && atomic_load_explicit(&cnxn->is_listed, memory_order_relaxed))
        return;    /* (4) */
    mutex_lock(&selector->lock);
    if (cnxn->writes_directly && !is_ours)
        is_due = put_on_output_list(selector, cnxn);
    else
        put_on_flush_list(selector, cnxn);
    mutex_unlock(&selector->lock);
    if (is_due)
        selector_thread_wake(selector);
}

void selector_thread_wake(struct selector_thread *selector)
{
    if (atomic_load(&selector->has_new))
        poller_wake(selector->poller);
}

static bool has_many(const struct list *list)
{
    size_t count = 0;
    LIST_EACH (link, list)
        if (++count > DIRECT_MOST)
            return true;
    return false;
}

/* The connections of output_list, with the list's references; none when there are so many that the selector is to. */
static size_t take_output(struct selector_thread *selector, struct server_cnxn *cnxns[DIRECT_MOST])
{
    size_t count = 0;
    mutex_lock(&selector->lock);
    if (has_many(&selector->output_list)) {
        selector->takes_output = true;
        atomic_store(&selector->has_new, true);
    }
    if (!selector->takes_output)
        selector->output_run = 0;
    for (; !selector->takes_output && !list_is_empty(&selector->output_list); count++) {
        cnxns[count] = LIST_ENTRY(selector->output_list.next, struct server_cnxn, flush_link);
        take_from_list(cnxns[count]);
    }
    mutex_unlock(&selector->lock);
    return count;
}

static void write_output(struct selector_thread *selector)
{
    struct server_cnxn *cnxns[DIRECT_MOST];
    size_t count = take_output(selector, cnxns);
    for (size_t i = 0; i < count; i++) {
        if (!server_cnxn_write_directly(cnxns[i]))
            selector_thread_queue(selector, cnxns[i]);
        server_cnxn_unref(cnxns[i]);
    }
}

void selector_thread_flush(struct selector_thread *selector)
{
    if (atomic_load(&selector->has_output) && atomic_exchange(&selector->has_output, false))
        write_output(selector);
    selector_thread_wake(selector);
}
