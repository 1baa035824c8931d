/*
 * What the parts of the simulated disk share; for sim_disk*.c and sim_file.c only.
 *
 *   sim_file.c              common/base/file.h: open files
 *   sim_file_names.c        and names, directories, paths
 *   sim_disk_fault.c        each call begins and ends there: time, faults, dooms
 *   sim_disk.c              a machine's disk: inodes, paths, loss of power, what the driver does
 *   sim_disk_directory.c    names of a directory and which of them are durable
 *   sim_disk_content.c      bytes of a file and which of them are durable
 *   sim_disk_extents.c      sets of blocks
 *
 * All memory here is malloc's, not the program's: it outlives the program. A fibre that is killed never comes back from
 * a switch point, so that nothing here may be half changed, or held in a local variable alone, where one can be.
 */
#ifndef ZKC_TESTS_SIMULATOR_SIM_DISK_INTERNAL_H
#define ZKC_TESTS_SIMULATOR_SIM_DISK_INTERNAL_H

#include "common/base/file.h"
#include "tests/simulator/disk.h"

#define SIM_BLOCK 4096
#define SIM_SECTOR 512
#define SIM_NAME_SIZE 256

/* malloc(), realloc() that end the test when there is nothing left. */
void *sim_disk_alloc(size_t size);
void *sim_disk_realloc(void *memory, size_t size);
char *sim_disk_copy(const char *text);

/* What one loss of power does to one file or directory: SIM_DISK_LOSS_MIXED keeps `weight` of 4 things. */
struct sim_loss {
    enum sim_disk_loss kind;
    uint64_t weight;
};
bool sim_loss_keeps(const struct sim_loss *loss);

/* ---- sets of blocks ---- */

/* Ranges without `to`, sorted, apart from each other. {0} is empty. */
struct sim_extents {
    struct sim_extent {
        int64_t from, to;
    } *list;
    size_t count, capacity;
};

void sim_extents_release(struct sim_extents *extents);
void sim_extents_add(struct sim_extents *extents, int64_t from, int64_t to);
void sim_extents_remove(struct sim_extents *extents, int64_t from, int64_t to);
bool sim_extents_have(const struct sim_extents *extents, int64_t block);
int64_t sim_extents_next(const struct sim_extents *extents, int64_t block);    /* at or behind it; -1 */
int64_t sim_extents_count(const struct sim_extents *extents);                  /* blocks */

/* ---- bytes ---- */

struct sim_page;

/* The volatile cut of a file: what comes back when it is lost, with all that was written behind it since. */
struct sim_cut {
    bool is_pending;
    int64_t size;
    struct sim_cut_page {
        int64_t block;
        uint8_t *bytes;
    } *pages;
    size_t count, capacity;
    struct sim_extents extents;
};

struct sim_content {
    int64_t size, durable_size;
    struct sim_page **pages;       /* by block; none where all is zero */
    int64_t page_count;
    struct sim_extents extents;    /* written, zeros included: the others are holes */
    int64_t *dirty;                /* blocks that the next sync makes durable */
    size_t dirty_count, dirty_capacity;
    struct sim_cut cut;
};

void sim_content_release(struct sim_content *content);
size_t sim_content_read(const struct sim_content *content, void *bytes, size_t size, int64_t offset);
/* `bytes` NULL: zeros. What lies there unsynced reaches the disk before it is written over, once in
 * `write_back_one_in`. */
void sim_content_write(struct sim_content *content, const void *bytes, int64_t size, int64_t offset,
                       uint64_t write_back_one_in);
void sim_content_truncate(struct sim_content *content, int64_t size);
void sim_content_sync(struct sim_content *content);
/* The sync failed: what was to become durable counts as clean, and is lost with the power. */
void sim_content_fail_sync(struct sim_content *content);
void sim_content_lose_power(struct sim_content *content, const struct sim_loss *loss);
/* -1: nothing but a hole. */
int64_t sim_content_next_data(const struct sim_content *content, int64_t offset);
int64_t sim_content_blocks(const struct sim_content *content);
/* Where a write of [from, to) ends when there are only so many free blocks. */
int64_t sim_content_reach(const struct sim_content *content, int64_t from, int64_t to, int64_t free_blocks);
/* Whether something else than zeros was ever written: a bit of it can be turned over then, on the disk and in memory.
 * */
bool sim_content_has_bytes(const struct sim_content *content);
int64_t sim_content_rot(struct sim_content *content, int *ret_bit);

/* ---- names ---- */

struct sim_inode;

struct sim_entries {
    struct sim_entry {
        char *name;
        struct sim_inode *inode;    /* a reference */
    } *list;                        /* sorted by byte */
    size_t count, capacity;
};

/* One change of a directory: `from` goes away, `to` stands for the inode; either may be NULL. */
struct sim_change {
    uint64_t serial;
    char *from, *to;
    struct sim_inode *inode;    /* a reference; NULL without `to` */
};

struct sim_directory {
    struct sim_entries now, durable;
    struct sim_change *changes;    /* what leads from `durable` to `now` */
    size_t count, capacity;
};

struct sim_inode {
    struct sim_disk *disk;
    struct sim_inode *next, *previous;    /* all of a disk, in the order they were made */
    int64_t number;
    size_t references;                    /* entries, changes, open files */
    size_t names;                         /* entries that a program sees */
    size_t opens;
    bool is_directory;
    int64_t modified_ms, changed_ms;      /* wall clock of the machine */
    struct file *locker;
    struct sim_inode *parent;             /* of a directory; valid as long as the inode has a name */
    struct sim_directory directory;
    struct sim_content content;
};

/* With one reference, the caller's. */
struct sim_inode *sim_inode_new(struct sim_disk *disk, bool is_directory);
void sim_inode_unref(struct sim_inode *inode);
void sim_inode_touch(struct sim_inode *inode);    /* its content changed now */

struct sim_inode *sim_directory_find(const struct sim_inode *directory, const char *name);
/* A volatile change. A name that `to` had before stands for nothing any more. */
void sim_directory_change(struct sim_inode *directory, const char *from, const char *to, struct sim_inode *inode);
/* Makes the changes up to that serial durable. */
void sim_directory_sync(struct sim_inode *directory, uint64_t serial);
void sim_directory_lose_power(struct sim_inode *directory, const struct sim_loss *loss);
void sim_directory_release(struct sim_directory *directory);

/* ---- the disk ---- */

/* Something that waits for the nth call of a kind. */
struct sim_trap {
    bool is_set;
    enum sim_disk_call call;
    char *part;
    uint64_t nth;
    int error_number;
    bool after, with_power;
};

struct sim_disk {
    struct sim_node *node;
    struct sim_disk_manner manner;
    struct sim_inode *root;
    struct sim_inode *first, *last;
    int64_t next_number;
    uint64_t next_serial;
    struct file *open;    /* of the program that runs */
    size_t open_count;
    uint64_t changes;
    struct sim_trap failure, doom;
    uint64_t doom_change;    /* 0: none */
    bool doom_change_after, doom_change_with_power;
};

struct file {
    struct file *next, *previous;
    struct sim_inode *inode;    /* a reference */
    enum file_mode mode;
    int descriptor;
    int64_t position;    /* of the next file_write() */
    bool writes_behind;
    char *path;
};

/* Of the program that runs: the driver has none, and may not come here. */
struct sim_disk *sim_disk_current(void);
/* Takes it out of the list, drops lock and inode, frees it; not the descriptor. */
void sim_disk_forget(struct file *file);
/* Free blocks of the disk; INT64_MAX for one without end. */
int64_t sim_disk_free_blocks(const struct sim_disk *disk);

/* Where a path leads. */
struct sim_place {
    struct sim_inode *directory;    /* NULL for "/" and what ends in . or .. */
    char name[SIM_NAME_SIZE];
    struct sim_inode *inode;        /* NULL: there is nothing of that name */
    bool has_slash;                 /* the path ends in one: only a directory may be meant */
};
/* 0, or ENOENT, ENOTDIR, ENAMETOOLONG when there is no directory to look in. */
int sim_disk_find(struct sim_disk *disk, const char *path, struct sim_place *ret_place);
/* The same for what must be there. */
int sim_disk_find_one(struct sim_disk *disk, const char *path, struct sim_place *ret_place);
/* The inode, or NULL with errno. */
struct sim_inode *sim_disk_look(struct sim_disk *disk, const char *path);

/* ---- calls ---- */

/* What the seed or the driver has in mind for a call. */
struct sim_turn {
    struct sim_disk *disk;
    enum sim_disk_call call;
    const char *path;
    int error_number;          /* 0, or what it is to fail with */
    bool dies_within;          /* a write: only a part of it is done */
    bool dies_after, with_power;
};
/* A switch point, then the time it takes. May be the end of the program. `is_change`: it is to change the disk. */
struct sim_turn sim_turn_begin(enum sim_disk_call call, const char *path, const char *other, bool is_change);
/* The call has done what it does. May be the end of the program. */
void sim_turn_end(const struct sim_turn *turn);
/* As error_set_errno() and as fail_path() of file.c, with "cannot <deed> <path>". */
int sim_file_fail(struct error *error, int error_number, const char *deed, const char *path);
int sim_file_fail_path(struct error *error, int error_number, const char *deed, const char *path);
/* A name for a new inode, in the directory of a place where there is none; volatile. */
struct sim_inode *sim_inode_make(const struct sim_place *place, bool is_directory);

/* For calls that only look at names: they take their time and never fail. */
struct sim_disk *sim_turn_look(void);

#endif
