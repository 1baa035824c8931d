/*
 * clock_faults.c - a library to preload: the wall clock of a process, moved while it runs.
 *
 *   ZKC_CLOCK_FILE    a file of eight bytes, a number in the machine's order: the ms by which the wall clock is ahead
 *
 * The clocks that count elapsed time stay as they are.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

static volatile const int64_t *ahead_ms;

__attribute__((constructor)) static void map_file(void)
{
    const char *path = getenv("ZKC_CLOCK_FILE");
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    void *mapped = mmap(NULL, sizeof *ahead_ms, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped == MAP_FAILED)
        abort();
    ahead_ms = mapped;
}

int clock_gettime(clockid_t id, struct timespec *ret_now)
{
    int (*clock_gettime_)(clockid_t, struct timespec *) =
        (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = clock_gettime_(id, ret_now);
    if (result != 0 || ahead_ms == NULL || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE))
        return result;
    int64_t ns = (int64_t)ret_now->tv_sec * NS_PER_S + ret_now->tv_nsec + *ahead_ms * (NS_PER_S / 1000);
    *ret_now = (struct timespec){ns / NS_PER_S, ns % NS_PER_S};
    return 0;
}

int gettimeofday(struct timeval *ret_now, void *zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *ret_now = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *ret_now)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret_now != NULL)
        *ret_now = now.tv_sec;
    return now.tv_sec;
}
