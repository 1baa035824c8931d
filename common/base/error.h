/* Error codes (errors.def) and an error with a sentence for a person. Mirrors KeeperException.Code. */
#ifndef ZKC_COMMON_BASE_ERROR_H
#define ZKC_COMMON_BASE_ERROR_H

enum {
#define ZK_ERROR(name, value, java_name, sentence) name = (value),
#include "common/base/errors.def"
#undef ZK_ERROR
};

/* Where a person will read it. Initialise with {0}; every function here accepts a NULL error and then only returns. */
struct error {
    int code;
    char text[1024];    /* a sentence without a full stop; always terminated, cut if longer */
};

/* As good as {0}, for who makes one for each request, LEFT_AS_IT_IS: a KiB of zeros is not written. */
static inline void error_init(struct error *error)
{
    error->code = 0;
    error->text[0] = '\0';
}

/* Sets code and sentence, and returns the code, so that one can `return error_set(...)`. */
int error_set(struct error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As error_set with ZK_IO, and ": <strerror(errno)>" behind the sentence. Keeps errno. Returns ZK_IO. */
int error_set_errno(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts a sentence and ": " before the one that is there, keeps the code and returns it; ZK_SYSTEM_ERROR
 * where there is no struct to keep it. */
int error_prefix(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "NONODE" for ZK_NO_NODE; "UNKNOWN" for a value not in the table. Static, never NULL. */
const char *error_name(int code);

/* The sentence of the table. Static, never NULL. */
const char *error_sentence(int code);

#endif
