/*
 * Answers as the structs of zookeeper.h. What they hold is the caller's: deallocate_String_vector() and its sisters.
 * Mirrors the records' deserialize(). Every count is held against the bytes that are left before memory is taken.
 */
#ifndef ZKC_CLIENT_REPLY_READER_H
#define ZKC_CLIENT_REPLY_READER_H

#include "client/public.h"
#include "common/wire/jute.h"

void reply_read_stat(struct jute_reader *reader, struct Stat *ret_stat);
/* Terminated, allocated; NULL for null. */
char *reply_read_string(struct jute_reader *reader);
void reply_read_strings(struct jute_reader *reader, struct String_vector *ret_strings);
void reply_read_acl(struct jute_reader *reader, struct ACL_vector *ret_acl);
void reply_read_client_infos(struct jute_reader *reader, struct ClientInfo_vector *ret_infos);

#endif
