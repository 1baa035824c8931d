#!/bin/sh
# zkCleanup.sh - zkcleanup for the directories that zoo.cfg names.
#
# zkCleanup.sh [--config <conf-dir>] -n <count>    The file is $ZOOCFG (zoo.cfg) in <conf-dir>, $ZOOCFGDIR, ../conf
# beside this script, or /etc/zookeeper/conf.
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
program=$here/zkcleanup
[ -x "$program" ] || program=zkcleanup

directory=${ZOOCFGDIR:-}
if [ "${1:-}" = --config ] && [ "$#" -ge 2 ]; then
    directory=$2
    shift 2
fi
if [ -z "$directory" ]; then
    directory=$here/../conf
    [ -d "$directory" ] || directory=/etc/zookeeper/conf
fi
config=$directory/${ZOOCFG:-zoo.cfg}
if [ ! -r "$config" ]; then
    echo "zkCleanup.sh: cannot read $config; say --config <conf-dir> or set ZOOCFGDIR" >&2
    exit 1
fi

# The last line counts that sets a key, as in the server; white space around key and value does not.
value_of() {
    sed -n "s/^[[:space:]]*$1[[:space:]]*[=:][[:space:]]*\(.*[^[:space:]]\)[[:space:]]*\$/\1/p" "$config" | tail -n 1
}
data_dir=$(value_of dataDir)
data_log_dir=$(value_of dataLogDir)
if [ -z "$data_dir" ]; then
    echo "zkCleanup.sh: $config sets no dataDir" >&2
    exit 1
fi
if [ -z "$data_log_dir" ]; then
    exec "$program" "$data_dir" "$@"
fi
exec "$program" "$data_log_dir" "$data_dir" "$@"
