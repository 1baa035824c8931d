/* Notifications over UDP that are sent until they are acknowledged, and what comes in. Mirrors
 * AuthFastLeaderElection.Messenger with its WorkerSenders and WorkerReceiver. */
#ifndef ZKC_SERVER_QUORUM_AUTH_ELECTION_MESSENGER_H
#define ZKC_SERVER_QUORUM_AUTH_ELECTION_MESSENGER_H

#include "server/quorum/election_message.h"
#include "server/quorum/quorum_self.h"

struct auth_election_messenger;
/*
 * Binds the election port; thread "WorkerReceiver Thread". With `is_challenged` a notification counts only with the
 * challenge that its receiver gave: whoever sent it gets what is sent to its address. ZK_IO.
 */
int auth_election_messenger_start(struct quorum_self *self, bool is_challenged,
                                  struct auth_election_messenger **ret_messenger, struct error *error);
/* To all members, this server too; takes the place of what is still on its way to them. `vote` with its round. */
void auth_election_messenger_send_to_all(struct auth_election_messenger *messenger, const struct vote *vote);
/* The round that others are told in acknowledgements; what is on its way of other rounds is not repeated. */
void auth_election_messenger_set_round(struct auth_election_messenger *messenger, int64_t round);
/* A notification, or what an acknowledgement said of who does not look. False: none until the deadline, or stopped. */
bool auth_election_messenger_receive(struct auth_election_messenger *messenger, int64_t deadline_ms,
                                     struct notification *ret_notification);
/* Ends it; whoever waits returns. Does not wait itself. */
void auth_election_messenger_halt(struct auth_election_messenger *messenger);
bool auth_election_messenger_is_halted(struct auth_election_messenger *messenger);
void auth_election_messenger_free(struct auth_election_messenger *messenger);    /* halts, joins; NULL is accepted */

#endif
