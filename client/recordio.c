/*
 * recordio.c - archives of bytes in memory.
 *
 * Reading never goes beyond the bytes there are: every length is held against what is left before anything is
 * allocated, so that no peer can make a client take more memory than it sent bytes, but for a small factor. Strings and
 * buffers are terminated behind their end, which costs a byte and saves programs that forget the length.
 */
#include "client/recordio_count.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "client/public.h"
#include "common/base/memory.h"

#define FIRST_CAPACITY 128

struct archive_bytes {
    char *bytes;
    int32_t size;        /* read or written so far */
    int32_t capacity;    /* all there are to read, or room to write */
};

/* ---- writing ---- */

/* Room for `size` more bytes, counted as written; NULL when an int could not count them. */
static char *extend(struct oarchive *oa, size_t size)
{
    struct archive_bytes *out = oa->priv;
    if (size > (size_t)(INT32_MAX - out->size))
        return NULL;
    int64_t wanted = out->size + (int64_t)size;
    if (wanted > out->capacity) {
        int64_t capacity = (int64_t)out->capacity * 2 > wanted ? (int64_t)out->capacity * 2 : wanted;
        out->capacity = (int32_t)(capacity < INT32_MAX ? capacity : INT32_MAX);
        out->bytes = memory_realloc(out->bytes, (size_t)out->capacity);
    }
    char *at = out->bytes + out->size;
    out->size = (int32_t)wanted;
    return at;
}

static int append(struct oarchive *oa, const void *bytes, size_t size)
{
    char *at = extend(oa, size);
    if (at == NULL)
        return -E2BIG;
    if (size > 0)
        memcpy(at, bytes, size);
    return 0;
}

static int write_nothing(struct oarchive *oa, const char *tag)
{
    (void)oa;
    (void)tag;
    return 0;
}

static int write_int(struct oarchive *oa, const char *name, const int32_t *value)
{
    (void)name;
    uint32_t wire = htonl((uint32_t)*value);
    return append(oa, &wire, sizeof(wire));
}

static int write_long(struct oarchive *oa, const char *name, const int64_t *value)
{
    (void)name;
    int64_t wire = zoo_htonll(*value);
    return append(oa, &wire, sizeof(wire));
}

static int write_bool(struct oarchive *oa, const char *name, const int32_t *value)
{
    (void)name;
    char wire = *value != 0;
    return append(oa, &wire, sizeof(wire));
}

/* Length and bytes, both or none of them; -1 for what is not there. */
static int write_sized(struct oarchive *oa, const char *bytes, int64_t size)
{
    if (size < -1 || size > INT32_MAX)
        return -EINVAL;
    struct archive_bytes *out = oa->priv;
    int32_t start = out->size;
    int32_t length = (int32_t)size;
    int rc = write_int(oa, NULL, &length);
    if (rc == 0 && length > 0)
        rc = append(oa, bytes, (size_t)length);
    if (rc != 0)
        out->size = start;
    return rc;
}

static int write_buffer(struct oarchive *oa, const char *name, const struct recordio_buffer *value)
{
    (void)name;
    return value != NULL ? write_sized(oa, value->buff, value->len) : write_sized(oa, NULL, -1);
}

static int write_string(struct oarchive *oa, const char *name, char **value)
{
    (void)name;
    if (*value == NULL)
        return write_sized(oa, NULL, -1);
    size_t length = strlen(*value);
    return length <= INT32_MAX ? write_sized(oa, *value, (int64_t)length) : -EINVAL;
}

static const struct oarchive bytes_oarchive = {
    .start_record = write_nothing,
    .end_record = write_nothing,
    .start_vector = write_int,
    .end_vector = write_nothing,
    .serialize_Bool = write_bool,
    .serialize_Int = write_int,
    .serialize_Long = write_long,
    .serialize_Buffer = write_buffer,
    .serialize_String = write_string,
};

/* ---- reading ---- */

/* The next `size` bytes, NULL when there are not as many. */
static const char *take(struct iarchive *ia, int32_t size)
{
    struct archive_bytes *in = ia->priv;
    if (size > in->capacity - in->size)
        return NULL;
    const char *at = in->bytes + in->size;
    in->size += size;
    return at;
}

static int read_nothing(struct iarchive *ia, const char *tag)
{
    (void)ia;
    (void)tag;
    return 0;
}

static int read_int(struct iarchive *ia, const char *name, int32_t *ret_value)
{
    (void)name;
    uint32_t wire;
    const char *at = take(ia, sizeof(wire));
    if (at == NULL)
        return -E2BIG;
    memcpy(&wire, at, sizeof(wire));
    *ret_value = (int32_t)ntohl(wire);
    return 0;
}

static int read_long(struct iarchive *ia, const char *name, int64_t *ret_value)
{
    (void)name;
    int64_t wire;
    const char *at = take(ia, sizeof(wire));
    if (at == NULL)
        return -E2BIG;
    memcpy(&wire, at, sizeof(wire));
    *ret_value = zoo_htonll(wire);
    return 0;
}

static int read_bool(struct iarchive *ia, const char *name, int32_t *ret_value)
{
    (void)name;
    const char *at = take(ia, 1);
    if (at == NULL)
        return -E2BIG;
    *ret_value = *at != 0;
    return 0;
}

/* A copy of the next `size` bytes, terminated. */
static int read_copy(struct iarchive *ia, int32_t size, char **ret_copy)
{
    const char *at = take(ia, size);
    if (at == NULL)
        return -E2BIG;
    char *copy = memory_alloc((size_t)size + 1);
    memcpy(copy, at, (size_t)size);
    copy[size] = '\0';
    *ret_copy = copy;
    return 0;
}

static int read_buffer(struct iarchive *ia, const char *name, struct recordio_buffer *ret_value)
{
    int32_t length;
    ret_value->len = 0;
    ret_value->buff = NULL;
    int rc = read_int(ia, name, &length);
    if (rc != 0)
        return rc;
    if (length < -1)
        return -EINVAL;
    if (length >= 0)
        rc = read_copy(ia, length, &ret_value->buff);
    if (rc == 0)
        ret_value->len = length;
    return rc;
}

/* A null is refused: programs take it for granted that a string is one. */
static int read_string(struct iarchive *ia, const char *name, char **ret_value)
{
    int32_t length;
    *ret_value = NULL;
    int rc = read_int(ia, name, &length);
    if (rc != 0)
        return rc;
    return length >= 0 ? read_copy(ia, length, ret_value) : -EINVAL;
}

static const struct iarchive bytes_iarchive = {
    .start_record = read_nothing,
    .end_record = read_nothing,
    .start_vector = read_int,
    .end_vector = read_nothing,
    .deserialize_Bool = read_bool,
    .deserialize_Int = read_int,
    .deserialize_Long = read_long,
    .deserialize_Buffer = read_buffer,
    .deserialize_String = read_string,
};

int iarchive_check_count(const struct iarchive *in, int32_t count, size_t least_size)
{
    if (count <= 0 || in->start_vector != bytes_iarchive.start_vector)
        return 0;
    const struct archive_bytes *bytes = in->priv;
    return (size_t)count <= (size_t)(bytes->capacity - bytes->size) / least_size ? 0 : -E2BIG;
}

/* ---- public ---- */

void deallocate_String(char **s)
{
    memory_free(*s);
    *s = NULL;
}

void deallocate_Buffer(struct recordio_buffer *b)
{
    memory_free(b->buff);
    b->buff = NULL;
}

void deallocate_vector(void *d)
{
    (void)d;
}

struct oarchive *create_buffer_oarchive(void)
{
    struct oarchive *oa = memory_copy(&bytes_oarchive, sizeof(bytes_oarchive));
    struct archive_bytes *out = MEMORY_NEW(struct archive_bytes);
    out->bytes = memory_alloc(FIRST_CAPACITY);
    out->capacity = FIRST_CAPACITY;
    oa->priv = out;
    return oa;
}

void close_buffer_oarchive(struct oarchive **oa, int free_buffer)
{
    struct archive_bytes *out = (*oa)->priv;
    if (free_buffer)
        memory_free(out->bytes);
    memory_free(out);
    memory_free(*oa);
    *oa = NULL;
}

struct iarchive *create_buffer_iarchive(char *buffer, int len)
{
    struct iarchive *ia = memory_copy(&bytes_iarchive, sizeof(bytes_iarchive));
    struct archive_bytes *in = MEMORY_NEW(struct archive_bytes);
    in->bytes = buffer;
    in->capacity = len > 0 ? len : 0;
    ia->priv = in;
    return ia;
}

void close_buffer_iarchive(struct iarchive **ia)
{
    memory_free((*ia)->priv);
    memory_free(*ia);
    *ia = NULL;
}

char *get_buffer(struct oarchive *oa)
{
    return ((struct archive_bytes *)oa->priv)->bytes;
}

int get_buffer_len(struct oarchive *oa)
{
    return ((struct archive_bytes *)oa->priv)->size;
}

int64_t zoo_htonll(int64_t v)
{
    uint64_t number = (uint64_t)v;
    unsigned char bytes[sizeof(number)];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(number >> (56 - 8 * i));
    memcpy(&v, bytes, sizeof(v));
    return v;
}
