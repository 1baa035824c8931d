/* The options and operands of one command. Mirrors what commons-cli's DefaultParser makes of them. */
#ifndef ZKC_CLIENT_CLI_ARGUMENTS_H
#define ZKC_CLIENT_CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "client/cli/cli_line.h"
#include "common/base/buffer.h"
#include "common/base/error.h"

/* An option of a command. Names of Java's take one hyphen, whatever their length; ours begin with "--". */
struct option_spec {
    const char *name;           /* "v", "members", "--file" */
    const char *value;          /* what it takes, for the manual; NULL: nothing */
    const char *description;    /* NULL: none */
};
struct arguments_spec {
    const struct option_spec *options;
    size_t count;
    bool is_group;       /* of Java's options only one may be given */
    bool is_required;    /* and one must be */
};

struct argument {
    const struct option_spec *option;
    char *value;
};
struct arguments {    /* {0} holds none */
    const struct words *typed;    /* all of it, borrowed */
    struct words operands;        /* the first is the command itself */
    struct argument *options;
    size_t option_count;
    bool is_json, is_raw;     /* --json and --raw, which every command knows */
};

/*
 * Options may stand anywhere; "--" ends them, and "-" alone is an operand. Of Java's, those of one letter may be
 * written together, the last with its value (-sv3), or with it behind '=' (-v=3). ZK_BAD_ARGUMENTS with the sentence of
 * commons-cli: "Unrecognized option: -x", "Missing argument for option: v", ...
 */
int arguments_parse(const struct arguments_spec *spec, const struct words *words, struct arguments *ret_arguments,
                    struct error *error);
/* For commands without options: every word is an operand, --json and --raw apart. */
void arguments_take(const struct words *words, struct arguments *ret_arguments);
bool arguments_has(const struct arguments *arguments, const char *name);
/* The value given first; NULL when the option was not given. */
const char *arguments_value(const struct arguments *arguments, const char *name);
void arguments_release(struct arguments *arguments);

/* Lines " -b   Output data in base64 format" as commons-cli's HelpFormatter prints them for Java's options, by name. */
void arguments_describe(const struct arguments_spec *spec, struct buffer *out);

#endif
