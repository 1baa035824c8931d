/*
 * election_messenger.c - WorkerSender and WorkerReceiver.
 *
 *   QuorumPeer, WorkerReceiver ==Q11==> WorkerSender --> manager's Q9 or, for this server, Q10
 *   manager's Q10 ==> WorkerReceiver ==Q12==> QuorumPeer, while LOOKING
 *                          '--> Q11: an answer to who is no voter, is behind, or looks while we do not
 *
 * (1) Nothing that a peer sends ends a thread: what cannot be read is skipped and said;
 * (2) only what comes from a voter of the present or the next configuration reaches the election;
 * (3) who is no voter gets a bounded number of answers.
 */
#include "server/quorum/election_messenger.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/blocking_queue.h"
#include "common/thread/thread.h"

enum { QUEUE_BOUND = 256, MOST_ANSWERED = 64, ANSWERS_A_SECOND = 20 };

struct to_send {
    int64_t sid;
    struct blob *message;
};
BLOCKING_QUEUE_OF(send_queue, struct to_send);
BLOCKING_QUEUE_OF(notification_queue, struct notification);

struct election_messenger {
    struct quorum_self *self;
    struct quorum_cnx_manager *manager;
    const struct election_messenger_events *events;
    void *owner;
    struct send_queue *to_send;             /* Q11 */
    struct notification_queue *received;    /* Q12 */
    struct log_limiter malformed;
    struct answered {    /* a non-voter that was answered lately; WorkerReceiver's */
        int64_t sid, since_ms;
        int count;
    } answered[MOST_ANSWERED];
    size_t answered_count;
    struct thread *sender, *receiver;
};

/* A vote with the present configuration. */
static struct blob *write_vote(struct election_messenger *messenger, const struct vote *vote)
{
    struct buffer config = {0};
    struct quorum_verifier *verifier = quorum_self_verifier(messenger->self);
    quorum_verifier_print(verifier, &config);
    quorum_verifier_unref(verifier);
    struct blob *message = notification_write(vote, config.bytes, config.size);
    buffer_release(&config);
    return message;
}

static void enqueue(struct election_messenger *messenger, int64_t sid, struct blob *message)
{
    struct to_send to_send = {.sid = sid, .message = message};
    if (send_queue_put(messenger->to_send, to_send) != ZK_OK)
        blob_unref(message);
}

static void run_sender(void *arg)
{
    struct election_messenger *messenger = arg;
    struct to_send to_send;
    while (send_queue_take(messenger->to_send, &to_send, 1) == 1)
        quorum_cnx_manager_send(messenger->manager, to_send.sid, to_send.message);
    log_info("WorkerSender is down");
}

/* ---- WorkerReceiver ---- */

/* This server's vote of record; while it looks for the first time, what it proposes. */
static void vote_of_record(struct election_messenger *messenger, struct vote *ret_vote)
{
    if (!quorum_self_current_vote(messenger->self, ret_vote))
        messenger->events->proposal(messenger->owner, ret_vote);
}

/* A newer configuration than ours, while we look: it becomes ours. True if that ends this election. */
static bool take_over_config(struct election_messenger *messenger, struct quorum_verifier *config)
{
    struct quorum_self *self = messenger->self;
    struct quorum_verifier *before = quorum_self_verifier(self);
    bool is_newer = quorum_verifier_version(config) > quorum_verifier_version(before), ends = false;
    if (is_newer)
        log_info("%" PRId64 " Received version: %" PRIx64 " my version: %" PRIx64, self->id,
                 (uint64_t)quorum_verifier_version(config), (uint64_t)quorum_verifier_version(before));
    if (is_newer && quorum_self_state(self) == PEER_LOOKING) {
        quorum_self_process_reconfig(self, config, -1, -1, false);
        struct quorum_verifier *now = quorum_self_verifier(self);
        ends = now != before && !quorum_verifier_equal(now, before);
        quorum_verifier_unref(now);
    }
    quorum_verifier_unref(before);
    return ends;
}

/* The configuration in a message. True if this election ends for it. */
static bool receive_config(struct election_messenger *messenger, struct slice config,
                           struct notification *notification)
{
    struct error error = {0};
    struct quorum_verifier *verifier = NULL, *present = quorum_self_verifier(messenger->self);
    struct quorum_parse_options options = quorum_self_parse_options(messenger->self, present);
    int err = quorum_verifier_parse_text((const char *)config.bytes, config.size, &options, &verifier, &error);
    quorum_verifier_unref(present);
    if (err != ZK_OK) {
        log_warn_limited(&messenger->malformed, "Something went wrong while processing config received from %" PRId64
                         ": %s", notification->sid, error.text);
        return false;
    }
    notification->config_version = quorum_verifier_version(verifier);
    bool ends = take_over_config(messenger, verifier);
    quorum_verifier_unref(verifier);
    if (ends)
        log_info("restarting leader election");
    return ends;
}

static bool is_voter(struct election_messenger *messenger, int64_t sid)
{
    struct sid_set voters = {0};
    quorum_self_current_and_next_voters(messenger->self, &voters);
    bool is = sid_set_contains(&voters, sid);
    sid_set_release(&voters);
    return is;
}

/* False: this non-voter had its share of answers for now. Two servers of which each takes the other for one would talk
 * without end. */
static bool may_answer(struct election_messenger *messenger, int64_t sid)
{
    int64_t now_ms = clock_elapsed_ms();
    struct answered *answered = messenger->answered, *oldest = answered;
    struct answered *end = answered + messenger->answered_count;
    while (answered < end && answered->sid != sid) {
        oldest = answered->since_ms < oldest->since_ms ? answered : oldest;
        answered++;
    }
    if (answered == end) {
        bool has_room = messenger->answered_count < MOST_ANSWERED;
        answered = has_room ? &messenger->answered[messenger->answered_count++] : oldest;
        *answered = (struct answered){.sid = sid, .since_ms = now_ms};
    } else if (now_ms - answered->since_ms >= 1000) {
        answered->since_ms = now_ms;
        answered->count = 0;
    }
    return answered->count++ < ANSWERS_A_SECOND;
}

/* An observer, or a server that is in no list: it is told what we know, in our round. */
static void answer_non_voter(struct election_messenger *messenger, int64_t sid)
{
    if (!may_answer(messenger, sid))
        return;
    struct vote proposal, vote;
    messenger->events->proposal(messenger->owner, &proposal);
    vote_of_record(messenger, &vote);
    vote.election_epoch = proposal.election_epoch;
    vote.state = quorum_self_state(messenger->self);
    election_messenger_send(messenger, sid, &vote);
}

static void log_notification(struct election_messenger *messenger, const struct notification *n)
{
    log_info("Notification: my state:%s; n.sid:%" PRId64 ", n.state:%s, n.leader:%" PRId64 ", n.round:0x%" PRIx64
             ", n.peerEpoch:0x%" PRIx64 ", n.zxid:0x%" PRIx64 ", message format version:0x%" PRIx32
             ", n.config version:0x%" PRIx64,
             peer_state_name(quorum_self_state(messenger->self)), n->sid, peer_state_name(n->vote.state), n->vote.id,
             (uint64_t)n->vote.election_epoch, (uint64_t)n->vote.peer_epoch, (uint64_t)n->vote.zxid,
             (uint32_t)n->vote.version, (uint64_t)n->config_version);
}

/* While we look: the election gets it, and who is behind our round learns of it. */
static void receive_while_looking(struct election_messenger *messenger, const struct notification *notification)
{
    struct notification displaced;
    struct vote proposal;
    bool has_displaced;
    notification_queue_displace(messenger->received, *notification, &displaced, &has_displaced);
    messenger->events->proposal(messenger->owner, &proposal);
    if (notification->vote.state != PEER_LOOKING || notification->vote.election_epoch >= proposal.election_epoch)
        return;
    proposal.state = quorum_self_state(messenger->self);
    election_messenger_send(messenger, notification->sid, &proposal);
}

/* While we do not: who looks is told whom we follow. */
static void receive_while_settled(struct election_messenger *messenger, const struct notification *notification)
{
    struct quorum_self *self = messenger->self;
    struct vote vote;
    if (notification->vote.state != PEER_LOOKING)
        return;
    if (self->ops != NULL && self->ops->looking_peer != NULL)
        self->ops->looking_peer(self->owner, notification->sid);
    vote_of_record(messenger, &vote);
    vote.state = quorum_self_state(self);
    election_messenger_send(messenger, notification->sid, &vote);
}

/* False: the election ends. */
static bool receive_packet(struct election_messenger *messenger, const struct election_packet *packet)
{
    struct notification notification;
    struct slice config;
    struct error error = {0};
    if (notification_read(packet->message->bytes, packet->message->size, &notification, &config, &error) != ZK_OK) {
        log_warn_limited(&messenger->malformed, "Skipping the processing of a partial / malformed response message "
                         "sent by sid=%" PRId64 ": %s", packet->sid, error.text);
        return true;
    }
    notification.sid = packet->sid;
    if (config.bytes != NULL && receive_config(messenger, config, &notification))
        return false;
    if (!is_voter(messenger, packet->sid)) {
        answer_non_voter(messenger, packet->sid);
    } else if (notification_state_is_known(&notification)) {
        log_notification(messenger, &notification);
        if (quorum_self_state(messenger->self) == PEER_LOOKING)
            receive_while_looking(messenger, &notification);
        else
            receive_while_settled(messenger, &notification);
    }
    return true;
}

static void run_receiver(void *arg)
{
    struct election_messenger *messenger = arg;
    struct election_packet packet;
    bool goes_on = true;
    while (goes_on && quorum_cnx_manager_receive(messenger->manager, &packet)) {
        goes_on = receive_packet(messenger, &packet) || !messenger->events->config_changed(messenger->owner);
        blob_unref(packet.message);
    }
    log_info("WorkerReceiver is down");
}

static struct thread *start_worker(struct election_messenger *messenger, const char *kind, void (*run)(void *arg))
{
    char *name = string_format("%s[myid=%" PRId64 "]", kind, messenger->self->id);
    struct thread *thread = thread_start(name, run, messenger);
    memory_free(name);
    return thread;
}

struct election_messenger *election_messenger_new(struct quorum_self *self, struct quorum_cnx_manager *manager,
                                                  const struct election_messenger_events *events, void *owner)
{
    struct election_messenger *messenger = MEMORY_NEW(struct election_messenger);
    messenger->self = self;
    messenger->manager = manager;
    messenger->events = events;
    messenger->owner = owner;
    messenger->to_send = send_queue_new(QUEUE_BOUND);
    messenger->received = notification_queue_new(QUEUE_BOUND);
    return messenger;
}

void election_messenger_start(struct election_messenger *messenger)
{
    messenger->sender = start_worker(messenger, "WorkerSender", run_sender);
    messenger->receiver = start_worker(messenger, "WorkerReceiver", run_receiver);
}

void election_messenger_send(struct election_messenger *messenger, int64_t sid, const struct vote *vote)
{
    enqueue(messenger, sid, write_vote(messenger, vote));
}

void election_messenger_send_to_all(struct election_messenger *messenger, const struct vote *vote)
{
    struct sid_set voters = {0};
    struct blob *message = write_vote(messenger, vote);
    quorum_self_current_and_next_voters(messenger->self, &voters);
    for (size_t i = 0; i < voters.count; i++)
        enqueue(messenger, voters.ids[i], blob_ref(message));
    sid_set_release(&voters);
    blob_unref(message);
}

bool election_messenger_receive(struct election_messenger *messenger, int64_t deadline_ms,
                                struct notification *ret_notification)
{
    return notification_queue_poll(messenger->received, ret_notification, 1, deadline_ms) == 1;
}

void election_messenger_clear(struct election_messenger *messenger)
{
    struct notification notification;
    while (notification_queue_poll(messenger->received, &notification, 1, clock_elapsed_ms()) == 1)
        ;
}

void election_messenger_halt(struct election_messenger *messenger)
{
    send_queue_close(messenger->to_send);
    notification_queue_close(messenger->received);
}

bool election_messenger_is_halted(struct election_messenger *messenger)
{
    return notification_queue_is_closed(messenger->received);
}

void election_messenger_free(struct election_messenger *messenger)
{
    struct to_send to_send;
    if (messenger == NULL)
        return;
    election_messenger_halt(messenger);
    thread_join(messenger->sender);
    thread_join(messenger->receiver);
    while (send_queue_take(messenger->to_send, &to_send, 1) == 1)
        blob_unref(to_send.message);
    send_queue_free(messenger->to_send);
    notification_queue_free(messenger->received);
    memory_free(messenger);
}
