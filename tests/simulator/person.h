/*
 * The person of a client program, with one session after the other: what the programs of sim_client.c and
 * sim_operator.c have in common. A thread of the program.
 */
#ifndef ZKC_TESTS_SIMULATOR_PERSON_H
#define ZKC_TESTS_SIMULATOR_PERSON_H

#include "client/public.h"
#include "tests/simulator/history.h"
#include "tests/simulator/sim_client.h"

#define PATH_SIZE 64

struct watch {
    struct person *person;
    int reg;
    bool has_fired;
};

/* A client at work. Whatever the library's threads may still touch after a handle was given up lives as long as it. */
struct person {
    struct sim_client *client;
    zhandle_t *handle;
    bool is_connected, is_lost;
    struct session_view view;
    struct watch watches[HISTORY_REGISTERS];
    int32_t version[HISTORY_REGISTERS];    /* last seen, for compare-and-set */
    char ephemeral[PATH_SIZE + 24];        /* one it has; "" */
    uint64_t made;                         /* ephemerals so far */
    bool audits;
    int burst;                             /* so much more comes without a pause */
};

void person_begin(struct person *person, struct sim_client *client);
/* A session that is there, made anew if need be; false when the driver wants an end, or nobody answers for long. */
bool person_has_session(struct person *person);
/* True when it was done. What went wrong is counted. */
bool person_done(struct person *person, int rc);
/* Now and then several things follow each other at once. */
void person_pause(struct person *person);
void person_leave(struct person *person);

#endif
