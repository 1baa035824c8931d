/* The configuration of an ensemble as clients read and write it. No state; any thread. */
#ifndef ZKC_CLIENT_CLI_CONFIG_H
#define ZKC_CLIENT_CLI_CONFIG_H

#include <stddef.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

/* "100000000 host:2181,host:2182": the version and where clients connect. Mirrors ConfigUtils.getClientConfigStr. */
int config_client_string(const char *config, size_t size, struct buffer *out, struct error *error);
/* The lines of a configuration file that say who is a member, for -members; the caller's. */
int config_members_of_file(const char *path, char **ret_members, struct error *error);

#endif
