/*
 * sim_disk.c - the disk of a simulated machine: its inodes, where paths lead, what a loss of power leaves, and what the
 * driver does to it from outside.
 *
 * An inode lives as long as something refers to it: a name, a durable name, a change that is not durable yet, or an
 * open file. The root is "/", where all programs stand.
 */
#include "tests/simulator/disk.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/sim_disk_internal.h"

#define PATH_LIMIT 4096

/* ---- memory ---- */

void *sim_disk_alloc(size_t size)
{
    return sim_disk_realloc(NULL, size);
}

void *sim_disk_realloc(void *memory, size_t size)
{
    void *grown = realloc(memory, size);
    if (grown == NULL)
        abort();
    return grown;
}

char *sim_disk_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(sim_disk_alloc(size), text, size);
}

/* ---- inodes ---- */

struct sim_inode *sim_inode_new(struct sim_disk *disk, bool is_directory)
{
    struct sim_inode *inode = sim_disk_alloc(sizeof(*inode));
    *inode = (struct sim_inode){ .disk = disk, .number = disk->next_number++, .references = 1,
                                 .is_directory = is_directory, .previous = disk->last };
    if (disk->last != NULL)
        disk->last->next = inode;
    else
        disk->first = inode;
    disk->last = inode;
    sim_inode_touch(inode);
    return inode;
}

void sim_inode_unref(struct sim_inode *inode)
{
    if (inode == NULL || --inode->references > 0)
        return;
    struct sim_disk *disk = inode->disk;
    if (inode->previous != NULL)
        inode->previous->next = inode->next;
    else
        disk->first = inode->next;
    if (inode->next != NULL)
        inode->next->previous = inode->previous;
    else
        disk->last = inode->previous;
    sim_directory_release(&inode->directory);
    sim_content_release(&inode->content);
    free(inode);
}

void sim_inode_touch(struct sim_inode *inode)
{
    inode->modified_ms = inode->changed_ms = sim_node_wall_ms(inode->disk->node);
}

/* ---- paths ---- */

/* One step: `name` from the directory the place stands for now. */
static void step(struct sim_place *place)
{
    struct sim_inode *here = place->inode;
    if (strcmp(place->name, ".") == 0 || strcmp(place->name, "..") == 0) {
        place->inode = place->name[1] == '.' && here->parent != NULL ? here->parent : here;
        place->directory = NULL;
    } else {
        place->directory = here;
        place->inode = sim_directory_find(here, place->name);
    }
}

int sim_disk_find(struct sim_disk *disk, const char *path, struct sim_place *ret_place)
{
    struct sim_place *place = ret_place;
    *place = (struct sim_place){ .inode = disk->root };
    if (path[0] == '\0')
        return ENOENT;
    if (strlen(path) >= PATH_LIMIT)
        return ENAMETOOLONG;
    for (const char *at = path + strspn(path, "/"); *at != '\0'; at += strspn(at, "/")) {
        size_t size = strcspn(at, "/");
        if (size >= SIM_NAME_SIZE)
            return ENAMETOOLONG;
        if (place->inode == NULL)
            return ENOENT;
        if (!place->inode->is_directory)
            return ENOTDIR;
        memcpy(place->name, at, size);
        place->name[size] = '\0';
        step(place);
        at += size;
        place->has_slash = *at == '/';
    }
    return 0;
}

int sim_disk_find_one(struct sim_disk *disk, const char *path, struct sim_place *ret_place)
{
    int error_number = sim_disk_find(disk, path, ret_place);
    if (error_number != 0)
        return error_number;
    if (ret_place->inode == NULL)
        return ENOENT;
    return ret_place->has_slash && !ret_place->inode->is_directory ? ENOTDIR : 0;
}

struct sim_inode *sim_disk_look(struct sim_disk *disk, const char *path)
{
    struct sim_place place;
    errno = sim_disk_find_one(disk, path, &place);
    return errno == 0 ? place.inode : NULL;
}

/* ---- open files and room ---- */

struct sim_disk *sim_disk_current(void)
{
    struct sim_node *node = sim_current_node();
    assert(node != NULL);    /* the driver has disk.h */
    return node->disk;
}

void sim_disk_forget(struct file *file)
{
    struct sim_inode *inode = file->inode;
    struct sim_disk *disk = inode->disk;
    if (file->previous != NULL)
        file->previous->next = file->next;
    else
        disk->open = file->next;
    if (file->next != NULL)
        file->next->previous = file->previous;
    disk->open_count--;
    inode->opens--;
    if (inode->locker == file)
        inode->locker = NULL;
    sim_inode_unref(inode);
    free(file->path);
    free(file);
}

int64_t sim_disk_free_blocks(const struct sim_disk *disk)
{
    if (disk->manner.capacity <= 0)
        return INT64_MAX;
    int64_t blocks = disk->manner.capacity / SIM_BLOCK;
    for (const struct sim_inode *inode = disk->first; inode != NULL; inode = inode->next)
        if (inode->names > 0 || inode->opens > 0)
            blocks -= sim_content_blocks(&inode->content);
    return blocks > 0 ? blocks : 0;
}

/* ---- loss of power ---- */

bool sim_loss_keeps(const struct sim_loss *loss)
{
    if (loss->kind == SIM_DISK_LOSS_MIXED)
        return sim_below(4) < loss->weight;
    return loss->kind == SIM_DISK_LOSS_NONE;
}

/* Of the whole disk: all lost often, since that is what most mistakes need to be seen. */
static enum sim_disk_loss choose_loss(const struct sim_disk *disk)
{
    static const enum sim_disk_loss chances[] = { SIM_DISK_LOSS_ALL, SIM_DISK_LOSS_ALL, SIM_DISK_LOSS_ALL,
                                                  SIM_DISK_LOSS_NONE, SIM_DISK_LOSS_MIXED, SIM_DISK_LOSS_MIXED,
                                                  SIM_DISK_LOSS_MIXED, SIM_DISK_LOSS_MIXED };
    return disk->manner.loss != SIM_DISK_LOSS_BY_SEED ? disk->manner.loss : chances[sim_below(8)];
}

/* Of one inode; where it is mixed, some files are kept whole and some are lost whole. */
static struct sim_loss choose_inode_loss(enum sim_disk_loss loss)
{
    struct sim_loss chosen = { loss, 0 };
    if (loss != SIM_DISK_LOSS_MIXED)
        return chosen;
    switch (sim_below(4)) {
    case 0: chosen.kind = SIM_DISK_LOSS_ALL; break;
    case 1: chosen.kind = SIM_DISK_LOSS_NONE; break;
    default: chosen.weight = 1 + sim_below(3);
    }
    return chosen;
}

static void lose_power(struct sim_disk *disk)
{
    static const char *const words[] = { "as the seed says", "all", "nothing", "some" };
    enum sim_disk_loss loss = choose_loss(disk);
    sim_trace("disk: %s loses %s of what was not synced", disk->node->name, words[loss]);
    /* Nothing goes away while the list is walked. */
    for (struct sim_inode *inode = disk->first; inode != NULL; inode = inode->next)
        inode->references++;
    for (struct sim_inode *inode = disk->first; inode != NULL; inode = inode->next) {
        struct sim_loss one = choose_inode_loss(loss);
        if (inode->is_directory)
            sim_directory_lose_power(inode, &one);
        else
            sim_content_lose_power(&inode->content, &one);
    }
    struct sim_inode *next;
    for (struct sim_inode *inode = disk->first; inode != NULL; inode = next) {
        next = inode->next;    /* which we still hold, whatever goes away with this one */
        sim_inode_unref(inode);
    }
}

void sim_disk_lose_program(struct sim_node *node, bool with_power)
{
    struct sim_disk *disk = node->disk;
    while (disk->open != NULL)
        sim_disk_forget(disk->open);
    if (with_power)
        lose_power(disk);
}

/* ---- the world ---- */

void sim_disk_add_node(struct sim_node *node)
{
    struct sim_disk *disk = sim_disk_alloc(sizeof(*disk));
    *disk = (struct sim_disk){ .node = node, .next_number = 1, .next_serial = 1 };
    disk->manner = (struct sim_disk_manner){ .least_sync_ns = 100 * SIM_US, .most_sync_ns = 2000 * SIM_US,
                                             .fail_errno = EIO, .write_back_one_in = 8 };
    disk->root = sim_inode_new(disk, true);
    node->disk = disk;
}

void sim_disk_end(void)
{
    for (int i = 0; i < sim_node_count(); i++) {
        struct sim_node *node = sim_node_at(i);
        struct sim_disk *disk = node->disk;
        sim_disk_lose_program(node, false);
        sim_inode_unref(disk->root);
        assert(disk->first == NULL);
        free(disk->failure.part);
        free(disk->doom.part);
        free(disk);
        node->disk = NULL;
    }
}

size_t sim_disk_open_count(const struct sim_node *node)
{
    return node->disk->open_count;
}

struct sim_disk_manner *sim_disk_manner(struct sim_node *node)
{
    return &node->disk->manner;
}

/* ---- the driver ---- */

/* What there is of the name from now on, durable; NULL: nothing. */
static void put_name(struct sim_inode *directory, const char *name, struct sim_inode *inode)
{
    sim_directory_change(directory, inode == NULL ? name : NULL, inode == NULL ? NULL : name, inode);
    sim_directory_sync(directory, UINT64_MAX);
}

void sim_disk_put(struct sim_node *node, const char *path, const void *bytes, size_t size)
{
    struct sim_inode *directory = node->disk->root;
    const char *at = path + strspn(path, "/"), *slash;
    char name[SIM_NAME_SIZE];
    for (; (slash = strchr(at, '/')) != NULL; at = slash + strspn(slash, "/")) {
        assert((size_t)(slash - at) < sizeof(name));
        memcpy(name, at, (size_t)(slash - at));
        name[slash - at] = '\0';
        struct sim_inode *next = sim_directory_find(directory, name);
        sim_directory_sync(directory, UINT64_MAX);
        if (next == NULL) {
            next = sim_inode_new(node->disk, true);
            put_name(directory, name, next);
            sim_inode_unref(next);
        }
        assert(next->is_directory);
        directory = next;
    }
    assert(*at != '\0');
    struct sim_inode *file = sim_inode_new(node->disk, false);
    sim_content_write(&file->content, bytes, (int64_t)size, 0, 0);
    sim_content_sync(&file->content);
    put_name(directory, at, file);
    sim_inode_unref(file);
}

bool sim_disk_get(struct sim_node *node, const char *path, struct buffer *bytes)
{
    const struct sim_inode *inode = sim_disk_look(node->disk, path);
    if (inode == NULL || inode->is_directory)
        return false;
    size_t size = (size_t)inode->content.size;
    if (size > 0)
        (void)sim_content_read(&inode->content, buffer_extend(bytes, size), size, 0);
    return true;
}

void sim_disk_wipe(struct sim_node *node, const char *path)
{
    struct sim_place place;
    if (sim_disk_find(node->disk, path, &place) != 0 || place.inode == NULL)
        return;
    sim_trace("disk: %s of %s is wiped", path, node->name);
    if (place.directory != NULL) {
        put_name(place.directory, place.name, NULL);
        return;
    }
    struct sim_entries *entries = &place.inode->directory.now;    /* of the root, say */
    while (entries->count > 0) {
        char *name = sim_disk_copy(entries->list[0].name);
        put_name(place.inode, name, NULL);
        free(name);
    }
}

bool sim_disk_rot(struct sim_node *node, const char *path, const char *prefix)
{
    const struct sim_inode *directory = sim_disk_look(node->disk, path);
    if (directory == NULL || !directory->is_directory)
        return false;
    const struct sim_entries *entries = &directory->directory.now;
    const struct sim_entry *chosen = NULL;
    uint64_t candidates = 0;
    for (size_t i = 0; i < entries->count; i++) {
        const struct sim_entry *entry = &entries->list[i];
        if (strncmp(entry->name, prefix, strlen(prefix)) == 0 && sim_content_has_bytes(&entry->inode->content) &&
            sim_below(++candidates) == 0)
            chosen = entry;
    }
    if (chosen == NULL)
        return false;
    int bit;
    int64_t at = sim_content_rot(&chosen->inode->content, &bit);
    sim_trace("disk: bit %d of byte %" PRId64 " of %s/%s of %s turns over", bit, at, path, chosen->name,
              node->name);
    return true;
}

void sim_disk_each(struct sim_node *node, const char *path, void (*each)(void *arg, const char *name, int64_t size),
                   void *arg)
{
    const struct sim_inode *directory = sim_disk_look(node->disk, path);
    if (directory == NULL || !directory->is_directory)
        return;
    for (size_t i = 0; i < directory->directory.now.count; i++) {
        const struct sim_entry *entry = &directory->directory.now.list[i];
        each(arg, entry->name, entry->inode->content.size);
    }
}
