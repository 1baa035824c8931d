#!/bin/sh
# zkCli.sh - the name that people and scripts know; all it does is call zkcli, which has its options and commands.
#
# Properties that were set for Java's shell in CLIENT_JVMFLAGS and JVMFLAGS go on to count, as far as they mean
# something to one that is not Java.
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
program=$here/zkcli
[ -x "$program" ] || program=zkcli

for flag in ${CLIENT_JVMFLAGS:-} ${JVMFLAGS:-}; do
    case $flag in
    -Dzookeeper.*) set -- "$flag" "$@" ;;
    esac
done
exec "$program" "$@"
