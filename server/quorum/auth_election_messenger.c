/*
 * auth_election_messenger.c - one socket, one thread, and for each member what has not been acknowledged yet.
 *
 *   without a challenge:   notification --> <-- ack
 *   with one:              request --> <-- challenge, notification with it --> <-- ack
 *
 * Each step is repeated: a request after 100, 200, 400 ms, a notification after 100 ms, 1 s, 10 s; then from the
 * start, as long as the round is the same.
 * (1) Only the newest notification to a member is on its way;
 * (2) what does not come from the election address of a voter is not looked at.
 * Departs from Java: one thread with deadlines in place of two senders a member that sleep; and each member has its own
 * port, where Java looks for challenges under its own port at the others' addresses. While this server does not look,
 * votes are acknowledged and forgotten.
 */
#include "server/quorum/auth_election_messenger.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/net/datagram.h"
#include "common/net/poller.h"
#include "common/net/socket.h"
#include "common/thread/blocking_queue.h"
#include "common/thread/thread.h"
#include "server/quorum/auth_election_message.h"

enum { MOST_ATTEMPTS = 3, ACK_WAIT_MS = 100, MOST_CHALLENGES = 16, MOST_RECEIVED = 256, RESOLVE_AGAIN_MS = 1000 };

BLOCKING_QUEUE_OF(notification_queue, struct notification);

struct given_challenge {
    int64_t tag, challenge;
};
struct correspondent {
    int64_t sid;
    bool is_voter;
    struct quorum_address name;
    bool has_address;
    struct address address;
    int64_t resolve_at_ms;
    bool is_pending;              /* the notification below has not been acknowledged */
    struct auth_election_message notification;
    bool has_challenge;
    int attempts;
    int64_t next_ms;
    struct given_challenge given[MOST_CHALLENGES];    /* to its notifications, a ring */
    size_t given_count;
};
struct auth_election_messenger {
    struct quorum_self *self;
    bool is_challenged;
    int fd;
    struct poller *poller;
    struct notification_queue *received;
    struct thread *thread;
    struct log_limiter complaints;
    _Atomic bool is_halted;

    struct mutex lock;
    struct correspondent *correspondents GUARDED_BY(lock);
    size_t correspondent_count;    /* never changes */
    int64_t next_tag GUARDED_BY(lock);
    int64_t round GUARDED_BY(lock);
};

/* ---- who is written to ---- */

static void add_correspondent(struct auth_election_messenger *messenger, const struct quorum_server *server)
{
    struct correspondent *correspondent = &messenger->correspondents[messenger->correspondent_count++];
    correspondent->sid = server->id;
    correspondent->is_voter = server->type == LEARNER_PARTICIPANT;
    correspondent->name = (struct quorum_address){.host = memory_copy(server->election_addresses[0].host,
                                                                      strlen(server->election_addresses[0].host) + 1),
                                                  .port = server->election_addresses[0].port};
}

static struct correspondent *find_sender(struct auth_election_messenger *messenger, const struct address *from)
    REQUIRES(messenger->lock)
{
    for (size_t i = 0; i < messenger->correspondent_count; i++) {
        struct correspondent *correspondent = &messenger->correspondents[i];
        if (correspondent->has_address && address_equal_ip(&correspondent->address, from) &&
            address_port(&correspondent->address) == address_port(from))
            return correspondent;
    }
    return NULL;
}

/* Names are looked up by the thread, without the lock, once and again while they have no address. */
static void resolve_names(struct auth_election_messenger *messenger)
{
    int64_t now_ms = clock_elapsed_ms();
    for (size_t i = 0; i < messenger->correspondent_count; i++) {
        struct correspondent *correspondent = &messenger->correspondents[i];
        struct address address;
        size_t count;
        if (correspondent->has_address || now_ms < correspondent->resolve_at_ms)
            continue;
        bool is_found = quorum_addresses_resolve(&correspondent->name, 1, &address, 1, &count, NULL) == ZK_OK;
        mutex_lock(&messenger->lock);
        correspondent->resolve_at_ms = clock_elapsed_ms() + RESOLVE_AGAIN_MS;
        correspondent->has_address = is_found;
        if (is_found)
            correspondent->address = address;
        mutex_unlock(&messenger->lock);
    }
}

/* ---- out ---- */

static void send_message(struct auth_election_messenger *messenger, const struct address *to,
                         const struct auth_election_message *message)
{
    uint8_t bytes[AUTH_ELECTION_MESSAGE_SIZE];
    auth_election_message_write(message, bytes);
    if (datagram_send(messenger->fd, to, bytes, sizeof(bytes)) == ZK_IO)
        log_warn_limited(&messenger->complaints, "Sending exception, it is tried again");
}

/* The next step towards an acknowledgement, and when to take it again. */
static void take_step(struct auth_election_messenger *messenger, struct correspondent *correspondent, int64_t now_ms)
    REQUIRES(messenger->lock)
{
    static const int64_t request_waits[MOST_ATTEMPTS] = {ACK_WAIT_MS, 2 * ACK_WAIT_MS, 4 * ACK_WAIT_MS};
    static const int64_t ack_waits[MOST_ATTEMPTS] = {ACK_WAIT_MS, 10 * ACK_WAIT_MS, 100 * ACK_WAIT_MS};
    if (correspondent->attempts == MOST_ATTEMPTS) {
        correspondent->attempts = 0;
        correspondent->has_challenge = false;
    }
    bool requests = messenger->is_challenged && !correspondent->has_challenge;
    struct auth_election_message message = correspondent->notification;
    if (requests)
        message.type = AUTH_ELECTION_REQUEST;
    send_message(messenger, &correspondent->address, &message);
    correspondent->next_ms =
        now_ms + (requests ? request_waits : ack_waits)[correspondent->attempts];
    correspondent->attempts++;
}

/* All steps that are due. When the next one is. */
static int64_t take_steps(struct auth_election_messenger *messenger)
{
    int64_t now_ms = clock_elapsed_ms(), next_ms = INT64_MAX;
    mutex_lock(&messenger->lock);
    for (size_t i = 0; i < messenger->correspondent_count; i++) {
        struct correspondent *correspondent = &messenger->correspondents[i];
        if (!correspondent->has_address) {
            next_ms = correspondent->resolve_at_ms < next_ms ? correspondent->resolve_at_ms : next_ms;
            continue;
        }
        bool is_of_round = correspondent->notification.vote.election_epoch == messenger->round;
        if (correspondent->is_pending && !is_of_round && correspondent->attempts == MOST_ATTEMPTS)
            correspondent->is_pending = false;
        if (!correspondent->is_pending)
            continue;
        if (correspondent->next_ms <= now_ms)
            take_step(messenger, correspondent, now_ms);
        next_ms = correspondent->next_ms < next_ms ? correspondent->next_ms : next_ms;
    }
    mutex_unlock(&messenger->lock);
    return next_ms;
}

/* ---- in ---- */

/* The challenge that was given to this notification of the sender; a new one if `gives`. False: none was. */
static bool challenge_of(struct correspondent *sender, int64_t tag, bool gives, int64_t *ret_challenge)
{
    size_t kept = sender->given_count < MOST_CHALLENGES ? sender->given_count : MOST_CHALLENGES;
    for (size_t i = 0; i < kept; i++)
        if (sender->given[i].tag == tag) {
            *ret_challenge = sender->given[i].challenge;
            return true;
        }
    if (!gives)
        return false;
    *ret_challenge = (int64_t)random_uint64();
    sender->given[sender->given_count++ % MOST_CHALLENGES] =
        (struct given_challenge){.tag = tag, .challenge = *ret_challenge};
    return true;
}

static struct auth_election_message own_state(struct auth_election_messenger *messenger, enum auth_election_type type,
                                              int64_t tag) REQUIRES(messenger->lock)
{
    struct auth_election_message message = {.type = type, .tag = tag};
    struct vote vote = {.id = messenger->self->id};
    quorum_self_current_vote(messenger->self, &vote);
    message.vote = vote;
    message.vote.election_epoch = messenger->round;
    message.vote.state = quorum_self_state(messenger->self);
    return message;
}

static void hand_on(struct auth_election_messenger *messenger, const struct correspondent *sender,
                    const struct vote *vote)
{
    struct notification notification = {.sid = sender->sid, .vote = *vote}, displaced;
    bool has_displaced;
    if (quorum_self_state(messenger->self) != PEER_LOOKING)
        return;    /* it would be old when it is read */
    notification_queue_displace(messenger->received, notification, &displaced, &has_displaced);
}

static void receive_notification(struct auth_election_messenger *messenger, struct correspondent *sender,
                                 const struct auth_election_message *message) REQUIRES(messenger->lock)
{
    int64_t challenge;
    if (messenger->is_challenged) {
        if (!challenge_of(sender, message->tag, false, &challenge) || challenge != message->challenge) {
            log_warn_limited(&messenger->complaints, "Incorrect challenge from server %" PRId64, sender->sid);
            return;
        }
    }
    struct auth_election_message ack = own_state(messenger, AUTH_ELECTION_ACK, message->tag);
    send_message(messenger, &sender->address, &ack);
    hand_on(messenger, sender, &message->vote);
}

static void receive_challenge(struct correspondent *sender, const struct auth_election_message *message)
{
    if (!sender->is_pending || sender->notification.tag != message->tag || sender->has_challenge)
        return;
    sender->notification.challenge = message->challenge;
    sender->has_challenge = true;
    sender->attempts = 0;
    sender->next_ms = 0;
}

static void receive_ack(struct auth_election_messenger *messenger, struct correspondent *sender,
                        const struct auth_election_message *message)
{
    if (sender->is_pending && sender->notification.tag == message->tag)
        sender->is_pending = false;
    if (message->vote.state != PEER_LOOKING)
        hand_on(messenger, sender, &message->vote);
}

static void receive_message(struct auth_election_messenger *messenger, const struct auth_election_message *message,
                            const struct address *from)
{
    mutex_lock(&messenger->lock);
    struct correspondent *sender = find_sender(messenger, from);
    if (sender == NULL) {
        log_warn_limited(&messenger->complaints, "a message for an election comes from an address that is not in the "
                         "configuration");
    } else if (message->type == AUTH_ELECTION_REQUEST) {
        struct auth_election_message answer = own_state(messenger, AUTH_ELECTION_CHALLENGE, message->tag);
        challenge_of(sender, message->tag, true, &answer.challenge);
        send_message(messenger, from, &answer);
    } else if (message->type == AUTH_ELECTION_CHALLENGE) {
        receive_challenge(sender, message);
    } else if (message->type == AUTH_ELECTION_NOTIFICATION) {
        receive_notification(messenger, sender, message);
    } else {
        receive_ack(messenger, sender, message);
    }
    mutex_unlock(&messenger->lock);
}

static void receive_all(struct auth_election_messenger *messenger)
{
    uint8_t bytes[AUTH_ELECTION_MESSAGE_SIZE];
    struct auth_election_message message;
    struct address from;
    size_t size;
    while (!auth_election_messenger_is_halted(messenger) &&
           datagram_receive(messenger->fd, bytes, sizeof(bytes), &size, &from) == ZK_OK) {
        if (auth_election_message_read(bytes, size, &message))
            receive_message(messenger, &message, &from);
        else
            log_warn_limited(&messenger->complaints, "a message of %zu bytes for an election is not understood", size);
    }
}

static void run(void *arg)
{
    struct auth_election_messenger *messenger = arg;
    struct poller_event event;
    while (!auth_election_messenger_is_halted(messenger)) {
        resolve_names(messenger);
        poller_wait(messenger->poller, &event, 1, take_steps(messenger));
        receive_all(messenger);
    }
}

/* ---- life ---- */

static struct auth_election_messenger *new_messenger(struct quorum_self *self, bool is_challenged, int fd)
{
    struct auth_election_messenger *messenger = MEMORY_NEW(struct auth_election_messenger);
    struct quorum_verifier *verifier = quorum_self_verifier(self);
    messenger->self = self;
    messenger->is_challenged = is_challenged;
    messenger->fd = fd;
    messenger->poller = poller_new();
    messenger->received = notification_queue_new(MOST_RECEIVED);
    mutex_init(&messenger->lock);
    messenger->correspondents = MEMORY_NEW_ARRAY(quorum_verifier_count(verifier), struct correspondent);
    for (size_t i = 0; i < quorum_verifier_count(verifier); i++)
        add_correspondent(messenger, quorum_verifier_at(verifier, i));
    quorum_verifier_unref(verifier);
    return messenger;
}

int auth_election_messenger_start(struct quorum_self *self, bool is_challenged,
                                  struct auth_election_messenger **ret_messenger, struct error *error)
{
    struct quorum_verifier *holder;
    const struct quorum_server *me;
    struct address any;
    int fd;
    if (!quorum_self_find_server(self, self->id, &holder, &me))
        return error_set(error, ZK_NOT_FOUND, "server %" PRId64 " is in no configuration", self->id);
    address_any(me->election_addresses[0].port, &any);
    quorum_verifier_unref(holder);
    int err = datagram_open(&any, &fd, error);
    if (err != ZK_OK)
        return err;
    struct auth_election_messenger *messenger = new_messenger(self, is_challenged, fd);
    err = poller_add(messenger->poller, fd, POLLER_READ, messenger, error);
    if (err != ZK_OK) {
        auth_election_messenger_free(messenger);
        return err;
    }
    messenger->thread = thread_start("WorkerReceiver Thread", run, messenger);
    *ret_messenger = messenger;
    return ZK_OK;
}

void auth_election_messenger_send_to_all(struct auth_election_messenger *messenger, const struct vote *vote)
{
    mutex_lock(&messenger->lock);
    for (size_t i = 0; i < messenger->correspondent_count; i++) {
        struct correspondent *correspondent = &messenger->correspondents[i];
        correspondent->notification = (struct auth_election_message){
            .type = AUTH_ELECTION_NOTIFICATION, .tag = messenger->next_tag++, .vote = *vote};
        correspondent->notification.vote.state = PEER_LOOKING;
        correspondent->is_pending = true;
        correspondent->has_challenge = false;
        correspondent->attempts = 0;
        correspondent->next_ms = 0;
    }
    mutex_unlock(&messenger->lock);
    poller_wake(messenger->poller);
}

void auth_election_messenger_set_round(struct auth_election_messenger *messenger, int64_t round)
{
    mutex_lock(&messenger->lock);
    messenger->round = round;
    mutex_unlock(&messenger->lock);
}

bool auth_election_messenger_receive(struct auth_election_messenger *messenger, int64_t deadline_ms,
                                     struct notification *ret_notification)
{
    return notification_queue_poll(messenger->received, ret_notification, 1, deadline_ms) == 1;
}

void auth_election_messenger_halt(struct auth_election_messenger *messenger)
{
    atomic_store(&messenger->is_halted, true);
    notification_queue_close(messenger->received);
    poller_wake(messenger->poller);
}

bool auth_election_messenger_is_halted(struct auth_election_messenger *messenger)
{
    return atomic_load(&messenger->is_halted);
}

void auth_election_messenger_free(struct auth_election_messenger *messenger)
{
    if (messenger == NULL)
        return;
    auth_election_messenger_halt(messenger);
    thread_join(messenger->thread);
    for (size_t i = 0; i < messenger->correspondent_count; i++)
        memory_free(messenger->correspondents[i].name.host);
    memory_free(messenger->correspondents);
    notification_queue_free(messenger->received);
    mutex_release(&messenger->lock);
    socket_close(messenger->fd);
    poller_free(messenger->poller);
    memory_free(messenger);
}
