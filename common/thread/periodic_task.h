/* A thread that does one thing again and again. Mirrors java.util.Timer. */
#ifndef ZKC_COMMON_THREAD_PERIODIC_TASK_H
#define ZKC_COMMON_THREAD_PERIODIC_TASK_H

#include <stdint.h>

struct periodic_task;

/* First run after `delay_ms`, then each `period_ms` after the start of the last run. Own thread, named `name`. */
struct periodic_task *periodic_task_start(const char *name, int64_t delay_ms, int64_t period_ms,
                                          void (*run)(void *arg), void *arg);
/* Ends it at once if it sleeps, after the present run otherwise; joins and frees. NULL is accepted. */
void periodic_task_stop(struct periodic_task *task);

#endif
