/*
 * fast_leader_election.c - carries out what election_rules.c decides.
 *
 * QuorumPeer alone touches the round; what others may see of it, proposal and logical clock, is published under a lock
 * after each change and before anything is sent.
 * Departs from Java: a better vote that comes within finalizeWait is dealt with at once, where Java puts it behind
 * those that wait already; the others that come meanwhile are dealt with too, where Java drops them, and do not
 * prolong the wait; nor does what changes nothing put off the next repetition.
 */
#include "server/quorum/fast_leader_election.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "server/quorum/election_messenger.h"
#include "server/quorum/election_rules.h"

enum { FINALIZE_WAIT_MS = 200 };

struct fast_leader_election {
    struct quorum_self *self;
    struct quorum_cnx_manager *manager;
    struct election_messenger *messenger;
    struct election_round round;    /* QuorumPeer's */
    struct mutex lock;
    struct vote published GUARDED_BY(lock);
    struct synced_learner_tracker leading_vote_set GUARDED_BY(lock);    /* who made this the leader; taken once */
    bool has_leading_vote_set GUARDED_BY(lock);
};

/* ---- what others see ---- */

static void publish(struct fast_leader_election *election)
{
    struct vote vote = election_round_end_vote(&election->round);
    mutex_lock(&election->lock);
    election->published = vote;
    mutex_unlock(&election->lock);
}

static void published_proposal(void *owner, struct vote *ret_vote)
{
    struct fast_leader_election *election = owner;
    mutex_lock(&election->lock);
    *ret_vote = election->published;
    mutex_unlock(&election->lock);
}

/*
 * Departs from Java, where a role that began meanwhile runs on without connections for elections, so that nobody can
 * join it: either the role has begun, and the election stays as it is, or QuorumPeer starts another one before any
 * role.
 */
static bool config_changed(void *owner)
{
    struct fast_leader_election *election = owner;
    struct quorum_self *self = election->self;
    atomic_store(&self->is_shutting_down_election, true);
    if (quorum_self_state(self) != PEER_LOOKING && atomic_exchange(&self->is_shutting_down_election, false))
        return false;
    fast_leader_election_shutdown(election);
    return true;
}

static const struct election_messenger_events messenger_events = {.proposal = published_proposal,
                                                                  .config_changed = config_changed};

/* ---- the round ---- */

/* getInitId, getInitLastLoggedZxid, getPeerEpoch. */
static void set_context(struct fast_leader_election *election, struct election_context *ret_context)
{
    struct quorum_self *self = election->self;
    bool takes_part = quorum_self_learner_type(self) == LEARNER_PARTICIPANT;
    *ret_context = (struct election_context){.my_id = self->id,
                                             .verifier = quorum_self_verifier(self),
                                             .last_seen = quorum_self_last_seen_verifier(self)};
    bool is_voter = quorum_verifier_is_voter(ret_context->verifier, self->id);
    ret_context->mine = (struct vote){
        .id = is_voter ? self->id : VOTE_NONE_ID,
        .zxid = takes_part ? quorum_self_last_logged_zxid(self) : VOTE_NONE_ID,
        .peer_epoch = takes_part ? quorum_self_current_epoch(self) : VOTE_NONE_ID,
        .state = PEER_LOOKING,
    };
}

static void release_context(struct election_context *context)
{
    quorum_verifier_unref(context->verifier);
    quorum_verifier_unref(context->last_seen);
}

static void send_notifications(struct fast_leader_election *election)
{
    struct vote vote = election_round_end_vote(&election->round);
    log_debug("Sending Notification: %" PRId64 " (n.leader), 0x%" PRIx64 " (n.zxid), 0x%" PRIx64 " (n.peerEpoch), 0x%"
              PRIx64 " (n.round), %" PRId64 " (myid)", vote.id, (uint64_t)vote.zxid, (uint64_t)vote.peer_epoch,
              (uint64_t)vote.election_epoch, election->self->id);
    election_messenger_send_to_all(election->messenger, &vote);
}

static void begin_round(struct fast_leader_election *election)
{
    struct election_context context;
    set_context(election, &context);
    election_round_begin(&election->round, &context);
    release_context(&context);
    mutex_lock(&election->lock);
    synced_learner_tracker_release(&election->leading_vote_set);
    election->has_leading_vote_set = false;
    mutex_unlock(&election->lock);
    publish(election);
    log_info("New election. My id = %" PRId64 ", proposed zxid=0x%" PRIx64, election->self->id,
             (uint64_t)election->round.proposal.zxid);
    send_notifications(election);
}

/* Who voted for this server is kept for the leader it becomes. */
static void keep_vote_set(struct fast_leader_election *election)
{
    struct election_round *round = &election->round;
    if (!round->has_vote_set)
        return;
    mutex_lock(&election->lock);
    synced_learner_tracker_release(&election->leading_vote_set);
    election->leading_vote_set = round->vote_set;
    election->has_leading_vote_set = true;
    mutex_unlock(&election->lock);
    round->vote_set = (struct synced_learner_tracker){0};
    round->has_vote_set = false;
}

/* setPeerState and leaveInstance. */
static void leave(struct fast_leader_election *election, const struct vote *vote)
{
    struct quorum_self *self = election->self;
    if (vote->id == self->id)
        keep_vote_set(election);
    bool observes = quorum_self_learner_type(self) == LEARNER_OBSERVER;
    publish(election);
    quorum_self_set_state(self, vote->id == self->id ? PEER_LEADING : observes ? PEER_OBSERVING : PEER_FOLLOWING);
    election_messenger_clear(election->messenger);
}

static void log_ignored(const struct notification *n)
{
    log_debug("notification from %" PRId64 " for leader %" PRId64 ", round 0x%" PRIx64 ", zxid 0x%" PRIx64
              " changes nothing", n->sid, n->vote.id, (uint64_t)n->vote.election_epoch, (uint64_t)n->vote.zxid);
}

/* One notification. True: the election is over with *ret_vote. */
static bool receive(struct fast_leader_election *election, const struct notification *notification,
                    bool *ret_is_ignored, struct vote *ret_vote)
{
    struct election_context context;
    set_context(election, &context);
    struct election_step step = election_round_receive(&election->round, &context, notification);
    bool is_over = step.is_decided;
    if (step.asks_oracle) {
        is_over = !quorum_verifier_ask_oracle(context.verifier);
        log_info(is_over ? "Oracle indicates to follow" : "Oracle indicates not to follow");
    }
    release_context(&context);
    publish(election);
    if (step.is_ignored)
        log_ignored(notification);
    if (step.sends_proposal)
        send_notifications(election);
    if (step.answers_sender) {
        struct vote vote = election_round_end_vote(&election->round);
        election_messenger_send(election->messenger, notification->sid, &vote);
    }
    *ret_is_ignored = step.is_ignored;
    if (is_over)
        *ret_vote = step.leader;
    return is_over;
}

static bool is_looking(struct fast_leader_election *election)
{
    return quorum_self_state(election->self) == PEER_LOOKING && !election_messenger_is_halted(election->messenger);
}

/* Nothing came in *timeout_ms: asks again, and waits twice as long the next time. True: over, by consent of the
 * oracle. */
static bool repeat(struct fast_leader_election *election, int64_t *timeout_ms)
{
    const struct server_options *options = election->self->options;
    if (quorum_cnx_manager_have_delivered(election->manager))
        send_notifications(election);
    else
        quorum_cnx_manager_connect_all(election->manager);
    int64_t most_ms = options->fastleader_max_notification_interval;
    *timeout_ms = *timeout_ms < most_ms / 2 ? *timeout_ms * 2 : most_ms;
    struct election_context context;
    set_context(election, &context);
    bool again = *timeout_ms != options->fastleader_min_notification_interval;
    bool is_over = election_round_recheck(&election->round, &context, again);
    release_context(&context);
    if (!is_over)
        log_info("Notification time out: %" PRId64 " ms", *timeout_ms);
    return is_over;
}

/* Rounds until there is a leader. ZK_CLOSED: told to stop. */
static int run(struct fast_leader_election *election, struct vote *ret_vote)
{
    int64_t timeout_ms = election->self->options->fastleader_min_notification_interval;
    int64_t deadline_ms = clock_elapsed_ms() + timeout_ms;
    while (is_looking(election)) {
        struct notification notification;
        struct election_round *round = &election->round;
        bool had_quorum = round->has_quorum, is_ignored;
        int64_t clock_before = round->logical_clock;
        struct vote before = round->proposal;
        if (election_messenger_receive(election->messenger, deadline_ms, &notification)) {
            if (receive(election, &notification, &is_ignored, ret_vote))
                return ZK_OK;
            if (round->logical_clock != clock_before)    /* there is news to be asked for, as at first */
                timeout_ms = election->self->options->fastleader_min_notification_interval;
            if (!round->has_quorum && !is_ignored)
                deadline_ms = clock_elapsed_ms() + timeout_ms;
            else if (round->has_quorum && (!had_quorum || !vote_equal(&before, &round->proposal)))
                deadline_ms = clock_elapsed_ms() + FINALIZE_WAIT_MS;
        }
        if (!is_looking(election) || clock_elapsed_ms() < deadline_ms)
            continue;
        if (had_quorum || repeat(election, &timeout_ms)) {
            *ret_vote = election_round_end_vote(round);
            return ZK_OK;
        }
        deadline_ms = clock_elapsed_ms() + timeout_ms;
    }
    return ZK_CLOSED;
}

struct fast_leader_election *fast_leader_election_new(struct quorum_self *self, struct quorum_cnx_manager *manager)
{
    struct fast_leader_election *election = MEMORY_NEW(struct fast_leader_election);
    election->self = self;
    election->manager = manager;
    election->messenger = election_messenger_new(self, manager, &messenger_events, election);
    mutex_init(&election->lock);
    election->round.proposal = (struct vote){.id = -1, .zxid = -1};
    publish(election);
    return election;
}

void fast_leader_election_start(struct fast_leader_election *election)
{
    election_messenger_start(election->messenger);
}

int fast_leader_election_look_for_leader(struct fast_leader_election *election, struct vote *ret_vote)
{
    struct vote vote;
    atomic_store(&election->self->start_fle_ms, clock_elapsed_ms());
    begin_round(election);
    int err = run(election, &vote);
    if (err != ZK_OK)
        return err;
    leave(election, &vote);
    *ret_vote = vote;
    return ZK_OK;
}

void fast_leader_election_shutdown(struct fast_leader_election *election)
{
    election_messenger_halt(election->messenger);
    quorum_cnx_manager_halt(election->manager);
    log_debug("FLE is down");
}

bool fast_leader_election_take_vote_set(struct fast_leader_election *election, struct synced_learner_tracker *ret_set)
{
    mutex_lock(&election->lock);
    bool has_set = election->has_leading_vote_set;
    if (has_set) {
        *ret_set = election->leading_vote_set;
        election->leading_vote_set = (struct synced_learner_tracker){0};
        election->has_leading_vote_set = false;
    }
    mutex_unlock(&election->lock);
    return has_set;
}

int64_t fast_leader_election_logical_clock(struct fast_leader_election *election)
{
    struct vote vote;
    published_proposal(election, &vote);
    return vote.election_epoch;
}

void fast_leader_election_free(struct fast_leader_election *election)
{
    if (election == NULL)
        return;
    fast_leader_election_shutdown(election);
    election_messenger_free(election->messenger);
    election_round_release(&election->round);
    synced_learner_tracker_release(&election->leading_vote_set);
    mutex_release(&election->lock);
    memory_free(election);
}
