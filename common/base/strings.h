/* What C's strings lack, and what Java's strings do. No state; any thread. */
#ifndef ZKC_COMMON_BASE_STRINGS_H
#define ZKC_COMMON_BASE_STRINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"

char *string_copy(const char *string) __attribute__((returns_nonnull));                        /* memory_free */
char *string_copy_n(const char *bytes, size_t size) __attribute__((returns_nonnull));
char *string_format(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
bool string_starts_with(const char *string, const char *prefix);
bool string_ends_with(const char *string, const char *suffix);
bool string_equals_ignore_case(const char *a, const char *b);

/* In place: drops white space (as Java's String.trim: all up to U+0020) at both ends; returns its start. */
char *string_trim(char *string);

/* Whole text as a number in the given base with sign; false if anything else is there or it does not fit. */
bool string_to_int64(const char *text, int base, int64_t *ret_value);

/* The candidate nearest to `word` by edit distance, NULL if none is within a third of its length. */
const char *string_nearest(const char *word, const char *const *candidates, size_t count);

/* Edit distance (Levenshtein, ASCII case ignored). */
size_t string_distance(const char *a, const char *b);

/* As Java's String.hashCode() of the text; bytes must be valid UTF-8 (see utf8_is_valid). */
int32_t string_java_hash(const char *bytes, size_t size);

/* As Java's String.compareTo(), its sign: by UTF-16 units, then by length. Both valid UTF-8. */
int string_java_compare(const char *a, size_t a_size, const char *b, size_t b_size);

/* Length in UTF-16 units, as Java's String.length(). */
size_t string_java_length(const char *bytes, size_t size);

/* Valid as Java decodes it: no overlong form, no surrogate, at most U+10FFFF. */
bool utf8_is_valid(const char *bytes, size_t size);

/*
 * What `new String(bytes, UTF_8).getBytes(UTF_8)` gives in Java: malformed parts become U+FFFD, by Java's rule of how
 * many bytes one replacement stands for. In the arena; returns its size through ret_size.
 */
char *utf8_repair(struct arena *arena, const char *bytes, size_t size, size_t *ret_size);

/* Compares in a time that depends on the sizes only. Digests, passwords, tokens. */
bool bytes_equal_constant_time(const void *a, const void *b, size_t size);

/* Lower-case hexadecimal and base64 with padding, terminated; the result is the caller's. */
char *hex_encode(const void *bytes, size_t size);
char *base64_encode(const void *bytes, size_t size);

#endif
