/* A directory of its own for a test, below $TMPDIR. */
#ifndef ZKC_TESTS_LIB_TEST_DIRECTORY_H
#define ZKC_TESTS_LIB_TEST_DIRECTORY_H

#define TEST_DIRECTORY_SIZE 256

/* Makes a new one; ends the program when it cannot. */
void test_directory_make(char path[TEST_DIRECTORY_SIZE]);
/* Removes it and all that is in it. */
void test_directory_remove(const char *path);
/* "path/name", terminated, in a static array that the next call uses again. */
const char *test_directory_entry(const char *path, const char *name);

#endif
