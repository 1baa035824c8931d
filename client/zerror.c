/*
 * zerror.c - the text of an error, as programs of the old binding show and compare it.
 *
 * Those texts stay as they are, word for word, slips included; errors that had none get one here.
 */
#include <stddef.h>
#include <string.h>

#include "client/public.h"
#include "common/base/memory.h"

static const struct {
    int code;
    const char *text;
} texts[] = {
    { ZOK, "ok" },
    { ZSYSTEMERROR, "system error" },
    { ZRUNTIMEINCONSISTENCY, "run time inconsistency" },
    { ZDATAINCONSISTENCY, "data inconsistency" },
    { ZCONNECTIONLOSS, "connection loss" },
    { ZMARSHALLINGERROR, "marshalling error" },
    { ZUNIMPLEMENTED, "unimplemented" },
    { ZOPERATIONTIMEOUT, "operation timeout" },
    { ZBADARGUMENTS, "bad arguments" },
    { ZINVALIDSTATE, "invalid zhandle state" },
    { ZNEWCONFIGNOQUORUM, "no quorum of new config is connected and up-to-date with the leader of last commmitted "
                          "config - try invoking reconfiguration after new servers are connected and synced" },
    { ZRECONFIGINPROGRESS, "Another reconfiguration is in progress -- concurrent reconfigs not supported (yet)" },
    { ZAPIERROR, "api error" },
    { ZNONODE, "no node" },
    { ZNOAUTH, "not authenticated" },
    { ZBADVERSION, "bad version" },
    { ZNOCHILDRENFOREPHEMERALS, "no children for ephemerals" },
    { ZNODEEXISTS, "node exists" },
    { ZNOTEMPTY, "not empty" },
    { ZSESSIONEXPIRED, "session expired" },
    { ZINVALIDCALLBACK, "invalid callback" },
    { ZINVALIDACL, "invalid acl" },
    { ZAUTHFAILED, "authentication failed" },
    { ZCLOSING, "zookeeper is closing" },
    { ZNOTHING, "(not error) no server responses to process" },
    { ZSESSIONMOVED, "session moved to another server, so operation is ignored" },
    { ZNOTREADONLY, "state-changing request is passed to read-only server" },
    { ZEPHEMERALONLOCALSESSION, "attempt to create ephemeral node on a local session" },
    { ZNOWATCHER, "the watcher couldn't be found" },
    { ZRECONFIGDISABLED, "attempts to perform a reconfiguration operation when reconfiguration feature is disable" },
    { ZSESSIONCLOSEDREQUIRESASLAUTH, "session closed by server because client is required to do SASL authentication" },
    { ZTHROTTLEDOP, "Operation was throttled due to high load" },

    /* "unknown error" in the old binding, the last two not even in its header */
    { ZSSLCONNECTIONERROR, "ssl connection error" },
    { -122, "request timeout" },
    { -125, "quota exceeded" },
};

const char *zerror(int c)
{
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (texts[i].code == c)
            return texts[i].text;
    }
    return c > 0 ? strerror(c) : "unknown error";
}
