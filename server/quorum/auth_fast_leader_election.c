/*
 * auth_fast_leader_election.c - rounds as they were before votes had an epoch: the larger zxid wins, then the larger
 * id.
 *
 * Departs from Java: an observer does not propose itself; within finalizeWait votes are dealt with as they come; a
 * quorum is what the configuration says, where Java takes a majority; when all have voted the proposal needs that
 * quorum too, as a vote may be one that was sent before its sender had found a leader, and is sent again as it was; and
 * shutdown() ends a search.
 */
#include "server/quorum/auth_fast_leader_election.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "server/quorum/auth_election_messenger.h"
#include "server/quorum/election_rules.h"

enum { FINALIZE_WAIT_MS = 100 };

struct auth_fast_leader_election {
    struct election base;
    struct quorum_self *self;
    struct auth_election_messenger *messenger;
    int64_t logical_clock;
    struct vote proposal;              /* id and zxid */
    struct ballots received;           /* recvset */
    struct ballots out_of_election;
};

static struct auth_fast_leader_election *of(struct election *election)
{
    return container_of(election, struct auth_fast_leader_election, base);
}

static bool supersedes(const struct vote *newer, const struct vote *older)
{
    return newer->zxid > older->zxid || (newer->zxid == older->zxid && newer->id > older->id);
}

/* termPredicate: those who name this leader with this zxid are a quorum. */
static bool has_quorum(struct auth_fast_leader_election *election, const struct ballots *ballots,
                       const struct vote *vote)
{
    struct sid_set acks = {0};
    struct quorum_verifier *verifier = quorum_self_verifier(election->self);
    for (size_t i = 0; i < ballots->count; i++)
        if (ballots->items[i].vote.id == vote->id && ballots->items[i].vote.zxid == vote->zxid)
            sid_set_add(&acks, ballots->items[i].sid);
    bool has = quorum_verifier_contains_quorum(verifier, &acks);
    quorum_verifier_unref(verifier);
    sid_set_release(&acks);
    return has;
}

static bool is_voter(struct auth_fast_leader_election *election, int64_t sid)
{
    struct quorum_verifier *verifier = quorum_self_verifier(election->self);
    bool is = quorum_verifier_is_voter(verifier, sid);
    quorum_verifier_unref(verifier);
    return is;
}

static bool all_voted(struct auth_fast_leader_election *election)
{
    struct quorum_verifier *verifier = quorum_self_verifier(election->self);
    bool all = election->received.count == quorum_verifier_voter_count(verifier);
    quorum_verifier_unref(verifier);
    return all;
}

static void send_notifications(struct auth_fast_leader_election *election)
{
    struct vote vote = election->proposal;
    vote.election_epoch = election->logical_clock;
    auth_election_messenger_set_round(election->messenger, election->logical_clock);
    auth_election_messenger_send_to_all(election->messenger, &vote);
}

static void begin_round(struct auth_fast_leader_election *election)
{
    election->logical_clock++;
    ballots_clear(&election->received);
    ballots_clear(&election->out_of_election);
    bool votes = is_voter(election, election->self->id);
    election->proposal = (struct vote){.id = votes ? election->self->id : VOTE_NONE_ID,
                                       .zxid = votes ? quorum_self_last_logged_zxid(election->self) : VOTE_NONE_ID};
    log_info("New election. My id = %" PRId64 ", proposed zxid=0x%" PRIx64, election->self->id,
             (uint64_t)election->proposal.zxid);
    send_notifications(election);
}

/* A vote of somebody who looks. True: the proposal has a quorum; *ret_is_over: and all have voted. */
static bool receive_looking(struct auth_fast_leader_election *election, const struct notification *n,
                            bool *ret_is_over)
{
    bool is_better = supersedes(&n->vote, &election->proposal);
    if (n->vote.election_epoch < election->logical_clock)
        return has_quorum(election, &election->received, &election->proposal);
    bool is_new_round = n->vote.election_epoch > election->logical_clock;
    if (is_new_round) {
        election->logical_clock = n->vote.election_epoch;
        ballots_clear(&election->received);
    }
    if (is_better)
        election->proposal = (struct vote){.id = n->vote.id, .zxid = n->vote.zxid};
    if (is_better || is_new_round)
        send_notifications(election);
    ballots_put(&election->received, n->sid, &n->vote);
    bool has = has_quorum(election, &election->received, &election->proposal);
    *ret_is_over = has && all_voted(election);
    return has;
}

/* One notification. True: the leader is *ret_vote. *has_proposal: the proposal has a quorum. */
static bool receive(struct auth_fast_leader_election *election, const struct notification *n, bool *has_proposal,
                    struct vote *ret_vote)
{
    if (!is_voter(election, n->sid) || !is_voter(election, n->vote.id))
        return false;
    bool is_over = false;
    if (n->vote.state == PEER_LOOKING) {
        *has_proposal = receive_looking(election, n, &is_over);
        *ret_vote = election->proposal;
    } else if (n->vote.state != PEER_OBSERVING) {
        ballots_put(&election->out_of_election, n->sid, &n->vote);
        is_over = has_quorum(election, &election->out_of_election, &n->vote);
        *ret_vote = n->vote;
    }
    return is_over;
}

static bool is_looking(struct auth_fast_leader_election *election)
{
    return quorum_self_state(election->self) == PEER_LOOKING &&
           !auth_election_messenger_is_halted(election->messenger);
}

/* ZK_CLOSED: told to stop. */
static int run(struct auth_fast_leader_election *election, struct vote *ret_vote)
{
    bool has_proposal = false;
    int64_t finalize_ms = 0;
    while (is_looking(election)) {
        struct notification notification;
        struct vote before = election->proposal;
        bool had_proposal = has_proposal;
        int64_t deadline_ms = has_proposal ? finalize_ms : clock_elapsed_ms() + 2 * FINALIZE_WAIT_MS;
        if (auth_election_messenger_receive(election->messenger, deadline_ms, &notification)) {
            if (receive(election, &notification, &has_proposal, ret_vote))
                return ZK_OK;
            if (has_proposal && (!had_proposal || !vote_equal(&before, &election->proposal)))
                finalize_ms = clock_elapsed_ms() + FINALIZE_WAIT_MS;
        } else if (!has_proposal && (election->out_of_election.count > 0 || election->received.count > 1)) {
            send_notifications(election);
        }
        if (had_proposal && has_proposal && clock_elapsed_ms() >= finalize_ms) {
            *ret_vote = election->proposal;
            return ZK_OK;
        }
    }
    return ZK_CLOSED;
}

static int look_for_leader(struct election *base, struct vote *ret_vote)
{
    struct auth_fast_leader_election *election = of(base);
    struct quorum_self *self = election->self;
    struct vote vote;
    atomic_store(&self->start_fle_ms, clock_elapsed_ms());
    begin_round(election);
    int err = run(election, &vote);
    if (err != ZK_OK)
        return err;
    bool observes = quorum_self_learner_type(self) == LEARNER_OBSERVER;
    *ret_vote = (struct vote){.id = vote.id, .zxid = vote.zxid, .election_epoch = -1, .peer_epoch = -1};
    quorum_self_set_current_vote(self, ret_vote);
    quorum_self_set_state(self, vote.id == self->id ? PEER_LEADING : observes ? PEER_OBSERVING : PEER_FOLLOWING);
    election->logical_clock++;    /* leaveInstance */
    auth_election_messenger_set_round(election->messenger, election->logical_clock);
    return ZK_OK;
}

static void shut_down(struct election *base)
{
    auth_election_messenger_halt(of(base)->messenger);
}

static void free_election(struct election *base)
{
    struct auth_fast_leader_election *election = of(base);
    auth_election_messenger_free(election->messenger);
    ballots_release(&election->received);
    ballots_release(&election->out_of_election);
    memory_free(election);
}

static const struct election_ops ops = {
    .look_for_leader = look_for_leader,
    .shutdown = shut_down,
    .free = free_election,
};

int auth_fast_leader_election_start(struct quorum_self *self, bool is_challenged, struct election **ret_election,
                                    struct error *error)
{
    struct auth_election_messenger *messenger;
    int err = auth_election_messenger_start(self, is_challenged, &messenger, error);
    if (err != ZK_OK)
        return err;
    struct auth_fast_leader_election *election = MEMORY_NEW(struct auth_fast_leader_election);
    election->base.ops = &ops;
    election->self = self;
    election->messenger = messenger;
    *ret_election = &election->base;
    return ZK_OK;
}
