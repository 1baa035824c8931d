/*
 * zkcleanup.c - removes old snapshots and logs by hand or from cron.
 *
 * Mirrors PurgeTxnLog.main: the same arguments, in the same order of checks, and the same exit codes. It may run
 * beside a server that uses the directories.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/persistence/purge_txn_log.h"

static void usage_and_exit(void)
{
    printf("Usage: zkcleanup dataLogDir [snapDir] -n count\n"
           "\tdataLogDir  directory of the transaction logs, as in zoo.cfg\n"
           "\tsnapDir     directory of the snapshots, when it is another one\n"
           "\tcount       how many snapshots to keep, %d or more; with them stay the logs behind the oldest of them\n",
           PURGE_LEAST_SNAPSHOTS);
    exit(EXIT_FAILURE);
}

static const char *check_path(const char *path)
{
    if (file_kind(path) != FILE_KIND_NONE)
        return path;
    char *absolute = path_absolute(path);
    fprintf(stderr, "Path '%s' does not exist.\n", absolute);
    memory_free(absolute);
    usage_and_exit();
    return NULL;
}

static size_t check_count(const char *text)
{
    int64_t count;
    if (!string_to_int64(text, 10, &count) || count < INT32_MIN || count > INT32_MAX) {
        fprintf(stderr, "'%s' is not a number.\n", text);
        usage_and_exit();
    }
    if (count < PURGE_LEAST_SNAPSHOTS) {
        fprintf(stderr, "count should be greater than or equal to %d\n", PURGE_LEAST_SNAPSHOTS);
        usage_and_exit();
    }
    return (size_t)count;
}

static void tell(void *context, const char *path)
{
    (void)context;
    printf("Removing file: %s\n", path);
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5)
        usage_and_exit();
    log_set_level(NULL, LOG_WARN);
    const char *data_log_dir = check_path(argv[1]);
    const char *data_dir = argc == 5 ? check_path(argv[2]) : data_log_dir;
    size_t count = check_count(argv[argc - 1]);
    if (strcmp(argv[argc - 2], "-n") != 0)
        usage_and_exit();
    struct error error = {0};
    if (purge_txn_log(data_log_dir, data_dir, count, tell, NULL, &error) == ZK_OK)
        return EXIT_SUCCESS;
    fprintf(stderr, "zkcleanup: %s\n", error.text);
    return EXIT_FAILURE;
}
