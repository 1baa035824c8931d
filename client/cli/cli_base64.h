/* Base64 back into bytes. Mirrors java.util.Base64.getDecoder. */
#ifndef ZKC_CLIENT_CLI_BASE64_H
#define ZKC_CLIENT_CLI_BASE64_H

#include <stddef.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

/* Appends the bytes. Padding may be left out but not be wrong; white space is not allowed. ZK_BAD_ARGUMENTS. */
int base64_decode(const char *text, size_t size, struct buffer *bytes, struct error *error);

#endif
