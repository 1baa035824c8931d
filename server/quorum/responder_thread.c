/* responder_thread.c - one question, one answer. */
#include "server/quorum/responder_thread.h"

#include <inttypes.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/net/datagram.h"
#include "common/net/poller.h"
#include "common/net/socket.h"
#include "common/thread/thread.h"
#include "server/quorum/big_endian.h"

struct responder_thread {
    struct quorum_self *self;
    int fd;
    struct poller *poller;
    _Atomic bool is_stopped;
    struct log_limiter complaints;
    struct thread *thread;
};

/* Leader and zxid behind the xid, which stands there; what was there before stays where there is nothing to say. */
static void write_answer(struct quorum_self *self, uint8_t packet[RESPONDER_PACKET_SIZE])
{
    enum peer_state state = quorum_self_state(self);
    struct vote vote = {.id = self->id, .zxid = quorum_self_last_logged_zxid(self)};
    uint8_t *at = put_int64(packet + RESPONDER_REQUEST_SIZE, self->id);
    if (state == PEER_OBSERVING)
        return;
    int64_t zxid = vote.zxid;
    bool has_vote = quorum_self_current_vote(self, &vote);
    at = put_int64(at, state == PEER_LEADING ? self->id : vote.id);
    put_int64(at, state == PEER_LOOKING && has_vote ? vote.zxid : zxid);
}

/* One datagram. False: there is none. */
static bool answer(struct responder_thread *responder, uint8_t packet[RESPONDER_PACKET_SIZE])
{
    struct address from;
    size_t size;
    if (datagram_receive(responder->fd, packet, RESPONDER_PACKET_SIZE, &size, &from) != ZK_OK)
        return false;
    if (size != RESPONDER_REQUEST_SIZE) {
        log_warn_limited(&responder->complaints, "Got more than just an xid! Len = %zu", size);
        return true;
    }
    write_answer(responder->self, packet);
    if (datagram_send(responder->fd, &from, packet, RESPONDER_PACKET_SIZE) == ZK_IO)
        log_warn_limited(&responder->complaints, "an answer to a server that looks for a leader could not be sent");
    return true;
}

static void run(void *arg)
{
    struct responder_thread *responder = arg;
    struct poller_event event;
    uint8_t packet[RESPONDER_PACKET_SIZE] = {0};
    while (!atomic_load(&responder->is_stopped)) {
        poller_wait(responder->poller, &event, 1, INT64_MAX);
        while (!atomic_load(&responder->is_stopped) && answer(responder, packet))
            ;
    }
}

int responder_thread_start(struct quorum_self *self, struct responder_thread **ret_responder, struct error *error)
{
    struct quorum_verifier *holder;
    const struct quorum_server *me;
    struct address any;
    int fd;
    if (!quorum_self_find_server(self, self->id, &holder, &me))
        return error_set(error, ZK_NOT_FOUND, "server %" PRId64 " is in no configuration", self->id);
    address_any(me->addresses[0].port, &any);
    quorum_verifier_unref(holder);
    int err = datagram_open(&any, &fd, error);
    if (err != ZK_OK)
        return err;
    struct responder_thread *responder = MEMORY_NEW(struct responder_thread);
    responder->self = self;
    responder->fd = fd;
    responder->poller = poller_new();
    err = poller_add(responder->poller, fd, POLLER_READ, responder, error);
    if (err == ZK_OK) {
        responder->thread = thread_start("ResponderThread", run, responder);
        *ret_responder = responder;
    } else {
        responder_thread_stop(responder);
    }
    return err;
}

void responder_thread_stop(struct responder_thread *responder)
{
    if (responder == NULL)
        return;
    atomic_store(&responder->is_stopped, true);
    poller_wake(responder->poller);
    thread_join(responder->thread);
    socket_close(responder->fd);
    poller_free(responder->poller);
    memory_free(responder);
}
