/*
 * sim_stream.c - connections as TCP has them: bytes on their way, what is said about them, and what happens when it
 * is lost.
 *
 * Nothing is ever sent over a cut link, so nothing has to be sent twice: what could not leave stays where it is, and
 * who has to try again is told at once (stream_stall()), as only a simulator can. Then its timer runs, which doubles
 * as that of TCP does; each time it sends what it may, or asks (a probe) what has arrived, until an answer comes or
 * its patience ends. Where nothing is lost there are no timers, and each packet costs one event.
 *
 * One acknowledgement travels at a time in each direction; when it arrives and there is more to say, the next one
 * leaves.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/sim_network_internal.h"

#define LEAST_RING 4096
#define FIRST_RETRY_NS (200 * SIM_MS)
#define FIRST_HANDSHAKE_RETRY_NS (1 * SIM_S)
#define LONGEST_RETRY_NS (120 * SIM_S)
/* How long Linux goes on: connecting, answering, with a program, without one. */
#define PATIENCE_CONNECTING_NS (127 * SIM_S)
#define PATIENCE_ANSWERING_NS (63 * SIM_S)
#define PATIENCE_NS (15 * 60 * SIM_S)
#define PATIENCE_ORPHAN_NS (102 * SIM_S)
/* Between two pieces of what was sent at once. */
#define PIECE_GAP_NS SIM_US
#define LATE_PIECE_ONE_IN 32
/* By how much room must have grown before the sender is told of it. */
#define WINDOW_STEP (RECEIVE_WINDOW / 4)

/* ---- the ring ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t oldest_kept(const struct sim_flow *flow)
{
    return least(flow->read, least(flow->acked, flow->written));
}

static void copy_in(uint8_t *ring, size_t capacity, uint64_t at, const uint8_t *bytes, size_t size)
{
    size_t begin = at & (capacity - 1), first = least(size, capacity - begin);
    memcpy(ring + begin, bytes, first);
    memcpy(ring, bytes + first, size - first);
}

static void copy_out(const uint8_t *ring, size_t capacity, uint64_t at, uint8_t *bytes, size_t size)
{
    size_t begin = at & (capacity - 1), first = least(size, capacity - begin);
    memcpy(bytes, ring + begin, first);
    memcpy(bytes + first, ring, size - first);
}

static void make_room(struct sim_flow *flow, size_t size)
{
    uint64_t from = oldest_kept(flow);
    size_t kept = flow->written - from, capacity = flow->capacity > 0 ? flow->capacity : LEAST_RING;
    while (capacity < kept + size)
        capacity *= 2;
    if (capacity == flow->capacity)
        return;
    uint8_t *ring = malloc(capacity);
    if (ring == NULL)
        abort();
    for (uint64_t at = from; at < flow->written;) {    /* in runs that wrap around in neither */
        size_t begin = at & (flow->capacity - 1);
        size_t run = least(flow->written - at, flow->capacity - begin);
        copy_in(ring, capacity, at, flow->ring + begin, run);
        at += run;
    }
    free(flow->ring);
    flow->ring = ring;
    flow->capacity = capacity;
}

static uint64_t end_of(const struct sim_flow *flow)
{
    return flow->written + flow->has_end;
}

size_t stream_readable(const struct sim_end *end)
{
    const struct sim_flow *flow = &end->peer->out;
    return least(flow->received, flow->written) - flow->read;
}

bool stream_at_end(const struct sim_end *end)
{
    const struct sim_flow *flow = &end->peer->out;
    return flow->has_end && flow->received > flow->written;
}

size_t stream_room(const struct sim_end *end)
{
    const struct sim_flow *flow = &end->out;
    return SEND_BUFFER - (flow->written - least(flow->acked, flow->written));
}

size_t stream_write(struct sim_end *end, const void *bytes, size_t size)
{
    struct sim_flow *flow = &end->out;
    size = least(size, stream_room(end));
    if (size == 0)
        return 0;
    make_room(flow, size);
    copy_in(flow->ring, flow->capacity, flow->written, bytes, size);
    flow->written += size;
    return size;
}

void stream_read(struct sim_end *end, void *bytes, size_t size, bool is_peek)
{
    struct sim_flow *flow = &end->peer->out;
    assert(size <= stream_readable(end));
    copy_out(flow->ring, flow->capacity, flow->read, bytes, size);
    if (is_peek)
        return;
    flow->read += size;
    if (flow->read + RECEIVE_WINDOW - flow->advertised >= WINDOW_STEP && end->state == END_OPEN)
        stream_acknowledge(end);
}

/* ---- on the way ---- */

static void arrive(void *arg);

static void schedule(struct sim_end *from)
{
    struct sim_flow *flow = &from->out;
    if (flow->event == 0 && flow->first != NULL)
        flow->event = sim_at(flow->first->at_ns, arrive, from);
}

/* False: the link is cut. */
static bool send_packet(struct sim_end *from, struct sim_packet packet, size_t size)
{
    struct sim_flow *flow = &from->out;
    struct sim_node *to = from->peer->base.node;
    if (!network_travel(from->base.node, to, size, &packet.at_ns))
        return false;
    packet.largest_piece = network_largest_piece(from->base.node, to);
    struct sim_packet *sent = network_alloc(sizeof(*sent));
    *sent = packet;
    if (flow->first == NULL)
        flow->first = sent;
    else
        flow->last->next = sent;
    flow->last = sent;
    schedule(from);
    return true;
}

void stream_send(struct sim_end *from, enum sim_packet_kind kind)
{
    if (!send_packet(from, (struct sim_packet){.kind = kind}, 0) && kind == PACKET_RESET)
        stream_stall(from->peer);
}

void stream_send_data(struct sim_end *end)
{
    struct sim_flow *flow = &end->out;
    if (end->state != END_OPEN || flow->sent == end_of(flow))
        return;
    uint64_t to = least(flow->written, flow->limit);
    if (to == flow->written)
        to = end_of(flow);    /* a FIN needs no room */
    if (to > flow->sent) {
        if (!send_packet(end, (struct sim_packet){.kind = PACKET_DATA, .to = to}, to - flow->sent)) {
            stream_stall(end);
            return;
        }
        flow->sent = to;
    }
    if (to < end_of(flow) && end->user_timeout_ns > 0)
        stream_stall(end);    /* it ends the wait for room, too */
}

void stream_acknowledge(struct sim_end *end)
{
    struct sim_end *sender = end->peer;
    struct sim_flow *flow = &sender->out;
    if (flow->ack_travels || sender->state == END_CLOSED)
        return;
    uint64_t limit = flow->read + RECEIVE_WINDOW;
    struct sim_packet packet = {.kind = PACKET_ACK, .to = flow->received, .limit = limit};
    if (end->state == END_CLOSED || !send_packet(end, packet, 0)) {
        stream_stall(sender);
        return;
    }
    flow->advertised = limit;
    flow->ack_travels = true;
}

/* ---- what is lost ---- */

static bool is_waiting(const struct sim_end *end)
{
    if (end->state == END_OPEN)
        return end->out.acked < end_of(&end->out);
    return end->state == END_CONNECTING || end->state == END_ANSWERING;
}

static bool is_orphan(const struct sim_end *end)
{
    return end->base.fd < 0 && end->listener == NULL;
}

static int64_t patience_ns(const struct sim_end *end)
{
    int64_t patience = end->state == END_CONNECTING  ? PATIENCE_CONNECTING_NS
                       : end->state == END_ANSWERING ? PATIENCE_ANSWERING_NS
                       : is_orphan(end)              ? PATIENCE_ORPHAN_NS
                                                     : PATIENCE_NS;
    return end->user_timeout_ns > 0 && end->user_timeout_ns < patience ? end->user_timeout_ns : patience;
}

void stream_calm(struct sim_end *end)
{
    sim_cancel(end->timer);
    end->timer = 0;
}

static void fail(struct sim_end *end, int error_number)
{
    stream_calm(end);
    end->state = END_CLOSED;
    end->failure = error_number;
    socket_changed(&end->base);
}

static void trace_end(const struct sim_end *end, const char *what)
{
    sim_trace("%s: %s:%u - %s:%u", what, end->base.node->name, end->base.port, end->peer->base.node->name,
              end->peer->base.port);
}

static void give_up(struct sim_end *end)
{
    if (end->state == END_ANSWERING) {
        handshake_forget(end);
        end->state = END_CLOSED;
        return;
    }
    trace_end(end, "gives up");
    fail(end, ETIMEDOUT);
}

static void try_again(struct sim_end *end)
{
    uint64_t sent = end->out.sent;
    if (end->state == END_CONNECTING)
        stream_send(end, PACKET_SYN);
    else if (end->state == END_ANSWERING)
        stream_send(end, PACKET_SYN_ACK);
    else
        stream_send_data(end);
    if (end->state == END_OPEN && end->out.sent == sent)
        stream_send(end, PACKET_PROBE);
}

static void arm(struct sim_end *end);

static void timer_rings(void *arg)
{
    struct sim_end *end = arg;
    end->timer = 0;
    if (is_waiting(end)) {
        if (sim_now_ns() - end->stalled_since_ns >= patience_ns(end)) {
            give_up(end);
        } else {
            end->retry_ns = end->retry_ns < LONGEST_RETRY_NS / 2 ? 2 * end->retry_ns : LONGEST_RETRY_NS;
            arm(end);
            try_again(end);
        }
    }
    stream_free_if_done(end->connection);
}

static void arm(struct sim_end *end)
{
    int64_t when_ns = sim_now_ns() + end->retry_ns, last_ns = end->stalled_since_ns + patience_ns(end);
    end->timer = sim_at(when_ns < last_ns ? when_ns : last_ns, timer_rings, end);
}

void stream_stall(struct sim_end *end)
{
    if (end->timer != 0 || !is_waiting(end))
        return;
    end->stalled_since_ns = sim_now_ns();
    end->retry_ns = end->state == END_OPEN ? FIRST_RETRY_NS : FIRST_HANDSHAKE_RETRY_NS;
    arm(end);
}

void stream_set_user_timeout(struct sim_end *end, int64_t timeout_ns)
{
    end->user_timeout_ns = timeout_ns;
    if (end->timer != 0) {
        stream_calm(end);
        arm(end);
    }
    stream_send_data(end);    /* nothing new, but a wait for room is now one that ends */
}

/* ---- what arrives ---- */

void stream_reset(struct sim_end *end)
{
    if (end->state == END_UNBORN || end->state == END_CLOSED)
        return;
    trace_end(end, end->state == END_CONNECTING ? "refused" : "reset");
    if (end->state == END_ANSWERING)
        handshake_forget(end);
    fail(end, end->state == END_CONNECTING ? ECONNREFUSED : stream_at_end(end) ? EPIPE : ECONNRESET);
}

void stream_abort(struct sim_end *end)
{
    stream_calm(end);
    end->state = END_CLOSED;
    stream_send(end, PACKET_RESET);
}

static void data_arrives(struct sim_end *end, uint64_t to)
{
    struct sim_flow *flow = &end->peer->out;
    bool has_bytes = least(to, flow->written) > flow->received;
    flow->received = to;
    if (has_bytes && is_orphan(end)) {    /* nobody will ever read them */
        stream_abort(end);
        return;
    }
    socket_changed(&end->base);
    stream_acknowledge(end);
}

static void ack_arrives(struct sim_end *end, const struct sim_packet *packet)
{
    struct sim_flow *flow = &end->out;
    bool frees = packet->to > flow->acked, gives_room = packet->limit > flow->limit;
    if (frees)
        flow->acked = packet->to;
    if (gives_room)
        flow->limit = packet->limit;
    if (frees || gives_room || (flow->acked == flow->sent && end->user_timeout_ns == 0))
        stream_calm(end);
    if (frees)
        socket_changed(&end->base);
    stream_send_data(end);
    if (flow->received > packet->to || flow->read + RECEIVE_WINDOW - packet->limit >= WINDOW_STEP)
        stream_acknowledge(end->peer);
}

static void handle(struct sim_end *end, const struct sim_packet *packet)
{
    if (packet->kind == PACKET_ACK)
        end->out.ack_travels = false;
    if (network_is_dark(end->base.node)) {
        stream_stall(end->peer);
        return;
    }
    if (packet->kind == PACKET_RESET) {
        stream_reset(end);
        return;
    }
    if (packet->kind == PACKET_SYN) {
        handshake_syn_arrives(end);
        return;
    }
    if (end->state == END_CLOSED) {
        if (end->peer->state != END_CLOSED)
            stream_send(end, PACKET_RESET);
        return;
    }
    if (packet->kind == PACKET_SYN_ACK) {
        handshake_answer_arrives(end);
        return;
    }
    if (end->state == END_ANSWERING)
        handshake_done(end);
    assert(end->state == END_OPEN);
    if (packet->kind == PACKET_DATA)
        data_arrives(end, packet->to);
    else if (packet->kind == PACKET_ACK)
        ack_arrives(end, packet);
    else
        stream_acknowledge(end);
}

/* Cuts a piece off the data that arrives now, if it is to come in pieces; the rest follows later. */
static bool cut_piece(struct sim_end *from, struct sim_packet *packet, struct sim_packet *ret_piece)
{
    struct sim_end *to = from->peer;
    if (packet->kind != PACKET_DATA || packet->largest_piece == 0 || to->state != END_OPEN)
        return false;
    uint64_t here = from->out.received + 1 + sim_below(packet->largest_piece);
    if (here >= packet->to)
        return false;
    *ret_piece = *packet;
    ret_piece->to = here;
    const struct sim_link *link = sim_link(from->base.node, to->base.node);
    packet->at_ns = sim_now_ns() + PIECE_GAP_NS;
    if (sim_one_in(LATE_PIECE_ONE_IN))
        packet->at_ns += sim_between(0, link->most_latency_ns - link->least_latency_ns);
    return true;
}

static void arrive(void *arg)
{
    struct sim_end *from = arg;
    struct sim_flow *flow = &from->out;
    flow->event = 0;
    /* In the order in which they were sent: one that would be here sooner waits for those before it. */
    while (flow->first != NULL && flow->first->at_ns <= sim_now_ns()) {
        struct sim_packet *first = flow->first, piece;
        if (cut_piece(from, first, &piece)) {
            handle(from->peer, &piece);
            continue;
        }
        flow->first = first->next;
        handle(from->peer, first);
        free(first);
    }
    schedule(from);
    stream_free_if_done(from->connection);
}

/* ---- beginning and end ---- */

struct sim_connection *stream_new(struct sim_node *from, struct sim_node *to)
{
    struct sim_connection *connection = network_alloc(sizeof(*connection));
    for (int i = 0; i < 2; i++) {
        struct sim_end *end = &connection->ends[i];
        socket_begin(&end->base, SIM_STREAM, i == 0 ? from : to);
        list_init(&end->link);
        end->connection = connection;
        end->peer = &connection->ends[1 - i];
        end->out.limit = end->out.advertised = RECEIVE_WINDOW;
    }
    network_adopt(connection);
    return connection;
}

void stream_close(struct sim_end *end)
{
    if (end->state == END_CONNECTING) {
        stream_calm(end);
        end->state = END_CLOSED;
    } else if (end->state == END_OPEN && stream_readable(end) > 0) {
        stream_abort(end);
    } else if (end->state == END_OPEN) {
        end->out.has_end = true;
        stream_send_data(end);
    }
    stream_free_if_done(end->connection);
}

void stream_vanish(struct sim_end *end)
{
    if (end->state == END_UNBORN)
        return;
    handshake_forget(end);
    stream_calm(end);
    end->state = END_CLOSED;
    stream_stall(end->peer);
}

void stream_free_if_done(struct sim_connection *connection)
{
    for (int i = 0; i < 2; i++) {
        const struct sim_end *end = &connection->ends[i];
        if (!is_orphan(end) || end->timer != 0 || end->out.first != NULL)
            return;
    }
    stream_free(connection);
}

void stream_free(struct sim_connection *connection)
{
    list_remove(&connection->link);
    for (int i = 0; i < 2; i++) {
        struct sim_end *end = &connection->ends[i];
        assert(end->base.fd < 0);
        stream_calm(end);
        sim_cancel(end->out.event);
        for (struct sim_packet *packet = end->out.first, *next; packet != NULL; packet = next) {
            next = packet->next;
            free(packet);
        }
        free(end->out.ring);
    }
    free(connection);
}
