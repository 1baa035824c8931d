#!/bin/sh
# zkServer.sh - the name that scripts and units know; all it does is call zkserver, which has its verbs.
#
# What people had set for a Java server goes on to count: zookeeper-env.sh and java.env beside the configuration, and
# from SERVER_JVMFLAGS and JVMFLAGS those properties that mean something to a server that is not Java.
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
program=$here/zkserver
[ -x "$program" ] || program=zkserver
if [ "$#" -eq 0 ]; then
    echo "Usage: $0 [--config <conf-dir>] {start|start-foreground|stop|version|restart|status|print-cmd} [zoo.cfg]" >&2
    exit 1
fi

if [ "$1" = --config ] && [ "$#" -gt 1 ]; then
    ZOOCFGDIR=$2
    export ZOOCFGDIR
    shift 2
fi
set +u -a
for file in "${ZOOCFGDIR:-/etc/zookeeper/conf}/zookeeper-env.sh" "${ZOOCFGDIR:-/etc/zookeeper/conf}/java.env"; do
    # shellcheck disable=SC1090
    [ ! -f "$file" ] || . "$file"
done
set +a -u

[ -z "${ZOO_DATADIR_AUTOCREATE_DISABLE:-}" ] || set -- -Dzookeeper.datadir.autocreate=false "$@"
for flag in ${SERVER_JVMFLAGS:-} ${JVMFLAGS:-}; do
    case $flag in
    -Dzookeeper.* | -Djute.* | -Dznode.*) set -- "$flag" "$@" ;;
    esac
done
exec "$program" "$@"
