/*
 * The stage of a drama: an ensemble that was set up, clients that write on it, and the hands that move its servers.
 *
 * A drama is a small story out of the life of an ensemble in which a known bug showed: who is down, who leads, where
 * the power goes. The seed moves what the story leaves open. When it is over the simulator mends everything and looks,
 * as after faults, whether what was promised is there. The driver calls everything here.
 */
#ifndef ZKC_TESTS_KNOWN_BUGS_STAGE_H
#define ZKC_TESTS_KNOWN_BUGS_STAGE_H

#include "tests/simulator/cluster.h"

struct drama {
    const char *name;
    void (*prepare)(struct plan *plan);              /* adds to the plan of stage_plan() */
    void (*play)(struct cluster *cluster);
};

/* Three voters with short ticks, a window that has room for everything, and a client that writes all the time. */
void stage_plan(struct plan *plan, uint64_t seed);
void stage_add_options(struct plan *plan, const char *lines);

/* Until all serve and the clients have their sessions; false when something is wrong already. */
bool stage_begin(struct cluster *cluster);
/* Lets time pass. A server that ends by itself is a violation, unless stage_may_end() has named it. */
void stage_run(struct cluster *cluster, int64_t ns);
void stage_may_end(struct cluster *cluster, int server);
/* Until so many serve, one of them as the leader. A minute without is a violation, and false. */
bool stage_await_service(struct cluster *cluster, int servers);
/* True when somebody leads and `server` serves; looks once. */
bool stage_serves(const struct cluster *cluster, int server);
/* Until a server that runs now runs no more; false after that time. */
bool stage_await_end(struct cluster *cluster, int server, int64_t ns);

/* Down until stage_up(). */
void stage_down(struct cluster *cluster, int server, bool with_power);
void stage_all_down(struct cluster *cluster, bool with_power);
void stage_up(struct cluster *cluster, int server);
/* Of all servers but the two; with -1 of all but the one. */
int stage_other(const struct cluster *cluster, int a, int b);

/* All links between the server and the other servers, both ways; its clients still reach it. */
void stage_isolate(struct cluster *cluster, int server, bool is_cut);
/* Clients reach this server alone, -1: all of them. */
void stage_clients_reach_only(struct cluster *cluster, int server);
/* The same as stage_isolate() with its clients. */
void stage_isolate_whole(struct cluster *cluster, int server, bool is_cut);

#endif
