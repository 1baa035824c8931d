/*
 * leader_election.c - rounds of questions, a second apart.
 *
 * Departs from Java: answers are told apart by whom was asked and not by where they came from, an answer to an older
 * question is passed over in place of taking the turn of the next one, and shutdown() ends a search.
 */
#include "server/quorum/leader_election.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/net/datagram.h"
#include "common/net/poller.h"
#include "common/net/socket.h"
#include "server/quorum/big_endian.h"
#include "server/quorum/responder_thread.h"

enum { ANSWER_TIMEOUT_MS = 200, ROUND_PAUSE_MS = 1000, FOLLOWER_PAUSE_MS = 100 };

struct leader_election {
    struct election base;
    struct quorum_self *self;
    struct responder_thread *responder;
    struct poller *poller;    /* QuorumPeer's; woken by shutdown() */
    _Atomic bool is_shut_down;
};

static struct leader_election *of(struct election *election)
{
    return container_of(election, struct leader_election, base);
}

/* Until the deadline, or an event. False: told to end. */
static bool wait_for(struct leader_election *election, int64_t deadline_ms)
{
    struct poller_event event;
    poller_wait(election->poller, &event, 1, deadline_ms);
    return !atomic_load(&election->is_shut_down);
}

static void pause_for(struct leader_election *election, int64_t ms)
{
    int64_t deadline_ms = clock_elapsed_ms() + ms;
    while (clock_elapsed_ms() < deadline_ms && wait_for(election, deadline_ms))
        ;
}

/* One datagram. True: it is the answer. */
static bool read_answer(int fd, int32_t xid, struct polled_vote *ret_vote)
{
    uint8_t bytes[RESPONDER_RESPONSE_SIZE];
    struct address from;
    size_t size;
    if (datagram_receive(fd, bytes, sizeof(bytes), &size, &from) != ZK_OK)
        return false;
    if (size < sizeof(bytes)) {
        log_warn("Got a short response: %zu", size);
        return false;
    }
    if (get_int32(bytes) != xid)
        return false;
    *ret_vote = (struct polled_vote){
        .sid = get_int64(bytes + 4), .leader = get_int64(bytes + 12), .zxid = get_int64(bytes + 20)};
    return true;
}

static bool ask(struct leader_election *election, int fd, const struct quorum_server *server, int32_t xid,
                struct polled_vote *ret_vote)
{
    struct address address;
    struct error error = {0};
    size_t count;
    uint8_t request[RESPONDER_REQUEST_SIZE];
    put_int32(request, xid);
    if (quorum_addresses_resolve(server->addresses, 1, &address, 1, &count, &error) != ZK_OK) {
        log_warn("Ignoring exception while looking for leader: %s", error.text);
        return false;
    }
    if (datagram_send(fd, &address, request, sizeof(request)) != ZK_OK)
        return false;
    int64_t deadline_ms = clock_elapsed_ms() + ANSWER_TIMEOUT_MS;
    bool has_answer = read_answer(fd, xid, ret_vote);
    while (!has_answer && clock_elapsed_ms() < deadline_ms && wait_for(election, deadline_ms))
        has_answer = read_answer(fd, xid, ret_vote);
    return has_answer && ret_vote->sid == server->id;
}

static struct vote vote_of(int64_t leader, int64_t zxid)
{
    return (struct vote){.id = leader, .zxid = zxid, .election_epoch = -1, .peer_epoch = -1};
}

static void cast(struct quorum_self *self, int64_t leader, int64_t zxid)
{
    struct vote vote = vote_of(leader, zxid);
    quorum_self_set_current_vote(self, &vote);
}

/* One question to each. True: most vote for the tally's winner. */
static bool ask_all(struct leader_election *election, int fd, struct leader_election_tally *ret_tally)
{
    struct quorum_verifier *verifier = quorum_self_verifier(election->self);
    size_t voters = quorum_verifier_voter_count(verifier), count = 0;
    struct polled_vote *votes = MEMORY_NEW_ARRAY(voters, struct polled_vote);
    int32_t xid = (int32_t)(uint32_t)random_uint64();
    for (size_t i = 0; i < quorum_verifier_count(verifier) && !atomic_load(&election->is_shut_down); i++) {
        const struct quorum_server *server = quorum_verifier_at(verifier, i);
        if (server->type == LEARNER_PARTICIPANT && ask(election, fd, server, xid, &votes[count]))
            count++;
    }
    leader_election_count(votes, count, ret_tally);
    memory_free(votes);
    quorum_verifier_unref(verifier);
    return ret_tally->winning_count > voters / 2;
}

static bool leave(struct leader_election *election, const struct vote *vote)
{
    struct quorum_self *self = election->self;
    bool observes = quorum_self_learner_type(self) == LEARNER_OBSERVER;
    log_info("Found leader: my type is: %s", observes ? "OBSERVER" : "PARTICIPANT");
    if (observes && vote->id == self->id) {
        log_error("OBSERVER elected as leader!");
        return false;
    }
    quorum_self_set_state(self, vote->id == self->id ? PEER_LEADING : observes ? PEER_OBSERVING : PEER_FOLLOWING);
    if (vote->id != self->id)
        pause_for(election, FOLLOWER_PAUSE_MS);
    return true;
}

static int look(struct leader_election *election, int fd, struct vote *ret_vote)
{
    struct quorum_self *self = election->self;
    cast(self, self->id, quorum_self_last_logged_zxid(self));
    while (!atomic_load(&election->is_shut_down) && quorum_self_state(self) == PEER_LOOKING) {
        struct leader_election_tally tally;
        bool is_over = ask_all(election, fd, &tally);
        if (tally.valid_count == 0)    /* 569: not for one who may be dead */
            cast(self, self->id, quorum_self_last_logged_zxid(self));
        else if (tally.winner >= 0)
            cast(self, tally.leader, tally.zxid);
        if (is_over && tally.winner >= 0) {
            struct vote vote = vote_of(tally.winner, tally.winner_zxid);
            quorum_self_set_current_vote(self, &vote);
            if (leave(election, &vote)) {
                *ret_vote = vote;
                return ZK_OK;
            }
        }
        pause_for(election, ROUND_PAUSE_MS);
    }
    return ZK_CLOSED;
}

static int look_for_leader(struct election *base, struct vote *ret_vote)
{
    struct leader_election *election = of(base);
    struct address any;
    struct error error = {0};
    int fd;
    atomic_store(&election->self->start_fle_ms, clock_elapsed_ms());
    address_any(0, &any);
    int err = datagram_open(&any, &fd, &error);
    if (err == ZK_OK)
        err = poller_add(election->poller, fd, POLLER_READ, election, &error);
    if (err != ZK_OK) {
        log_error("Socket exception when creating socket for leader election: %s", error.text);
        return err;
    }
    err = look(election, fd, ret_vote);
    poller_remove(election->poller, fd);
    socket_close(fd);
    return err;
}

static void shut_down(struct election *base)
{
    struct leader_election *election = of(base);
    atomic_store(&election->is_shut_down, true);
    poller_wake(election->poller);
}

static void free_election(struct election *base)
{
    struct leader_election *election = of(base);
    shut_down(base);
    responder_thread_stop(election->responder);
    poller_free(election->poller);
    memory_free(election);
}

static const struct election_ops ops = {
    .look_for_leader = look_for_leader,
    .shutdown = shut_down,
    .free = free_election,
};

int leader_election_start(struct quorum_self *self, struct election **ret_election, struct error *error)
{
    struct responder_thread *responder;
    int err = responder_thread_start(self, &responder, error);
    if (err != ZK_OK)
        return err;
    struct leader_election *election = MEMORY_NEW(struct leader_election);
    election->base.ops = &ops;
    election->self = self;
    election->responder = responder;
    election->poller = poller_new();
    *ret_election = &election->base;
    return ZK_OK;
}

/* ---- the tally ---- */

static bool was_heard_from(const struct polled_vote *votes, size_t count, int64_t sid)
{
    for (size_t i = 0; i < count; i++)
        if (votes[i].sid == sid)
            return true;
    return false;
}

/* The largest zxid that anybody gave the candidate. */
static int64_t largest_zxid(const struct polled_vote *votes, size_t count, int64_t leader)
{
    int64_t largest = INT64_MIN;
    for (size_t i = 0; i < count; i++)
        if (votes[i].leader == leader && votes[i].zxid > largest)
            largest = votes[i].zxid;
    return largest;
}

static size_t votes_for(const struct polled_vote *votes, size_t count, int64_t leader)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += votes[i].leader == leader;
    return sum;
}

void leader_election_count(struct polled_vote *votes, size_t count, struct leader_election_tally *ret_tally)
{
    struct leader_election_tally tally = {.leader = VOTE_NONE_ID, .zxid = VOTE_NONE_ID, .winner = VOTE_NONE_ID,
                                          .winner_zxid = VOTE_NONE_ID};
    for (size_t i = 0; i < count; i++)
        votes[i].zxid = largest_zxid(votes, count, votes[i].leader);
    for (size_t i = 0; i < count; i++) {
        const struct polled_vote *vote = &votes[i];
        if (!was_heard_from(votes, count, vote->leader))
            continue;
        tally.valid_count++;
        if (vote->zxid > tally.zxid || (vote->zxid == tally.zxid && vote->leader > tally.leader)) {
            tally.leader = vote->leader;
            tally.zxid = vote->zxid;
        }
        size_t sum = votes_for(votes, count, vote->leader);
        if (sum > tally.winning_count) {
            tally.winning_count = sum;
            tally.winner = vote->leader;
            tally.winner_zxid = vote->zxid;
        }
    }
    *ret_tally = tally;
}
