/*
 * Locks that clang's -Wthread-safety can check, and conditions. Mirrors synchronized, wait and notify.
 */
#ifndef ZKC_COMMON_THREAD_MUTEX_H
#define ZKC_COMMON_THREAD_MUTEX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__clang__)
#define THREAD_ANNOTATION(attribute) __attribute__((attribute))
#else
#define THREAD_ANNOTATION(attribute)
#endif
#define CAPABILITY(name) THREAD_ANNOTATION(capability(name))
#define GUARDED_BY(lock)    /* for people: in C the compiler cannot name a member that way */
#define REQUIRES(...) THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define EXCLUDES(...) THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS THREAD_ANNOTATION(no_thread_safety_analysis)

struct CAPABILITY("mutex") mutex {
    pthread_mutex_t pthread;
};
struct condition {
    pthread_cond_t pthread;    /* on the monotonic clock */
};

/* Neither fails; misuse (locking twice, unlocking what is not held) ends the process in every build. */
void mutex_init(struct mutex *mutex);
void mutex_release(struct mutex *mutex);
void mutex_lock(struct mutex *mutex) ACQUIRE(*mutex);
void mutex_unlock(struct mutex *mutex) RELEASE(*mutex);

void condition_init(struct condition *condition);
void condition_release(struct condition *condition);
void condition_wait(struct condition *condition, struct mutex *mutex) REQUIRES(*mutex);
/* Until clock_elapsed_ms() reaches the deadline; false when it has. True may mean nothing: look again, and wait
 * again. */
bool condition_wait_until(struct condition *condition, struct mutex *mutex, int64_t deadline_ms) REQUIRES(*mutex);
void condition_signal(struct condition *condition);
void condition_broadcast(struct condition *condition);

#endif
