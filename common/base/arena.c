/*
 * arena.c - memory that goes all at once.
 *
 *   chunks -> [ newest, at ... end free ] -> [ older, full ] -> [ older, full ] -> NULL
 *
 * Chunks double from 4 KiB to 64 KiB. A piece larger than half a chunk gets a chunk of its own behind the newest one,
 * so that the free part of the newest is not lost.
 */
#include "common/base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "common/base/memory.h"

#define FIRST_CHUNK ((size_t)4096)
#define LAST_CHUNK ((size_t)65536)
#define ALIGNMENT alignof(max_align_t)

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;    /* of bytes */
    alignas(max_align_t) char bytes[];
};

static struct arena_chunk *chunk_new(size_t size)
{
    assert(size <= SIZE_MAX - sizeof(struct arena_chunk));
    struct arena_chunk *chunk = memory_alloc(sizeof(*chunk) + size);
    chunk->next = NULL;
    chunk->size = size;
    return chunk;
}

static void *alloc_own_chunk(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = chunk_new(size);
    if (arena->chunks != NULL) {
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
    } else {
        arena->chunks = chunk;    /* the free part, if any, is the caller's first memory */
    }
    return chunk->bytes;
}

static size_t next_chunk_size(const struct arena *arena)
{
    size_t size = arena->chunks != NULL ? 2 * arena->chunks->size : FIRST_CHUNK;
    if (size < FIRST_CHUNK)
        return FIRST_CHUNK;
    return size > LAST_CHUNK ? LAST_CHUNK : size;
}

/* Bytes to leave out before the next aligned address. */
static size_t padding(const char *at)
{
    return (ALIGNMENT - (uintptr_t)at % ALIGNMENT) % ALIGNMENT;
}

/* `size` bytes at the first address from which `skip` bytes are left out; NULL when the newest chunk has no room. */
static void *alloc_from_newest(struct arena *arena, size_t skip, size_t size)
{
    size_t room = (size_t)(arena->end - arena->at);
    if (skip > room || size > room - skip)
        return NULL;
    char *piece = arena->at + skip;
    arena->at = piece + size;
    return piece;
}

static void *alloc_from_new_chunk(struct arena *arena, size_t size)
{
    size_t chunk_size = next_chunk_size(arena);
    if (size > chunk_size / 2)
        return alloc_own_chunk(arena, size);
    struct arena_chunk *chunk = chunk_new(chunk_size);
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->at = chunk->bytes + size;
    arena->end = chunk->bytes + chunk_size;
    return chunk->bytes;
}

void arena_init(struct arena *arena, void *first, size_t first_size)
{
    arena->chunks = NULL;
    arena->at = first;
    arena->end = first != NULL ? arena->at + first_size : NULL;
}

void arena_release(struct arena *arena)
{
    struct arena_chunk *chunk = arena->chunks;
    while (chunk != NULL) {
        struct arena_chunk *next = chunk->next;
        memory_free(chunk);
        chunk = next;
    }
    arena_init(arena, NULL, 0);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (arena->at != NULL) {
        void *piece = alloc_from_newest(arena, padding(arena->at), size);
        if (piece != NULL)
            return piece;
    }
    return alloc_from_new_chunk(arena, size);
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
    void *copy = arena_alloc(arena, size);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

char *arena_string(struct arena *arena, const char *bytes, size_t size)
{
    assert(size < SIZE_MAX);
    char *copy = arena->at != NULL ? alloc_from_newest(arena, 0, size + 1) : NULL;    /* text needs no alignment */
    if (copy == NULL)
        copy = alloc_from_new_chunk(arena, size + 1);
    if (size > 0)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}
