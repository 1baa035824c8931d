/*
 * bench_echo.c - getData and exists with the value that zkbench wants of the node in the path, made on the spot; create
 * and delete without an effect, so that zkbench finds its nodes; all else is not implemented.
 */
#include "client/bench/bench_echo.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "client/bench/bench_plan.h"
#include "client/bench/bench_value.h"
#include "common/base/list.h"
#include "common/base/memory.h"
#include "common/net/socket.h"
#include "common/thread/thread.h"
#include "common/wire/op_code.h"
#include "common/wire/records.h"

#define READ_SIZE ((size_t)128 * 1024)
#define EVENTS 256
#define FRAME_MOST (4 * 1024 * 1024)
#define BACKLOG 1024
enum { STAT_SIZE = 68, STAT_DATA_LENGTH = 52, HEADER_SIZE = 16, NODE_DIGITS = 9 };

struct connection {
    struct list link;
    int fd;
    bool is_greeted, is_blocked;
    struct buffer in, out;
};
struct echo {
    struct poller *poller;
    struct list connections;
    int listener;
    uint32_t value_size;
    uint8_t *pattern;
    int64_t sessions;
    _Atomic bool is_over;
};

static void drop(struct echo *echo, struct connection *connection)
{
    poller_remove(echo->poller, connection->fd);
    socket_close(connection->fd);
    list_remove(&connection->link);
    buffer_release(&connection->in);
    buffer_release(&connection->out);
    memory_free(connection);
}

static void accept_all(struct echo *echo)
{
    int fd;
    struct address peer;
    while (socket_accept(echo->listener, &fd, &peer, NULL) == ZK_OK) {
        struct connection *connection = MEMORY_NEW(struct connection);
        connection->fd = fd;
        list_add_last(&echo->connections, &connection->link);
        socket_set_no_delay(fd);
        if (poller_add(echo->poller, fd, POLLER_READ, connection, NULL) != ZK_OK)
            drop(echo, connection);
    }
}

static uint8_t *begin_reply(struct buffer *out, size_t body_size, int32_t xid, int32_t err)
{
    uint8_t *at = buffer_extend(out, 4 + HEADER_SIZE + body_size);
    store_be32(at, (uint32_t)(HEADER_SIZE + body_size));
    store_be32(at + 4, (uint32_t)xid);
    store_be64(at + 8, 1);
    store_be32(at + 16, (uint32_t)err);
    return at + 4 + HEADER_SIZE;
}

static void put_stat(const struct echo *echo, uint8_t *at)
{
    memset(at, 0, STAT_SIZE);
    store_be32(at + STAT_DATA_LENGTH, echo->value_size);
}

/* "DDDDD/NNN" at the end of a path. */
static uint32_t node_of(const uint8_t *path, size_t size)
{
    uint32_t node = 0;
    for (size_t i = size < NODE_DIGITS ? 0 : size - NODE_DIGITS; i < size; i++)
        if (path[i] >= '0' && path[i] <= '9')
            node = node * 10 + (uint32_t)(path[i] - '0');
    return node;
}

static void greet(struct echo *echo, struct buffer *out)
{
    static const uint8_t password[16] = {0};
    struct connect_response response = { .time_out = 30000, .session_id = ++echo->sessions,
                                         .passwd = { password, sizeof(password) } };
    size_t start = out->size;
    buffer_extend(out, 4);
    jute_write_connect_response(out, &response);
    store_be32(out->bytes + start, (uint32_t)(out->size - start - 4));
}

/* A request whose first field is a path. */
static void answer_path(const struct echo *echo, struct buffer *out, int32_t xid, int32_t type, const uint8_t *body,
                        size_t size)
{
    uint32_t path_size = size < 4 ? 0 : load_be32(body);
    if (path_size == 0 || path_size > size - 4) {
        begin_reply(out, 0, xid, ZK_MARSHALLING_ERROR);
        return;
    }
    if (type == OP_GET_DATA) {
        uint8_t *at = begin_reply(out, 4 + echo->value_size + STAT_SIZE, xid, 0);
        store_be32(at, echo->value_size);
        bench_value_write(echo->pattern, node_of(body + 4, path_size), 0, at + 4, echo->value_size);
        put_stat(echo, at + 4 + echo->value_size);
    } else if (type == OP_EXISTS) {
        put_stat(echo, begin_reply(out, STAT_SIZE, xid, 0));
    } else {    /* the path itself: create, sync */
        memcpy(begin_reply(out, 4 + path_size, xid, 0), body, 4 + path_size);
    }
}

static void answer(const struct echo *echo, struct buffer *out, const uint8_t *frame, size_t size)
{
    int32_t xid = (int32_t)load_be32(frame), type = (int32_t)load_be32(frame + 4);
    switch (type) {
    case OP_GET_DATA: case OP_EXISTS: case OP_CREATE: case OP_SYNC:
        answer_path(echo, out, xid, type, frame + 8, size - 8);
        break;
    case OP_DELETE: case OP_PING: case OP_CLOSE_SESSION:
        begin_reply(out, 0, xid, 0);
        break;
    default:
        begin_reply(out, 0, xid, ZK_UNIMPLEMENTED);
    }
}

/* False: the connection is over. */
static bool send_out(struct echo *echo, struct connection *connection)
{
    size_t at = 0, sent;
    int err = ZK_OK;
    while (at < connection->out.size && err == ZK_OK) {
        struct iovec part = { .iov_base = connection->out.bytes + at, .iov_len = connection->out.size - at };
        err = socket_send(connection->fd, &part, 1, &sent);
        if (err == ZK_OK)
            at += sent;
    }
    buffer_consume(&connection->out, at);
    bool is_blocked = err == ZK_AGAIN;
    if (is_blocked != connection->is_blocked)
        poller_modify(echo->poller, connection->fd, is_blocked ? POLLER_WRITE : POLLER_READ, connection);
    connection->is_blocked = is_blocked;
    return err == ZK_OK || is_blocked;
}

static bool take_in(struct echo *echo, struct connection *connection)
{
    struct buffer *in = &connection->in;
    size_t got, at = 0;
    int err = socket_receive(connection->fd, buffer_reserve(in, READ_SIZE), READ_SIZE, &got);
    if (err != ZK_OK)
        return err == ZK_AGAIN;
    in->size += got;
    while (in->size - at >= 4) {
        uint32_t size = load_be32(in->bytes + at);
        if (size < 8 || size > FRAME_MOST)
            return false;
        if (in->size - at - 4 < size)
            break;
        if (connection->is_greeted)
            answer(echo, &connection->out, in->bytes + at + 4, size);
        else
            greet(echo, &connection->out);
        connection->is_greeted = true;
        at += 4 + (size_t)size;
    }
    buffer_consume(in, at);
    return send_out(echo, connection);
}

static void serve(void *arg)
{
    struct echo *echo = arg;
    struct poller_event events[EVENTS];
    while (!atomic_load(&echo->is_over)) {
        size_t count = poller_wait(echo->poller, events, EVENTS, INT64_MAX);
        for (size_t i = 0; i < count; i++) {
            struct connection *connection = events[i].data;
            if (events[i].data == NULL)
                continue;
            if (events[i].data == echo)
                accept_all(echo);
            else if (!(connection->is_blocked ? send_out(echo, connection) : take_in(echo, connection)))
                drop(echo, connection);
        }
    }
}

int bench_echo_run(const struct bench_options *options, struct error *error)
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct address address;
    struct echo echo = {.value_size = (uint32_t)options->size_most};
    address_from_ip("127.0.0.1", (uint16_t)options->echo_port, &address);
    int err = socket_listen(&address, BACKLOG, &echo.listener, error);
    if (err != ZK_OK)
        return err;
    list_init(&echo.connections);
    echo.pattern = bench_value_pattern_new(echo.value_size);
    echo.poller = poller_new();
    err = poller_add(echo.poller, echo.listener, POLLER_READ, &echo, error);
    if (err == ZK_OK) {
        struct thread *thread = thread_start("Echo", serve, &echo);
        if (!options->is_quiet) {
            printf("listening on 127.0.0.1:%d\n", (int)options->echo_port);
            fflush(stdout);
        }
        thread_wait_signal(signals, ARRAY_SIZE(signals), -1);
        atomic_store(&echo.is_over, true);
        poller_wake(echo.poller);
        thread_join(thread);
    }
    LIST_EACH_SAFE(link, &echo.connections)
        drop(&echo, LIST_ENTRY(link, struct connection, link));
    poller_free(echo.poller);
    socket_close(echo.listener);
    memory_free(echo.pattern);
    return err;
}
