/* Answers, over UDP at the port for learners, whom this server votes for: the other half of electionAlg 0. Mirrors
 * QuorumPeer.ResponderThread; thread "ResponderThread". */
#ifndef ZKC_SERVER_QUORUM_RESPONDER_THREAD_H
#define ZKC_SERVER_QUORUM_RESPONDER_THREAD_H

#include "server/quorum/quorum_self.h"

/*
 * A request is an xid of 4 bytes. The response is that xid, the id of this server 8, the id of its leader 8, a zxid
 * 8, all big-endian, and 8 bytes of no meaning, which Java sends too. An observer that observes says what it last
 * said.
 */
#define RESPONDER_REQUEST_SIZE 4
#define RESPONDER_RESPONSE_SIZE 28
#define RESPONDER_PACKET_SIZE 36

struct responder_thread;
/* ZK_IO: the port cannot be bound. */
int responder_thread_start(struct quorum_self *self, struct responder_thread **ret_responder, struct error *error);
void responder_thread_stop(struct responder_thread *responder);    /* joins, frees; NULL is accepted */

#endif
