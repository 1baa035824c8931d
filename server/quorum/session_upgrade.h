/*
 * When a session of this server alone has to become one of the ensemble. Mirrors checkUpgradeSession,
 * makeUpgradeRequest and setLocalSessionFlag of QuorumZooKeeperServer. The tracker is an upgradeable one. Any thread.
 */
#ifndef ZKC_SERVER_QUORUM_SESSION_UPGRADE_H
#define ZKC_SERVER_QUORUM_SESSION_UPGRADE_H

#include "server/request/server_core.h"

/*
 * A local session that asks for an ephemeral node is upgraded first: *ret_upgrade is the createSession to be sent
 * before the request, NULL when there is nothing to do. If that may not be (localSessionsUpgradingEnabled), or the
 * request's flags are none, its error is set, for the answer to its client. It goes on in either case.
 */
void session_upgrade_check(struct server_core *core, struct request *request, struct request **ret_upgrade);
/* makeUpgradeRequest: NULL if it is no local session (any more). */
struct request *session_upgrade_make_request(struct session_tracker *tracker, int64_t session_id);
/* setLocalSessionFlag of all roles of an ensemble. */
void session_upgrade_set_local_flag(struct server_core *core, struct request *request);

#endif
