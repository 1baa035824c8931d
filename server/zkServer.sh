#!/bin/sh
# zkServer.sh - the name that scripts and units know; all it does is call zkserver, which has its verbs.
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
program=$here/zkserver
[ -x "$program" ] || program=zkserver
if [ "$#" -eq 0 ]; then
    echo "Usage: $0 [--config <conf-dir>] {start|start-foreground|stop|version|restart|status|print-cmd} [zoo.cfg]"
    exit 1
fi
exec "$program" "$@"
