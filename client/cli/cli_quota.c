/*
 * cli_quota.c - the text of a quota.
 *
 * count and bytes stand first and always; the hard limits follow behind "=;", which keeps parsers of 3.4 from reading
 * on, in the order of their names and only where they are set.
 */
#include "client/cli/cli_quota.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"

static const char *const key_names[QUOTA_KEYS] = {
    [QUOTA_COUNT] = "count",
    [QUOTA_BYTES] = "bytes",
    [QUOTA_BYTE_HARD] = "byteHardLimit",
    [QUOTA_COUNT_HARD] = "countHardLimit",
};

const char *quota_key_name(enum quota_key key)
{
    return key_names[key];
}

void quota_init(struct quota *quota)
{
    for (int key = 0; key < QUOTA_KEYS; key++) {
        quota->values[key] = -1;
        quota->is_set[key] = false;
    }
}

void quota_set(struct quota *quota, enum quota_key key, int64_t value)
{
    quota->values[key] = value;
    quota->is_set[key] = true;
}

/* "key=value", with more behind a second '='. */
static int parse_pair(char *pair, struct quota *quota, struct error *error)
{
    char *value = strchr(pair, '=');
    if (value == NULL)
        return error_set(error, ZK_BAD_ARGUMENTS, "\"%s\" is no part of a quota", pair);
    *value++ = '\0';
    char *rest = strchr(value, '=');
    if (rest != NULL)
        *rest = '\0';
    int64_t number = -1;
    if (*value != '\0' && !string_to_int64(value, 10, &number))
        return error_set(error, ZK_BAD_ARGUMENTS, "For input string: \"%s\"", value);
    for (int key = 0; key < QUOTA_KEYS; key++)
        if (strcmp(key_names[key], pair) == 0)
            quota_set(quota, (enum quota_key)key, number);
    return ZK_OK;
}

int quota_parse(const char *text, size_t size, struct quota *ret_quota, struct error *error)
{
    struct quota quota;
    quota_init(&quota);
    char *copy = string_copy_n(text, size), *state = NULL;
    int err = ZK_OK;
    for (char *pair = strtok_r(copy, ",;", &state); pair != NULL && err == ZK_OK; pair = strtok_r(NULL, ",;", &state))
        err = parse_pair(pair, &quota, error);
    memory_free(copy);
    if (err == ZK_OK)
        *ret_quota = quota;
    return err;
}

void quota_print(const struct quota *quota, struct buffer *out)
{
    buffer_printf(out, "count=%" PRId64 ",bytes=%" PRId64, quota->values[QUOTA_COUNT], quota->values[QUOTA_BYTES]);
    if (quota->is_set[QUOTA_BYTE_HARD] || quota->is_set[QUOTA_COUNT_HARD])
        buffer_append_byte(out, '=');
    for (int key = QUOTA_BYTE_HARD; key <= QUOTA_COUNT_HARD; key++)
        if (quota->is_set[key])
            buffer_printf(out, ";%s=%" PRId64, key_names[key], quota->values[key]);
}

static bool is_below(int64_t limit, int64_t used)
{
    return limit > -1 && limit < used;
}

bool quota_is_exceeded(const struct quota *limits, const struct quota *usage, enum quota_key key)
{
    enum quota_key hard = key == QUOTA_COUNT ? QUOTA_COUNT_HARD : QUOTA_BYTE_HARD;
    return is_below(limits->values[key], usage->values[key]) || is_below(limits->values[hard], usage->values[key]);
}
