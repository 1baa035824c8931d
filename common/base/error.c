/*
 * error.c - names and sentences of the codes, and the sentence that travels beside a code.
 *
 * Mirrors KeeperException.Code. A new sentence is made beside the old one and then copied over it, so that it may quote
 * what it replaces: error_set(error, code, "%s again", error->text).
 */
#include "common/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE sizeof(((struct error *)0)->text)

__attribute__((format(printf, 2, 0))) static void format_text(char *text, const char *format, va_list args)
{
    if (vsnprintf(text, TEXT_SIZE, format, args) < 0)
        snprintf(text, TEXT_SIZE, "(a sentence that could not be formatted)");
}

/* Appends what fits. */
static void append_text(char *text, const char *more)
{
    size_t size = strlen(text);
    snprintf(text + size, TEXT_SIZE - size, "%s", more);
}

int error_set(struct error *error, int code, const char *format, ...)
{
    if (error == NULL)
        return code;
    int saved_errno = errno;
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    format_text(text, format, args);
    va_end(args);
    error->code = code;
    memcpy(error->text, text, TEXT_SIZE);
    errno = saved_errno;
    return code;
}

int error_set_errno(struct error *error, const char *format, ...)
{
    if (error == NULL)
        return ZK_IO;
    int saved_errno = errno;
    char text[TEXT_SIZE], reason[128];
    va_list args;
    va_start(args, format);
    format_text(text, format, args);
    va_end(args);
    append_text(text, ": ");
    append_text(text, strerror_r(saved_errno, reason, sizeof(reason)));
    error->code = ZK_IO;
    memcpy(error->text, text, TEXT_SIZE);
    errno = saved_errno;
    return ZK_IO;
}

int error_prefix(struct error *error, const char *format, ...)
{
    if (error == NULL)
        return ZK_SYSTEM_ERROR;    /* whatever it was, it is no success */
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    format_text(text, format, args);
    va_end(args);
    append_text(text, ": ");
    append_text(text, error->text);
    memcpy(error->text, text, TEXT_SIZE);
    return error->code;
}

const char *error_name(int code)
{
    switch (code) {
#define ZK_ERROR(name, value, java_name, sentence) case name: return java_name;
#include "common/base/errors.def"
#undef ZK_ERROR
    default: return "UNKNOWN";
    }
}

const char *error_sentence(int code)
{
    switch (code) {
#define ZK_ERROR(name, value, java_name, sentence) case name: return sentence;
#include "common/base/errors.def"
#undef ZK_ERROR
    default: return "unknown error";
    }
}
