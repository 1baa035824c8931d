/*
 * Threads that make connections, as many as there is work for, up to a bound; nothing waits in line. Mirrors
 * QuorumCnxManager's connectionExecutor (a ThreadPoolExecutor over a SynchronousQueue). Any thread.
 */
#ifndef ZKC_SERVER_QUORUM_CONNECTION_EXECUTOR_H
#define ZKC_SERVER_QUORUM_CONNECTION_EXECUTOR_H

#include <stddef.h>

#include "common/base/error.h"

struct connection_executor;
/* Threads "<name>-<n>", n from 1. */
struct connection_executor *connection_executor_new(const char *name, size_t most);
/* ZK_OK: a thread has it or is about to. ZK_FULL: all are at work. ZK_CLOSED. The argument stays the caller's then. */
int connection_executor_execute(struct connection_executor *executor, void (*run)(void *arg), void *arg);
/* Nothing is begun any more; what was is finished. Joins all; whoever calls sees to it that no work waits. */
void connection_executor_stop(struct connection_executor *executor);
void connection_executor_free(struct connection_executor *executor);    /* stops; NULL is accepted */

#endif
