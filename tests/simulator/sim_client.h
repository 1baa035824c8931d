/*
 * A client as a program of a simulated machine: our own library, and a person who does one thing after another with it
 * and tells history.h what came of it. The driver calls everything here.
 */
#ifndef ZKC_TESTS_SIMULATOR_SIM_CLIENT_H
#define ZKC_TESTS_SIMULATOR_SIM_CLIENT_H

#include "tests/simulator/scheduler.h"

#define SIM_ACCOUNTS 4
#define SIM_ACCOUNT_START 100

struct sim_client {
    struct sim_node *node;
    const char *hosts;             /* borrowed: the connect string */
    int32_t timeout_ms;            /* of its sessions */
    int64_t least_pause_ns, most_pause_ns;    /* between two things it does */
    int weights[8];                /* of the things it does, by enum sim_deed */
    bool must_end;                 /* the driver's: close the session and return */
    /* What the driver may look at. */
    uint64_t answers, failures, sessions;
};

enum sim_deed {
    SIM_READ, SIM_SYNC_READ, SIM_WATCHED_READ, SIM_WRITE, SIM_CREATE, SIM_EPHEMERAL, SIM_TRANSFER, SIM_AUDIT, SIM_DEEDS
};

/* Reads and writes until it is told to end. */
void sim_client_start(struct sim_client *client);
/* Makes what the others use (registers, accounts, parents), once; ends by itself, with code 0 when all is there. */
void sim_client_start_setup(struct sim_client *client);
/* Writes once; ends by itself when that is acknowledged. */
void sim_client_start_probe(struct sim_client *client);
/* Looks at everything behind a sync, when the others have ended; ends by itself, with code 0 when it has seen all. */
void sim_client_start_audit(struct sim_client *client);
/* sim_operator.c: changes who votes, until it is told to end. */
void sim_client_start_operator(struct sim_client *client);

/* What the functions above do: a program on the client's machine. */
void sim_client_start_program(struct sim_client *client, int (*program_main)(void *arg));

#endif
