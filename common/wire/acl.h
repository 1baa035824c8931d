/* Permissions and well-known ids. Mirrors ZooDefs.Perms and ZooDefs.Ids. */
#ifndef ZKC_COMMON_WIRE_ACL_H
#define ZKC_COMMON_WIRE_ACL_H

#include <stdbool.h>

#include "common/wire/records.h"

enum { PERM_READ = 1, PERM_WRITE = 2, PERM_CREATE = 4, PERM_DELETE = 8, PERM_ADMIN = 16, PERM_ALL = 31 };

/* Static, shared, never changed: world:anyone with all permissions, and with read only. */
extern const struct zk_acl_vector acl_open_unsafe;
extern const struct zk_acl_vector acl_read_unsafe;

bool acl_equal(const struct zk_acl *a, const struct zk_acl *b);
bool acl_vector_equal(const struct zk_acl_vector *a, const struct zk_acl_vector *b);
/* Deep copy in one block, the caller's (memory_free of the result frees all). */
struct zk_acl_vector *acl_vector_copy(const struct zk_acl_vector *from);
/* "rwcda" form of permissions into 6 bytes. */
void acl_format_permissions(int32_t permissions, char text[8]);

#endif
