/*
 * thread.c - named threads. Mirrors ZooKeeperThread and ZooKeeperCriticalThread.
 *
 * A thread's name and myid are those of its log lines (log.h keeps them by thread). It blocks every signal that is sent
 * to the process, so that only main(), which waits for them, gets any; those that a thread causes itself it keeps.
 */
#include "common/thread/thread.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

#define STACK_SIZE ((size_t)512 * 1024)
#define ROOMY_STACK_SIZE ((size_t)8 << 20)
#define KERNEL_NAME_SIZE 16    /* with its terminating zero */
#define NS_PER_S INT64_C(1000000000)
#define GIVING_WAY 10          /* added to its nice value; each step is a quarter less of a processor */

struct thread {
    pthread_t pthread;
    void (*run)(void *arg);
    void *arg;
    char *name;
    char *myid;
};

static _Thread_local const struct thread *current;

static void check(int error_number, const char *what)
{
    if (error_number == 0)
        return;
    log_error("%s: %s", what, strerrordesc_np(error_number));
    abort();
}

/* The last dot between words; one between numbers belongs to an address. */
static const char *kernel_part(const char *name)
{
    const char *part = name;
    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '.' && ((at[1] >= 'A' && at[1] <= 'Z') || (at[1] >= 'a' && at[1] <= 'z')))
            part = at + 1;
    }
    return part;
}

static void set_kernel_name(const char *name)
{
    const size_t most = KERNEL_NAME_SIZE - 1, tail = most / 2;
    const char *part = kernel_part(name);
    size_t size = strlen(part);
    char short_name[KERNEL_NAME_SIZE] = { 0 };
    if (size <= most) {
        memcpy(short_name, part, size);
    } else {
        memcpy(short_name, part, most - tail);
        memcpy(short_name + most - tail, part + size - tail, tail);
    }
    pthread_setname_np(pthread_self(), short_name);    /* for people only */
}

static void *thread_main(void *arg)
{
    struct thread *thread = arg;
    current = thread;
    log_set_thread_name(thread->name);
    log_set_myid(thread->myid);
    set_kernel_name(thread->name);
    thread->run(thread->arg);
    return NULL;
}

/* All but those that a thread brings upon itself. */
static void signals_of_process(sigset_t *set)
{
    static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };
    sigfillset(set);
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        sigdelset(set, own[i]);
}

static void signal_set(sigset_t *set, const int *signals, int count)
{
    sigemptyset(set);
    for (int i = 0; i < count; i++)
        sigaddset(set, signals[i]);
}

static struct thread *start(const char *name, size_t stack_size, void (*run)(void *arg), void *arg)
{
    struct thread *thread = MEMORY_NEW(struct thread);
    thread->run = run;
    thread->arg = arg;
    thread->name = string_copy(name);
    thread->myid = string_copy(log_myid());

    sigset_t blocked, before;
    pthread_attr_t attributes;
    signals_of_process(&blocked);
    check(pthread_attr_init(&attributes), "pthread_attr_init");
    check(pthread_attr_setstacksize(&attributes, stack_size), "pthread_attr_setstacksize");
    check(pthread_sigmask(SIG_BLOCK, &blocked, &before), "pthread_sigmask");    /* inherited */
    check(pthread_create(&thread->pthread, &attributes, thread_main, thread), "cannot start a thread");
    check(pthread_sigmask(SIG_SETMASK, &before, NULL), "pthread_sigmask");
    pthread_attr_destroy(&attributes);
    return thread;
}

struct thread *thread_start(const char *name, void (*run)(void *arg), void *arg)
{
    return start(name, STACK_SIZE, run, arg);
}

struct thread *thread_start_roomy(const char *name, void (*run)(void *arg), void *arg)
{
    return start(name, ROOMY_STACK_SIZE, run, arg);
}

static void thread_free(struct thread *thread)
{
    memory_free(thread->name);
    memory_free(thread->myid);
    memory_free(thread);
}

void thread_detach(struct thread *thread)
{
    assert(thread_is_current(thread));
    check(pthread_detach(thread->pthread), "pthread_detach");
    current = NULL;
    log_set_thread_name("main");
    log_set_myid(NULL);
    thread_free(thread);
}

void thread_join(struct thread *thread)
{
    if (thread == NULL)
        return;
    assert(!thread_is_current(thread));
    check(pthread_join(thread->pthread, NULL), "pthread_join");
    thread_free(thread);
}

bool thread_is_current(const struct thread *thread)
{
    return thread != NULL && thread == current;
}

const char *thread_current_name(void)
{
    return log_thread_name();
}

uintptr_t thread_current_id(void)
{
    return (uintptr_t)pthread_self();
}

void thread_yield(void)
{
    sched_yield();
}

void thread_give_way(void)
{
    /* Of the calling thread alone. What is past the largest value becomes that; without effect it goes on as it was. */
    setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + GIVING_WAY);
}

int thread_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        return CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
    long online = sysconf(_SC_NPROCESSORS_ONLN);    /* more than fit into the set */
    return online > 0 ? (int)online : 1;
}

void thread_block_signals(const int *signals, int count)
{
    sigset_t set;
    signal_set(&set, signals, count);
    check(pthread_sigmask(SIG_BLOCK, &set, NULL), "pthread_sigmask");
}

int thread_wait_signal(const int *signals, int count, int64_t timeout_ms)
{
    sigset_t set;
    signal_set(&set, signals, count);
    int64_t now_ms = clock_elapsed_ms();
    int64_t deadline_ms = timeout_ms < 0 || timeout_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + timeout_ms;
    for (;;) {
        int64_t nap = clock_nap_ns(deadline_ms);
        struct timespec wait = { .tv_sec = nap / NS_PER_S, .tv_nsec = nap % NS_PER_S };
        int number = sigtimedwait(&set, NULL, &wait);
        if (number > 0)
            return number;
        if (errno == EAGAIN && nap == 0)
            return 0;
        if (errno != EAGAIN && errno != EINTR)
            check(errno, "sigtimedwait");
    }
}
