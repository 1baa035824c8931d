/* The rules of a path. Mirrors common.PathUtils and ZKPaths-like helpers. No state; any thread. */
#ifndef ZKC_COMMON_WIRE_PATH_H
#define ZKC_COMMON_WIRE_PATH_H

#include <stdbool.h>

#include "common/base/error.h"
#include "common/wire/jute.h"

/* ZK_OK, or ZK_BAD_ARGUMENTS with Java's reason ("path must start with / character" ...). A null path is bad. For a
 * sequential node the path may end in '/', since digits follow. */
int path_validate(struct ustring path, bool is_sequential, struct error *error);

/* The part before the last '/' ("" for "/a", as Java's substring) and the part behind it. False: no '/' in it. */
bool path_split(struct ustring path, struct ustring *ret_parent, struct ustring *ret_name);

bool path_starts_with(struct ustring path, const char *prefix);

/* Next ancestor, for walks from a path to the root: "/a/b" -> "/a" -> "/". False when path is "/" or has no '/'. */
bool path_parent(struct ustring path, struct ustring *ret_parent);

#endif
