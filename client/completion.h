/*
 * What an answer means for whoever asked: the completion is called, or the places a synchronous caller gave are filled.
 * Mirrors ClientCnxn.EventThread.processEvent.
 */
#ifndef ZKC_CLIENT_COMPLETION_H
#define ZKC_CLIENT_COMPLETION_H

#include "client/pending_request.h"
#include "common/wire/jute.h"

/* An answer, decoded; what it holds was allocated. Which members count follows from the type. */
struct decoded_reply {
    struct jute_buffer data;             /* in the request's reply */
    struct Stat stat;
    char *string;
    struct String_vector strings;
    struct ACL_vector acl;
    struct ClientInfo_vector infos;
    int number;
    int read_count;
    zoo_read_result_t *reads;
};
/* The request's rc, or of a multi the first error in it, or ZMARSHALLINGERROR, all else then being empty. */
int completion_decode(struct pending_request *request, const char *chroot, struct decoded_reply *ret_reply);
void decoded_reply_release(struct decoded_reply *reply);

/* Calls the completion of an asynchronous request. */
void completion_call(zhandle_t *zh, struct pending_request *request);

#endif
