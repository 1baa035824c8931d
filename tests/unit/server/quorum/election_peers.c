/* election_peers.c - see election_peers.h. */
#include "tests/unit/server/quorum/election_peers.h"

#include <check.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/net/datagram.h"
#include "common/net/socket.h"
#include "server/quorum/election_message.h"

/* Below what the system takes for connections that go out, which could have the port before we listen at it. */
enum { FIRST_PORT = 29000, PORTS = 3700 };    /* tests/lib/ports.py has what is below */
enum { PORTS_EACH = 16 };                     /* so far apart begin processes that follow each other */

uint16_t free_port(void)
{
    static pid_t owner;
    static uint32_t given;    /* one after the other, so that none is given twice */
    if (owner != getpid()) {
        owner = getpid();
        given = (uint32_t)owner * PORTS_EACH;
    }
    for (;;) {
        uint16_t port = (uint16_t)(FIRST_PORT + given++ % PORTS);
        struct address address;
        int tcp = -1, udp = -1;
        ck_assert(address_from_ip("127.0.0.1", port, &address));
        bool is_free = socket_listen(&address, 1, &tcp, NULL) == ZK_OK && datagram_open(&address, &udp, NULL) == ZK_OK;
        socket_close(tcp);
        socket_close(udp);
        if (is_free)
            return port;
    }
}

void wait_until(bool (*is_so)(void *arg), void *arg, const char *fact)
{
    int64_t deadline_ms = clock_elapsed_ms() + DEADLINE_MS;
    while (!is_so(arg)) {
        ck_assert_msg(clock_elapsed_ms() < deadline_ms, "not in time: %s", fact);
        clock_sleep_ms(2);
    }
}

static int64_t last_logged_zxid(void *owner)
{
    return atomic_load(&((struct election_peer *)owner)->zxid);
}

static void end_with(void *owner, int exit_code, const struct error *error)
{
    (void)error;
    atomic_store(&((struct election_peer *)owner)->failed_with, exit_code);
}

static const struct quorum_self_ops ops = {.last_logged_zxid = last_logged_zxid, .fail = end_with};

static void look(void *arg)
{
    struct election_peer *peer = arg;
    peer->result = fast_leader_election_look_for_leader(peer->election, &peer->found);
    if (peer->result == ZK_OK)
        quorum_self_set_current_vote(&peer->self, &peer->found);
    atomic_store(&peer->has_found, true);
}

static bool has_found(void *arg)
{
    return atomic_load(&((struct election_peer *)arg)->has_found);
}

char *election_config(size_t count, int64_t observer, uint16_t ports[MOST_PEERS + 1])
{
    struct buffer text = {0};
    for (size_t id = 1; id <= count; id++) {
        ports[id] = free_port();
        buffer_printf(&text, "server.%zu=127.0.0.1:1:%u:%s\n", id, ports[id],
                      (int64_t)id == observer ? "observer" : "participant");
    }
    buffer_append_string(&text, "version=0");
    return buffer_detach(&text);
}

void election_peer_init(struct election_peer *peer, int64_t id, const char *config, int64_t zxid)
{
    struct quorum_parse_options parse_options = {0};
    struct quorum_verifier *verifier = NULL;
    struct error error = {0};
    memset(peer, 0, sizeof(*peer));
    atomic_store(&peer->zxid, zxid);
    atomic_store(&peer->failed_with, -1);
    server_options_init(&peer->options);
    peer->options.tick_time = 500;
    peer->options.sync_limit = 4;
    ck_assert_msg(quorum_verifier_parse_text(config, strlen(config), &parse_options, &verifier, &error) == ZK_OK, "%s",
                  error.text);
    quorum_self_init(&peer->self, &peer->options, id, verifier, NULL, NULL, &ops, peer);
    quorum_verifier_unref(verifier);
}

void election_peer_start(struct election_peer *peer)
{
    peer->manager = quorum_cnx_manager_new(&peer->self);
    quorum_cnx_manager_start(peer->manager);
    peer->election = fast_leader_election_new(&peer->self, peer->manager);
    fast_leader_election_start(peer->election);
}

void election_peer_look(struct election_peer *peer)
{
    ck_assert_ptr_null(peer->thread);
    atomic_store(&peer->has_found, false);
    quorum_self_set_state(&peer->self, PEER_LOOKING);
    peer->thread = thread_start("QuorumPeer", look, peer);
}

struct vote election_peer_leader(struct election_peer *peer)
{
    wait_until(has_found, peer, "a leader is found");
    thread_join(peer->thread);
    peer->thread = NULL;
    ck_assert_int_eq(peer->result, ZK_OK);
    return peer->found;
}

void election_peer_stop(struct election_peer *peer)
{
    if (peer->election != NULL)
        fast_leader_election_shutdown(peer->election);
    thread_join(peer->thread);
    fast_leader_election_free(peer->election);
    quorum_cnx_manager_free(peer->manager);
    quorum_self_release(&peer->self);
    server_options_release(&peer->options);
}

int raw_connect(uint16_t port)
{
    struct address address;
    int fd = -1;
    struct error error = {0};
    ck_assert(address_from_ip("127.0.0.1", port, &address));
    int64_t deadline_ms = clock_elapsed_ms() + DEADLINE_MS;
    while (socket_connect(&address, deadline_ms, &fd, &error) != ZK_OK) {
        ck_assert_msg(clock_elapsed_ms() < deadline_ms, "%s", error.text);
        clock_sleep_ms(5);
    }
    return fd;
}

void raw_send(int fd, const void *bytes, size_t size)
{
    ck_assert_int_eq(socket_send_all(fd, bytes, size, clock_elapsed_ms() + DEADLINE_MS), ZK_OK);
}

void raw_introduce(int fd, int64_t sid)
{
    struct quorum_address address = {.host = (char *)"127.0.0.1", .port = 1};
    struct buffer message = {0};
    initial_message_write(sid, &address, 1, false, &message);
    raw_send(fd, message.bytes, message.size);
    buffer_release(&message);
}

void raw_send_frame(int fd, uint32_t length, const void *bytes, size_t size)
{
    uint8_t head[4] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length};
    raw_send(fd, head, sizeof(head));
    raw_send(fd, bytes, size);
}
