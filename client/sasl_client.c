/* sasl_client.c - the entries for SASL, which this release does not speak yet: they say so. */
#include <errno.h>

#include "client/client_log.h"

static void say_so(const char *function)
{
    log_message(NULL, ZOO_LOG_LEVEL_ERROR, __LINE__, function, "SASL is not part of this release of the library");
    errno = ENOSYS;
}

/* Without parameters it is a handle as any other. */
zhandle_t *zookeeper_init_sasl(const char *host, watcher_fn fn, int recv_timeout, const clientid_t *clientid,
                               void *context, int flags, log_callback_fn log_callback, zoo_sasl_params_t *sasl_params)
{
    if (sasl_params == NULL)
        return zookeeper_init2(host, fn, recv_timeout, clientid, context, flags, log_callback);
    say_so(__func__);
    return NULL;
}

sasl_callback_t *zoo_sasl_make_basic_callbacks(const char *user, const char *realm, const char *password_file)
{
    (void)user, (void)realm, (void)password_file;
    say_so(__func__);
    return NULL;
}

sasl_callback_t *zoo_sasl_make_password_callbacks(const char *user, const char *realm, zoo_sasl_password_t *password)
{
    (void)user, (void)realm, (void)password;
    say_so(__func__);
    return NULL;
}
