/* The rules of a path in the words of Java's client. No state; any thread. */
#ifndef ZKC_CLIENT_CLI_PATH_H
#define ZKC_CLIENT_CLI_PATH_H

#include <stdbool.h>

#include "common/base/error.h"

/* As PathUtils.validatePath: ZK_BAD_ARGUMENTS with its sentence ("Path must start with / character"). A sequential
 * path is judged with a digit behind it. */
int cli_path_validate(const char *path, bool is_sequential, struct error *error);

/* "/a" and "b" give "/a/b", "/" and "b" give "/b"; the caller's. */
char *cli_path_join(const char *parent, const char *name);

#endif
