/*
 * bench.c - what one request costs through libzookeeper_mt: the library is whichever the loader finds, so that the same
 * program measures ours and Debian's. Built against the public interface alone.
 *
 *     bench HOST:PORT SYNC ASYNC        so many calls of each kind
 *
 * Prints a line each: name, elapsed microseconds a call, microseconds of this process's CPU a call.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define THREADED
#include <zookeeper/zookeeper.h>

#define SIZE 100
#define WINDOW 10000    /* requests on their way at most */

static atomic_int connected, done, failed;
static char value[SIZE];

static void watcher(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)zh, (void)path, (void)context;
    if (type == ZOO_SESSION_EVENT && state == ZOO_CONNECTED_STATE)
        connected = 1;
}

static void data_done(int rc, const char *data, int size, const struct Stat *stat, const void *context)
{
    (void)stat, (void)context;
    if (rc != ZOK || size != SIZE || memcmp(data, value, SIZE) != 0)
        failed++;
    done++;
}

static void stat_done(int rc, const struct Stat *stat, const void *context)
{
    (void)stat, (void)context;
    if (rc != ZOK)
        failed++;
    done++;
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double elapsed, cpu;

static void begin(void)
{
    done = 0;
    elapsed = seconds(CLOCK_MONOTONIC);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static void end(const char *name, int count)
{
    elapsed = seconds(CLOCK_MONOTONIC) - elapsed;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("%s %.3f %.3f\n", name, elapsed * 1e6 / count, cpu * 1e6 / count);
    fflush(stdout);
}

static void wait_done(int count)
{
    while (done < count)
        usleep(200);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int sync_count = atoi(argv[2]), async_count = atoi(argv[3]);
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    zhandle_t *zh = zookeeper_init(argv[1], watcher, 30000, NULL, NULL, 0);
    for (int i = 0; i < 2000 && !connected; i++)
        usleep(5000);
    memset(value, 'v', SIZE);
    zoo_delete(zh, "/bench", -1);
    if (zoo_create(zh, "/bench", value, SIZE, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) != ZOK)
        return 1;
    char data[SIZE];
    begin();
    for (int i = 0; i < sync_count; i++) {
        int size = SIZE;
        failed += zoo_get(zh, "/bench", 0, data, &size, NULL) != ZOK || size != SIZE;
    }
    end("sync_get", sync_count);
    begin();
    for (int i = 0; i < async_count; i++) {
        while (i - done >= WINDOW)
            usleep(100);
        failed += zoo_aget(zh, "/bench", 0, data_done, NULL) != ZOK;
    }
    wait_done(async_count);
    end("async_get", async_count);
    begin();
    for (int i = 0; i < async_count; i++) {
        while (i - done >= WINDOW)
            usleep(100);
        failed += zoo_aset(zh, "/bench", value, SIZE, -1, stat_done, NULL) != ZOK;
    }
    wait_done(async_count);
    end("async_set", async_count);
    printf("failed %d 0\n", failed);
    zoo_delete(zh, "/bench", -1);
    zookeeper_close(zh);
    return 0;
}
