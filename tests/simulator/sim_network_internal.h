/* What the files of the simulated network share. For sim_network.c, sim_descriptor.c, sim_stream.c, sim_handshake.c,
 * sim_socket.c, sim_poller.c and sim_datagram.c; all others have network.h. */
#ifndef ZKC_TESTS_SIMULATOR_SIM_NETWORK_INTERNAL_H
#define ZKC_TESTS_SIMULATOR_SIM_NETWORK_INTERNAL_H

#include "common/base/list.h"
#include "common/net/address.h"
#include "common/net/poller.h"
#include "tests/simulator/network.h"

#define SEND_BUFFER (128 << 10)
#define RECEIVE_WINDOW (128 << 10)
#define ANY_IP UINT32_C(0)
#define LOOPBACK_IP UINT32_C(0x7f000001)

/* What a descriptor stands for. */
enum sim_kind { SIM_NOTHING, SIM_FILE, SIM_LISTENER, SIM_STREAM, SIM_DATAGRAM, SIM_POLLER };
struct sim_socket {
    enum sim_kind kind;
    struct sim_node *node;
    int fd;                            /* -1: no program has it (any more) */
    uint64_t serial;                   /* no two sockets of the world have the same */
    struct sim_waiters waiters;        /* who sleeps in socket_wait() */
    struct list registrations;         /* with pollers */
    uint32_t ip;                       /* its own address, in the order of the machine */
    uint16_t port;
    bool is_v6;                        /* it was bound to an address of IPv6 */
};

/* ---- a stream ---- */

enum sim_packet_kind { PACKET_SYN, PACKET_SYN_ACK, PACKET_DATA, PACKET_PROBE, PACKET_ACK, PACKET_RESET };
struct sim_packet {
    struct sim_packet *next;
    int64_t at_ns;                     /* when it arrives, if all before it have */
    enum sim_packet_kind kind;
    uint32_t largest_piece;
    uint64_t to;                       /* data: up to here; ack: what has arrived */
    uint64_t limit;                    /* ack: up to where one may send */
};

/*
 * One direction of a connection. Its bytes are numbered from 0, the FIN is the one behind the last. They lie in one
 * ring from when they are written until they are both read and known to have arrived:
 *     read <= received <= sent <= written + 1,    acked <= received
 */
struct sim_flow {
    uint8_t *ring;
    size_t capacity;                   /* a power of two, or 0 */
    uint64_t written, sent, acked;     /* of the sender */
    uint64_t received, read;           /* of the receiver */
    uint64_t limit;                    /* up to where the sender knows that there is room */
    uint64_t advertised;               /* the limit that the receiver told last */
    bool has_end;                      /* the sender has no more to write */
    bool ack_travels;                  /* one at a time; in the other direction */

    struct sim_packet *first, *last;   /* on the way, from the sender */
    uint64_t event;                    /* the first one arrives; 0: none */
};

enum sim_end_state { END_UNBORN, END_CONNECTING, END_ANSWERING, END_OPEN, END_CLOSED };
/* An end of a connection: what the kernel of a machine keeps of it. */
struct sim_end {
    struct sim_socket base;
    struct sim_connection *connection;
    struct sim_end *peer;
    struct sim_listener *listener;     /* whose queue it is to go to, or is in; NULL: a program has it, or had */
    struct list link;                  /* in that queue */
    enum sim_end_state state;
    int failure;                       /* an errno, told once */
    bool reads_no_more;                /* socket_shutdown() */
    int64_t user_timeout_ns;           /* 0: none */
    struct sim_flow out;

    uint64_t timer;                    /* of the next retransmission; 0: nothing is known to be lost */
    int64_t stalled_since_ns, retry_ns;
};

struct sim_connection {
    struct list link;                  /* of the world's, in order of making */
    struct sim_end ends[2];            /* who connected, who listened */
};

struct sim_listener {
    struct sim_socket base;
    struct list link;                  /* of its machine's */
    struct list queue;                 /* of ends to be accepted */
    size_t queued, half_open, backlog;
    bool is_shut;
};

/* A machine's part of the network. */
struct sim_network_node {
    struct sim_node *node;
    struct sim_link_state **links;     /* to the machine of that index; NULL until asked for */
    int link_count;
    struct list listeners, datagrams;
    uint32_t next_port;
    bool ports_came_round;
    uint32_t dark_boots;               /* its power went when it had been started so often */

    struct sim_descriptor { enum sim_kind kind; void *object; } *descriptors;
    int descriptor_count, descriptor_limit, lowest_free, open_count;
};

/* ---- sim_network.c ---- */
struct sim_node *network_node_of(uint32_t ip, struct sim_node *from);    /* NULL: no machine has it */
uint32_t network_ip(const struct sim_node *node);
bool network_is_dark(const struct sim_node *node);    /* without power */
/* When something of that size sent now arrives; false: the link is cut. */
bool network_travel(struct sim_node *from, struct sim_node *to, size_t size, int64_t *ret_at_ns);
uint32_t network_largest_piece(struct sim_node *from, struct sim_node *to);
void network_adopt(struct sim_connection *connection);
struct list *network_connections(void);
uint64_t network_next_serial(void);
/* The true time of a deadline of the current program, in its elapsed ms or ns; INT64_MAX is none. */
int64_t network_deadline_ms(int64_t deadline_ms);
int64_t network_deadline_ns(int64_t deadline_ns);
void *network_alloc(size_t size);                     /* zeroed; never fails */
/* The IPv4 address in it, ANY_IP for any of a family; false: one that is not of IPv4. */
bool network_plain_ip(const struct address *address, uint32_t *ret_ip);
void network_address(uint32_t ip, uint16_t port, struct address *ret_address);
/* Is it one of this machine's; any is. */
bool network_is_own(const struct sim_node *node, uint32_t ip);

/* ---- sim_descriptor.c ---- */
/* -1 and errno as sim_descriptor_take(). */
int descriptor_take(struct sim_node *node, enum sim_kind kind, void *object);
void descriptor_give(struct sim_node *node, int fd);
bool descriptor_is_left(struct sim_node *node);
/* What the current program has under that number, if it is of that kind. */
void *descriptor_find(int fd, enum sim_kind kind);
/* A socket of the current program. NULL and errno EBADF when it has none: a violation, unless it may be so. */
struct sim_socket *descriptor_socket(int fd, const char *call);

/* ---- sim_socket.c, for all that have sockets ---- */
void socket_begin(struct sim_socket *socket, enum sim_kind kind, struct sim_node *node);
uint32_t socket_ready(const struct sim_socket *socket);    /* POLLER_* */
void socket_changed(struct sim_socket *socket);            /* tells who waits, if it is ready for what they wait for */
/* As a kernel closes it. Its memory may be gone then. */
void socket_lose(struct sim_socket *socket);

/* ---- sim_poller.c ---- */
void poller_look_at(struct sim_socket *socket, uint32_t ready);
void poller_forget(struct sim_socket *socket);
void poller_destroy(struct poller *poller);

/* ---- sim_stream.c ---- */
struct sim_connection *stream_new(struct sim_node *from, struct sim_node *to);
void stream_send(struct sim_end *from, enum sim_packet_kind kind);
void stream_send_data(struct sim_end *end);                /* what it has and may */
void stream_acknowledge(struct sim_end *end);
void stream_stall(struct sim_end *end);                    /* something it sent is lost: it will try again */
void stream_calm(struct sim_end *end);                     /* it need not */
void stream_set_user_timeout(struct sim_end *end, int64_t timeout_ns);
size_t stream_readable(const struct sim_end *end);
bool stream_at_end(const struct sim_end *end);             /* the peer's FIN has arrived */
size_t stream_room(const struct sim_end *end);
size_t stream_write(struct sim_end *end, const void *bytes, size_t size);
void stream_read(struct sim_end *end, void *bytes, size_t size, bool is_peek);
void stream_reset(struct sim_end *end);                    /* as by a RST that arrives */
void stream_abort(struct sim_end *end);                    /* ends it with a RST to the peer */
void stream_close(struct sim_end *end);                    /* its program has closed it */
void stream_vanish(struct sim_end *end);                   /* with the power */
void stream_free_if_done(struct sim_connection *connection);
void stream_free(struct sim_connection *connection);

/* ---- sim_handshake.c ---- */
bool handshake_port_is_free(struct sim_node *node, uint32_t ip, uint16_t port);
uint16_t handshake_ephemeral_port(struct sim_node *node);
void handshake_start(struct sim_end *end);
void handshake_syn_arrives(struct sim_end *end);
void handshake_answer_arrives(struct sim_end *end);
void handshake_done(struct sim_end *end);                  /* of the one who listened */
void handshake_forget(struct sim_end *end);                /* it came to nothing */
void handshake_close(struct sim_listener *listener);       /* with who waits to be accepted */

/* ---- sim_datagram.c ---- */
void datagram_lose(struct sim_socket *socket);
void datagram_end(void);                                   /* what is on the way */
bool datagram_is_ready(const struct sim_socket *socket);

#endif
