/* cli_file.c - data from files and to files. */
#include "client/cli/cli_file.h"

#include <stdio.h>
#include <string.h>

#include "common/base/console.h"
#include "common/base/file.h"

#define MOST ((size_t)64 << 20)

int cli_file_read(struct cli *cli, const char *path, struct buffer *bytes, struct error *error)
{
    if (strcmp(path, "-") != 0)
        return file_read_all(path, MOST, bytes, error);
    if (cli->input_is_script)
        return error_set(error, ZK_BAD_ARGUMENTS, "standard input holds the commands, there is no data in it");
    return console_read_all(MOST, bytes, error);
}

int cli_file_write(const char *path, const void *bytes, size_t size, struct error *error)
{
    if (strcmp(path, "-") == 0) {
        if (fwrite(bytes, 1, size, stdout) != size || fflush(stdout) != 0)
            return error_set_errno(error, "cannot write to standard output");
        return ZK_OK;
    }
    struct file *file;
    int err = file_open(path, FILE_CREATE, &file, error);
    if (err != ZK_OK)
        return err;
    err = file_write(file, bytes, size, error);
    int close_err = file_close(file, err == ZK_OK ? error : NULL);
    return err != ZK_OK ? err : close_err;
}
