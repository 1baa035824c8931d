/*
 * file_padding.c - how far a log file reaches beyond its last record.
 *
 *   | records | zeros, written          | a hole                            |
 *         position                 zeros_to                              size
 *
 * Java gives the file its size by writing one byte at its end, and allocates each block when a record comes to lie in
 * it; then every sync has metadata to write. Here blocks are written as zeros before they are needed, in steps that
 * grow with the file: a new log costs no stall, and a busy one a step a mebibyte.
 */
#include "server/persistence/file_padding.h"

#define NEAR_THE_END 4096
#define LEAST_STEP ((int64_t)64 * 1024)
#define MOST_STEP ((int64_t)1024 * 1024)

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t file_padding_calculate(int64_t position, int64_t size, int64_t pre_alloc_size)
{
    if (pre_alloc_size <= 0 || position + NEAR_THE_END < size)
        return size;
    if (position <= size)
        return size + pre_alloc_size;
    int64_t wanted = position + pre_alloc_size;
    return wanted - wanted % pre_alloc_size;
}

int file_padding_extend(struct file_padding *padding, struct file *file, int64_t position, struct error *error)
{
    int64_t size = file_padding_calculate(position, padding->size, padding->pre_alloc_size);
    if (size == padding->size)
        return ZK_OK;
    int err = file_truncate(file, size, error);
    if (err == ZK_OK)
        padding->size = size;
    return err;
}

int file_padding_fill(struct file_padding *padding, struct file *file, int64_t position, struct error *error)
{
    padding->size = max64(padding->size, position);
    padding->zeros_to = max64(padding->zeros_to, position);
    if (padding->pre_alloc_size <= 0)
        return ZK_OK;
    int64_t step = min64(max64(position, LEAST_STEP), MOST_STEP);
    if (padding->zeros_to - position > step / 4)
        return ZK_OK;
    int64_t to = min64(padding->zeros_to + step, padding->size);
    if (to <= padding->zeros_to)
        return ZK_OK;
    int err = file_fill_zeros(file, padding->zeros_to, to, error);
    if (err == ZK_OK)
        padding->zeros_to = to;
    return err;
}
