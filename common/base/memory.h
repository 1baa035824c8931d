/* The allocator: running out of memory ends the process with a line that says how much was wanted. Any thread. */
#ifndef ZKC_COMMON_BASE_MEMORY_H
#define ZKC_COMMON_BASE_MEMORY_H

#include <stddef.h>

/* Never NULL; size 0 gives a pointer one may free. */
void *memory_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *memory_alloc_zero(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *memory_realloc(void *memory, size_t size) __attribute__((returns_nonnull));
void *memory_copy(const void *bytes, size_t size) __attribute__((malloc, returns_nonnull));
void memory_free(void *memory);

/* memory_free that overwrites first: keys, passwords. */
void memory_free_secret(void *memory, size_t size);

/* For a program that is busy for long: freed memory is kept for what comes next, up to some MiB for each of a few
 * threads, where the allocator would give it back to the kernel and ask for it again many times a second. Once, before
 * there are threads. */
void memory_keep_freed(void);

/* Behind a large variable of what runs for each request and reads only what it wrote: the compiler, which is told to
 * fill all others with zeros first, leaves it as it is. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define LEFT_AS_IT_IS __attribute__((uninitialized))
#endif
#endif
#ifndef LEFT_AS_IT_IS
#define LEFT_AS_IT_IS
#endif

/* A zeroed struct: struct vote *vote = MEMORY_NEW(struct vote). */
#define MEMORY_NEW(type) ((type *)memory_alloc_zero(1, sizeof(type)))
#define MEMORY_NEW_ARRAY(count, type) ((type *)memory_alloc_zero((count), sizeof(type)))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
