/* Memory that goes all at once: one arena a request. Not locked; the owner of the request uses it. */
#ifndef ZKC_COMMON_BASE_ARENA_H
#define ZKC_COMMON_BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;
struct arena {
    struct arena_chunk *chunks;    /* newest first */
    char *at, *end;                /* free part of the newest chunk */
};

/* {0} is an empty arena too. `first` (may be NULL) is memory of the caller that is used before any is allocated. */
void arena_init(struct arena *arena, void *first, size_t first_size);
void arena_release(struct arena *arena);

/* Aligned for any type, not zeroed, never NULL. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));
void *arena_copy(struct arena *arena, const void *bytes, size_t size) __attribute__((returns_nonnull));

/* Copy with a terminating zero. */
char *arena_string(struct arena *arena, const char *bytes, size_t size) __attribute__((returns_nonnull));

#endif
