/* zkbench.c - puts load on ZooKeeper servers, and says how they bear it. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>

#include "client/bench/bench_disk.h"
#include "client/bench/bench_echo.h"
#include "client/bench/bench_load.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/thread/thread.h"
#include "config.h"

enum { EXIT_RIGHT, EXIT_WRONG, EXIT_INVALID_INVOCATION, EXIT_NO_RESULT };

static int run(const struct bench_options *options)
{
    struct buffer out = {0};
    struct error error = {0};
    bool is_right = true;
    int err = options->echo_port > 0    ? bench_echo_run(options, &error)
              : options->disk != NULL ? bench_disk_run(options, &out, &error)
                                        : bench_load_run(options, &out, &is_right, &error);
    bool is_written = fputs(buffer_string(&out), stdout) >= 0 && fflush(stdout) == 0;
    if (err != ZK_OK)
        fprintf(stderr, "zkbench: %s\n", error.text);
    else if (!is_written)
        fprintf(stderr, "zkbench: the result cannot be written\n");
    buffer_release(&out);
    if (err == ZK_BAD_ARGUMENTS)
        return EXIT_INVALID_INVOCATION;
    if (err != ZK_OK || !is_written)
        return EXIT_NO_RESULT;
    return is_right ? EXIT_RIGHT : EXIT_WRONG;
}

int main(int argc, char **argv)
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct bench_options options;
    struct error error = {0};
    int exit_code = EXIT_RIGHT;
    setlocale(LC_CTYPE, "");
    log_set_level(NULL, LOG_WARN);
    if (bench_options_parse(argc, argv, &options, &error) != ZK_OK) {
        fprintf(stderr, "zkbench: %s\nzkbench: see zkbench --help\n", error.text);
        return EXIT_INVALID_INVOCATION;
    }
    thread_block_signals(signals, ARRAY_SIZE(signals));
    if (options.wants_help)
        bench_options_print();
    else if (options.wants_version)
        printf("zkbench %s, speaks the protocol of Apache ZooKeeper 3.9.5\n", PACKAGE_VERSION);
    else
        exit_code = run(&options);
    bench_options_release(&options);
    return exit_code;
}
