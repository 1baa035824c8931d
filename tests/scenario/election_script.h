/*
 * Elections from a script: servers that only have the rules (server/quorum/election_rules.h), a network that delivers
 * what the script tells it to, and a trace of what came of it, a line for each thing that changed.
 *
 *   look 1 2 3           these begin a round, one after another
 *   deliver              all messages, in the order they were sent, until there are none
 *   deliver 1>2          the oldest from 1 to 2
 *   lose 1>2             all that are under way from 1 to 2
 *   wait 1               nothing better comes to 1 within finalizeWait
 *   repeat 1             nothing came to 1 for long: it tells its proposal again
 *   crash 3              it is gone, with all that is under way from and to it
 *   say 2>1 LEADING 3 round 4 zxid 0x5 epoch 1      a message that 2 never sent
 */
#ifndef ZKC_TESTS_SCENARIO_ELECTION_SCRIPT_H
#define ZKC_TESTS_SCENARIO_ELECTION_SCRIPT_H

#include <stdint.h>

struct scripted_server {
    int64_t id, zxid, epoch;
    const char *config, *next_config;    /* texts of verifiers; next NULL: the same */
};
/* Runs the script over these servers (ids from 1 to count) and returns the trace, the caller's. */
char *election_script_run(const struct scripted_server *servers, int count, const char *script);

#endif
