/* cli_operands.c - words of a command as what they stand for. */
#include "client/cli/cli_operands.h"

#include <string.h>

#include "client/cli/cli_acl.h"
#include "client/cli/cli_path.h"
#include "common/base/strings.h"

int cli_check_path(struct cli *cli, const char *path, bool is_sequential)
{
    struct error error = {0};
    int err = cli_path_validate(path, is_sequential, &error);
    if (err != ZK_OK)
        cli_fail_with(cli, err, path, "%s", error.text);
    return err;
}

bool cli_number(struct cli *cli, const char *text, int base, int64_t least, int64_t most, int64_t *ret_number)
{
    int64_t number;
    if (string_to_int64(text, base, &number) && number >= least && number <= most) {
        *ret_number = number;
        return true;
    }
    cli_fail_with(cli, ZK_BAD_ARGUMENTS, NULL, "For input string: \"%s\"", text);
    return false;
}

bool cli_option_number(struct cli *cli, const struct arguments *arguments, const char *name, int64_t least,
                       int64_t most, int64_t otherwise, int64_t *ret_number)
{
    const char *text = arguments_value(arguments, name);
    if (text != NULL)
        return cli_number(cli, text, 10, least, most, ret_number);
    *ret_number = otherwise;
    return true;
}

bool cli_version_of(struct cli *cli, const struct arguments *arguments, int *ret_version)
{
    int64_t version;
    if (!cli_option_number(cli, arguments, "v", INT32_MIN, INT32_MAX, -1, &version))
        return false;
    *ret_version = (int)version;
    return true;
}

bool cli_acl_of(struct cli *cli, const char *text, struct ACL_vector *ret_acl)
{
    struct buffer complaints = {0};
    acl_list_parse(text, ret_acl, &complaints);
    if (complaints.size > 0 && !cli->output.is_json)
        output_complain(&cli->output, "%.*s", (int)complaints.size - 1, buffer_string(&complaints));
    buffer_release(&complaints);
    return ret_acl->count > 0;
}

int cli_accept_old_watch(struct cli *cli, const struct command *self, const char *advice, struct arguments *arguments)
{
    if (arguments->operands.count <= 2)
        return ZK_OK;
    output_complain(&cli->output, "'%s path [watch]' has been deprecated. Please use '%s' instead.", self->name,
                    advice);
    const struct words *typed = arguments->typed;
    struct words words = {0};
    for (size_t i = 0; i < typed->count; i++) {
        const char *word = i == 2 ? "-w" : typed->items[i];
        words_add(&words, word, strlen(word));
    }
    struct arguments again = {0};
    struct error error = {0};
    int err = arguments_parse(&self->spec, &words, &again, &error);
    words_release(&words);
    if (err != ZK_OK) {
        cli_fail_with(cli, err, NULL, "%s", error.text);
        return err;
    }
    again.typed = typed;
    arguments_release(arguments);
    *arguments = again;
    if (arguments->operands.count >= 2)
        return ZK_OK;
    cli_fail_usage(cli, self);
    return ZK_BAD_ARGUMENTS;
}
