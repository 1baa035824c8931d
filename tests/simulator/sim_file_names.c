/* sim_file_names.c - names, directories and paths of common/base/file.h over the simulated disk. */
#include "common/base/file.h"

#include <errno.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/simulator/network.h"
#include "tests/simulator/sim_disk_internal.h"

int sim_file_fail(struct error *error, int error_number, const char *deed, const char *path)
{
    errno = error_number;
    return error_set_errno(error, "cannot %s %s", deed, path);
}

int sim_file_fail_path(struct error *error, int error_number, const char *deed, const char *path)
{
    bool is_missing = error_number == ENOENT || error_number == ENOTDIR;
    int code = is_missing ? ZK_NOT_FOUND : error_number == EEXIST ? ZK_EXISTS : ZK_IO;
    sim_file_fail(error, error_number, deed, path);
    if (error != NULL)
        error->code = code;
    return code;
}

struct sim_inode *sim_inode_make(const struct sim_place *place, bool is_directory)
{
    struct sim_inode *inode = sim_inode_new(place->directory->disk, is_directory);
    sim_directory_change(place->directory, NULL, place->name, inode);
    sim_inode_unref(inode);
    return inode;
}

enum file_kind file_kind(const char *path)
{
    const struct sim_inode *inode = sim_disk_look(sim_turn_look(), path);
    return inode == NULL ? FILE_KIND_NONE : inode->is_directory ? FILE_KIND_DIRECTORY : FILE_KIND_REGULAR;
}

/* NULL with an error that says so. */
static const struct sim_inode *look_at(const char *path, int *ret_err, struct error *error)
{
    const struct sim_inode *inode = sim_disk_look(sim_turn_look(), path);
    *ret_err = inode == NULL ? sim_file_fail_path(error, errno, "look at", path) : ZK_OK;
    return inode;
}

int file_modified_ms(const char *path, int64_t *ret_ms, struct error *error)
{
    int err;
    const struct sim_inode *inode = look_at(path, &err, error);
    if (inode != NULL)
        *ret_ms = inode->modified_ms;
    return err;
}

int file_stamp(const char *path, struct file_stamp *ret_stamp, struct error *error)
{
    int err;
    const struct sim_inode *inode = look_at(path, &err, error);
    if (inode != NULL)
        *ret_stamp = (struct file_stamp){ .device = inode->disk->node->index + 1, .inode = inode->number,
                                          .size = inode->content.size, .modified_ns = inode->modified_ms * SIM_MS,
                                          .changed_ns = inode->changed_ms * SIM_MS };
    return err;
}

bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

int file_size_of(const char *path, int64_t *ret_size, struct error *error)
{
    int err;
    const struct sim_inode *inode = look_at(path, &err, error);
    if (inode != NULL)
        *ret_size = inode->content.size;
    return err;
}

static int unlink_name(struct sim_disk *disk, const char *path)
{
    struct sim_place place;
    int error_number = sim_disk_find_one(disk, path, &place);
    if (error_number != 0)
        return error_number;
    if (place.inode->is_directory)
        return EISDIR;
    place.inode->changed_ms = sim_node_wall_ms(disk->node);
    sim_directory_change(place.directory, place.name, NULL, NULL);
    return 0;
}

int file_unlink(const char *path, struct error *error)
{
    struct sim_turn turn = sim_turn_begin(SIM_DISK_UNLINK, path, NULL, true);
    int error_number = turn.error_number != 0 ? turn.error_number : unlink_name(turn.disk, path);
    int err = error_number != 0 ? sim_file_fail_path(error, error_number, "remove", path) : ZK_OK;
    sim_turn_end(&turn);
    return err;
}

/* Whether what is at `to` may give way to what is at `from`: 0 or errno. */
static int check_rename(const struct sim_place *from, const struct sim_place *to)
{
    if (from->directory == NULL || to->directory == NULL)
        return EBUSY;
    if (from->directory != to->directory)
        return EXDEV;    /* nobody does it, and what a loss of power leaves of it would have to be thought out */
    if (to->inode == NULL || to->inode == from->inode)
        return 0;
    if (from->inode->is_directory != to->inode->is_directory)
        return to->inode->is_directory ? EISDIR : ENOTDIR;
    return to->inode->is_directory && to->inode->directory.now.count > 0 ? ENOTEMPTY : 0;
}

static int rename_name(struct sim_disk *disk, const char *from, const char *to)
{
    struct sim_place source, target;
    int error_number = sim_disk_find_one(disk, from, &source);
    if (error_number == 0)
        error_number = sim_disk_find(disk, to, &target);
    if (error_number == 0)
        error_number = check_rename(&source, &target);
    if (error_number != 0 || source.inode == target.inode)
        return error_number;
    source.inode->changed_ms = sim_node_wall_ms(disk->node);
    sim_directory_change(source.directory, source.name, target.name, source.inode);
    return 0;
}

int file_rename(const char *from, const char *to, struct error *error)
{
    struct sim_turn turn = sim_turn_begin(SIM_DISK_RENAME, from, to, true);
    int error_number = turn.error_number != 0 ? turn.error_number : rename_name(turn.disk, from, to);
    int err = ZK_OK;
    if (error_number != 0) {
        errno = error_number;
        error_set_errno(error, "cannot rename %s to %s", from, to);
        err = error_number == ENOENT || error_number == ENOTDIR ? ZK_NOT_FOUND : ZK_IO;
        if (error != NULL)
            error->code = err;
    }
    sim_turn_end(&turn);
    return err;
}

bool file_is_writable(const char *path)
{
    return sim_disk_look(sim_turn_look(), path) != NULL;
}

bool file_is_open_to_others(const char *path)
{
    (void)path;
    (void)sim_turn_look();
    return false;
}

int directory_add(const char *path, struct error *error)
{
    struct sim_turn turn = sim_turn_begin(SIM_DISK_MAKE_DIRECTORY, path, NULL, true);
    struct sim_place place;
    int error_number = turn.error_number;
    if (error_number == 0)
        error_number = sim_disk_find(turn.disk, path, &place);
    if (error_number == 0 && place.inode != NULL)
        error_number = EEXIST;
    if (error_number == 0)
        (void)sim_inode_make(&place, true);
    int err = error_number != 0 ? sim_file_fail_path(error, error_number, "make directory", path) : ZK_OK;
    sim_turn_end(&turn);
    return err;
}

/* NULL with errno. Needs a descriptor for a moment. */
static struct sim_inode *look_into(struct sim_disk *disk, const char *path)
{
    int descriptor = sim_descriptor_take();
    if (descriptor < 0) {
        errno = EMFILE;
        return NULL;
    }
    sim_descriptor_give(descriptor);
    struct sim_inode *inode = sim_disk_look(disk, path);
    if (inode != NULL && !inode->is_directory) {
        errno = ENOTDIR;
        return NULL;
    }
    return inode;
}

int directory_sync(const char *path, struct error *error)
{
    uint64_t serial = sim_disk_current()->next_serial - 1;    /* what is changed while it goes on is not in it */
    struct sim_turn turn = sim_turn_begin(SIM_DISK_SYNC_DIRECTORY, path, NULL, true);
    struct sim_inode *inode = look_into(turn.disk, path);
    int err = ZK_OK;
    if (inode == NULL) {
        err = sim_file_fail_path(error, errno, "open directory", path);
    } else if (turn.error_number != 0) {
        err = sim_file_fail(error, turn.error_number, "sync directory", path);
    } else {
        sim_directory_sync(inode, serial);
        sim_trace("sync directory %s", path);
    }
    sim_turn_end(&turn);
    return err;
}

static void copy_names(const struct sim_entries *entries, struct name_list *list)
{
    *list = (struct name_list){ 0 };
    if (entries->count > 0)
        list->names = memory_realloc(NULL, entries->count * sizeof(list->names[0]));
    for (; list->count < entries->count; list->count++)
        list->names[list->count] = string_copy(entries->list[list->count].name);
}

int directory_list(const char *path, struct name_list *ret_list, struct error *error)
{
    struct sim_turn turn = sim_turn_begin(SIM_DISK_LIST_DIRECTORY, path, NULL, false);
    struct sim_inode *inode = look_into(turn.disk, path);
    int err = ZK_OK;
    if (inode == NULL)
        err = sim_file_fail_path(error, errno, "list directory", path);
    else if (turn.error_number != 0)
        err = sim_file_fail(error, turn.error_number, "list directory", path);
    else
        copy_names(&inode->directory.now, ret_list);
    sim_turn_end(&turn);
    return err;
}

void name_list_release(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        memory_free(list->names[i]);
    memory_free(list->names);
    *list = (struct name_list){ 0 };
}

int64_t directory_size(const char *path)
{
    const struct sim_inode *inode = look_into(sim_turn_look(), path);
    int64_t total = 0;
    for (size_t i = 0; inode != NULL && i < inode->directory.now.count; i++)
        total += inode->directory.now.list[i].inode->content.size;
    return total;
}

char *path_absolute(const char *path)
{
    return path[0] == '/' ? string_copy(path) : path_join("/", path);
}
