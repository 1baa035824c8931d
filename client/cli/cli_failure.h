/* What the shell says when an operation fails. Mirrors CliWrapperException and KeeperException.getMessage. */
#ifndef ZKC_CLIENT_CLI_FAILURE_H
#define ZKC_CLIENT_CLI_FAILURE_H

/* "Node does not exist: /a", or "KeeperErrorCode = ... for /a" where Java has no sentence of its own; the caller's.
 * `path` may be NULL. */
char *failure_sentence(int code, const char *path);
/* "KeeperErrorCode = NoNode for /a"; the caller's. */
char *failure_code_message(int code, const char *path);

#endif
