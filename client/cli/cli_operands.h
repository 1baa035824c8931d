/* Words of a command as what they stand for; whoever asks is told that they do not. Main thread. */
#ifndef ZKC_CLIENT_CLI_OPERANDS_H
#define ZKC_CLIENT_CLI_OPERANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/cli.h"

/* ZK_OK, or the complaint, in Java's words, is made. */
int cli_check_path(struct cli *cli, const char *path, bool is_sequential);
/* A whole number within bounds, or a complaint. */
bool cli_number(struct cli *cli, const char *text, int base, int64_t least, int64_t most, int64_t *ret_number);
/* The same for the value of an option, `otherwise` when it was not given. */
bool cli_option_number(struct cli *cli, const struct arguments *arguments, const char *name, int64_t least,
                       int64_t most, int64_t otherwise, int64_t *ret_number);
/* The version of -v, or -1. */
bool cli_version_of(struct cli *cli, const struct arguments *arguments, int *ret_version);
/* Entries of an ACL, and complaints about what is none; false when no entry is left. acl_list_release() either way. */
bool cli_acl_of(struct cli *cli, const char *text, struct ACL_vector *ret_acl);
/*
 * Mirrors retainCompatibility() of get, ls and stat: "get path watch" once set a watch, so the third word, whatever it
 * is, becomes -w and the line is parsed anew. ZK_OK, or the complaint is made.
 */
int cli_accept_old_watch(struct cli *cli, const struct command *self, const char *advice, struct arguments *arguments);

#endif
