/*
 * Options as rows: one table gives the struct's members, the parser, the dump and the manual.
 *
 *   OPTION(global_outstanding_limit, "globalOutstandingLimit", "zookeeper.globalOutstandingLimit",
 *          COUNT, "1000", 1, INT32_MAX, AT_START, SERVED, "Requests in process beyond which ...")
 */
#ifndef ZKC_COMMON_CONFIG_OPTION_H
#define ZKC_COMMON_CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

enum option_unit {
    OPTION_COUNT,      /* int64_t members */
    OPTION_MS,
    OPTION_SECONDS,
    OPTION_MINUTES,
    OPTION_HOURS,
    OPTION_TICKS,
    OPTION_BYTES,
    OPTION_KB,
    OPTION_PORT,
    OPTION_RATIO,      /* double */
    OPTION_BOOL,       /* bool: true and false, in any case; anything else is refused */
    OPTION_YES_NO,     /* bool: yes and no */
    OPTION_STRING,     /* char *, NULL when not set and without default */
    OPTION_SECRET      /* as OPTION_STRING, never printed */
};
enum option_when { OPTION_AT_START, OPTION_AT_RELOAD };
/* All are known and kept. A row says SERVED, NOT_YET("what is missing") or NO_PLACE("why it means nothing here"); those
 * of the latter two have no effect, and setting one is warned of with these words. */
enum option_state { OPTION_IS_SERVED, OPTION_IS_NOT_YET, OPTION_IS_NO_PLACE };
#define OPTION_SERVED OPTION_IS_SERVED, NULL
#define OPTION_NOT_YET(missing) OPTION_IS_NOT_YET, missing
#define OPTION_NO_PLACE(why) OPTION_IS_NO_PLACE, why

struct option {
    const char *key;         /* in zoo.cfg; NULL when there is none but the property */
    const char *property;    /* with its "zookeeper." where it has one; NULL when there is none */
    enum option_unit unit;
    enum option_when when;
    enum option_state state;
    const char *reason;      /* why it has no effect; NULL where it has one */
    size_t offset;           /* of the member in the options struct */
    const char *default_text;
    double least, most;      /* permitted range of numbers */
    const char *sentence;    /* for the manual, plain text */
};

/* The largest bound: the largest number below which a double holds all. */
#define OPTION_MOST 9007199254740991

/* The member of an options struct that a row makes, by its unit, and the row itself. A table defines OPTION with these:
 *   #define OPTION(field, ...) OPTION_ROW(struct server_options, field, __VA_ARGS__) */
#define OPTION_MEMBER(field, unit) OPTION_TYPE_##unit field;
#define OPTION_TYPE_COUNT int64_t
#define OPTION_TYPE_MS int64_t
#define OPTION_TYPE_SECONDS int64_t
#define OPTION_TYPE_MINUTES int64_t
#define OPTION_TYPE_HOURS int64_t
#define OPTION_TYPE_TICKS int64_t
#define OPTION_TYPE_BYTES int64_t
#define OPTION_TYPE_KB int64_t
#define OPTION_TYPE_PORT int64_t
#define OPTION_TYPE_RATIO double
#define OPTION_TYPE_BOOL bool
#define OPTION_TYPE_YES_NO bool
#define OPTION_TYPE_STRING char *
#define OPTION_TYPE_SECRET char *
#define OPTION_ROW(type, field, key, property, unit, default_text, least, most, when, state, sentence) \
    {key, property, OPTION_##unit, OPTION_##when, OPTION_##state, offsetof(type, field), \
     default_text, least, most, sentence},

/* Sets the member from text; numbers may be written 0x... too. ZK_BAD_CONFIG, the member untouched, says what is
 * permitted ("must be a number of ms from 1 to 2147483647"); the caller adds file, line, key and value. */
int option_set(const struct option *option, void *options, const char *text, struct error *error);
void option_set_default(const struct option *option, void *options);
/* The value as text, as it would stand in a file; "***" for a secret that is set. */
void option_print(const struct option *option, const void *options, struct buffer *out);
void option_release(const struct option *option, void *options);
bool option_equal(const struct option *option, const void *a, const void *b);
/* "ms", "bytes", ... for people. */
const char *option_unit_name(enum option_unit unit);
/* The row with this zoo.cfg key, or with this property; NULL. */
const struct option *option_find_key(const struct option *table, size_t count, const char *key);
const struct option *option_find_property(const struct option *table, size_t count, const char *property);

#endif
