/*
 * fuzz_recordio.c - libFuzzer target: the archive of recordio.h and every record that jute_compiler.awk makes; the
 * first byte says which.
 *
 * Oracle: what could be read is written as bytes that read, and write, the same; what was read can be freed, twice,
 * also after it could not be read to its end.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/public.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORD(name, class) \
    static int rewrite_##name(struct iarchive *in, struct oarchive *out) \
    { \
        struct class record; \
        memset(&record, 0xa5, sizeof(record)); \
        int rc = deserialize_##class(in, "record", &record); \
        if (rc == 0 && serialize_##class(out, "record", &record) != 0) \
            abort(); \
        deallocate_##class(&record); \
        deallocate_##class(&record); \
        return rc; \
    }
#include "tests/unit/client/records.def"
#undef RECORD

static int (*const records[])(struct iarchive *in, struct oarchive *out) = {
#define RECORD(name, class) rewrite_##name,
#include "tests/unit/client/records.def"
#undef RECORD
};

struct written {
    char *bytes;
    int size;
};

static int rewrite(uint8_t which, char *bytes, int size, struct written *ret_written)
{
    struct iarchive *in = create_buffer_iarchive(bytes, size);
    struct oarchive *out = create_buffer_oarchive();
    int rc = records[which % (sizeof(records) / sizeof(records[0]))](in, out);
    assert(rc == 0 || rc == -E2BIG || rc == -EINVAL);
    *ret_written = (struct written){get_buffer(out), get_buffer_len(out)};
    close_buffer_iarchive(&in);
    close_buffer_oarchive(&out, 0);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct written once, twice;
    if (size == 0)
        return 0;
    char *copy = malloc(size);    /* of its own size, so that a step beyond its end is seen */
    if (copy == NULL)
        abort();
    memcpy(copy, data + 1, size - 1);
    char *bytes = realloc(copy, size > 1 ? size - 1 : 1);
    if (bytes == NULL)
        abort();
    if (rewrite(data[0], bytes, (int)(size - 1), &once) == 0) {
        int rc = rewrite(data[0], once.bytes, once.size, &twice);
        assert(rc == 0 && twice.size == once.size && memcmp(once.bytes, twice.bytes, (size_t)once.size) == 0);
        (void)rc;
        free(twice.bytes);
    }
    free(once.bytes);
    free(bytes);
    return 0;
}
