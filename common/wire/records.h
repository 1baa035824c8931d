/*
 * Every jute record of zookeeper.jute (3.9.5), written down once: struct, reader, writer and printer grow from these
 * lists. FIELD(type, name) is a primitive or a record, VECTOR(type, name) a vector of them.
 *
 *   struct create_request                                             the record
 *   void jute_read_create_request(struct jute_reader *, struct create_request *)
 *   void jute_write_create_request(struct buffer *, const struct create_request *)
 *   void jute_print_create_request(struct buffer *, const struct create_request *)    one line, for logs and tools
 *
 * Java's names in snake case; Id, ACL, Stat and Txn carry a prefix (zk_id, zk_acl, zk_stat, jute_txn), as their plain
 * names belong to others in C.
 */
#ifndef ZKC_COMMON_WIRE_RECORDS_H
#define ZKC_COMMON_WIRE_RECORDS_H

#include "common/wire/jute.h"

/* data */
#define ZK_ID_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, scheme)          \
    FIELD(ustring, id)
#define ZK_ACL_FIELDS(FIELD, VECTOR) \
    FIELD(int32, perms)              \
    FIELD(zk_id, id)
#define ZK_STAT_FIELDS(FIELD, VECTOR) \
    FIELD(int64, czxid)               \
    FIELD(int64, mzxid)               \
    FIELD(int64, ctime)               \
    FIELD(int64, mtime)               \
    FIELD(int32, version)             \
    FIELD(int32, cversion)            \
    FIELD(int32, aversion)            \
    FIELD(int64, ephemeral_owner)     \
    FIELD(int32, data_length)         \
    FIELD(int32, num_children)        \
    FIELD(int64, pzxid)
#define STAT_PERSISTED_FIELDS(FIELD, VECTOR) \
    FIELD(int64, czxid)                      \
    FIELD(int64, mzxid)                      \
    FIELD(int64, ctime)                      \
    FIELD(int64, mtime)                      \
    FIELD(int32, version)                    \
    FIELD(int32, cversion)                   \
    FIELD(int32, aversion)                   \
    FIELD(int64, ephemeral_owner)            \
    FIELD(int64, pzxid)
#define CLIENT_INFO_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, auth_scheme)           \
    FIELD(ustring, user)

/* proto */
#define CONNECT_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(int32, protocol_version)            \
    FIELD(int64, last_zxid_seen)              \
    FIELD(int32, time_out)                    \
    FIELD(int64, session_id)                  \
    FIELD(buffer, passwd)                     \
    FIELD(boolean, read_only)
#define CONNECT_RESPONSE_FIELDS(FIELD, VECTOR) \
    FIELD(int32, protocol_version)             \
    FIELD(int32, time_out)                     \
    FIELD(int64, session_id)                   \
    FIELD(buffer, passwd)                      \
    FIELD(boolean, read_only)
#define SET_WATCHES_FIELDS(FIELD, VECTOR) \
    FIELD(int64, relative_zxid)           \
    VECTOR(ustring, data_watches)         \
    VECTOR(ustring, exist_watches)        \
    VECTOR(ustring, child_watches)
#define SET_WATCHES2_FIELDS(FIELD, VECTOR)        \
    FIELD(int64, relative_zxid)                   \
    VECTOR(ustring, data_watches)                 \
    VECTOR(ustring, exist_watches)                \
    VECTOR(ustring, child_watches)                \
    VECTOR(ustring, persistent_watches)           \
    VECTOR(ustring, persistent_recursive_watches)
#define REQUEST_HEADER_FIELDS(FIELD, VECTOR) \
    FIELD(int32, xid)                        \
    FIELD(int32, type)
#define MULTI_HEADER_FIELDS(FIELD, VECTOR) \
    FIELD(int32, type)                     \
    FIELD(boolean, done)                   \
    FIELD(int32, err)
#define AUTH_PACKET_FIELDS(FIELD, VECTOR) \
    FIELD(int32, type)                    \
    FIELD(ustring, scheme)                \
    FIELD(buffer, auth)
#define REPLY_HEADER_FIELDS(FIELD, VECTOR) \
    FIELD(int32, xid)                      \
    FIELD(int64, zxid)                     \
    FIELD(int32, err)
#define GET_DATA_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                       \
    FIELD(boolean, watch)
#define SET_DATA_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                       \
    FIELD(buffer, data)                        \
    FIELD(int32, version)
#define RECONFIG_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, joining_servers)            \
    FIELD(ustring, leaving_servers)            \
    FIELD(ustring, new_members)                \
    FIELD(int64, cur_config_id)
#define SET_DATA_RESPONSE_FIELDS(FIELD, VECTOR) \
    FIELD(zk_stat, stat)
#define GET_SASL_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(buffer, token)
#define SET_SASL_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(buffer, token)
#define SET_SASL_RESPONSE_FIELDS(FIELD, VECTOR) \
    FIELD(buffer, token)
#define CREATE_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                     \
    FIELD(buffer, data)                      \
    VECTOR(zk_acl, acl)                      \
    FIELD(int32, flags)
#define CREATE_TTL_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                         \
    FIELD(buffer, data)                          \
    VECTOR(zk_acl, acl)                          \
    FIELD(int32, flags)                          \
    FIELD(int64, ttl)
#define DELETE_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                     \
    FIELD(int32, version)
#define GET_CHILDREN_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                           \
    FIELD(boolean, watch)
#define GET_ALL_CHILDREN_NUMBER_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)
#define GET_CHILDREN2_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                            \
    FIELD(boolean, watch)
#define CHECK_VERSION_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                            \
    FIELD(int32, version)
#define GET_MAX_CHILDREN_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)
#define GET_MAX_CHILDREN_RESPONSE_FIELDS(FIELD, VECTOR) \
    FIELD(int32, max)
#define SET_MAX_CHILDREN_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                               \
    FIELD(int32, max)
#define SYNC_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)
#define SYNC_RESPONSE_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)
#define GET_ACL_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)
#define SET_ACL_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                      \
    VECTOR(zk_acl, acl)                       \
    FIELD(int32, version)
#define SET_ACL_RESPONSE_FIELDS(FIELD, VECTOR) \
    FIELD(zk_stat, stat)
#define ADD_WATCH_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                        \
    FIELD(int32, mode)
#define WATCHER_EVENT_FIELDS(FIELD, VECTOR) \
    FIELD(int32, type)                      \
    FIELD(int32, state)                     \
    FIELD(ustring, path)
#define ERROR_RESPONSE_FIELDS(FIELD, VECTOR) \
    FIELD(int32, err)
#define CREATE_RESPONSE_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)
#define CREATE2_RESPONSE_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                       \
    FIELD(zk_stat, stat)
#define EXISTS_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                     \
    FIELD(boolean, watch)
#define EXISTS_RESPONSE_FIELDS(FIELD, VECTOR) \
    FIELD(zk_stat, stat)
#define GET_DATA_RESPONSE_FIELDS(FIELD, VECTOR) \
    FIELD(buffer, data)                         \
    FIELD(zk_stat, stat)
#define GET_CHILDREN_RESPONSE_FIELDS(FIELD, VECTOR) \
    VECTOR(ustring, children)
#define GET_ALL_CHILDREN_NUMBER_RESPONSE_FIELDS(FIELD, VECTOR) \
    FIELD(int32, total_number)
#define GET_CHILDREN2_RESPONSE_FIELDS(FIELD, VECTOR) \
    VECTOR(ustring, children)                        \
    FIELD(zk_stat, stat)
#define GET_ACL_RESPONSE_FIELDS(FIELD, VECTOR) \
    VECTOR(zk_acl, acl)                        \
    FIELD(zk_stat, stat)
#define CHECK_WATCHES_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                            \
    FIELD(int32, type)
#define REMOVE_WATCHES_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                             \
    FIELD(int32, type)
#define GET_EPHEMERALS_REQUEST_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, prefix_path)
#define GET_EPHEMERALS_RESPONSE_FIELDS(FIELD, VECTOR) \
    VECTOR(ustring, ephemerals)
#define WHO_AM_I_RESPONSE_FIELDS(FIELD, VECTOR) \
    VECTOR(client_info, client_info)

/* server.quorum */
#define LEARNER_INFO_FIELDS(FIELD, VECTOR) \
    FIELD(int64, serverid)                 \
    FIELD(int32, protocol_version)         \
    FIELD(int64, config_version)
#define QUORUM_PACKET_FIELDS(FIELD, VECTOR) \
    FIELD(int32, type)                      \
    FIELD(int64, zxid)                      \
    FIELD(buffer, data)                     \
    VECTOR(zk_id, authinfo)
#define QUORUM_AUTH_PACKET_FIELDS(FIELD, VECTOR) \
    FIELD(int64, magic)                          \
    FIELD(int32, status)                         \
    FIELD(buffer, token)

/* server.persistence */
#define FILE_HEADER_FIELDS(FIELD, VECTOR) \
    FIELD(int32, magic)                   \
    FIELD(int32, version)                 \
    FIELD(int64, dbid)

/* txn */
#define TXN_DIGEST_FIELDS(FIELD, VECTOR) \
    FIELD(int32, version)                \
    FIELD(int64, tree_digest)
#define TXN_HEADER_FIELDS(FIELD, VECTOR) \
    FIELD(int64, client_id)              \
    FIELD(int32, cxid)                   \
    FIELD(int64, zxid)                   \
    FIELD(int64, time)                   \
    FIELD(int32, type)
#define CREATE_TXN_V0_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                    \
    FIELD(buffer, data)                     \
    VECTOR(zk_acl, acl)                     \
    FIELD(boolean, ephemeral)
#define CREATE_TXN_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                 \
    FIELD(buffer, data)                  \
    VECTOR(zk_acl, acl)                  \
    FIELD(boolean, ephemeral)            \
    FIELD(int32, parent_c_version)
#define CREATE_TTL_TXN_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                     \
    FIELD(buffer, data)                      \
    VECTOR(zk_acl, acl)                      \
    FIELD(int32, parent_c_version)           \
    FIELD(int64, ttl)
#define CREATE_CONTAINER_TXN_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                           \
    FIELD(buffer, data)                            \
    VECTOR(zk_acl, acl)                            \
    FIELD(int32, parent_c_version)
#define DELETE_TXN_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)
#define SET_DATA_TXN_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                   \
    FIELD(buffer, data)                    \
    FIELD(int32, version)
#define CHECK_VERSION_TXN_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                        \
    FIELD(int32, version)
#define SET_ACL_TXN_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                  \
    VECTOR(zk_acl, acl)                   \
    FIELD(int32, version)
#define SET_MAX_CHILDREN_TXN_FIELDS(FIELD, VECTOR) \
    FIELD(ustring, path)                           \
    FIELD(int32, max)
#define CREATE_SESSION_TXN_FIELDS(FIELD, VECTOR) \
    FIELD(int32, time_out)
#define CLOSE_SESSION_TXN_FIELDS(FIELD, VECTOR) \
    VECTOR(ustring, paths2_delete)
#define ERROR_TXN_FIELDS(FIELD, VECTOR) \
    FIELD(int32, err)
#define JUTE_TXN_FIELDS(FIELD, VECTOR) \
    FIELD(int32, type)                 \
    FIELD(buffer, data)
#define MULTI_TXN_FIELDS(FIELD, VECTOR) \
    VECTOR(jute_txn, txns)

/* All of them, each behind the records it contains: RECORD(name, list of its fields). */
#define WIRE_RECORDS(RECORD)                                                          \
    RECORD(zk_id, ZK_ID_FIELDS)                                                       \
    RECORD(zk_acl, ZK_ACL_FIELDS)                                                     \
    RECORD(zk_stat, ZK_STAT_FIELDS)                                                   \
    RECORD(stat_persisted, STAT_PERSISTED_FIELDS)                                     \
    RECORD(client_info, CLIENT_INFO_FIELDS)                                           \
    RECORD(connect_request, CONNECT_REQUEST_FIELDS)                                   \
    RECORD(connect_response, CONNECT_RESPONSE_FIELDS)                                 \
    RECORD(set_watches, SET_WATCHES_FIELDS)                                           \
    RECORD(set_watches2, SET_WATCHES2_FIELDS)                                         \
    RECORD(request_header, REQUEST_HEADER_FIELDS)                                     \
    RECORD(multi_header, MULTI_HEADER_FIELDS)                                         \
    RECORD(auth_packet, AUTH_PACKET_FIELDS)                                           \
    RECORD(reply_header, REPLY_HEADER_FIELDS)                                         \
    RECORD(get_data_request, GET_DATA_REQUEST_FIELDS)                                 \
    RECORD(set_data_request, SET_DATA_REQUEST_FIELDS)                                 \
    RECORD(reconfig_request, RECONFIG_REQUEST_FIELDS)                                 \
    RECORD(set_data_response, SET_DATA_RESPONSE_FIELDS)                               \
    RECORD(get_sasl_request, GET_SASL_REQUEST_FIELDS)                                 \
    RECORD(set_sasl_request, SET_SASL_REQUEST_FIELDS)                                 \
    RECORD(set_sasl_response, SET_SASL_RESPONSE_FIELDS)                               \
    RECORD(create_request, CREATE_REQUEST_FIELDS)                                     \
    RECORD(create_ttl_request, CREATE_TTL_REQUEST_FIELDS)                             \
    RECORD(delete_request, DELETE_REQUEST_FIELDS)                                     \
    RECORD(get_children_request, GET_CHILDREN_REQUEST_FIELDS)                         \
    RECORD(get_all_children_number_request, GET_ALL_CHILDREN_NUMBER_REQUEST_FIELDS)   \
    RECORD(get_children2_request, GET_CHILDREN2_REQUEST_FIELDS)                       \
    RECORD(check_version_request, CHECK_VERSION_REQUEST_FIELDS)                       \
    RECORD(get_max_children_request, GET_MAX_CHILDREN_REQUEST_FIELDS)                 \
    RECORD(get_max_children_response, GET_MAX_CHILDREN_RESPONSE_FIELDS)               \
    RECORD(set_max_children_request, SET_MAX_CHILDREN_REQUEST_FIELDS)                 \
    RECORD(sync_request, SYNC_REQUEST_FIELDS)                                         \
    RECORD(sync_response, SYNC_RESPONSE_FIELDS)                                       \
    RECORD(get_acl_request, GET_ACL_REQUEST_FIELDS)                                   \
    RECORD(set_acl_request, SET_ACL_REQUEST_FIELDS)                                   \
    RECORD(set_acl_response, SET_ACL_RESPONSE_FIELDS)                                 \
    RECORD(add_watch_request, ADD_WATCH_REQUEST_FIELDS)                               \
    RECORD(watcher_event, WATCHER_EVENT_FIELDS)                                       \
    RECORD(error_response, ERROR_RESPONSE_FIELDS)                                     \
    RECORD(create_response, CREATE_RESPONSE_FIELDS)                                   \
    RECORD(create2_response, CREATE2_RESPONSE_FIELDS)                                 \
    RECORD(exists_request, EXISTS_REQUEST_FIELDS)                                     \
    RECORD(exists_response, EXISTS_RESPONSE_FIELDS)                                   \
    RECORD(get_data_response, GET_DATA_RESPONSE_FIELDS)                               \
    RECORD(get_children_response, GET_CHILDREN_RESPONSE_FIELDS)                       \
    RECORD(get_all_children_number_response, GET_ALL_CHILDREN_NUMBER_RESPONSE_FIELDS) \
    RECORD(get_children2_response, GET_CHILDREN2_RESPONSE_FIELDS)                     \
    RECORD(get_acl_response, GET_ACL_RESPONSE_FIELDS)                                 \
    RECORD(check_watches_request, CHECK_WATCHES_REQUEST_FIELDS)                       \
    RECORD(remove_watches_request, REMOVE_WATCHES_REQUEST_FIELDS)                     \
    RECORD(get_ephemerals_request, GET_EPHEMERALS_REQUEST_FIELDS)                     \
    RECORD(get_ephemerals_response, GET_EPHEMERALS_RESPONSE_FIELDS)                   \
    RECORD(who_am_i_response, WHO_AM_I_RESPONSE_FIELDS)                               \
    RECORD(learner_info, LEARNER_INFO_FIELDS)                                         \
    RECORD(quorum_packet, QUORUM_PACKET_FIELDS)                                       \
    RECORD(quorum_auth_packet, QUORUM_AUTH_PACKET_FIELDS)                             \
    RECORD(file_header, FILE_HEADER_FIELDS)                                           \
    RECORD(txn_digest, TXN_DIGEST_FIELDS)                                             \
    RECORD(txn_header, TXN_HEADER_FIELDS)                                             \
    RECORD(create_txn_v0, CREATE_TXN_V0_FIELDS)                                       \
    RECORD(create_txn, CREATE_TXN_FIELDS)                                             \
    RECORD(create_ttl_txn, CREATE_TTL_TXN_FIELDS)                                     \
    RECORD(create_container_txn, CREATE_CONTAINER_TXN_FIELDS)                         \
    RECORD(delete_txn, DELETE_TXN_FIELDS)                                             \
    RECORD(set_data_txn, SET_DATA_TXN_FIELDS)                                         \
    RECORD(check_version_txn, CHECK_VERSION_TXN_FIELDS)                               \
    RECORD(set_acl_txn, SET_ACL_TXN_FIELDS)                                           \
    RECORD(set_max_children_txn, SET_MAX_CHILDREN_TXN_FIELDS)                         \
    RECORD(create_session_txn, CREATE_SESSION_TXN_FIELDS)                             \
    RECORD(close_session_txn, CLOSE_SESSION_TXN_FIELDS)                               \
    RECORD(error_txn, ERROR_TXN_FIELDS)                                               \
    RECORD(jute_txn, JUTE_TXN_FIELDS)                                                 \
    RECORD(multi_txn, MULTI_TXN_FIELDS)

/* What a row's type is in C. */
#define JUTE_TYPE_boolean bool
#define JUTE_TYPE_int32 int32_t
#define JUTE_TYPE_int64 int64_t
#define JUTE_TYPE_ustring struct ustring
#define JUTE_TYPE_buffer struct jute_buffer
#define JUTE_TYPE_zk_id struct zk_id
#define JUTE_TYPE_zk_acl struct zk_acl
#define JUTE_TYPE_zk_stat struct zk_stat

/* Vectors; ustring_vector stands in jute.h. A count of -1 is Java's null. */
struct zk_id_vector {
    struct zk_id *items;
    int32_t count;
};
struct zk_acl_vector {
    struct zk_acl *items;
    int32_t count;
};
struct client_info_vector {
    struct client_info *items;
    int32_t count;
};
struct jute_txn_vector {
    struct jute_txn *items;
    int32_t count;
};

#define RECORD_MEMBER(type, name) JUTE_TYPE_##type name;
#define RECORD_VECTOR_MEMBER(type, name) struct type##_vector name;
#define RECORD_DECLARE(name, FIELDS) \
    struct name { \
        FIELDS(RECORD_MEMBER, RECORD_VECTOR_MEMBER) \
    }; \
    void jute_read_##name(struct jute_reader *reader, struct name *ret_record); \
    void jute_write_##name(struct buffer *out, const struct name *record); \
    void jute_print_##name(struct buffer *out, const struct name *record);
WIRE_RECORDS(RECORD_DECLARE)

/* The vectors by themselves, as records hold them. Items are in the reader's arena. */
struct zk_id_vector jute_read_zk_id_vector(struct jute_reader *reader);
struct zk_acl_vector jute_read_zk_acl_vector(struct jute_reader *reader);
struct client_info_vector jute_read_client_info_vector(struct jute_reader *reader);
struct jute_txn_vector jute_read_jute_txn_vector(struct jute_reader *reader);
void jute_write_zk_id_vector(struct buffer *out, struct zk_id_vector value);
void jute_write_zk_acl_vector(struct buffer *out, struct zk_acl_vector value);
void jute_write_client_info_vector(struct buffer *out, struct client_info_vector value);
void jute_write_jute_txn_vector(struct buffer *out, struct jute_txn_vector value);

#endif
