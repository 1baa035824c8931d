/* The two threads between an election and its connections, and the queues on either side. Mirrors
 * FastLeaderElection.Messenger, WorkerSender and WorkerReceiver. */
#ifndef ZKC_SERVER_QUORUM_ELECTION_MESSENGER_H
#define ZKC_SERVER_QUORUM_ELECTION_MESSENGER_H

#include "server/quorum/election_message.h"
#include "server/quorum/quorum_cnx_manager.h"

struct election_messenger;
struct election_messenger_events {
    /* What the election proposes at present, and its round in election_epoch. Any state. */
    void (*proposal)(void *owner, struct vote *ret_vote);
    /* The election has to end, for the configuration it was for is no more. False: it is over already, and all goes on.
     * WorkerReceiver. */
    bool (*config_changed)(void *owner);
};
struct election_messenger *election_messenger_new(struct quorum_self *self, struct quorum_cnx_manager *manager,
                                                  const struct election_messenger_events *events, void *owner);
/* Threads "WorkerSender[myid=<id>]" and "WorkerReceiver[myid=<id>]". */
void election_messenger_start(struct election_messenger *messenger);
/* Q11: the vote, with the present configuration behind it. Waits for room. */
void election_messenger_send(struct election_messenger *messenger, int64_t sid, const struct vote *vote);
void election_messenger_send_to_all(struct election_messenger *messenger, const struct vote *vote);    /* voters */
/* Q12: a notification from a voter while this server was LOOKING. False: none until the deadline (elapsed ms), or
 * halted. */
bool election_messenger_receive(struct election_messenger *messenger, int64_t deadline_ms,
                                struct notification *ret_notification);
void election_messenger_clear(struct election_messenger *messenger);    /* Q12 */
/* Closes the queues, so that threads and whoever waits leave; the manager must be halted too. Any thread, does not
 * wait. */
void election_messenger_halt(struct election_messenger *messenger);
bool election_messenger_is_halted(struct election_messenger *messenger);
void election_messenger_free(struct election_messenger *messenger);    /* halts, joins; NULL is accepted */

#endif
