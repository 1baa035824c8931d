/*
 * log.c - lines in Java's layout, each written with one write(2) to a file that is opened for appending.
 *
 * So lines of many threads, and of a second process, never mix, and no lock is taken to write one. log_reopen() puts
 * the new file under the number of the old descriptor, which a writer beside it does not notice. Levels of components
 * are entries of a list that only grows: a reader walks it without a lock. A line that cannot be written is lost: there
 * is nobody to tell.
 */
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

#define COMPONENT_SIZE 64
#define MYID_SIZE 32
#define TEXT_SIZE 1024    /* of a text that needs no allocation */
#define HEAD_SIZE 512
#define NO_LEVEL (-1)
#define LIMIT_LINES 10
#define LIMIT_INTERVAL_MS 10000

struct component_level {
    struct component_level *next;
    _Atomic int level;    /* or NO_LEVEL: as all others */
    char component[COMPONENT_SIZE];
};

static const char *const level_names[] = { "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF" };

/* Words of file names that Java's class names do not only capitalise. */
static const char *const java_words[] = { "ZooKeeper", "ZK" };

static pthread_mutex_t config_lock = PTHREAD_MUTEX_INITIALIZER;    /* log_open and the like, never a line */
static char *file_path;                                            /* under config_lock, NULL: standard error */
static int file_fd = -1;                                           /* under config_lock, kept once opened */
static _Atomic int output_fd = STDERR_FILENO;
static _Atomic int default_level = LOG_INFO;
static _Atomic int lowest_level = LOG_INFO;                        /* of the default and all components */
static struct component_level *_Atomic component_levels;

static _Thread_local char thread_myid[MYID_SIZE];
static _Thread_local const char *thread_name = "main";

/* Appends one word of a file name as Java's class name has it; returns the new size. */
static size_t append_word(char component[COMPONENT_SIZE], size_t size, const char *word, size_t word_size)
{
    size_t start = size;
    for (size_t i = 0; i < word_size && size < COMPONENT_SIZE - 1; i++)
        component[size++] = word[i];
    if (size > start && component[start] >= 'a' && component[start] <= 'z')
        component[start] = (char)(component[start] - 'a' + 'A');
    for (size_t i = 0; i < ARRAY_SIZE(java_words); i++) {
        if (size - start == strlen(java_words[i]) && strncasecmp(component + start, java_words[i], size - start) == 0)
            memcpy(component + start, java_words[i], size - start);
    }
    return size;
}

/* "FileTxnLog" for "server/persistence/file_txn_log.c". */
static void component_of(const char *file, char component[COMPONENT_SIZE])
{
    const char *slash = strrchr(file, '/');
    const char *at = slash != NULL ? slash + 1 : file;
    size_t size = 0;
    for (;;) {
        size_t word_size = strcspn(at, "_.");
        size = append_word(component, size, at, word_size);
        at += word_size;
        if (*at != '_')
            break;
        at++;
    }
    component[size] = '\0';
}

static struct component_level *find_component(const char *component)
{
    struct component_level *entry = atomic_load_explicit(&component_levels, memory_order_acquire);
    while (entry != NULL && strcmp(entry->component, component) != 0)
        entry = entry->next;
    return entry;
}

static int level_for(const char *file)
{
    char component[COMPONENT_SIZE];
    component_of(file, component);
    struct component_level *entry = find_component(component);
    int level = entry != NULL ? atomic_load(&entry->level) : NO_LEVEL;
    return level != NO_LEVEL ? level : atomic_load(&default_level);
}

/* Under config_lock. */
static void update_lowest_level(void)
{
    int lowest = atomic_load(&default_level);
    for (struct component_level *entry = atomic_load(&component_levels); entry != NULL; entry = entry->next) {
        int level = atomic_load(&entry->level);
        if (level != NO_LEVEL && level < lowest)
            lowest = level;
    }
    atomic_store(&lowest_level, lowest);
}

/* Under config_lock. */
static void set_component_level(const char *component, enum log_level level)
{
    char name[COMPONENT_SIZE];
    snprintf(name, sizeof(name), "%s", component);
    struct component_level *entry = find_component(name);
    if (entry == NULL) {
        entry = MEMORY_NEW(struct component_level);
        memcpy(entry->component, name, sizeof(name));
        entry->next = atomic_load(&component_levels);
        atomic_init(&entry->level, (int)level);
        atomic_store_explicit(&component_levels, entry, memory_order_release);
    }
    atomic_store(&entry->level, (int)level);
}

/* Under config_lock. Lines go to `path` from now on, or as before when it cannot be opened. */
static int open_output(const char *path, struct error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd < 0)
        return error_set_errno(error, "cannot open log file %s", path);
    if (file_fd < 0) {
        file_fd = fd;
    } else {
        int err = dup3(fd, file_fd, O_CLOEXEC) < 0 ? error_set_errno(error, "cannot replace log file %s", path) : ZK_OK;
        close(fd);
        if (err != ZK_OK)
            return err;
    }
    atomic_store(&output_fd, file_fd);
    return ZK_OK;
}

/* True if the byte at `i` may not stand in a line as it is. In text that is not UTF-8 nothing beyond ASCII may. */
static bool must_escape(const char *text, size_t size, size_t i, bool is_utf8)
{
    unsigned char byte = (unsigned char)text[i];
    if (byte < 0x20 || byte == 0x7f)
        return true;
    if (byte < 0x80)
        return false;
    if (!is_utf8)
        return true;
    /* U+0080 to U+009F are control characters too: C2, then 80 to 9F. */
    if (byte == 0xc2)
        return i + 1 < size && (unsigned char)text[i + 1] < 0xa0;
    return byte < 0xa0 && i > 0 && (unsigned char)text[i - 1] == 0xc2;
}

/* At most four times the size of the text; returns how many bytes. */
static size_t escape(char *out, const char *text, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    bool is_utf8 = utf8_is_valid(text, size);
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        if (must_escape(text, size, i, is_utf8)) {
            unsigned char byte = (unsigned char)text[i];
            out[length++] = '\\';
            out[length++] = 'x';
            out[length++] = digits[byte >> 4];
            out[length++] = digits[byte & 15];
        } else {
            out[length++] = text[i];
        }
    }
    return length;
}

static void write_line(const char *line, size_t size)
{
    int fd = atomic_load(&output_fd);
    while (size > 0) {
        ssize_t written = write(fd, line, size);
        if (written < 0) {
            if (errno == EINTR)
                continue;
            return;
        }
        line += written;    /* short only on a full disk or pipe */
        size -= (size_t)written;
    }
}

static size_t format_head(char head[HEAD_SIZE], enum log_level level, const char *file, int line)
{
    char component[COMPONENT_SIZE];
    component_of(file, component);
    int64_t now_ms = clock_wall_ms();
    struct tm now;
    clock_local_time(now_ms, &now);
    char date[32];
    if (strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &now) == 0)
        date[0] = '\0';
    int ms = (int)((now_ms % 1000 + 1000) % 1000);
    int size = snprintf(head, HEAD_SIZE, "%s,%03d [myid:%s] - %-5s [%.255s:%s@%d] - ", date, ms, thread_myid,
                        level_names[level], thread_name, component, line);
    return size < 0 ? 0 : size < HEAD_SIZE ? (size_t)size : HEAD_SIZE - 1;
}

int log_open(const char *path, struct error *error)
{
    int err = ZK_OK;
    pthread_mutex_lock(&config_lock);
    if (path != NULL)
        err = open_output(path, error);
    else
        atomic_store(&output_fd, STDERR_FILENO);
    if (err == ZK_OK) {
        memory_free(file_path);
        file_path = path != NULL ? string_copy(path) : NULL;
    }
    pthread_mutex_unlock(&config_lock);
    return err;
}

int log_reopen(struct error *error)
{
    pthread_mutex_lock(&config_lock);
    int err = file_path != NULL ? open_output(file_path, error) : ZK_OK;
    pthread_mutex_unlock(&config_lock);
    return err;
}

void log_set_level(const char *component, enum log_level level)
{
    pthread_mutex_lock(&config_lock);
    if (component != NULL)
        set_component_level(component, level);
    else
        atomic_store(&default_level, (int)level);
    update_lowest_level();
    pthread_mutex_unlock(&config_lock);
}

void log_reset_levels(void)
{
    pthread_mutex_lock(&config_lock);
    for (struct component_level *entry = atomic_load(&component_levels); entry != NULL; entry = entry->next)
        atomic_store(&entry->level, NO_LEVEL);
    update_lowest_level();
    pthread_mutex_unlock(&config_lock);
}

bool log_level_parse(const char *text, enum log_level *ret_level)
{
    for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
        if (strcasecmp(text, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_set_myid(const char *myid)
{
    char kept[MYID_SIZE];    /* `myid` may be what log_myid() gave */
    snprintf(kept, sizeof(kept), "%s", myid != NULL ? myid : "");
    memcpy(thread_myid, kept, sizeof(kept));
}

const char *log_myid(void)
{
    return thread_myid;
}

void log_set_thread_name(const char *name)
{
    thread_name = name;
}

const char *log_thread_name(void)
{
    return thread_name;
}

bool log_enabled(enum log_level level, const char *file)
{
    if ((int)level < atomic_load_explicit(&lowest_level, memory_order_relaxed) || level >= LOG_OFF)
        return false;
    if (atomic_load_explicit(&component_levels, memory_order_relaxed) == NULL)
        return true;
    return (int)level >= level_for(file);
}

void log_write(enum log_level level, const char *file, int line, const char *format, ...)
{
    int saved_errno = errno;
    char short_text[TEXT_SIZE], short_line[4 * (HEAD_SIZE + TEXT_SIZE) + 1];
    char *text = short_text, *out = short_line;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(short_text, sizeof(short_text), format, args);
    size_t text_size = 0;
    if (length >= (int)sizeof(short_text)) {
        text_size = (size_t)length;
        text = memory_alloc(text_size + 1);
        vsnprintf(text, text_size + 1, format, again);
        out = memory_alloc(4 * (HEAD_SIZE + text_size) + 1);
    } else if (length >= 0) {
        text_size = (size_t)length;
    }
    va_end(again);
    va_end(args);

    char head[HEAD_SIZE];
    size_t head_size = format_head(head, level < LOG_OFF ? level : LOG_ERROR, file, line);
    size_t size = escape(out, head, head_size);    /* a thread's name may have come from a peer */
    size += escape(out + size, text, text_size);
    out[size++] = '\n';
    write_line(out, size);
    if (text != short_text) {
        memory_free(text);
        memory_free(out);
    }
    errno = saved_errno;
}

bool log_limiter_pass(struct log_limiter *limiter, uint32_t *ret_left_out)
{
    int64_t now_ms = clock_elapsed_ms();
    int64_t start_ms = atomic_load(&limiter->window_start_ms);
    if (now_ms - start_ms >= LIMIT_INTERVAL_MS
        && atomic_compare_exchange_strong(&limiter->window_start_ms, &start_ms, now_ms))
        atomic_store(&limiter->written, 0);
    if (atomic_load(&limiter->written) >= LIMIT_LINES || atomic_fetch_add(&limiter->written, 1) >= LIMIT_LINES) {
        atomic_fetch_add(&limiter->left_out, 1);
        return false;
    }
    *ret_left_out = atomic_exchange(&limiter->left_out, 0);
    return true;
}
