/*
 * option.c - what a row of an option table means for the member it describes: parse, default, print, compare, free.
 *
 * Java takes many a mistake in a value for the default, or for false; here each one is refused with what is permitted.
 */
#include "common/config/option.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"

/* The kinds of member behind the units. */
enum kind { KIND_NUMBER, KIND_RATIO, KIND_BOOL, KIND_TEXT };

static enum kind kind_of(const struct option *option)
{
    switch (option->unit) {
    case OPTION_RATIO:
        return KIND_RATIO;
    case OPTION_BOOL:
    case OPTION_YES_NO:
        return KIND_BOOL;
    case OPTION_STRING:
    case OPTION_SECRET:
        return KIND_TEXT;
    default:
        return KIND_NUMBER;
    }
}

static void *member(const struct option *option, void *options)
{
    return (char *)options + option->offset;
}

static const void *member_const(const struct option *option, const void *options)
{
    return (const char *)options + option->offset;
}

static const char *bound_text(const struct option *option, double bound, char text[32])
{
    if (option->unit == OPTION_RATIO)
        snprintf(text, 32, "%g", bound);
    else
        snprintf(text, 32, "%" PRId64, (int64_t)bound);
    return text;
}

static int refuse_number(const struct option *option, struct error *error)
{
    char least[32], most[32];
    const char *unit = option_unit_name(option->unit);
    return error_set(error, ZK_BAD_CONFIG, "must be a number%s%s from %s to %s", *unit == '\0' ? "" : " of ", unit,
                     bound_text(option, option->least, least), bound_text(option, option->most, most));
}

static bool parse_number(const char *text, int64_t *ret_value)
{
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && text[2] != '-' && text[2] != '+')
        return string_to_int64(text + 2, 16, ret_value);
    return string_to_int64(text, 10, ret_value);
}

static int set_number(const struct option *option, int64_t *number, const char *text, struct error *error)
{
    int64_t value;
    if (!parse_number(text, &value) || value < (int64_t)option->least || value > (int64_t)option->most)
        return refuse_number(option, error);
    *number = value;
    return ZK_OK;
}

static int set_ratio(const struct option *option, double *ratio, const char *text, struct error *error)
{
    char *end;
    if (*text == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0')
        return refuse_number(option, error);
    double value = strtod(text, &end);
    if (*end != '\0' || !isfinite(value) || value < option->least || value > option->most)
        return refuse_number(option, error);
    *ratio = value;
    return ZK_OK;
}

static int set_bool(const struct option *option, bool *is_set, const char *text, struct error *error)
{
    const char *yes = option->unit == OPTION_BOOL ? "true" : "yes";
    const char *no = option->unit == OPTION_BOOL ? "false" : "no";
    bool is_yes = string_equals_ignore_case(text, yes);
    if (!is_yes && !string_equals_ignore_case(text, no))
        return error_set(error, ZK_BAD_CONFIG, "must be %s or %s", yes, no);
    *is_set = is_yes;
    return ZK_OK;
}

static void free_text(const struct option *option, char *text)
{
    if (text != NULL && option->unit == OPTION_SECRET)
        memory_free_secret(text, strlen(text));
    else
        memory_free(text);
}

static void set_text(const struct option *option, char **owned, const char *text)
{
    char *copy = text == NULL ? NULL : string_copy(text);
    free_text(option, *owned);
    *owned = copy;
}

/* The shortest text that reads back as the same number. */
static void print_ratio(struct buffer *out, double value)
{
    char text[32];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buffer_append_string(out, text);
}

int option_set(const struct option *option, void *options, const char *text, struct error *error)
{
    switch (kind_of(option)) {
    case KIND_NUMBER:
        return set_number(option, member(option, options), text, error);
    case KIND_RATIO:
        return set_ratio(option, member(option, options), text, error);
    case KIND_BOOL:
        return set_bool(option, member(option, options), text, error);
    case KIND_TEXT:
        set_text(option, member(option, options), text);
        return ZK_OK;
    }
    return ZK_OK;
}

void option_set_default(const struct option *option, void *options)
{
    bool is_right = true;
    switch (kind_of(option)) {
    case KIND_NUMBER:    /* "not set" may lie outside of what may be set */
        is_right = parse_number(option->default_text, member(option, options));
        break;
    case KIND_TEXT:
        set_text(option, member(option, options), option->default_text);
        break;
    default:
        is_right = option_set(option, options, option->default_text, NULL) == ZK_OK;
    }
    assert(is_right);    /* the row is wrong otherwise */
    (void)is_right;
}

void option_print(const struct option *option, const void *options, struct buffer *out)
{
    const void *value = member_const(option, options);
    switch (kind_of(option)) {
    case KIND_NUMBER:
        buffer_printf(out, "%" PRId64, *(const int64_t *)value);
        break;
    case KIND_RATIO:
        print_ratio(out, *(const double *)value);
        break;
    case KIND_BOOL:
        if (option->unit == OPTION_BOOL)
            buffer_append_string(out, *(const bool *)value ? "true" : "false");
        else
            buffer_append_string(out, *(const bool *)value ? "yes" : "no");
        break;
    case KIND_TEXT: {
        const char *text = *(char *const *)value;
        if (text != NULL)
            buffer_append_string(out, option->unit == OPTION_SECRET ? "***" : text);
        break;
    }
    }
}

void option_release(const struct option *option, void *options)
{
    if (kind_of(option) == KIND_TEXT)
        set_text(option, member(option, options), NULL);
}

bool option_equal(const struct option *option, const void *a, const void *b)
{
    const void *value_a = member_const(option, a), *value_b = member_const(option, b);
    switch (kind_of(option)) {
    case KIND_NUMBER:
        return *(const int64_t *)value_a == *(const int64_t *)value_b;
    case KIND_RATIO:
        return memcmp(value_a, value_b, sizeof(double)) == 0;
    case KIND_BOOL:
        return *(const bool *)value_a == *(const bool *)value_b;
    case KIND_TEXT: {
        const char *text_a = *(char *const *)value_a, *text_b = *(char *const *)value_b;
        return text_a == NULL || text_b == NULL ? text_a == text_b : strcmp(text_a, text_b) == 0;
    }
    }
    return true;
}

const char *option_unit_name(enum option_unit unit)
{
    switch (unit) {
    case OPTION_MS:
        return "ms";
    case OPTION_SECONDS:
        return "seconds";
    case OPTION_MINUTES:
        return "minutes";
    case OPTION_HOURS:
        return "hours";
    case OPTION_TICKS:
        return "ticks";
    case OPTION_BYTES:
        return "bytes";
    case OPTION_KB:
        return "KB";
    default:
        return "";
    }
}

const struct option *option_find_key(const struct option *table, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].key != NULL && strcmp(table[i].key, key) == 0)
            return &table[i];
    return NULL;
}

const struct option *option_find_property(const struct option *table, size_t count, const char *property)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].property != NULL && strcmp(table[i].property, property) == 0)
            return &table[i];
    return NULL;
}
