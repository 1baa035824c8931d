/*
 * memory.c - malloc that either succeeds or ends the process.
 *
 * There is nothing sensible a server could do without memory, and a path that is never tested is not a safety net: it
 * fails stop here, with a line that needs no memory itself. Sizes that come from outside are bounded by the callers.
 */
#include "common/base/memory.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEPT_SIZE (4 * 1024 * 1024)
#define OWN_MAPPING_SIZE (1024 * 1024)

static _Noreturn void out_of_memory(size_t count, size_t size)
{
    char line[128];
    int length = snprintf(line, sizeof(line), "out of memory: %zu times %zu bytes wanted\n", count, size);
    if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0)
        _exit(EXIT_FAILURE);
    abort();
}

void *memory_alloc(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);
    if (memory == NULL)
        out_of_memory(1, size);
    return memory;
}

void *memory_alloc_zero(size_t count, size_t size)
{
    void *memory = count > 0 && size > 0 ? calloc(count, size) : calloc(1, 1);
    if (memory == NULL)    /* also when count * size is more than a size_t holds */
        out_of_memory(count, size);
    return memory;
}

void *memory_realloc(void *memory, size_t size)
{
    void *moved = realloc(memory, size > 0 ? size : 1);
    if (moved == NULL)
        out_of_memory(1, size);
    return moved;
}

void *memory_copy(const void *bytes, size_t size)
{
    void *copy = memory_alloc(size);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

void memory_free(void *memory)
{
    free(memory);
}

void memory_keep_freed(void)
{
#ifdef M_TRIM_THRESHOLD
    mallopt(M_TRIM_THRESHOLD, KEPT_SIZE);
    mallopt(M_MMAP_THRESHOLD, OWN_MAPPING_SIZE);    /* the allocator would not find its own any more */
#endif
}

void memory_free_secret(void *memory, size_t size)
{
    if (memory != NULL)
        explicit_bzero(memory, size);
    free(memory);
}
