/*
 * Room ahead in a log file: its size, in steps of preAllocSize as in Java, and zeros really written there in smaller
 * steps, so that a sync finds its blocks allocated. Mirrors FilePadding. Internal to persistence; one thread.
 */
#ifndef ZKC_SERVER_PERSISTENCE_FILE_PADDING_H
#define ZKC_SERVER_PERSISTENCE_FILE_PADDING_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/base/file.h"

struct file_padding {
    int64_t pre_alloc_size;    /* <= 0: no padding */
    int64_t size;              /* of the file */
    int64_t zeros_to;          /* blocks before it were written */
};

/* calculateFileSizeWithPadding: larger than `size` when fewer than 4 KiB are left behind `position`. */
int64_t file_padding_calculate(int64_t position, int64_t size, int64_t pre_alloc_size);

/* Before a write at `position`: gives the file its size. */
int file_padding_extend(struct file_padding *padding, struct file *file, int64_t position, struct error *error);
/* After a write that ended at `position`: writes zeros ahead when they run low. */
int file_padding_fill(struct file_padding *padding, struct file *file, int64_t position, struct error *error);

#endif
