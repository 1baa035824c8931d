/*
 * Archives: where the records of zookeeper.jute.h are written to and read from.
 *
 * An archive is a table of functions, one for each primitive of the record format, which serialize_...() and
 * deserialize_...() call in the order of the fields. Those made here keep bytes in memory, in ZooKeeper's own format:
 * big-endian numbers, strings and buffers behind their length. The functions of an archive return 0, or a negative
 * errno: -E2BIG when the bytes end in the middle of something, -EINVAL for a length that cannot be, -ENOMEM.
 *
 * Not locked: an archive belongs to one thread at a time. Strings and buffers that were read are the caller's, from
 * malloc(); deallocate_...() of the record, or the functions below, free them.
 */
#ifndef __RECORDIO_H__
#define __RECORDIO_H__

#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a record; len -1 stands for none at all, which is not the same as 0 bytes. */
struct buffer {
    int32_t len;    /* bytes */
    char *buff;
};

/* Free what is in the field and set its pointer to NULL; a NULL in it is accepted. */
void deallocate_String(char **s);
void deallocate_Buffer(struct buffer *b);
/* Does nothing, whatever it is given: a vector is freed by the function of its own type. */
void deallocate_vector(void *d);

/* What is read from. `tag` and `name` are for archives that keep names; those of bytes ignore them. */
struct iarchive {
    int (*start_record)(struct iarchive *ia, const char *tag);
    int (*end_record)(struct iarchive *ia, const char *tag);
    int (*start_vector)(struct iarchive *ia, const char *tag, int32_t *count);    /* -1: no vector at all */
    int (*end_vector)(struct iarchive *ia, const char *tag);
    int (*deserialize_Bool)(struct iarchive *ia, const char *name, int32_t *);
    int (*deserialize_Int)(struct iarchive *ia, const char *name, int32_t *);
    int (*deserialize_Long)(struct iarchive *ia, const char *name, int64_t *);
    int (*deserialize_Buffer)(struct iarchive *ia, const char *name, struct buffer *);
    int (*deserialize_String)(struct iarchive *ia, const char *name, char **);
    void *priv;
};

/* What is written to. */
struct oarchive {
    int (*start_record)(struct oarchive *oa, const char *tag);
    int (*end_record)(struct oarchive *oa, const char *tag);
    int (*start_vector)(struct oarchive *oa, const char *tag, const int32_t *count);
    int (*end_vector)(struct oarchive *oa, const char *tag);
    int (*serialize_Bool)(struct oarchive *oa, const char *name, const int32_t *);
    int (*serialize_Int)(struct oarchive *oa, const char *name, const int32_t *);
    int (*serialize_Long)(struct oarchive *oa, const char *name, const int64_t *);
    int (*serialize_Buffer)(struct oarchive *oa, const char *name, const struct buffer *);    /* NULL: len -1 */
    int (*serialize_String)(struct oarchive *oa, const char *name, char **);                  /* *s NULL: length -1 */
    void *priv;
};

/* An empty archive to write to; the caller's, for close_buffer_oarchive(). */
struct oarchive *create_buffer_oarchive(void);
/*
 * Frees the archive and sets *oa to NULL. `free_buffer` 0 leaves the bytes to whoever took them with get_buffer(), to
 * be freed with free().
 */
void close_buffer_oarchive(struct oarchive **oa, int free_buffer);

/* An archive that reads `len` bytes at `buffer`, borrowed, which must outlive it; a negative len is taken as 0. */
struct iarchive *create_buffer_iarchive(char *buffer, int len);
/* Frees the archive and sets *ia to NULL; the bytes stay the caller's. */
void close_buffer_iarchive(struct iarchive **ia);

/* What was written so far, the archive's until it is closed and moved by the next write, and how many bytes it is. */
char *get_buffer(struct oarchive *);
int get_buffer_len(struct oarchive *);

/* The number with its bytes in network order; applied twice it is the number again. Any thread. */
int64_t zoo_htonll(int64_t v);

#ifdef __cplusplus
}
#endif

#endif
