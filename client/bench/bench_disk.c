/*
 * bench_disk.c - as a server's log does it: into blocks that were written before, so that a sync has no metadata to
 * write.
 */
#include "client/bench/bench_disk.h"

#include "client/bench/bench_histogram.h"
#include "client/bench/bench_report.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/base/strings.h"

#define AHEAD (INT64_C(64) * 1024 * 1024)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S 1e9

static int sync_for(struct file *file, const struct bench_options *options, struct bench_histogram *times,
                    struct error *error)
{
    size_t size = options->size_most > 0 ? (size_t)options->size_most : 1;
    uint8_t *block = memory_alloc_zero(1, size);
    int64_t at = 0, end_ns = clock_elapsed_ns() + options->duration_ms * NS_PER_MS, now_ns;
    int err = ZK_OK;
    while (err == ZK_OK && (now_ns = clock_elapsed_ns()) < end_ns &&
           (options->requests == 0 || times->count < (uint64_t)options->requests)) {
        if (at + (int64_t)size > AHEAD)
            at = 0;
        block[0]++;
        err = file_pwrite(file, block, size, at, error);
        if (err == ZK_OK)
            err = file_sync(file, error);
        at += (int64_t)size;
        bench_histogram_add(times, clock_elapsed_ns() - now_ns);
    }
    memory_free(block);
    return err;
}

static void print(const struct bench_options *options, const struct bench_histogram *times, double seconds,
                  struct buffer *out)
{
    double rate = seconds > 0 ? (double)times->count / seconds : 0;
    if (options->is_json) {
        buffer_printf(out, "{\"syncs_a_second\":%.3f,\"latency_us\":", rate);
        bench_report_print_times_json(times, out);
        buffer_append_string(out, "}\n");
        return;
    }
    buffer_printf(out, "disk: %.1f syncs a second, %d bytes before each\nlatency in us\n", rate,
                  (int)options->size_most);
    bench_report_print_times("  fdatasync", times, out);
}

int bench_disk_run(const struct bench_options *options, struct buffer *out, struct error *error)
{
    struct file *file = NULL;
    char *name = string_format("zkbench-%08x", (unsigned)random_below(UINT32_MAX));
    char *path = path_join(options->disk, name);
    struct bench_histogram *times = MEMORY_NEW(struct bench_histogram);
    int err = file_open(path, FILE_CREATE_NEW, &file, error);
    if (err == ZK_OK) {
        err = file_fill_zeros(file, 0, AHEAD, error);
        if (err == ZK_OK)
            err = file_sync(file, error);
        int64_t begin_ns = clock_elapsed_ns();
        if (err == ZK_OK)
            err = sync_for(file, options, times, error);
        if (err == ZK_OK)
            print(options, times, (double)(clock_elapsed_ns() - begin_ns) / NS_PER_S, out);
        file_close(file, NULL);
        file_unlink(path, NULL);
    }
    memory_free(times);
    memory_free(path);
    memory_free(name);
    return err;
}
