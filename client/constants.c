/*
 * constants.c - the constants that programs link to by name.
 *
 * Programs may hold copies of these, which the linker makes for those that are not position-independent, so their sizes
 * are part of the interface. Ids and ACLs are writable because they always were; nobody here writes to them.
 */
#include "client/public.h"

const int ZOO_PERM_READ = 1 << 0;
const int ZOO_PERM_WRITE = 1 << 1;
const int ZOO_PERM_CREATE = 1 << 2;
const int ZOO_PERM_DELETE = 1 << 3;
const int ZOO_PERM_ADMIN = 1 << 4;
const int ZOO_PERM_ALL = 0x1f;

#define ANYONE { (char *)"world", (char *)"anyone" }
#define CREATOR { (char *)"auth", (char *)"" }

struct Id ZOO_ANYONE_ID_UNSAFE = ANYONE;
struct Id ZOO_AUTH_IDS = CREATOR;

static struct ACL open_acl[] = { { 0x1f, ANYONE } };
static struct ACL read_acl[] = { { 0x01, ANYONE } };
static struct ACL creator_acl[] = { { 0x1f, CREATOR } };
struct ACL_vector ZOO_OPEN_ACL_UNSAFE = { 1, open_acl };
struct ACL_vector ZOO_READ_ACL_UNSAFE = { 1, read_acl };
struct ACL_vector ZOO_CREATOR_ALL_ACL = { 1, creator_acl };

const int ZOOKEEPER_WRITE = 1 << 0;
const int ZOOKEEPER_READ = 1 << 1;

const int ZOO_PERSISTENT = 0;
const int ZOO_EPHEMERAL = 1;
const int ZOO_PERSISTENT_SEQUENTIAL = 2;
const int ZOO_EPHEMERAL_SEQUENTIAL = 3;
const int ZOO_CONTAINER = 4;
const int ZOO_PERSISTENT_WITH_TTL = 5;
const int ZOO_PERSISTENT_SEQUENTIAL_WITH_TTL = 6;
const int ZOO_SEQUENCE = 1 << 1;

const int ZOO_EXPIRED_SESSION_STATE = -112;
const int ZOO_AUTH_FAILED_STATE = -113;
const int ZOO_CONNECTING_STATE = 1;
const int ZOO_ASSOCIATING_STATE = 2;
const int ZOO_CONNECTED_STATE = 3;
const int ZOO_READONLY_STATE = 5;
const int ZOO_SSL_CONNECTING_STATE = 7;
const int ZOO_NOTCONNECTED_STATE = 999;

const int ZOO_CREATED_EVENT = 1;
const int ZOO_DELETED_EVENT = 2;
const int ZOO_CHANGED_EVENT = 3;
const int ZOO_CHILD_EVENT = 4;
const int ZOO_SESSION_EVENT = -1;
const int ZOO_NOTWATCHING_EVENT = -2;

const char *zoo_version_str(void)
{
    return ZOO_VERSION;
}
