/*
 * Java-properties syntax: comments, escapes, continuation lines, \uXXXX. Mirrors java.util.Properties.load, except that
 * the order is kept and each entry knows its line.
 */
#ifndef ZKC_COMMON_CONFIG_PROPERTIES_H
#define ZKC_COMMON_CONFIG_PROPERTIES_H

#include <stddef.h>

#include "common/base/error.h"

struct property {
    char *key, *value;    /* UTF-8 */
    int line;             /* of its key, from 1; 0 for one that was set by a call */
};
struct properties {
    struct property *items;    /* in order of appearance; a repeated key keeps the last value, in its first place */
    size_t count, capacity;
};

/* {0} is an empty set. */
void properties_release(struct properties *properties);
/*
 * Adds what stands in `size` bytes of text. The bytes are ISO 8859-1 to Java; valid UTF-8 is taken as such here, other
 * bytes above 127 as ISO 8859-1. A key that is there twice is warned of, with both lines: the last value counts.
 * ZK_BAD_CONFIG names the line (`name`:line) of a malformed \uXXXX or of a null character, which a text here cannot
 * hold; nothing is added then. An empty text may be NULL.
 */
int properties_parse(struct properties *properties, const char *name, const char *text, size_t size,
                     struct error *error);
/* Reads the file, at most 16 MiB. */
int properties_load(struct properties *properties, const char *path, struct error *error);
void properties_set(struct properties *properties, const char *key, const char *value, int line);
/* NULL when it is not there. */
const char *properties_get(const struct properties *properties, const char *key);
const struct property *properties_find(const struct properties *properties, const char *key);
void properties_remove(struct properties *properties, const char *key);

#endif
