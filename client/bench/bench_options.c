/* bench_options.c - options as rows: where each goes, what it may be, what --help says of it. */
#include "client/bench/bench_options.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "client/bench/bench_plan.h"
#include "client/bench/bench_value.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

enum option_kind { OPTION_SWITCH, OPTION_TEXT, OPTION_NUMBER, OPTION_SECONDS };

#define AT(member) offsetof(struct bench_options, member)
#define SECONDS_MOST INT64_C(604800)
static const struct option_row {
    const char *name;
    enum option_kind kind;
    size_t offset;
    int64_t least, most;
    const char *argument, *sentence;
} rows[] = {
    { "-server", OPTION_TEXT, AT(server), 0, 0, "host:port[,...][/chroot]", "where to connect (localhost:2181)" },
    { "-timeout", OPTION_NUMBER, AT(timeout_ms), 100, INT32_MAX, "ms", "of the sessions (30000)" },
    { "-client-configuration", OPTION_TEXT, AT(client_configuration), 0, 0, "file",
      "properties, such as those of TLS" },
    { "--workload", OPTION_TEXT, AT(workload), 0, 0, "name", "what is asked for (read)" },
    { "--sessions", OPTION_NUMBER, AT(sessions), 1, BENCH_SESSIONS_MOST, "n", "connections (16)" },
    { "--depth", OPTION_NUMBER, AT(depth), 1, 65536, "n", "requests in flight a session (1)" },
    { "--threads", OPTION_NUMBER, AT(threads), 1, 256, "n", "that share the sessions (1)" },
    { "--nodes", OPTION_NUMBER, AT(nodes), 1, BENCH_NODES_MOST, "n", "that are read and written (1000)" },
    { "--duration", OPTION_SECONDS, AT(duration_ms), 1, SECONDS_MOST * 1000, "s", "of what is measured (10)" },
    { "--requests", OPTION_NUMBER, AT(requests), 1, INT64_C(1000000000000), "n", "in place of a duration" },
    { "--warmup", OPTION_SECONDS, AT(warm_up_ms), 0, SECONDS_MOST * 1000, "s", "before it (1)" },
    { "--rate", OPTION_NUMBER, AT(rate), 1, INT64_C(100000000), "n",
      "requests a second; latency counts from when each was due" },
    { "--path", OPTION_TEXT, AT(path), 0, 0, "path", "where nodes are made (/zkbench-...)" },
    { "--keep", OPTION_SWITCH, AT(keeps), 0, 0, NULL, "leave the nodes behind" },
    { "--seed", OPTION_NUMBER, AT(seed), 1, INT32_MAX, "n", "the same requests again" },
    { "--phases", OPTION_SWITCH, AT(tells_phases), 0, 0, NULL, "a line on standard error as each phase begins" },
    { "--json", OPTION_SWITCH, AT(is_json), 0, 0, NULL, "the result as one line of JSON" },
    { "--quiet", OPTION_SWITCH, AT(is_quiet), 0, 0, NULL, "no progress" },
    { "--echo-server", OPTION_NUMBER, AT(echo_port), 1, UINT16_MAX, "port",
      "be a server that answers reads and keeps nothing: the bound of this machine" },
    { "--disk", OPTION_TEXT, AT(disk), 0, 0, "directory", "measure how often a second the disk syncs" },
    { "--help", OPTION_SWITCH, AT(wants_help), 0, 0, NULL, "" },
    { "--version", OPTION_SWITCH, AT(wants_version), 0, 0, NULL, "" },
};

static void *member(struct bench_options *options, const struct option_row *row)
{
    return (char *)options + row->offset;
}

static void replace(char **text, const char *value)
{
    memory_free(*text);
    *text = string_copy(value);
}

/* Seconds with up to three decimals, as milliseconds. */
static bool parse_seconds(const char *text, int64_t *ret_ms)
{
    int64_t ms = 0, scale = 1000;
    bool has_point = false;
    if (*text == '\0' || strcmp(text, ".") == 0)
        return false;
    for (; *text != '\0'; text++) {
        if (*text == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (*text < '0' || *text > '9' || ms > SECONDS_MOST * 1000 || (has_point && scale == 1))
            return false;
        if (has_point) {
            scale /= 10;
            ms += (*text - '0') * scale;
        } else {
            ms = ms * 10 + (*text - '0') * scale;
        }
    }
    *ret_ms = ms;
    return true;
}

static int take_number(const struct option_row *row, const char *argument, int64_t *ret_value, struct error *error)
{
    bool is_seconds = row->kind == OPTION_SECONDS;
    int64_t value;
    bool is_number = is_seconds ? parse_seconds(argument, &value) : string_to_int64(argument, 10, &value);
    if (is_number && value >= row->least && value <= row->most) {
        *ret_value = value;
        return ZK_OK;
    }
    if (is_seconds)
        return error_set(error, ZK_BAD_ARGUMENTS, "%s takes seconds up to %" PRId64 ", with up to three decimals%s, "
                         "not \"%s\"", row->name, SECONDS_MOST, row->least > 0 ? " and more than 0" : "", argument);
    return error_set(error, ZK_BAD_ARGUMENTS, "%s takes a number from %" PRId64 " to %" PRId64 ", not \"%s\"",
                     row->name, row->least, row->most, argument);
}

/* "100" or "10-1000". */
static int take_size(struct bench_options *options, const char *argument, struct error *error)
{
    const char *dash = strchr(argument, '-');
    char *first = dash == NULL ? string_copy(argument) : string_copy_n(argument, (size_t)(dash - argument));
    bool is_right = string_to_int64(first, 10, &options->size_least) &&
                    string_to_int64(dash == NULL ? argument : dash + 1, 10, &options->size_most) &&
                    options->size_least >= 0 && options->size_least <= options->size_most &&
                    options->size_most <= BENCH_VALUE_MOST;
    memory_free(first);
    if (is_right)
        return ZK_OK;
    return error_set(error, ZK_BAD_ARGUMENTS, "--size takes a number of bytes up to %d, or two with a - between, "
                     "not \"%s\"", BENCH_VALUE_MOST, argument);
}

static void take_property(struct bench_options *options, const char *definition)
{
    const char *equals = strchr(definition, '=');
    char *key = equals == NULL ? string_copy(definition) : string_copy_n(definition, (size_t)(equals - definition));
    properties_set(&options->properties, key, equals == NULL ? "" : equals + 1, 0);
    memory_free(key);
}

static const struct option_row *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static int unknown(const char *word, struct error *error)
{
    const char *names[ARRAY_SIZE(rows) + 1] = {"--size"};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        names[i + 1] = rows[i].name;
    const char *nearest = string_nearest(word, names, ARRAY_SIZE(names));
    return error_set(error, ZK_BAD_ARGUMENTS, "there is no option \"%s\"%s%s%s", word,
                     nearest == NULL ? "" : "; is it ", nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
}

/* The option at argv[*at], and its argument if it takes one. */
static int take(struct bench_options *options, int argc, char *const *argv, int *at, struct error *error)
{
    const char *word = argv[*at];
    const struct option_row *row = find(word);
    bool is_size = strcmp(word, "--size") == 0;
    if (row == NULL && !is_size) {
        if (!string_starts_with(word, "-D") || word[2] == '\0')
            return unknown(word, error);
        take_property(options, word + 2);
        return ZK_OK;
    }
    if (row != NULL && row->kind == OPTION_SWITCH) {
        *(bool *)member(options, row) = true;
        return ZK_OK;
    }
    if (++*at == argc)
        return error_set(error, ZK_BAD_ARGUMENTS, "%s takes an argument", word);
    if (is_size)
        return take_size(options, argv[*at], error);
    if (row->kind != OPTION_TEXT)
        return take_number(row, argv[*at], member(options, row), error);
    replace(member(options, row), argv[*at]);
    return ZK_OK;
}

/* What goes together, and what does not. */
static int judge(struct bench_options *options, struct error *error)
{
    int err = bench_mix_parse(options->workload, &options->mix, error);
    if (err != ZK_OK)
        return err;
    if (options->path != NULL && (options->path[0] != '/' || strlen(options->path) > BENCH_ROOT_MOST / 2 ||
                                  string_ends_with(options->path, "/")))
        return error_set(error, ZK_BAD_ARGUMENTS, "--path takes a path of at most %d bytes that is not /, not \"%s\"",
                         BENCH_ROOT_MOST / 2, options->path);
    if (options->threads > options->sessions)
        return error_set(error, ZK_BAD_ARGUMENTS, "%" PRId64 " threads cannot share %" PRId64 " sessions",
                         options->threads, options->sessions);
    if (options->mix.shape != BENCH_SHAPE_REQUESTS && options->rate > 0)
        return error_set(error, ZK_BAD_ARGUMENTS, "--rate goes with requests only, not with %s", options->workload);
    if (options->mix.shape == BENCH_SHAPE_FAN_OUT && (options->threads > 1 || options->sessions < 2))
        return error_set(error, ZK_BAD_ARGUMENTS, "fan-out takes one thread and two sessions or more");
    if (options->mix.shape == BENCH_SHAPE_IDLE && options->requests > 0)
        return error_set(error, ZK_BAD_ARGUMENTS, "--requests does not go with idle");
    return ZK_OK;
}

int bench_options_parse(int argc, char *const *argv, struct bench_options *ret_options, struct error *error)
{
    struct bench_options options = {
        .server = string_copy("localhost:2181"), .workload = string_copy("read"), .timeout_ms = 30000, .sessions = 16,
        .depth = 1, .threads = 1, .nodes = 1000, .size_least = 100, .size_most = 100, .duration_ms = 10000,
        .warm_up_ms = 1000,
    };
    int err = ZK_OK;
    for (int i = 1; i < argc && err == ZK_OK; i++)
        err = take(&options, argc, argv, &i, error);
    if (err == ZK_OK)
        err = judge(&options, error);
    if (err == ZK_OK)
        *ret_options = options;
    else
        bench_options_release(&options);
    return err;
}

void bench_options_release(struct bench_options *options)
{
    memory_free(options->server);
    memory_free(options->client_configuration);
    memory_free(options->workload);
    memory_free(options->path);
    memory_free(options->disk);
    properties_release(&options->properties);
    *options = (struct bench_options){0};
}

void bench_options_print(void)
{
    printf("Usage: zkbench [option ...]\n");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char name[64];
        if (rows[i].sentence[0] == '\0')
            continue;
        snprintf(name, sizeof(name), "%s %s", rows[i].name, rows[i].argument == NULL ? "" : rows[i].argument);
        printf("  %-32s %s\n", name, rows[i].sentence);
        if (strcmp(rows[i].name, "--nodes") == 0)
            printf("  %-32s %s\n", "--size n[-n]", "bytes of their values (100)");
    }
    printf("  %-32s one property\n  --help, --version\nWorkloads:\n", "-Dproperty=value");
    for (size_t i = 0; bench_workload_name(i) != NULL; i++)
        printf("  %-32s %s\n", bench_workload_name(i), bench_workload_sentence(i));
    printf("or operations with weights, as read:90,write:10:\n");
    for (int i = 0; i < BENCH_OP_COUNT; i++)
        printf("  %-32s %s\n", bench_op_name((enum bench_op)i), bench_op_sentence((enum bench_op)i));
}
