/*
 * election_rules.c - decisions of an election.
 *
 * (1) A vote of another round than ours never counts for the proposal;
 * (2) with a newer configuration known, a leader needs a quorum of both;
 * (3) whoever joins an ensemble that stands follows a leader that has said itself that it leads;
 * (4) only who has the better vote answers, so two servers never answer each other without end;
 * (5) for joining another one that leads (3) a quorum of the configuration that counts is enough;
 * (6) who votes for somebody in this round, and hears from him that he leads in it, follows him;
 * (7) a vote that its candidate no longer stands for is given up, in a new round;
 * (8) who is no voter is not made a candidate by the votes of others.
 * Departs from Java: (4). Of two followers whose leader died the first tells its vote to one that still follows; if
 * that has the worse vote, it would learn of the better one when that is repeated, after 200 ms.
 * (5). What was proposed here and was lost with its leader is known to nobody else, and may have a quorum nowhere but
 * with us: we would look for good. That we follow nobody from before what we have seen is seen to by our accepted
 * epoch.
 * (6). He has a quorum, of which we cannot hear all where a link is cut; he would wait for us in vain.
 * (7). A candidate that starts again in the same round may have less to offer: it has lost its disk, or learned that it
 * votes no more. In one round a vote never gets worse, so who voted for it would stay with it for good.
 */
#include "server/quorum/election_rules.h"

#include "common/base/memory.h"

#define FIRST_CAPACITY 8

static bool is_voter(const struct election_context *context, int64_t sid)
{
    return quorum_verifier_is_voter(context->verifier, sid) || quorum_verifier_is_voter(context->last_seen, sid);
}

static void propose(struct election_round *round, const struct vote *vote)
{
    round->proposal.id = vote->id;
    round->proposal.zxid = vote->zxid;
    round->proposal.peer_epoch = vote->peer_epoch;
}

static void add_votes(const struct ballots *ballots, const struct vote *vote, struct synced_learner_tracker *tracker)
{
    for (size_t i = 0; i < ballots->count; i++)
        if (vote_equal(vote, &ballots->items[i].vote))
            synced_learner_tracker_add_ack(tracker, ballots->items[i].sid);
}

/* Whether its leader leads, by votes of those who follow it. */
static bool is_established(const struct election_context *context, const struct ballots *ballots,
                           const struct vote *vote, int64_t logical_clock)
{
    struct synced_learner_tracker tracker = {0};
    if (vote->id == context->my_id) {
        election_count_votes(context, ballots, vote, &tracker);
    } else {    /* (5) */
        synced_learner_tracker_add_verifier(&tracker, context->verifier);
        add_votes(ballots, vote, &tracker);
    }
    bool has = synced_learner_tracker_has_all_quorums(&tracker);
    synced_learner_tracker_release(&tracker);
    return has && election_leader_is_there(context, ballots, vote->id, vote->election_epoch, logical_clock);
}

/* The vote without what only belongs to its sender. */
static struct vote plain(const struct vote *vote, enum peer_state state)
{
    return (struct vote){.id = vote->id, .zxid = vote->zxid, .election_epoch = vote->election_epoch,
                         .peer_epoch = vote->peer_epoch, .state = state};
}

/* Its round against ours, and what that changes. False: it comes from a round that is over. */
static bool catch_up(struct election_round *round, const struct election_context *context, const struct vote *vote,
                     struct election_step *step)
{
    if (vote->election_epoch < round->logical_clock)
        return false;
    if (vote->election_epoch > round->logical_clock) {
        round->logical_clock = vote->election_epoch;
        ballots_clear(&round->received);
        propose(round, election_supersedes(context, vote, &context->mine) ? vote : &context->mine);
        step->sends_proposal = true;
    } else if (election_supersedes(context, vote, &round->proposal)) {
        propose(round, vote);
        step->sends_proposal = true;
    }
    return true;
}

static void receive_looking(struct election_round *round, const struct election_context *context,
                            const struct notification *notification, struct election_step *step)
{
    const struct vote *vote = &notification->vote;
    /* A server without data does not elect, and is not elected (-1). */
    if (context->mine.zxid == -1 || vote->zxid == -1 || !catch_up(round, context, vote, step)) {
        step->is_ignored = true;
        return;
    }
    step->answers_sender = notification->sid != context->my_id && !step->sends_proposal &&
                           election_supersedes(context, &round->proposal, vote);    /* (4) */
    struct vote ballot = plain(vote, PEER_LOOKING), wanted = election_round_end_vote(round);
    ballots_put(&round->received, notification->sid, &ballot);
    synced_learner_tracker_release(&round->vote_set);
    election_count_votes(context, &round->received, &wanted, &round->vote_set);
    round->has_vote_set = true;
    round->has_quorum = synced_learner_tracker_has_all_quorums(&round->vote_set);
}

static void decide(struct election_step *step, const struct vote *vote)
{
    step->is_decided = true;
    step->leader = plain(vote, PEER_LOOKING);
}

/* (6) */
static bool is_led_by_choice(const struct election_round *round, const struct notification *notification)
{
    const struct vote *vote = &notification->vote;
    return vote->state == PEER_LEADING && vote->id == notification->sid && vote->id == round->proposal.id &&
           vote->election_epoch == round->logical_clock;
}

/* (7) */
static bool is_given_up(const struct election_round *round, const struct election_context *context,
                        const struct notification *notification)
{
    const struct vote *vote = &notification->vote;
    return notification->sid == round->proposal.id && notification->sid != context->my_id &&
           vote->state == PEER_LOOKING && vote->election_epoch == round->logical_clock &&
           vote_supersedes(&round->proposal, vote);
}

/* receivedFollowingNotification */
static void receive_settled(struct election_round *round, const struct election_context *context,
                            const struct notification *notification, struct election_step *step)
{
    const struct vote *vote = &notification->vote;
    if (vote->election_epoch == round->logical_clock) {
        struct vote ballot = plain(vote, vote->state);
        ballots_put(&round->received, notification->sid, &ballot);
        if (is_led_by_choice(round, notification) ||
            is_established(context, &round->received, vote, round->logical_clock)) {
            decide(step, vote);
            return;
        }
    }
    ballots_put(&round->out_of_election, notification->sid, vote);
    if (is_established(context, &round->out_of_election, vote, round->logical_clock)) {
        round->logical_clock = vote->election_epoch;
        decide(step, vote);
    }
}

void ballots_release(struct ballots *ballots)
{
    memory_free(ballots->items);
    *ballots = (struct ballots){0};
}

void ballots_clear(struct ballots *ballots)
{
    ballots->count = 0;
}

void ballots_put(struct ballots *ballots, int64_t sid, const struct vote *vote)
{
    size_t place = 0;
    while (place < ballots->count && ballots->items[place].sid != sid)
        place++;
    if (place == ballots->capacity) {
        ballots->capacity = ballots->capacity > 0 ? 2 * ballots->capacity : FIRST_CAPACITY;
        ballots->items = memory_realloc(ballots->items, ballots->capacity * sizeof(*ballots->items));
    }
    ballots->items[place] = (struct ballot){.sid = sid, .vote = *vote};
    if (place == ballots->count)
        ballots->count++;
}

const struct vote *ballots_find(const struct ballots *ballots, int64_t sid)
{
    for (size_t i = 0; i < ballots->count; i++)
        if (ballots->items[i].sid == sid)
            return &ballots->items[i].vote;
    return NULL;
}

bool election_supersedes(const struct election_context *context, const struct vote *newer, const struct vote *older)
{
    bool is_fit = newer->id != context->my_id || context->mine.id == context->my_id;    /* (8) */
    return is_fit && quorum_verifier_weight(context->verifier, newer->id) != 0 && vote_supersedes(newer, older);
}

void election_count_votes(const struct election_context *context, const struct ballots *ballots,
                          const struct vote *vote, struct synced_learner_tracker *ret_tracker)
{
    synced_learner_tracker_add_verifier(ret_tracker, context->verifier);
    if (quorum_verifier_version(context->last_seen) > quorum_verifier_version(context->verifier))
        synced_learner_tracker_add_verifier(ret_tracker, context->last_seen);
    add_votes(ballots, vote, ret_tracker);
}

bool election_leader_is_there(const struct election_context *context, const struct ballots *ballots, int64_t leader,
                              int64_t election_epoch, int64_t logical_clock)
{
    if (leader == context->my_id)
        return logical_clock == election_epoch;
    const struct vote *vote = ballots_find(ballots, leader);
    return vote != NULL && vote->state == PEER_LEADING;
}

void election_round_begin(struct election_round *round, const struct election_context *context)
{
    round->logical_clock++;
    ballots_clear(&round->received);
    ballots_clear(&round->out_of_election);
    synced_learner_tracker_release(&round->vote_set);
    round->has_vote_set = false;
    round->has_quorum = false;
    propose(round, &context->mine);
}

struct election_step election_round_receive(struct election_round *round, const struct election_context *context,
                                            const struct notification *notification)
{
    struct election_step step = {0};
    const struct vote *vote = &notification->vote;
    if (is_given_up(round, context, notification)) {
        election_round_begin(round, context);
        step.sends_proposal = true;
        return step;
    }
    if (!is_voter(context, notification->sid) || !is_voter(context, vote->id)) {
        step.is_ignored = true;
        return step;
    }
    switch (vote->state) {
    case PEER_LOOKING:
        receive_looking(round, context, notification, &step);
        break;
    case PEER_OBSERVING:
        step.is_ignored = true;
        break;
    case PEER_FOLLOWING:
        receive_settled(round, context, notification, &step);
        break;
    case PEER_LEADING:
        receive_settled(round, context, notification, &step);
        step.asks_oracle = !step.is_decided && quorum_verifier_get_need_oracle(context->verifier);
        if (step.asks_oracle)
            step.leader = plain(vote, PEER_LOOKING);
        break;
    }
    return step;
}

bool election_round_recheck(const struct election_round *round, const struct election_context *context, bool again)
{
    return again && round->has_vote_set && quorum_verifier_has_oracle(context->verifier) &&
           synced_learner_tracker_has_all_quorums(&round->vote_set);
}

struct vote election_round_end_vote(const struct election_round *round)
{
    return (struct vote){.id = round->proposal.id, .zxid = round->proposal.zxid,
                         .election_epoch = round->logical_clock, .peer_epoch = round->proposal.peer_epoch,
                         .state = PEER_LOOKING};
}

void election_round_release(struct election_round *round)
{
    ballots_release(&round->received);
    ballots_release(&round->out_of_election);
    synced_learner_tracker_release(&round->vote_set);
}
