/*
 * What the tests of the simulated network share: two machines, `near` and `far`, with a program each, and a driver,
 * which cuts links and machines off; and short words for what they do often. What the programs share are variables:
 * only one of them runs at a time.
 */
#ifndef ZKC_TESTS_SIMULATOR_TEST_SIM_NETWORK_H
#define ZKC_TESTS_SIMULATOR_TEST_SIM_NETWORK_H

#include <errno.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/net/poller.h"
#include "common/net/socket.h"
#include "tests/lib/check_main.h"
#include "tests/simulator/network.h"

#define PORT 2181
#define BUFFER (128 << 10)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define PATTERN_PRIME 65521

static struct sim_node *near, *far;

static inline void make_machines(void)
{
    near = sim_node_new("near");
    far = sim_node_new("far");
}

static inline void run_both(int (*near_main)(void *arg), int (*far_main)(void *arg))
{
    sim_node_start(far, far_main, NULL);
    sim_sleep_until(sim_now_ns() + 10 * SIM_MS);    /* it listens by then */
    sim_node_start(near, near_main, NULL);
}

static inline void join_both(void)
{
    ck_assert(sim_node_join(near, sim_now_ns() + 3600 * SIM_S));
    ck_assert(sim_node_join(far, sim_now_ns() + 3600 * SIM_S));
    ck_assert_msg(sim_verdict() == NULL, "%s", sim_verdict());
}

static inline void run_to_the_end(int (*near_main)(void *arg), int (*far_main)(void *arg))
{
    make_machines();
    run_both(near_main, far_main);
    join_both();
}

static inline struct address address_of(const char *ip, uint16_t port)
{
    struct address address;
    ck_assert(address_from_ip(ip, port, &address));
    return address;
}

static inline struct address far_address(void)
{
    return address_of("10.0.0.2", PORT);
}

static inline int64_t soon_ms(void)
{
    return clock_elapsed_ms() + 10000;
}

static inline int listen_at(const char *ip, uint16_t port, int backlog)
{
    struct address address = address_of(ip, port);
    struct error error = {0};
    int fd = -1;
    ck_assert_msg(socket_listen(&address, backlog, &fd, &error) == ZK_OK, "%s", error.text);
    return fd;
}

static inline int accept_from(int listener)
{
    struct address peer;
    struct error error = {0};
    int fd = -1;
    ck_assert_int_eq(socket_wait(listener, POLLER_READ, INT64_MAX), ZK_OK);
    ck_assert_msg(socket_accept(listener, &fd, &peer, &error) == ZK_OK, "%s", error.text);
    return fd;
}

/* The one connection that most programs here have. */
static inline int accept_one(void)
{
    int listener = listen_at("0.0.0.0", PORT, 0);
    int fd = accept_from(listener);
    socket_close(listener);
    return fd;
}

static inline int connect_to_far(void)
{
    struct address address = far_address();
    struct error error = {0};
    int fd = -1;
    ck_assert_msg(socket_connect(&address, soon_ms(), &fd, &error) == ZK_OK, "%s", error.text);
    return fd;
}

static inline int send_some(int fd, const void *bytes, size_t size, size_t *ret_sent)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
    return socket_send(fd, &part, 1, ret_sent);
}

static inline void sleep_ms(int64_t ms)
{
    clock_sleep_ms(ms);
}

static inline int accept_and_close_main(void *arg)
{
    (void)arg;
    socket_close(accept_one());
    return 0;
}

static inline int idle_main(void *arg)
{
    (void)arg;
    sleep_ms(100);
    return 0;
}

/* A byte that tells its place in a stream. */
static inline uint8_t pattern_at(uint64_t at)
{
    return (uint8_t)(at % PATTERN_PRIME * 31 + at / PATTERN_PRIME);
}

#endif
