/*
 * The simulated network: what stands behind common/net/socket.h, poller.h and datagram.h, and what a test does to it.
 *
 * Machine i has the one address 10.0.0.(i + 1), and 127.0.0.1 for itself; a port of an address is of one listener at
 * a time. Descriptors are small numbers of each program, the lowest free one first, from 3; a socket takes one, a
 * poller two as the real one does, and open files count too (sim_descriptor_take()).
 *
 * Connections are streams as TCP has them. Bytes wait at the sender until the link takes them, travel for the link's
 * latency, arrive in order in pieces that the seed cuts, and wait at the receiver. Sent bytes count against the
 * sender's buffer until the other direction of the link has brought back that they arrived, so a link that is cut one
 * way fills it. A cut link loses nothing: what was sent arrives when it is mended, some retransmission later; but a
 * connection with a user timeout breaks when bytes wait longer than that, and any breaks after 15 minutes. Connecting
 * over a cut link is silence. A machine whose program is gone answers what arrives with a reset, one without power
 * answers nothing until it runs again. All of it costs no real time and no thread.
 *
 * What a program could only do by mistake is a violation: closing or using a descriptor that is not open, closing one
 * on which another thread sleeps.
 */
#ifndef ZKC_TESTS_SIMULATOR_NETWORK_H
#define ZKC_TESTS_SIMULATOR_NETWORK_H

#include "tests/simulator/scheduler.h"

/* One direction between two machines; also from a machine to itself. */
struct sim_link {
    int64_t least_latency_ns, most_latency_ns;    /* of what is sent at once; order is kept within a connection */
    int64_t bytes_per_s;                          /* 0: as fast as you like */
    uint32_t largest_piece;                       /* 1: byte by byte; 0: whole, as it was sent */
    bool is_cut;
};
/* The link, to be read and changed at any time; a change holds for what is sent from now on. At first 50 to 500 us and
 * whole. */
struct sim_link *sim_link(const struct sim_node *from, const struct sim_node *to);
void sim_link_cut(struct sim_node *from, struct sim_node *to, bool is_cut);    /* traced; one way */
/* Resets the connections between two machines, or of one with all (`b` is NULL); a share of them, one in `n`. */
void sim_network_reset(struct sim_node *a, struct sim_node *b, uint64_t n);

/* Of the current program: the lowest free number, for a file or a socket; -1 and errno EMFILE beyond the limit. */
int sim_descriptor_take(void);
void sim_descriptor_give(int descriptor);    /* what sim_network_lose_program() took away already is left alone */
int64_t sim_descriptor_next(void);           /* INT64_MAX when there is none left */
int64_t sim_descriptors_open(void);          /* with the three that every program has */
int64_t sim_descriptors_most(void);
void sim_descriptor_limit(struct sim_node *node, int limit);    /* 65,536 at first */

#endif
