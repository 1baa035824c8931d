/*
 * Framing of multi and multiRead. Mirrors MultiOperationRecord and MultiResponse: each operation behind a MultiHeader,
 * a last header with done set and type -1.
 */
#ifndef ZKC_COMMON_WIRE_MULTI_H
#define ZKC_COMMON_WIRE_MULTI_H

#include <stdbool.h>

#include "common/wire/op_code.h"
#include "common/wire/records.h"

struct multi_op {
    int32_t type;    /* create, create2, createContainer, createTTL, delete, setData, check; getData, getChildren */
    union {
        struct create_request create;    /* create, create2, createContainer */
        struct create_ttl_request create_ttl;
        struct delete_request remove;
        struct set_data_request set_data;
        struct check_version_request check;
        struct get_data_request get_data;            /* multiRead */
        struct get_children_request get_children;    /* multiRead */
    } request;
};
struct multi_ops {
    struct multi_op *items;    /* in the reader's arena */
    int32_t count;
    bool null_acl;    /* the error is a create without an ACL vector: for this one Java takes no new zxid */
};

/*
 * Reads the operations; reader->error says whether that went well. ZK_MARSHALLING_ERROR, as in Java, for a type that
 * cannot stand in a multi, for a mixture of reading and writing operations, and for a create, create2 or
 * createContainer whose flags are no create mode or one with a TTL, or whose ACL vector is null. What stands behind the
 * last header is ignored.
 * The type is what Java makes of it: a create or create2 with the flags of a container is a createContainer; a
 * createTTL whose flags ask for no TTL is a create (even if they are no mode at all), or a createContainer.
 */
void multi_read_ops(struct jute_reader *reader, struct multi_ops *ret_ops);
void multi_write_ops(struct buffer *out, const struct multi_ops *ops);

/* The path of an operation. */
struct ustring multi_op_path(const struct multi_op *op);

/* Response: one header before each result and one at the end. An error result carries its code twice, as in Java. */
void multi_write_result_header(struct buffer *out, int32_t type, int32_t err);
void multi_write_error_result(struct buffer *out, int32_t err);
void multi_write_end(struct buffer *out);

#endif
