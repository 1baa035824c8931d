/* cli_progress.c - how far a long command is. */
#include "client/cli/cli_progress.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

#define TERMINAL_EACH_MS 100
#define LOG_EACH_MS 5000

static void show(struct progress *progress, bool is_last)
{
    struct output *output = &progress->cli->output;
    bool is_terminal = output->error_is_terminal;
    char *line = string_format("%s%" PRId64 " %s%s", is_terminal ? "\r" : "", progress->done, progress->what,
                               is_terminal && !is_last ? "" : "\n");
    output_complain_raw(output, line);
    memory_free(line);
    progress->shown_at_ms = clock_elapsed_ms();
}

void progress_begin(struct progress *progress, struct cli *cli, const struct arguments *arguments, const char *what)
{
    *progress = (struct progress){cli, what, 0, clock_elapsed_ms(), arguments_has(arguments, "--progress")};
}

void progress_add(struct progress *progress, int64_t more)
{
    progress->done += more;
    int64_t each_ms = progress->cli->output.error_is_terminal ? TERMINAL_EACH_MS : LOG_EACH_MS;
    if (progress->is_wanted && clock_elapsed_ms() - progress->shown_at_ms >= each_ms)
        show(progress, false);
}

void progress_end(struct progress *progress)
{
    if (progress->is_wanted)
        show(progress, true);
}
