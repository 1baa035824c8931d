/* sim_datagram.c - common/net/datagram.h over the simulated network: one datagram in, one out; a cut link loses it. */
#include "common/net/datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/sim_network_internal.h"

#define LARGEST 65507
#define MOST_WAITING_BYTES (208 << 10)    /* as Linux: what comes beyond is lost */

struct datagram {
    struct list link;           /* of those on the way, then of a socket's queue */
    struct sim_node *to;
    uint32_t from_ip, to_ip;
    uint16_t from_port, to_port;
    size_t size;
    uint8_t bytes[];
};

struct udp {
    struct sim_socket base;
    struct list link;           /* of its machine's */
    struct list queue;
    size_t waiting_bytes;
};

static struct list on_the_way;    /* of the world; empty, or not yet a list */

static struct udp *udp_of(const struct sim_socket *socket)
{
    return container_of(socket, struct udp, base);
}

static struct udp *find(struct sim_node *node, uint32_t ip, uint16_t port)
{
    LIST_EACH(link, &node->network->datagrams) {
        struct udp *udp = LIST_ENTRY(link, struct udp, link);
        if (udp->base.port == port && (udp->base.ip == ip || udp->base.ip == ANY_IP || ip == ANY_IP))
            return udp;
    }
    return NULL;
}

bool datagram_is_ready(const struct sim_socket *socket)
{
    return !list_is_empty(&udp_of(socket)->queue);
}

static void free_all(struct list *datagrams)
{
    LIST_EACH_SAFE(link, datagrams) {
        list_remove(link);
        free(LIST_ENTRY(link, struct datagram, link));
    }
}

void datagram_lose(struct sim_socket *socket)
{
    struct udp *udp = udp_of(socket);
    free_all(&udp->queue);
    list_remove(&udp->link);
    free(udp);
}

void datagram_end(void)
{
    if (on_the_way.next != NULL)
        free_all(&on_the_way);
    on_the_way = (struct list){.next = NULL};
}

int datagram_open(const struct address *address, int *ret_fd, struct error *error)
{
    char text[ADDRESS_TEXT_SIZE];
    sim_switch_point();
    struct sim_node *node = sim_current_node();
    uint32_t ip = ANY_IP;
    uint16_t port = address_port(address);
    if (!descriptor_is_left(node)) {
        errno = EMFILE;
        return error_set_errno(error, "cannot make a socket");
    }
    errno = !network_plain_ip(address, &ip) || !network_is_own(node, ip) ? EADDRNOTAVAIL
            : port != 0 && find(node, ip, port) != NULL                  ? EADDRINUSE
                                                                         : 0;
    if (errno != 0) {
        address_format(address, text);
        return error_set_errno(error, "cannot bind to UDP %s", text + 1);
    }
    while (port == 0) {
        port = handshake_ephemeral_port(node);
        if (find(node, ip, port) != NULL)
            port = 0;
    }
    struct udp *udp = network_alloc(sizeof(*udp));
    socket_begin(&udp->base, SIM_DATAGRAM, node);
    udp->base.ip = ip;
    udp->base.port = port;
    udp->base.is_v6 = address->socket.base.sa_family == AF_INET6;
    list_init(&udp->queue);
    list_add_last(&node->network->datagrams, &udp->link);
    *ret_fd = udp->base.fd = descriptor_take(node, SIM_DATAGRAM, &udp->base);
    return ZK_OK;
}

static void arrives(void *arg)
{
    struct datagram *datagram = arg;
    list_remove(&datagram->link);
    struct udp *udp = find(datagram->to, datagram->to_ip, datagram->to_port);
    if (udp == NULL || udp->waiting_bytes + datagram->size > MOST_WAITING_BYTES) {
        free(datagram);
        return;
    }
    udp->waiting_bytes += datagram->size;
    list_add_last(&udp->queue, &datagram->link);
    socket_changed(&udp->base);
}

static struct udp *udp_at(int fd, const char *call)
{
    struct sim_socket *socket = descriptor_socket(fd, call);
    if (socket != NULL && socket->kind != SIM_DATAGRAM) {
        errno = ENOTCONN;
        return NULL;
    }
    return socket != NULL ? udp_of(socket) : NULL;
}

int datagram_send(int fd, const struct address *to, const void *bytes, size_t size)
{
    sim_switch_point();
    struct udp *udp = udp_at(fd, "datagram_send");
    if (udp == NULL)
        return ZK_IO;
    uint32_t ip;
    struct sim_node *from = udp->base.node, *target = network_plain_ip(to, &ip) ? network_node_of(ip, from) : NULL;
    errno = size > LARGEST ? EMSGSIZE : target == NULL ? ENETUNREACH : 0;
    if (errno != 0)
        return ZK_IO;
    int64_t at_ns;
    if (!network_travel(from, target, size, &at_ns))
        return ZK_OK;    /* lost: nobody is told */
    struct datagram *datagram = network_alloc(sizeof(*datagram) + size);
    bool is_loopback = target == from && ip != network_ip(from);
    datagram->to = target;
    datagram->to_ip = ip;
    datagram->to_port = address_port(to);
    datagram->from_ip = udp->base.ip != ANY_IP ? udp->base.ip : is_loopback ? LOOPBACK_IP : network_ip(from);
    datagram->from_port = udp->base.port;
    datagram->size = size;
    if (size > 0)
        memcpy(datagram->bytes, bytes, size);
    if (on_the_way.next == NULL)
        list_init(&on_the_way);
    list_add_last(&on_the_way, &datagram->link);
    sim_at(at_ns, arrives, datagram);
    return ZK_OK;
}

int datagram_receive(int fd, void *bytes, size_t most, size_t *ret_size, struct address *ret_from)
{
    sim_switch_point();
    struct udp *udp = udp_at(fd, "datagram_receive");
    if (udp == NULL)
        return ZK_IO;
    if (list_is_empty(&udp->queue))
        return ZK_AGAIN;
    struct datagram *datagram = LIST_ENTRY(udp->queue.next, struct datagram, link);
    list_remove(&datagram->link);
    udp->waiting_bytes -= datagram->size;
    *ret_size = datagram->size;
    if (most > 0)
        memcpy(bytes, datagram->bytes, datagram->size < most ? datagram->size : most);
    network_address(datagram->from_ip, datagram->from_port, ret_from);
    free(datagram);
    return ZK_OK;
}
