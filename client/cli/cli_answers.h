/* Answers that several commands give. Main thread. */
#ifndef ZKC_CLIENT_CLI_ANSWERS_H
#define ZKC_CLIENT_CLI_ANSWERS_H

#include "client/cli/cli.h"

/* Nothing but the deed: {"ok": true}, or {"path": ...}, under --json, else nothing. */
void cli_answer_ok(struct cli *cli);
void cli_answer_path(struct cli *cli, const char *path);
/* The lines of a Stat. */
void cli_print_stat(struct cli *cli, const struct Stat *stat);
/* {"path": ..., "stat": {...}} */
void cli_answer_stat(struct cli *cli, const char *path, const struct Stat *stat);

#endif
