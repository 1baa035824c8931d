/* Data from files and to files, byte by byte; "-" is standard input or output. Main thread. */
#ifndef ZKC_CLIENT_CLI_FILE_H
#define ZKC_CLIENT_CLI_FILE_H

#include <stddef.h>

#include "client/cli/cli.h"

/* At most what a node can hold by far (64 MiB). */
int cli_file_read(struct cli *cli, const char *path, struct buffer *bytes, struct error *error);
/* A file that is there is replaced. */
int cli_file_write(const char *path, const void *bytes, size_t size, struct error *error);

#endif
