/* ACLs as people write and read them. Mirrors AclParser and what getAcl prints. No state; any thread. */
#ifndef ZKC_CLIENT_CLI_ACL_H
#define ZKC_CLIENT_CLI_ACL_H

#include <stdint.h>

#include "client/public.h"
#include "common/base/buffer.h"

/*
 * "world:anyone:r,digest:user:hash:cdrwa" into entries, the caller's (acl_list_release). What has no two colons is left
 * out and letters that stand for nothing are passed over; a line for each is appended to *complaints.
 */
void acl_list_parse(const char *text, struct ACL_vector *ret_acl, struct buffer *complaints);
void acl_list_release(struct ACL_vector *acl);
/* One more entry; the texts are copied. */
void acl_list_add(struct ACL_vector *acl, const char *scheme, const char *id, int32_t permissions);

/* "cdrwa", of those set, in this order. */
void acl_print_permissions(int32_t permissions, struct buffer *out);
int32_t acl_parse_permissions(const char *letters, struct buffer *complaints);
/* Two lines for each entry as getAcl has them: 'world,'anyone and ": cdrwa". */
void acl_list_print(const struct ACL_vector *acl, struct buffer *out);

#endif
