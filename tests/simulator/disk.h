/*
 * The simulated disks: what stands behind common/base/file.h, and what a test does to it.
 *
 * Each machine has one, with directories and files in memory. The disk keeps apart what a program would read and what
 * would survive a loss of power:
 * (1) bytes written to a file are volatile until file_sync() of it has returned ZK_OK; a loss of power keeps any of the
 *     volatile writes and loses the others, sector by sector (512 bytes), as the seed says; a size that grew may be
 *     kept without its bytes, which then are zeros; a cut (FILE_CREATE of what is there, file_truncate()) is kept or
 *     lost as a whole, and what was written behind it since is lost with it;
 * (2) a name made, renamed or removed is volatile until directory_sync() of its directory; a loss of power keeps a
 *     prefix of the changes of a directory, in their order (a file that was synced, but whose name was not, may be
 *     gone);
 * (3) a kill of the program loses nothing that was written.
 * A file that is removed while open lives until it is closed. Zeros (file_fill_zeros(), holes) take no memory.
 */
#ifndef ZKC_TESTS_SIMULATOR_DISK_H
#define ZKC_TESTS_SIMULATOR_DISK_H

#include "common/base/buffer.h"
#include "tests/simulator/scheduler.h"

/* Calls that only look at names (file_kind(), file_stamp() and the like) take time and never fail. */
enum sim_disk_call {
    SIM_DISK_OPEN, SIM_DISK_READ, SIM_DISK_WRITE, SIM_DISK_SYNC, SIM_DISK_TRUNCATE, SIM_DISK_UNLINK, SIM_DISK_RENAME,
    SIM_DISK_MAKE_DIRECTORY, SIM_DISK_SYNC_DIRECTORY, SIM_DISK_CLOSE, SIM_DISK_LIST_DIRECTORY, SIM_DISK_CALLS
};

/* What a loss of power takes of what is volatile: one of the others as the seed says; all; nothing; for each thing as
 * the seed says. */
enum sim_disk_loss { SIM_DISK_LOSS_BY_SEED, SIM_DISK_LOSS_ALL, SIM_DISK_LOSS_NONE, SIM_DISK_LOSS_MIXED };

/* How a disk behaves from now on; may be changed at any time. */
struct sim_disk_manner {
    int64_t least_sync_ns, most_sync_ns;       /* what file_sync() and directory_sync() take; at first 100 to 2000 us */
    int64_t least_call_ns, most_call_ns;       /* what any other call takes; at first 0 */
    uint64_t fail_one_in[SIM_DISK_CALLS];      /* 0: never; with `fail_errno` */
    int fail_errno;                            /* EIO, which it is at first, ENOSPC, EROFS */
    uint64_t short_one_in;                     /* a failing write has written a part first */
    uint64_t doom_one_in;                      /* a call that changes the disk is the program's last: before it, after
                                                  it, or, of a write, when a part was written */
    bool doom_with_power;
    enum sim_disk_loss loss;
    uint64_t write_back_one_in;                /* what was written to a sector is on the disk before it is written over
                                                  without a sync, so that this too may be what is left; at first 8 */
    int64_t capacity;                          /* bytes of all files, by blocks of 4 KiB that were written, zeros
                                                  too, but not holes; more is ENOSPC, after what fits; 0: no end */
};
struct sim_disk_manner *sim_disk_manner(struct sim_node *node);

/* A failed sync: as Linux has it, the writes it was to make durable can be read as before and count as clean, so that a
 * second sync succeeds without them; unless they are written again they are gone with the power, whatever `loss` says.
 * A failed sync of a directory leaves its changes volatile; the next one may make them durable. */

/* The `nth` call of that kind from now on (1: the next) fails with this errno; on any path that contains `part`, NULL
 * for all. One at a time. */
void sim_disk_fail_next(struct sim_node *node, enum sim_disk_call call, const char *part, uint64_t nth,
                        int error_number);
/* The same, but the program dies there: before the call is done, or after. */
void sim_disk_doom_next(struct sim_node *node, enum sim_disk_call call, const char *part, uint64_t nth, bool after,
                        bool with_power);
/* How many calls that change the disk, syncs among them, its programs made so far: what the doom of a crash-point run
 * is counted in. The program dies at the call that makes it `change`; 0: not at all. */
uint64_t sim_disk_changes(const struct sim_node *node);
void sim_disk_doom_at_change(struct sim_node *node, uint64_t change, bool after, bool with_power);

/* Nothing that was asked for above is going to happen any more. */
void sim_disk_disarm(struct sim_node *node);

/* For the driver, from outside the machine; durable at once, no time passes, and what was volatile of the directories
 * on the way is durable too. Directories are made as needed. What was put is another file than the one it replaces. */
void sim_disk_put(struct sim_node *node, const char *path, const void *bytes, size_t size);
/* Appends what a program would read; false when it is not there. */
bool sim_disk_get(struct sim_node *node, const char *path, struct buffer *bytes);
/* Removes the directory with all below it: amnesia. */
void sim_disk_wipe(struct sim_node *node, const char *path);
/* Turns over one bit of a byte the seed chooses, in a file of the directory `path` whose name begins with `prefix`, the
 * seed chooses which; of a block where something else than zeros was written; false when there is none. */
bool sim_disk_rot(struct sim_node *node, const char *path, const char *prefix);
/* Calls back for each name in a directory, in order. */
void sim_disk_each(struct sim_node *node, const char *path, void (*each)(void *arg, const char *name, int64_t size),
                   void *arg);

#endif
