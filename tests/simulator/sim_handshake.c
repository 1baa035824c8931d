/* sim_handshake.c - ports, who listens on them, and how a connection comes to be. */
#include <stdlib.h>

#include "tests/simulator/sim_network_internal.h"

#define FIRST_PORT 32768
#define LAST_PORT 60999

static bool is_same_place(const struct sim_socket *socket, uint32_t ip, uint16_t port)
{
    return socket->port == port && (socket->ip == ip || socket->ip == ANY_IP || ip == ANY_IP);
}

bool handshake_port_is_free(struct sim_node *node, uint32_t ip, uint16_t port)
{
    LIST_EACH(link, &node->network->listeners)
        if (is_same_place(&LIST_ENTRY(link, struct sim_listener, link)->base, ip, port))
            return false;
    return true;
}

static bool has_connection(struct sim_node *node, uint16_t port)
{
    LIST_EACH(link, network_connections()) {
        const struct sim_connection *connection = LIST_ENTRY(link, struct sim_connection, link);
        for (int i = 0; i < 2; i++)
            if (connection->ends[i].base.node == node && connection->ends[i].base.port == port)
                return true;
    }
    return false;
}

uint16_t handshake_ephemeral_port(struct sim_node *node)
{
    struct sim_network_node *at = node->network;
    for (;;) {
        uint16_t port = (uint16_t)at->next_port++;
        if (at->next_port > LAST_PORT) {
            at->next_port = FIRST_PORT;
            at->ports_came_round = true;
        }
        if (handshake_port_is_free(node, ANY_IP, port) && (!at->ports_came_round || !has_connection(node, port)))
            return port;
    }
}

static struct sim_listener *find_listener(struct sim_node *node, uint32_t ip, uint16_t port)
{
    LIST_EACH(link, &node->network->listeners) {
        struct sim_listener *listener = LIST_ENTRY(link, struct sim_listener, link);
        if (is_same_place(&listener->base, ip, port))
            return listener;
    }
    return NULL;
}

/* Sends its packet now, and again until it is answered. */
static void ask(struct sim_end *end, enum sim_end_state state, enum sim_packet_kind kind)
{
    end->state = state;
    stream_send(end, kind);
    stream_stall(end);
}

void handshake_start(struct sim_end *end)
{
    sim_trace("connects: %s:%u - %s:%u", end->base.node->name, end->base.port, end->peer->base.node->name,
              end->peer->base.port);
    ask(end, END_CONNECTING, PACKET_SYN);
}

void handshake_syn_arrives(struct sim_end *end)
{
    if (end->state == END_ANSWERING)
        stream_send(end, PACKET_SYN_ACK);
    if (end->state == END_CLOSED)
        stream_send(end, PACKET_RESET);
    if (end->state != END_UNBORN)
        return;
    struct sim_listener *listener = find_listener(end->base.node, end->base.ip, end->base.port);
    if (listener == NULL) {
        stream_send(end, PACKET_RESET);
        return;
    }
    if (listener->queued + listener->half_open > listener->backlog)
        return;    /* as Linux does, in the hope that there is room when it comes again */
    end->listener = listener;
    listener->half_open++;
    list_add_last(&listener->queue, &end->link);
    ask(end, END_ANSWERING, PACKET_SYN_ACK);
}

void handshake_answer_arrives(struct sim_end *end)
{
    if (end->state == END_CONNECTING) {
        stream_calm(end);
        end->state = END_OPEN;
        socket_changed(&end->base);
    }
    stream_acknowledge(end);
}

void handshake_done(struct sim_end *end)
{
    struct sim_listener *listener = end->listener;
    stream_calm(end);
    end->state = END_OPEN;
    listener->half_open--;
    listener->queued++;
    list_remove(&end->link);
    list_add_last(&listener->queue, &end->link);    /* in the order in which they were ready */
    socket_changed(&listener->base);
}

void handshake_forget(struct sim_end *end)
{
    if (end->listener == NULL)
        return;
    if (end->state == END_ANSWERING)
        end->listener->half_open--;
    else
        end->listener->queued--;
    list_remove(&end->link);
    end->listener = NULL;
}

void handshake_close(struct sim_listener *listener)
{
    LIST_EACH_SAFE(link, &listener->queue) {
        struct sim_end *end = LIST_ENTRY(link, struct sim_end, link);
        handshake_forget(end);
        if (end->state != END_CLOSED)
            stream_abort(end);
        stream_free_if_done(end->connection);
    }
    list_remove(&listener->link);
}
