/* quorum_oracle.c - asks the file. */
#include "server/quorum/flexible/quorum_oracle.h"

#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

void quorum_oracle_init(struct quorum_oracle *oracle, const char *path)
{
    *oracle = (struct quorum_oracle){0};
    atomic_store(&oracle->is_needed, true);
    if (path != NULL)
        oracle->path = string_copy(path);
}

void quorum_oracle_release(struct quorum_oracle *oracle)
{
    memory_free(oracle->path);
    oracle->path = NULL;
}

bool quorum_oracle_ask(struct quorum_oracle *oracle)
{
    struct file *file = NULL;
    struct error error = {0};
    char verdict = '\0';
    size_t size = 0;
    int err = file_open(oracle->path, FILE_READ, &file, &error);
    if (err == ZK_OK)
        err = file_pread(file, &verdict, 1, 0, &size, &error);
    if (err != ZK_OK)
        log_warn_limited(&oracle->failures, "the oracle cannot be asked, which counts as no: %s", error.text);
    file_close(file, NULL);
    return err == ZK_OK && size == 1 && verdict == '1';
}
