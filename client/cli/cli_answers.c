/* cli_answers.c - answers that several commands give. */
#include "client/cli/cli_answers.h"

#include <string.h>

#include "client/cli/cli_json.h"

void cli_answer_ok(struct cli *cli)
{
    if (!cli->output.is_json)
        return;
    json_t *answer = json_object();
    json_object_set_new(answer, "ok", json_true());
    output_json(&cli->output, answer);
}

void cli_answer_path(struct cli *cli, const char *path)
{
    if (!cli->output.is_json)
        return;
    json_t *answer = json_object();
    json_object_set_new(answer, "path", json_of_text(path, strlen(path)));
    output_json(&cli->output, answer);
}

void cli_print_stat(struct cli *cli, const struct Stat *stat)
{
    struct buffer text = {0};
    format_stat(stat, &text);
    output_take(&cli->output, &text);
}

void cli_answer_stat(struct cli *cli, const char *path, const struct Stat *stat)
{
    json_t *answer = json_object();
    json_object_set_new(answer, "path", json_of_text(path, strlen(path)));
    json_object_set_new(answer, "stat", json_of_stat(stat));
    output_json(&cli->output, answer);
}
