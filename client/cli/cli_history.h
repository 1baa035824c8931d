/* The file of lines typed in earlier shells. Main thread. */
#ifndef ZKC_CLIENT_CLI_HISTORY_H
#define ZKC_CLIENT_CLI_HISTORY_H

#include <stdbool.h>

#include "client/cli/cli_line.h"

#define HISTORY_MOST 1000

/* $XDG_STATE_HOME/zkcli_history, or ~/.zkcli_history; the caller's. */
char *history_path(void);
/* The last HISTORY_MOST lines of the file, oldest first; none when there is no file. A file that has grown to twice as
 * many is written anew with these. */
void history_load(const char *path, struct words *ret_lines);
/* Adds a line. The file is its owner's alone (0600). Lines with credentials are left out; failures are ignored. */
void history_append(const char *path, const char *line);
/* Is this a line that may be kept? */
bool history_may_keep(const char *line);

#endif
