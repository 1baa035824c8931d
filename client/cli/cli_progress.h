/* How far a long command is, on standard error, when --progress asks for it. Main thread. */
#ifndef ZKC_CLIENT_CLI_PROGRESS_H
#define ZKC_CLIENT_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/cli.h"

struct progress {
    struct cli *cli;
    const char *what;      /* "nodes deleted" */
    int64_t done, shown_at_ms;
    bool is_wanted;
};

void progress_begin(struct progress *progress, struct cli *cli, const struct arguments *arguments, const char *what);
/* Shows the number now and then: on a terminal in one line, ten times a second; else a line each five seconds. */
void progress_add(struct progress *progress, int64_t more);
/* Shows the last number. */
void progress_end(struct progress *progress);

#endif
