/*
 * Named threads. Mirrors ZooKeeperThread and ZooKeeperCriticalThread. A thread here cannot die alone: a failed
 * assertion or a fatal signal in it ends the process.
 */
#ifndef ZKC_COMMON_THREAD_THREAD_H
#define ZKC_COMMON_THREAD_THREAD_H

#include <stdbool.h>
#include <stdint.h>

struct thread;

/*
 * Starts a thread, with the myid of log lines of the one that starts it; all signals blocked. The whole name stands in
 * log lines; the kernel gets the part behind the last '.', its middle left out if it is longer than 15 bytes.
 * Never NULL: a machine without threads ends the process.
 */
struct thread *thread_start(const char *name, void (*run)(void *arg), void *arg);

/* The same with a stack as large as main() has by default: for a thread that runs code of others. */
struct thread *thread_start_roomy(const char *name, void (*run)(void *arg), void *arg);

/* Called by the thread itself, as its last deed, in place of a join: nobody will wait for it. Frees it. */
void thread_detach(struct thread *thread);

/* Waits for its end and frees it. NULL is accepted. Must not be called by the thread itself. */
void thread_join(struct thread *thread);
bool thread_is_current(const struct thread *thread);

/* Name of the calling thread, "main" for one that was not started here. */
const char *thread_current_name(void);

/* What tells this thread from the others of the process, as debuggers show it, for log lines. */
uintptr_t thread_current_id(void);

/* Lets others run; for who waits for something that somebody is just about to finish. */
void thread_yield(void);

/* For a thread whose work can wait, called by itself: where processors are short it gets about a tenth of what another
 * thread gets. It may hold a lock when it is put aside, so it should hold none for long. */
void thread_give_way(void);

/* Number of processors this process may use, at least 1. */
int thread_processors(void);

/* Blocks the signals in this thread and those it starts, and waits for one of them; for main(). The next signal, or 0
 * when the timeout (ms; -1 is none) has passed. */
void thread_block_signals(const int *signals, int count);
int thread_wait_signal(const int *signals, int count, int64_t timeout_ms);

#endif
