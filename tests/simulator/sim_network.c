/*
 * sim_network.c - the machines' addresses and the links between them; what a machine that dies leaves behind.
 *
 * The state of the network is one global, as the world's is: it begins empty with the first machine and
 * sim_network_end() leaves it empty again.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/sim_network_internal.h"

#define FIRST_IP UINT32_C(0x0a000001)    /* 10.0.0.1 */
#define FIRST_PORT 32768
#define NEVER_DARK UINT32_MAX
#define LEAST_LATENCY_NS (50 * SIM_US)
#define MOST_LATENCY_NS (500 * SIM_US)

struct sim_link_state {
    struct sim_link public;
    int64_t busy_until_ns;
};

static struct {
    struct list connections;    /* all of the world; not yet a list: no machine was made */
    uint64_t last_serial;
} network;

void *network_alloc(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL)
        abort();
    return memory;
}

uint64_t network_next_serial(void)
{
    return ++network.last_serial;
}

int64_t network_deadline_ns(int64_t deadline_ns)
{
    return deadline_ns == INT64_MAX ? SIM_FOREVER : sim_node_true_ns(sim_current_node(), deadline_ns);
}

int64_t network_deadline_ms(int64_t deadline_ms)
{
    if (deadline_ms > INT64_MAX / SIM_MS)
        return SIM_FOREVER;
    return network_deadline_ns(deadline_ms > 0 ? deadline_ms * SIM_MS : 0);
}

struct list *network_connections(void)
{
    return &network.connections;
}

void network_adopt(struct sim_connection *connection)
{
    list_add_last(&network.connections, &connection->link);
}

/* ---- addresses ---- */

uint32_t network_ip(const struct sim_node *node)
{
    return FIRST_IP + (uint32_t)node->index;
}

static bool is_loopback(uint32_t ip)
{
    return ip >> 24 == LOOPBACK_IP >> 24;
}

bool network_is_own(const struct sim_node *node, uint32_t ip)
{
    return ip == ANY_IP || is_loopback(ip) || ip == network_ip(node);
}

struct sim_node *network_node_of(uint32_t ip, struct sim_node *from)
{
    if (network_is_own(from, ip))
        return from;
    return ip >= FIRST_IP && ip - FIRST_IP < (uint32_t)sim_node_count() ? sim_node_at((int)(ip - FIRST_IP)) : NULL;
}

bool network_plain_ip(const struct address *address, uint32_t *ret_ip)
{
    uint8_t bytes[16];
    if (address_is_any(address))
        *ret_ip = ANY_IP;
    else if (address_is_loopback(address) && address_ip_bytes(address, bytes) == 16)
        *ret_ip = LOOPBACK_IP;
    else if (address_ip_bytes(address, bytes) == 4)
        *ret_ip = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    else
        return false;
    return true;
}

void network_address(uint32_t ip, uint16_t port, struct address *ret_address)
{
    memset(ret_address, 0, sizeof(*ret_address));
    ret_address->size = sizeof(ret_address->socket.v4);
    ret_address->socket.v4.sin_family = AF_INET;
    ret_address->socket.v4.sin_addr.s_addr = htonl(ip);
    ret_address->socket.v4.sin_port = htons(port);
}

/* ---- links ---- */

static struct sim_link_state *link_state(const struct sim_node *from, const struct sim_node *to)
{
    struct sim_network_node *at = from->network;
    if (to->index >= at->link_count) {
        int count = sim_node_count();
        at->links = realloc(at->links, (size_t)count * sizeof(struct sim_link_state *));
        assert(at->links != NULL);
        while (at->link_count < count)
            at->links[at->link_count++] = NULL;
    }
    struct sim_link_state **link = &at->links[to->index];
    if (*link == NULL) {
        *link = network_alloc(sizeof(**link));
        (*link)->public = (struct sim_link){.least_latency_ns = LEAST_LATENCY_NS, .most_latency_ns = MOST_LATENCY_NS};
    }
    return *link;
}

struct sim_link *sim_link(const struct sim_node *from, const struct sim_node *to)
{
    return &link_state(from, to)->public;
}

void sim_link_cut(struct sim_node *from, struct sim_node *to, bool is_cut)
{
    struct sim_link *link = sim_link(from, to);
    if (link->is_cut == is_cut)
        return;
    sim_trace("link %s -> %s is %s", from->name, to->name, is_cut ? "cut" : "mended");
    link->is_cut = is_cut;
}

/* How long so many bytes keep the link busy. */
static int64_t transmission_ns(size_t size, int64_t bytes_per_s)
{
    return (int64_t)size * SIM_S / bytes_per_s;
}

bool network_travel(struct sim_node *from, struct sim_node *to, size_t size, int64_t *ret_at_ns)
{
    struct sim_link_state *link = link_state(from, to);
    int64_t begin_ns = sim_now_ns();
    if (link->public.is_cut)
        return false;
    if (link->public.bytes_per_s > 0) {
        if (begin_ns < link->busy_until_ns)
            begin_ns = link->busy_until_ns;
        begin_ns += transmission_ns(size, link->public.bytes_per_s);
        link->busy_until_ns = begin_ns;
    }
    *ret_at_ns = begin_ns + sim_between(link->public.least_latency_ns, link->public.most_latency_ns);
    return true;
}

uint32_t network_largest_piece(struct sim_node *from, struct sim_node *to)
{
    return sim_link(from, to)->largest_piece;
}

static bool is_between(const struct sim_connection *connection, const struct sim_node *a, const struct sim_node *b)
{
    const struct sim_node *one = connection->ends[0].base.node, *other = connection->ends[1].base.node;
    return (one == a && (b == NULL || other == b)) || (other == a && (b == NULL || one == b));
}

void sim_network_reset(struct sim_node *a, struct sim_node *b, uint64_t n)
{
    LIST_EACH_SAFE(link, &network.connections) {
        struct sim_connection *connection = LIST_ENTRY(link, struct sim_connection, link);
        if (!is_between(connection, a, b) || !sim_one_in(n))
            continue;
        stream_reset(&connection->ends[0]);
        stream_reset(&connection->ends[1]);
        stream_free_if_done(connection);
    }
}

/* ---- machines ---- */

void sim_network_add_node(struct sim_node *node)
{
    if (network.connections.next == NULL)
        list_init(&network.connections);
    struct sim_network_node *at = network_alloc(sizeof(*at));
    at->node = node;
    list_init(&at->listeners);
    list_init(&at->datagrams);
    at->next_port = FIRST_PORT;
    at->dark_boots = NEVER_DARK;
    node->network = at;
    sim_descriptor_limit(node, 65536);
}

bool network_is_dark(const struct sim_node *node)
{
    return node->network->dark_boots == node->boots;
}

/* All that its kernel knew. Peers find out by themselves. */
static void forget_connections(struct sim_node *node)
{
    LIST_EACH_SAFE(link, &network.connections) {
        struct sim_connection *connection = LIST_ENTRY(link, struct sim_connection, link);
        for (int i = 0; i < 2; i++)
            if (connection->ends[i].base.node == node)
                stream_vanish(&connection->ends[i]);
        stream_free_if_done(connection);
    }
}

void sim_network_lose_program(struct sim_node *node, bool with_power)
{
    struct sim_network_node *at = node->network;
    if (with_power) {
        at->dark_boots = node->boots;
        forget_connections(node);
    }
    for (int fd = 0; fd < at->descriptor_count; fd++) {
        struct sim_descriptor descriptor = at->descriptors[fd];
        if (descriptor.kind == SIM_NOTHING)
            continue;
        descriptor_give(node, fd);
        if (descriptor.object == NULL)    /* a file, or the second descriptor of a poller */
            continue;
        if (descriptor.kind == SIM_POLLER)
            poller_destroy(descriptor.object);
        else
            socket_lose(descriptor.object);
    }
}

size_t sim_network_open_count(const struct sim_node *node)
{
    const struct sim_network_node *at = node->network;
    size_t count = 0;
    for (int fd = 0; fd < at->descriptor_count; fd++)
        count += at->descriptors[fd].kind != SIM_NOTHING && at->descriptors[fd].kind != SIM_FILE;
    return count;
}

static void free_node(struct sim_node *node)
{
    struct sim_network_node *at = node->network;
    assert(list_is_empty(&at->listeners) && list_is_empty(&at->datagrams));
    for (int i = 0; i < at->link_count; i++)
        free(at->links[i]);
    free(at->links);
    free(at->descriptors);
    free(at);
    node->network = NULL;
}

void sim_network_end(void)
{
    if (network.connections.next == NULL)
        return;
    for (int i = 0; i < sim_node_count(); i++)
        sim_network_lose_program(sim_node_at(i), false);
    LIST_EACH_SAFE(link, &network.connections)
        stream_free(LIST_ENTRY(link, struct sim_connection, link));
    datagram_end();
    for (int i = 0; i < sim_node_count(); i++)
        free_node(sim_node_at(i));
    memset(&network, 0, sizeof(network));
}
