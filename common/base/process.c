/*
 * process.c - processes and their surroundings, for programs and for what they print.
 *
 * A spawned program tells that it is ready through a pipe whose number stands in ZKC_READY_FD; end of file without a
 * byte means that it died.
 */
#include "common/base/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

#define READY_VARIABLE "ZKC_READY_FD"

static _Atomic uint32_t forks;

static void count_fork(void)
{
    atomic_fetch_add(&forks, 1);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

int64_t process_id(void)
{
    return getpid();
}

uint32_t process_forks(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    return atomic_load_explicit(&forks, memory_order_relaxed);
}

char *process_executable(struct error *error)
{
    char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path);
    if (size < 0 || size == sizeof path) {
        error_set_errno(error, "cannot find the path of this program");
        return NULL;
    }
    return string_copy_n(path, (size_t)size);
}

/* A child of ours that ended is gone, though nobody asked for its status yet. */
static void reap(int64_t pid)
{
    waitpid((pid_t)pid, NULL, WNOHANG);
}

bool process_is_alive(int64_t pid)
{
    if (pid <= 0)
        return false;
    reap(pid);
    return kill((pid_t)pid, 0) == 0 || errno == EPERM;
}

static int send_signal(int64_t pid, int number, struct error *error)
{
    if (pid > 0 && kill((pid_t)pid, number) == 0)
        return ZK_OK;
    if (pid <= 0 || errno == ESRCH)
        return error_set(error, ZK_NOT_FOUND, "there is no process %lld", (long long)pid);
    return error_set_errno(error, "cannot signal process %lld", (long long)pid);
}

int process_terminate(int64_t pid, struct error *error)
{
    return send_signal(pid, SIGTERM, error);
}

int process_hang_up(int64_t pid, struct error *error)
{
    return send_signal(pid, SIGHUP, error);
}

void process_terminate_self(void)
{
    kill(getpid(), SIGTERM);
}

/* ---- spawning ---- */

/* In the child: never returns. */
static void become(const char *const *arguments, const char *output_path, int ready_fd)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    int in = open("/dev/null", O_RDONLY);
    int out = open(output_path, O_WRONLY | O_CREAT | O_APPEND, 0640);
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(127);
    if (in > 2)
        close(in);
    if (out > 2)
        close(out);
    char number[16];
    snprintf(number, sizeof number, "%d", ready_fd);
    setenv(READY_VARIABLE, number, 1);
    execv(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}

static enum spawn_result wait_ready(int fd, int64_t timeout_ms)
{
    struct pollfd waited = {.fd = fd, .events = POLLIN};
    int64_t deadline_ms = clock_elapsed_ms() + timeout_ms;
    for (;;) {
        int64_t left_ms = deadline_ms - clock_elapsed_ms();
        int count = poll(&waited, 1, left_ms < 0 ? 0 : (int)left_ms);
        if (count == 0)
            return SPAWN_TIMED_OUT;
        char byte;
        if (count > 0)
            return read(fd, &byte, 1) == 1 ? SPAWN_READY : SPAWN_DIED;
        if (errno != EINTR)
            return SPAWN_DIED;
    }
}

int process_spawn(const char *const *arguments, const char *output_path, int64_t timeout_ms, int64_t *ret_pid,
                  enum spawn_result *ret_result, struct error *error)
{
    int ends[2];
    if (pipe(ends) < 0)
        return error_set_errno(error, "cannot make a pipe");
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    pid_t pid = fork();
    if (pid < 0) {
        close(ends[0]);
        close(ends[1]);
        return error_set_errno(error, "cannot start a process");
    }
    if (pid == 0)
        become(arguments, output_path, ends[1]);
    close(ends[1]);
    *ret_result = wait_ready(ends[0], timeout_ms);
    close(ends[0]);
    *ret_pid = pid;
    return ZK_OK;
}

void process_notify_ready(void)
{
    const char *text = getenv(READY_VARIABLE);
    int64_t fd;
    if (text == NULL || !string_to_int64(text, 10, &fd) || fd <= 2 || fd > INT32_MAX)
        return;
    unsetenv(READY_VARIABLE);
    if (write((int)fd, "1", 1) == 1)
        fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    close((int)fd);
}

/* ---- surroundings ---- */

const char *process_environment(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

const char *process_user_name(void)
{
    struct passwd *entry = getpwuid(geteuid());
    return entry == NULL ? "unknown" : entry->pw_name;
}

const char *process_user_home(void)
{
    struct passwd *entry = getpwuid(geteuid());
    return entry == NULL ? "/" : entry->pw_dir;
}

void process_host_name(char *text, int size)
{
    if (gethostname(text, (size_t)size) != 0)
        snprintf(text, (size_t)size, "localhost");
    text[size - 1] = '\0';
}

void process_working_directory(char *text, int size)
{
    if (getcwd(text, (size_t)size) == NULL)
        snprintf(text, (size_t)size, ".");
}

void process_system(char *name, char *machine, char *release, int size)
{
    struct utsname system;
    if (uname(&system) != 0)
        memset(&system, 0, sizeof system);
    snprintf(name, (size_t)size, "%s", system.sysname);
    snprintf(machine, (size_t)size, "%s", system.machine);
    snprintf(release, (size_t)size, "%s", system.release);
}

int64_t process_open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return -1;
    int64_t count = -3;    /* . and .. and the directory's own */
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

int64_t process_max_descriptors(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (int64_t)limit.rlim_cur : -1;
}

int64_t process_next_descriptor(void)
{
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return errno == EMFILE || errno == ENFILE ? INT64_MAX : -1;
    close(fd);
    return fd;
}
