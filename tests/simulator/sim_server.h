/*
 * A server as a program of a simulated machine: what main() of zkserver does, without a command line, and beside it an
 * inspector, a thread that looks at what the server has applied. The driver calls everything here.
 */
#ifndef ZKC_TESTS_SIMULATOR_SIM_SERVER_H
#define ZKC_TESTS_SIMULATOR_SIM_SERVER_H

#include "tests/simulator/scheduler.h"

#define SIM_CLIENT_PORT 2181
#define SIM_SERVER_LINE_SIZE 96

struct sim_server {
    struct sim_node *node;
    int sid;
    bool is_observer;
    int window;                   /* commitLogCount in place of the configuration's, 0: as that says */
    /* Written by the program, for the driver; of the present program or the last one. */
    struct sim_server_facts {
        bool serves, leads;
        bool takes_snapshot;      /* a leader's, and it is not saved yet */
        int64_t zxid;             /* the last it applied */
        uint64_t digest;          /* of its tree at that, when asked by `asks_for_digest` */
        bool digest_is_consistent;
        uint64_t applied;         /* transactions the inspector saw */
    } facts;
    bool asks_for_digest;         /* the driver sets it, the inspector answers and clears it */
};

/* What zoo.cfg says of one server of an ensemble: "server.1=10.0.0.1:2888:3888:participant;2181". */
int sim_server_line(int sid, bool is_observer, char ret_line[SIM_SERVER_LINE_SIZE]);
/* Puts zoo.cfg, myid and, once, the data directory onto its disk. `lines` is the configuration without dataDir. */
void sim_server_configure(struct sim_server *server, const char *lines);
/* What zkserver-initialize leaves: it may begin with nothing, once. */
void sim_server_initialize(struct sim_server *server);
/* Its data is gone, all but its number. */
void sim_server_wipe(struct sim_server *server);
/* Turns over a bit of a log or a snapshot, if it has any. */
void sim_server_rot(struct sim_server *server);
/* Its machine must stand idle. */
void sim_server_start(struct sim_server *server);

#endif
