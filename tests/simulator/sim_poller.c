/*
 * sim_poller.c - common/net/poller.h over the simulated network.
 *
 * As epoll does it: a socket that is, or was a moment ago, ready for what somebody waits for stands in the poller's
 * ready list, behind those that were so earlier; a wait looks at each and drops those that are not ready (any more).
 * One that was reported goes to the end of the list, so that none is left out when there are more than a caller
 * takes. A wake-up is such a registration, too, only of no socket.
 */
#include "common/net/poller.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/simulator/sim_network_internal.h"

struct registration {
    struct poller *poller;
    struct sim_socket *socket;     /* NULL: the wake-up */
    void *data;
    uint32_t events;
    struct list of_socket, of_poller;
    struct list ready;             /* in the poller's list, or by itself */
};

struct poller {
    struct sim_node *node;
    int fds[2];                    /* as many as the real one: epoll and eventfd */
    struct list registrations;
    struct list ready;
    struct registration wake_up;
    bool is_woken;
    struct sim_waiters waiters;
};

struct poller *poller_new(void)
{
    sim_switch_point();
    struct poller *poller = network_alloc(sizeof(*poller));
    poller->node = sim_current_node();
    list_init(&poller->registrations);
    list_init(&poller->ready);
    poller->wake_up.poller = poller;
    list_init(&poller->wake_up.ready);
    poller->fds[0] = descriptor_take(poller->node, SIM_POLLER, poller);
    poller->fds[1] = descriptor_take(poller->node, SIM_POLLER, NULL);
    if (poller->fds[1] < 0) {
        sim_violation("%s: no descriptor is left for a poller", poller->node->name);
        if (poller->fds[0] < 0)
            free(poller);
        sim_doom(false);
    }
    return poller;
}

static void drop(struct registration *registration)
{
    list_remove(&registration->ready);
    list_remove(&registration->of_poller);
    list_remove(&registration->of_socket);
    free(registration);
}

void poller_destroy(struct poller *poller)
{
    LIST_EACH_SAFE(link, &poller->registrations)
        drop(LIST_ENTRY(link, struct registration, of_poller));
    free(poller);
}

void poller_free(struct poller *poller)
{
    if (poller == NULL)
        return;
    sim_switch_point();
    if (poller->waiters.first != NULL)
        sim_violation("%s: a poller is freed while a thread waits in it", poller->node->name);
    for (int i = 0; i < 2; i++)
        descriptor_give(poller->node, poller->fds[i]);
    poller_destroy(poller);
}

void poller_forget(struct sim_socket *socket)
{
    LIST_EACH_SAFE(link, &socket->registrations)
        drop(LIST_ENTRY(link, struct registration, of_socket));
}

static void put_ready(struct registration *registration)
{
    struct poller *poller = registration->poller;
    if (list_is_empty(&registration->ready))
        list_add_last(&poller->ready, &registration->ready);
    sim_wake_all(&poller->waiters);
}

static void look_at(struct registration *registration, uint32_t ready)
{
    if ((ready & (registration->events | POLLER_HANGUP)) != 0)
        put_ready(registration);
}

void poller_look_at(struct sim_socket *socket, uint32_t ready)
{
    LIST_EACH(link, &socket->registrations)
        look_at(LIST_ENTRY(link, struct registration, of_socket), ready);
}

static struct registration *find(struct poller *poller, struct sim_socket *socket)
{
    LIST_EACH(link, &socket->registrations) {
        struct registration *registration = LIST_ENTRY(link, struct registration, of_socket);
        if (registration->poller == poller)
            return registration;
    }
    return NULL;
}

int poller_add(struct poller *poller, int fd, uint32_t events, void *data, struct error *error)
{
    assert(data != NULL);
    sim_switch_point();
    struct sim_socket *socket = descriptor_socket(fd, "poller_add");
    if (socket != NULL && find(poller, socket) != NULL) {
        errno = EEXIST;
        socket = NULL;
    }
    if (socket == NULL)
        return error_set_errno(error, "cannot poll descriptor %d", fd);
    struct registration *registration = network_alloc(sizeof(*registration));
    registration->poller = poller;
    registration->socket = socket;
    registration->data = data;
    registration->events = events;
    list_init(&registration->ready);
    list_add_last(&socket->registrations, &registration->of_socket);
    list_add_last(&poller->registrations, &registration->of_poller);
    look_at(registration, socket_ready(socket));
    return ZK_OK;
}

/* Another thread may have taken it out in the meantime, or closed it. */
static struct registration *find_at(struct poller *poller, int fd)
{
    struct sim_socket *socket = descriptor_socket(fd, NULL);
    return socket == NULL ? NULL : find(poller, socket);
}

void poller_modify(struct poller *poller, int fd, uint32_t events, void *data)
{
    assert(data != NULL);
    sim_switch_point();
    struct registration *registration = find_at(poller, fd);
    if (registration == NULL)
        return;
    registration->events = events;
    registration->data = data;
    look_at(registration, socket_ready(registration->socket));
}

void poller_remove(struct poller *poller, int fd)
{
    sim_switch_point();
    struct registration *registration = find_at(poller, fd);
    if (registration != NULL)
        drop(registration);
}

void poller_wake(struct poller *poller)
{
    sim_switch_point();
    poller->is_woken = true;
    put_ready(&poller->wake_up);
}

/* What a registration has to report now; a wake-up nothing but itself. */
static bool report(struct registration *registration, struct poller_event *event)
{
    struct poller *poller = registration->poller;
    *event = (struct poller_event){.data = registration->data, .events = POLLER_READ};
    if (registration == &poller->wake_up) {
        bool is_woken = poller->is_woken;
        poller->is_woken = false;
        return is_woken;
    }
    event->events = socket_ready(registration->socket) & (registration->events | POLLER_HANGUP);
    return event->events != 0;
}

static size_t take_events(struct poller *poller, struct poller_event *events, size_t most)
{
    struct list reported;
    size_t count = 0;
    list_init(&reported);
    while (count < most && !list_is_empty(&poller->ready)) {
        struct registration *registration = LIST_ENTRY(poller->ready.next, struct registration, ready);
        list_remove(&registration->ready);
        if (!report(registration, &events[count]))
            continue;
        count++;
        list_add_last(&reported, &registration->ready);
    }
    while (!list_is_empty(&reported)) {    /* they may still be ready: the next wait will see */
        struct list *link = reported.next;
        list_remove(link);
        list_add_last(&poller->ready, link);
    }
    return count;
}

static size_t wait_until(struct poller *poller, struct poller_event *events, size_t most, int64_t deadline_ns)
{
    assert(most > 0);
    for (;;) {
        size_t count = take_events(poller, events, most);
        if (count > 0 || sim_now_ns() >= deadline_ns)
            return count;
        if (poller->waiters.first != NULL)
            sim_violation("%s: two threads wait in one poller", poller->node->name);
        sim_wait(&poller->waiters, deadline_ns);
    }
}

size_t poller_wait(struct poller *poller, struct poller_event *events, size_t most, int64_t deadline_ms)
{
    sim_switch_point();
    return wait_until(poller, events, most, network_deadline_ms(deadline_ms));
}

size_t poller_wait_ns(struct poller *poller, struct poller_event *events, size_t most, int64_t deadline_ns)
{
    sim_switch_point();
    return wait_until(poller, events, most, network_deadline_ns(deadline_ns));
}
