/* A write that its ACL forbids is refused before it goes to the leader. Mirrors ZooKeeperServer.authWriteRequest. */
#ifndef ZKC_SERVER_REQUEST_EAGER_ACL_CHECK_H
#define ZKC_SERVER_REQUEST_EAGER_ACL_CHECK_H

#include "server/request/server_core.h"

/*
 * With enableEagerACLCheck: false when the tree as it is here forbids the write (or the ACL it brings is none); its
 * client is answered then, and the caller drops the request and flushes connections if it is no
 * selector. True without the option, for what has no client here, and for all that the leader will refuse by itself.
 * Any thread.
 */
bool eager_acl_check_passes(struct server_core *core, struct request *request);

#endif
