/*
 * sim_file.c - open files of common/base/file.h over the simulated disk. With sim_file_names.c it stands in the place
 * of file.c; file_whole.c stands on the two.
 *
 * Results and sentences are those of file.c on Linux. A call is one step, made when its time has passed: what it finds
 * is what there is then.
 */
#include "common/base/file.h"

#include <errno.h>
#include <inttypes.h>

#include "tests/simulator/network.h"
#include "tests/simulator/sim_disk_internal.h"

/* 0 with an inode, made or cut to nothing where the mode says so; errno. */
static int open_inode(struct sim_disk *disk, const char *path, enum file_mode mode, struct sim_inode **ret_inode)
{
    struct sim_place place;
    int error_number = sim_disk_find(disk, path, &place);
    if (error_number != 0)
        return error_number;
    if (place.has_slash && mode >= FILE_CREATE)
        return EISDIR;
    if (place.inode == NULL && mode < FILE_CREATE)
        return ENOENT;
    if (place.inode == NULL) {
        *ret_inode = sim_inode_make(&place, false);
        return 0;
    }
    if (place.has_slash && !place.inode->is_directory)
        return ENOTDIR;
    if (mode == FILE_CREATE_NEW)
        return EEXIST;
    if (place.inode->is_directory && mode != FILE_READ)
        return EISDIR;
    if (mode == FILE_CREATE) {
        sim_content_truncate(&place.inode->content, 0);
        sim_inode_touch(place.inode);
    }
    *ret_inode = place.inode;
    return 0;
}

static struct file *new_file(struct sim_inode *inode, enum file_mode mode, int descriptor, const char *path)
{
    struct sim_disk *disk = inode->disk;
    struct file *file = sim_disk_alloc(sizeof(*file));
    *file = (struct file){ .next = disk->open, .inode = inode, .mode = mode, .descriptor = descriptor,
                           .position = mode == FILE_APPEND ? inode->content.size : 0, .path = sim_disk_copy(path) };
    if (disk->open != NULL)
        disk->open->previous = file;
    disk->open = file;
    disk->open_count++;
    inode->opens++;
    inode->references++;
    return file;
}

int file_open(const char *path, enum file_mode mode, struct file **ret_file, struct error *error)
{
    struct sim_turn turn = sim_turn_begin(SIM_DISK_OPEN, path, NULL, mode >= FILE_CREATE);
    struct sim_inode *inode = NULL;
    int descriptor = -1, error_number = turn.error_number;
    if (error_number == 0 && (descriptor = sim_descriptor_take()) < 0)
        error_number = EMFILE;
    if (error_number == 0)
        error_number = open_inode(turn.disk, path, mode, &inode);
    int err = ZK_OK;
    if (error_number != 0)
        err = sim_file_fail_path(error, error_number, "open", path);
    else if (inode->is_directory)
        err = error_set(error, ZK_IO, "cannot open %s: not a regular file", path);
    else
        *ret_file = new_file(inode, mode, descriptor, path);
    if (err != ZK_OK && descriptor >= 0)
        sim_descriptor_give(descriptor);
    sim_turn_end(&turn);
    return err;
}

int file_close(struct file *file, struct error *error)
{
    if (file == NULL)
        return ZK_OK;
    struct sim_turn turn = sim_turn_begin(SIM_DISK_CLOSE, file->path, NULL, false);
    int err = turn.error_number != 0 ? sim_file_fail(error, turn.error_number, "close", file->path) : ZK_OK;
    sim_descriptor_give(file->descriptor);
    sim_disk_forget(file);
    sim_turn_end(&turn);
    return err;
}

const char *file_path(const struct file *file)
{
    return file->path;
}

int file_pread(struct file *file, void *bytes, size_t size, int64_t offset, size_t *ret_read, struct error *error)
{
    if (size == 0) {    /* no call at all */
        *ret_read = 0;
        return ZK_OK;
    }
    struct sim_turn turn = sim_turn_begin(SIM_DISK_READ, file->path, NULL, false);
    int error_number = turn.error_number != 0 ? turn.error_number : offset < 0 ? EINVAL : 0;
    int err = ZK_OK;
    if (error_number == 0) {
        *ret_read = sim_content_read(&file->inode->content, bytes, size, offset);
    } else {
        errno = error_number;
        err = error_set_errno(error, "cannot read %s at %" PRId64, file->path, offset);
    }
    sim_turn_end(&turn);
    return err;
}

/* Writes `size` bytes, zeros for NULL, or the first of them; *ret_done says how many. 0 or errno. */
static int write_bytes(struct file *file, const void *bytes, int64_t size, int64_t offset, struct sim_turn *turn,
                       int64_t *ret_done)
{
    struct sim_disk *disk = turn->disk;
    int64_t done = size;
    int error_number = turn->error_number;
    if (file->mode == FILE_READ || offset < 0) {
        *ret_done = 0;
        return file->mode == FILE_READ ? EBADF : EINVAL;
    }
    if (error_number != 0) {
        done = sim_one_in(disk->manner.short_one_in) ? sim_between(0, size - 1) : 0;
    } else if (disk->manner.capacity > 0) {
        int64_t free_blocks = sim_disk_free_blocks(disk);
        done = sim_content_reach(&file->inode->content, offset, offset + size, free_blocks) - offset;
        error_number = done < size ? ENOSPC : 0;
    }
    if (turn->dies_within)
        done = sim_between(0, done);
    sim_content_write(&file->inode->content, bytes, done, offset, disk->manner.write_back_one_in);
    if (done > 0)
        sim_inode_touch(file->inode);
    *ret_done = done;
    return error_number;
}

/* All three calls that write. A file that was opened to append has it all at its end, as Linux has. */
static int write_at(struct file *file, const void *bytes, int64_t size, int64_t offset, bool moves, struct error *error)
{
    if (size <= 0)    /* no call at all */
        return ZK_OK;
    struct sim_turn turn = sim_turn_begin(SIM_DISK_WRITE, file->path, NULL, true);
    if (file->mode == FILE_APPEND)
        offset = file->inode->content.size;
    int64_t done;
    int error_number = write_bytes(file, bytes, size, offset, &turn, &done);
    if (moves)
        file->position = offset + done;
    int err = ZK_OK;
    if (error_number != 0) {
        errno = error_number;
        err = error_set_errno(error, "cannot write %s at %" PRId64, file->path, offset + done);
    }
    sim_turn_end(&turn);
    return err;
}

int file_write(struct file *file, const void *bytes, size_t size, struct error *error)
{
    return write_at(file, bytes, (int64_t)size, file->position, true, error);
}

int file_pwrite(struct file *file, const void *bytes, size_t size, int64_t offset, struct error *error)
{
    return write_at(file, bytes, (int64_t)size, offset, false, error);
}

int file_fill_zeros(struct file *file, int64_t from, int64_t to, struct error *error)
{
    return write_at(file, NULL, to - from, from, false, error);
}

void file_write_through(struct file *file)
{
    file->writes_behind = true;    /* which changes nothing here: what is not synced may be on the disk in any case */
}

int file_sync(struct file *file, struct error *error)
{
    struct sim_turn turn = sim_turn_begin(SIM_DISK_SYNC, file->path, NULL, true);
    int err = ZK_OK;
    if (turn.error_number == 0) {
        sim_content_sync(&file->inode->content);
        sim_trace("sync %s", file->path);
    } else {
        sim_content_fail_sync(&file->inode->content);
        err = sim_file_fail(error, turn.error_number, "sync", file->path);
    }
    sim_turn_end(&turn);
    return err;
}

int file_size(struct file *file, int64_t *ret_size, struct error *error)
{
    (void)error;
    (void)sim_turn_look();
    *ret_size = file->inode->content.size;
    return ZK_OK;
}

int file_next_data(struct file *file, int64_t offset, int64_t *ret_offset, struct error *error)
{
    struct sim_turn turn = sim_turn_begin(SIM_DISK_READ, file->path, NULL, false);
    int64_t at = turn.error_number == 0 ? sim_content_next_data(&file->inode->content, offset) : -1;
    int err = ZK_OK;
    if (turn.error_number != 0) {
        errno = turn.error_number;
        err = error_set_errno(error, "cannot look for data in %s at %" PRId64, file->path, offset);
    } else if (at < 0) {
        err = ZK_EOF;
    } else {
        *ret_offset = at;
    }
    sim_turn_end(&turn);
    return err;
}

int file_truncate(struct file *file, int64_t size, struct error *error)
{
    struct sim_turn turn = sim_turn_begin(SIM_DISK_TRUNCATE, file->path, NULL, true);
    int error_number = turn.error_number != 0 ? turn.error_number : file->mode == FILE_READ || size < 0 ? EINVAL : 0;
    int err = ZK_OK;
    if (error_number == 0) {
        sim_content_truncate(&file->inode->content, size);
        sim_inode_touch(file->inode);
    } else {
        errno = error_number;
        err = error_set_errno(error, "cannot cut %s to %" PRId64 " bytes", file->path, size);
    }
    sim_turn_end(&turn);
    return err;
}

int file_lock(struct file *file, struct error *error)
{
    (void)sim_turn_look();
    if (file->mode == FILE_READ)    /* an exclusive lock needs one that may write */
        return sim_file_fail(error, EBADF, "lock", file->path);
    if (file->inode->locker != NULL && file->inode->locker != file)
        return error_set(error, ZK_EXISTS, "%s is locked by another process", file->path);
    file->inode->locker = file;
    return ZK_OK;
}
