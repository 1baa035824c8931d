/* The verbs of zkserver that act on a server in the background: start, stop, restart, status. Mirrors zkServer.sh. */
#ifndef ZKC_SERVER_ZKSERVER_CONTROL_H
#define ZKC_SERVER_ZKSERVER_CONTROL_H

#include "common/config/properties.h"
#include "server/config/server_options.h"

struct control {
    const char *config_path;                 /* NULL: none, defaults */
    const struct properties *overrides;      /* the -D of the command line */
    const struct server_options *options;    /* read from both */
};
/* Each prints what zkServer.sh prints and returns the exit code. */
int control_start(const struct control *control);
int control_stop(const struct control *control);
int control_restart(const struct control *control);
int control_status(const struct control *control);
int control_print_cmd(const struct control *control);

/* $ZOOPIDFILE, or zookeeper_server.pid in dataDir; the caller's. */
char *control_pid_path(const struct control *control);

#endif
