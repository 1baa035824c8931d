/*
 * What the clients and servers of a seed did and saw, and whether that may be. Filled by programs as they go, in memory
 * of the driver's, so that it outlives them; never waits. Every check that fails is a sim_violation().
 *
 * (1) Agreement: a zxid stands for the same transaction, byte for byte, on every server that applied it, and follows
 *     the same one on each of them.
 * (2) No fork: a version of a register has one value, one zxid; two writes never make the same version.
 * (3) No loss: a version that was acknowledged is there ever after, for whoever reads behind a sync.
 * (4) A session never goes back: not in the zxid of its answers, and not in the versions it reads, not on another
 *     server.
 * (5) A watch fires, or its session never sees anything newer than what it was set on.
 * (6) Names of sequential nodes are given once, and those that were acknowledged are there in the end.
 * (7) Leadership: an epoch has one leader.
 */
#ifndef ZKC_TESTS_SIMULATOR_HISTORY_H
#define ZKC_TESTS_SIMULATOR_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void history_begin(void);
void history_end(void);

/* A server applied this transaction. */
void history_applied(const char *who, int64_t zxid, uint64_t hash);
/* The one before it there. */
void history_followed(const char *who, int64_t zxid, int64_t previous);

/* A server leads, and serves, in this epoch. */
void history_led(const char *who, int sid, int64_t epoch);

#define HISTORY_REGISTERS 8    /* registers 0 ... 7 */
/* A value nobody else writes; its number stands in the register's data. */
uint64_t history_new_value(void);
/* A write of `value` was acknowledged as `version` of the register at `zxid`. */
void history_wrote(int reg, uint64_t value, int32_t version, int64_t zxid);
/* A session read it. `floor` is what history_acked_version() gave before the sync in front of the read; -1: no sync. */
void history_read(int reg, uint64_t value, int32_t version, int64_t zxid, int32_t floor);
/* The highest version known to be acknowledged; -1: none. */
int32_t history_acked_version(int reg);

/* A sequential node was acknowledged. */
void history_created(const char *path, int64_t zxid);
/* When all is mended: what the list holds, name after name, and its end. */
void history_listed(const char *path);
void history_list_ends(void);

uint64_t history_acknowledged(void);    /* writes of any kind so far */
void history_count_write(void);

/* What one session saw, for (4) and (5). {0} is a new session. */
struct session_view {
    int64_t zxid;                                /* the highest it saw */
    int32_t version[HISTORY_REGISTERS];          /* the highest it saw, plus one; 0: none */
    int32_t watched[HISTORY_REGISTERS];          /* version on which a watch was set, plus one; 0: none is set */
};
void session_saw(struct session_view *view, const char *who, int reg, int32_t version, int64_t zxid);
void session_watches(struct session_view *view, int reg, int32_t version);
void session_watch_fired(struct session_view *view, int reg);

#endif
