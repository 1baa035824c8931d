/*
 * Paths of a client whose root is a node of the server ("host:2181/app"): as the server has them, and back. Mirrors
 * prependChroot() and stripChroot() of ZooKeeper and ClientCnxn. No state; any thread.
 *
 * A `chroot` is what connect_string.h gives: an absolute path without a '/' at its end, or NULL for none.
 */
#ifndef ZKC_CLIENT_CHROOT_H
#define ZKC_CLIENT_CHROOT_H

#include <stdbool.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

/* Of a path as the user gave it: ZK_OK, or ZK_BAD_ARGUMENTS with the reason. `is_sequential`: a number will follow. */
int chroot_check_path(const char *path, bool is_sequential, struct error *error);

/* "/a" is "/app/a" for the server, and "/" is "/app". Appended without a terminating zero. */
void chroot_append(struct buffer *out, const char *chroot, const char *path);
/* The same as a string of jute: its length in front, its bytes as the user gave them. */
void chroot_write(struct buffer *out, const char *chroot, const char *path);
/* The same as a string of its own; memory_free. */
char *chroot_prepend(const char *chroot, const char *path) __attribute__((returns_nonnull));

/*
 * The user's form of a path that the server sent: what stands behind the chroot, "/" for the chroot itself, and a path
 * that is not below it ("/application" is not below "/app") as it came. Points into `server_path` or to a constant.
 */
const char *chroot_strip(const char *chroot, const char *server_path);

#endif
