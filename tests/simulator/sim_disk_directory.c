/*
 * sim_disk_directory.c - the names of a simulated directory, as they are seen and as they would be after a loss of
 * power.
 *
 * Each change is made at once in `now` and remembered; a sync makes those it covers in `durable` too. A loss of power
 * makes the first few of them there, and what is then durable is what there is.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/sim_disk_internal.h"

/* ---- entries ---- */

/* Where the name is, or would be. */
static bool find_entry(const struct sim_entries *entries, const char *name, size_t *ret_at)
{
    size_t low = 0, high = entries->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(entries->list[middle].name, name);
        if (order == 0) {
            *ret_at = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_at = low;
    return false;
}

static void set_entry(struct sim_entries *entries, const char *name, struct sim_inode *inode)
{
    size_t at;
    inode->references++;
    if (find_entry(entries, name, &at)) {
        sim_inode_unref(entries->list[at].inode);
        entries->list[at].inode = inode;
        return;
    }
    if (entries->count == entries->capacity) {
        entries->capacity = entries->capacity > 0 ? 2 * entries->capacity : 8;
        entries->list = sim_disk_realloc(entries->list, entries->capacity * sizeof(entries->list[0]));
    }
    memmove(entries->list + at + 1, entries->list + at, (entries->count - at) * sizeof(entries->list[0]));
    entries->list[at] = (struct sim_entry){ sim_disk_copy(name), inode };
    entries->count++;
}

static void remove_entry(struct sim_entries *entries, const char *name)
{
    size_t at;
    if (!find_entry(entries, name, &at))
        return;
    struct sim_entry gone = entries->list[at];
    memmove(entries->list + at, entries->list + at + 1, (entries->count - at - 1) * sizeof(entries->list[0]));
    entries->count--;
    free(gone.name);
    sim_inode_unref(gone.inode);
}

static void release_entries(struct sim_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        free(entries->list[i].name);
        sim_inode_unref(entries->list[i].inode);
    }
    free(entries->list);
    *entries = (struct sim_entries){ 0 };
}

/* ---- changes ---- */

static void apply(const struct sim_change *change, struct sim_entries *entries)
{
    if (change->from != NULL)
        remove_entry(entries, change->from);
    if (change->to != NULL)
        set_entry(entries, change->to, change->inode);
}

/* The first `count` changes become durable, and are forgotten. */
static void settle(struct sim_directory *directory, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sim_change *change = &directory->changes[i];
        apply(change, &directory->durable);
        free(change->from);
        free(change->to);
        sim_inode_unref(change->inode);
    }
    if (count > 0)
        memmove(directory->changes, directory->changes + count,
                (directory->count - count) * sizeof(directory->changes[0]));
    directory->count -= count;
}

static void forget_changes(struct sim_directory *directory)
{
    for (size_t i = 0; i < directory->count; i++) {
        free(directory->changes[i].from);
        free(directory->changes[i].to);
        sim_inode_unref(directory->changes[i].inode);
    }
    directory->count = 0;
}

/* What a program sees by these names; sim_inode.names counts it. */
static void count_names(const struct sim_entries *entries, bool are_there)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (are_there)
            entries->list[i].inode->names++;
        else
            entries->list[i].inode->names--;
    }
}

struct sim_inode *sim_directory_find(const struct sim_inode *directory, const char *name)
{
    size_t at;
    assert(directory->is_directory);
    return find_entry(&directory->directory.now, name, &at) ? directory->directory.now.list[at].inode : NULL;
}

void sim_directory_change(struct sim_inode *inode, const char *from, const char *to, struct sim_inode *target)
{
    struct sim_directory *directory = &inode->directory;
    if (directory->count == directory->capacity) {
        directory->capacity = directory->capacity > 0 ? 2 * directory->capacity : 8;
        directory->changes = sim_disk_realloc(directory->changes, directory->capacity * sizeof(directory->changes[0]));
    }
    struct sim_change *change = &directory->changes[directory->count++];
    *change = (struct sim_change){ .serial = inode->disk->next_serial++, .inode = to != NULL ? target : NULL };
    if (from != NULL)
        change->from = sim_disk_copy(from);
    if (to != NULL) {
        change->to = sim_disk_copy(to);
        target->references++;
        if (target->is_directory)
            target->parent = inode;
    }
    count_names(&directory->now, false);
    apply(change, &directory->now);
    count_names(&directory->now, true);
    sim_inode_touch(inode);
}

void sim_directory_sync(struct sim_inode *inode, uint64_t serial)
{
    size_t count = 0;
    while (count < inode->directory.count && inode->directory.changes[count].serial <= serial)
        count++;
    settle(&inode->directory, count);
}

void sim_directory_lose_power(struct sim_inode *inode, const struct sim_loss *loss)
{
    struct sim_directory *directory = &inode->directory;
    size_t kept = loss->kind == SIM_DISK_LOSS_ALL ? 0 : directory->count;
    if (loss->kind == SIM_DISK_LOSS_MIXED)
        kept = (size_t)sim_below(directory->count + 1);
    settle(directory, kept);
    forget_changes(directory);
    count_names(&directory->now, false);
    release_entries(&directory->now);
    for (size_t i = 0; i < directory->durable.count; i++)
        set_entry(&directory->now, directory->durable.list[i].name, directory->durable.list[i].inode);
    count_names(&directory->now, true);
}

void sim_directory_release(struct sim_directory *directory)
{
    count_names(&directory->now, false);
    release_entries(&directory->now);
    release_entries(&directory->durable);
    forget_changes(directory);
    free(directory->changes);
    *directory = (struct sim_directory){ 0 };
}
