/*
 * What nodes there are during a run, and what they hold.
 *
 *   root/DDDDD/NNN          the nodes, a thousand in a directory: read, written, watched
 *   root/sTTTTTTSSSSS/...   what session S makes and deletes, T being of this run alone
 *
 * Fixed once the run begins; any thread.
 */
#ifndef ZKC_CLIENT_BENCH_PLAN_H
#define ZKC_CLIENT_BENCH_PLAN_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_DIRECTORY_SIZE 1000                                    /* nodes in a directory */
#define BENCH_NODES_MOST (100000 * BENCH_DIRECTORY_SIZE)
#define BENCH_SESSIONS_MOST 99999
#define BENCH_ROOT_MOST 200                                          /* bytes */
#define BENCH_PATH_SIZE (BENCH_ROOT_MOST + 32)                       /* the longest, and a zero */

struct bench_plan {
    char root[BENCH_ROOT_MOST + 1];
    size_t root_size;
    uint32_t given_parts;             /* of the root, from the top, that have to be there: the chroot */
    uint32_t token;                   /* below 2^24 */
    uint32_t nodes, sessions;
    uint32_t size_least, size_most;   /* of values, bytes */
    const uint8_t *pattern;           /* borrowed */
};

uint32_t bench_plan_directories(const struct bench_plan *plan);
uint32_t bench_plan_directory_count(const struct bench_plan *plan, uint32_t directory);    /* nodes in it */
/* Each writes a path with a terminating zero and returns its length. */
size_t bench_plan_node_path(const struct bench_plan *plan, uint32_t node, char path[BENCH_PATH_SIZE]);
size_t bench_plan_directory_path(const struct bench_plan *plan, uint32_t directory, char path[BENCH_PATH_SIZE]);
size_t bench_plan_session_path(const struct bench_plan *plan, uint32_t session, char path[BENCH_PATH_SIZE]);
size_t bench_plan_made_path(const struct bench_plan *plan, uint32_t session, uint32_t number,
                            char path[BENCH_PATH_SIZE]);

#endif
