/* bench_plan.c - paths, put together by hand: a request costs little more than its system calls. */
#include "client/bench/bench_plan.h"

#include <string.h>

static char *put_digits(char *at, uint32_t number, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return at + digits;
}

static char *put_root(const struct bench_plan *plan, char *path)
{
    memcpy(path, plan->root, plan->root_size);
    path[plan->root_size] = '/';
    return path + plan->root_size + 1;
}

static size_t finish(const char *path, char *end)
{
    *end = '\0';
    return (size_t)(end - path);
}

uint32_t bench_plan_directories(const struct bench_plan *plan)
{
    return (plan->nodes + BENCH_DIRECTORY_SIZE - 1) / BENCH_DIRECTORY_SIZE;
}

uint32_t bench_plan_directory_count(const struct bench_plan *plan, uint32_t directory)
{
    uint32_t behind = plan->nodes - directory * BENCH_DIRECTORY_SIZE;
    return behind < BENCH_DIRECTORY_SIZE ? behind : BENCH_DIRECTORY_SIZE;
}

size_t bench_plan_node_path(const struct bench_plan *plan, uint32_t node, char path[BENCH_PATH_SIZE])
{
    char *at = put_digits(put_root(plan, path), node / BENCH_DIRECTORY_SIZE, 5);
    *at++ = '/';
    return finish(path, put_digits(at, node % BENCH_DIRECTORY_SIZE, 3));
}

size_t bench_plan_directory_path(const struct bench_plan *plan, uint32_t directory, char path[BENCH_PATH_SIZE])
{
    return finish(path, put_digits(put_root(plan, path), directory, 5));
}

static char *put_session(const struct bench_plan *plan, uint32_t session, char *path)
{
    char *at = put_root(plan, path);
    *at++ = 's';
    for (int shift = 20; shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[plan->token >> shift & 15];
    return put_digits(at, session, 5);
}

size_t bench_plan_session_path(const struct bench_plan *plan, uint32_t session, char path[BENCH_PATH_SIZE])
{
    return finish(path, put_session(plan, session, path));
}

size_t bench_plan_made_path(const struct bench_plan *plan, uint32_t session, uint32_t number,
                            char path[BENCH_PATH_SIZE])
{
    char *at = put_session(plan, session, path);
    *at++ = '/';
    return finish(path, put_digits(at, number, 10));
}
