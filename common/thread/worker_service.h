/* Workers, any one or chosen by key, so that work of one key runs in order. Mirrors server.WorkerService. */
#ifndef ZKC_COMMON_THREAD_WORKER_SERVICE_H
#define ZKC_COMMON_THREAD_WORKER_SERVICE_H

#include <stddef.h>
#include <stdint.h>

struct worker_service;

/* `count` threads "<name>-<n>" (0: work runs in the caller of schedule); bound is per queue. */
struct worker_service *worker_service_start(const char *name, int count, size_t bound);
/* Waits for room. The same key always goes to the same worker. ZK_OK or ZK_CLOSED. */
int worker_service_schedule(struct worker_service *service, void (*work)(void *arg), void *arg, uint64_t key);
/* Drains, joins, frees. NULL is accepted. */
void worker_service_stop(struct worker_service *service);

#endif
