/* test_directory.c - makes and removes the directory of a test. */
#include "tests/lib/test_directory.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void test_directory_make(char path[TEST_DIRECTORY_SIZE])
{
    const char *parent = getenv("TMPDIR");
    snprintf(path, TEST_DIRECTORY_SIZE, "%s/zkc.XXXXXX", parent == NULL ? "/tmp" : parent);
    if (mkdtemp(path) == NULL) {
        perror(path);
        abort();
    }
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

void test_directory_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_directory_entry(const char *path, const char *name)
{
    static char entry[2 * TEST_DIRECTORY_SIZE];
    snprintf(entry, sizeof entry, "%s/%s", path, name);
    return entry;
}
