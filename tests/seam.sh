#!/usr/bin/env bash
# seam.sh - proves that server/ and client/ reach the world only through common/, from what their objects call.
#
# Read from the symbol tables of the built objects, so neither macros nor comments deceive it:
# (1) none calls threads, sockets, files, clocks, randomness or processes of the C library;
# (2) none takes memory but through common/base/memory.h;
# (3) none keeps state outside the struct of its server: no variable that can be written, thread-local ones included.
# common/ itself is the seam and is not looked at; nor are client/recipes and client/examples, which stand above the
# public zookeeper.h as the programs of users do.

set -u
top=${ZKC_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
build=${ZKC_BUILD:-$PWD}
. "$top/tests/lib/tap.sh"
: "${CC:=cc}" "${NM:=nm}" "${OBJDUMP:=objdump}"

[ "${ZKC_SANITIZERS:-no}" = no ] || tap_skip_all "a sanitizer's own calls and variables stand in these objects"

# Whole names, as regular expressions, of what the C library exports.
world='
  pthread_.* thrd_.* mtx_.* cnd_.* tss_.* call_once sem_.* mq_.* futex sched_.* clone unshare
  fork vfork _Fork exec.* fexecve posix_spawn.* system popen pclose kill killpg tgkill raise sigqueue
  wait waitpid waitid wait3 wait4 daemon setsid setpgid prctl setpriority getpriority nice
  sigwait sigwaitinfo sigtimedwait sigsuspend pause signalfd ptrace syscall
  socket socketpair bind listen accept accept4 connect shutdown send sendto sendmsg sendmmsg recv recvfrom recvmsg
  recvmmsg getsockopt setsockopt getsockname getpeername getaddrinfo freeaddrinfo getnameinfo gethost.* res_.*
  getifaddrs if_nametoindex
  epoll_.* poll ppoll select pselect eventfd.* timerfd_.* inotify_.* pipe pipe2 dup dup2 dup3 fcntl ioctl
  open openat creat close close_range closefrom read pread write pwrite readv preadv.* writev pwritev.* sendfile splice
  copy_file_range lseek fsync fdatasync sync syncfs sync_file_range ftruncate truncate fallocate posix_fallocate
  posix_fadvise flock lockf mmap munmap msync madvise
  stat fstat lstat fstatat newfstatat statx access faccessat eaccess statvfs fstatvfs
  rename renameat.* unlink unlinkat remove link linkat symlink.* readlink.* realpath canonicalize_file_name
  mkdir mkdirat rmdir mkstemp.* mkostemp.* mkdtemp mktemp tmpfile tmpnam tempnam mkfifo mknod
  chmod fchmod.* chown fchown.* lchown umask utime utimes utimensat futimens chdir fchdir getcwd get_current_dir_name
  opendir fdopendir readdir readdir_r closedir scandir.* alphasort nftw ftw fts_.* glob globfree
  fopen freopen fdopen fclose fread fgets fgetc getc getchar getline getdelim fscanf scanf ungetc
  fseek.* ftell.* rewind setvbuf setbuf fileno
  clock_gettime clock_getres clock_settime clock_nanosleep time gettimeofday times clock ftime timespec_get localtime localtime_r mktime
  nanosleep sleep usleep alarm ualarm setitimer getitimer timer_.*
  random random_r srandom.* rand rand_r srand drand48.* .rand48.* getrandom getentropy arc4random.*
  RAND_.* BIO_.* SSL_connect SSL_accept SSL_read SSL_write
  dlopen dlsym openlog syslog vsyslog'
memory='malloc calloc realloc reallocarray free posix_memalign aligned_alloc memalign valloc strdup strndup asprintf
  vasprintf open_memstream'

work=$(mktemp -d "${TMPDIR:-/tmp}/zkc-seam.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
planted=$work/planted
mkdir "$planted"

objects_in()
{
    find "$1" -name '*.o' ! -path '*/client/recipes/*' ! -path '*/client/examples/*' -print0 | LC_ALL=C sort -z
}

# What the project defines itself is not the C library's, whatever it is called: clock_elapsed_ms, say.
for half in common server client; do
    [ ! -d "$build/$half" ] || objects_in "$build/$half" | xargs -0 -r "$NM" -g --defined-only
done | awk 'NF == 3 { print $3 }' >"$work/own"

# called_in DIRECTORY NAMES: lines "object: name" for each undefined symbol of an object that is one of NAMES. Forms that
# the headers of the C library put in place of a name (__read_chk, open64, __open_2, __isoc99_fscanf) count as the name.
called_in()
{
    objects_in "$1" | xargs -0 -r "$NM" -A -u | awk -v top="$build/" -v names="$2" '
        BEGIN { gsub(/[ \n]+/, "|", names); sub(/^\|/, "", names); refused = "^(" names ")$" }
        reading_own { is_own[$1]; next }
        $NF in is_own { next }
        { name = $NF; sub(/@.*/, "", name); plain = name }
        name ~ /^__.*_chk$/ { sub(/^__/, "", plain); sub(/_chk$/, "", plain) }
        name ~ /^__open.*_2$/ { sub(/^__/, "", plain); sub(/_2$/, "", plain) }
        name ~ /^__isoc[0-9]+_/ { sub(/^__isoc[0-9]+_/, "", plain) }
        name ~ /^__xpg_/ { sub(/^__xpg_/, "", plain) }
        name ~ /64$/ { sub(/64$/, "", plain) }
        plain ~ refused {
            object = $0
            sub(/:[^:]*$/, "", object)
            if (index(object, top) == 1)
                object = substr(object, length(top) + 1)
            print object ": " name
        }' reading_own=1 "$work/own" reading_own=0 -
}

# The old binding's interface has these, for programs to set or to read, and without a handle: constants.c, client_log.c
# and zhandle.c of client/.
binding_variables='logLevel log_stream ZOO_ANYONE_ID_UNSAFE ZOO_AUTH_IDS ZOO_OPEN_ACL_UNSAFE ZOO_READ_ACL_UNSAFE
  ZOO_CREATOR_ALL_ACL open_acl read_acl creator_acl is_deterministic current_server_text'

# Lines "object: name in section" for each variable that can be written. Constants that hold addresses are written once
# by the loader and read-only from then on (.data.rel.ro); gcov's counters are no state of ours.
writable_in()
{
    objects_in "$1" | xargs -0 -r "$OBJDUMP" -t | awk -v top="$build/" -v permitted="$binding_variables" '
        BEGIN {
            gsub(/\n/, " ", permitted)
            count = split(permitted, names, " ")
            for (i = 1; i <= count; i++)
                of_binding[names[i]]
        }
        / file format / {
            object = $1
            sub(/:$/, "", object)
            if (index(object, top) == 1)
                object = substr(object, length(top) + 1)
        }
        / (\.data|\.bss|\.tdata|\.tbss|\*COM\*|\.lbss|\.ldata)[^ \t]*\t/ {
            match($0, /(\.[a-z.A-Z_0-9]+|\*COM\*)[^ \t]*\t/)
            section = substr($0, RSTART, RLENGTH - 1)
            name = $NF
            kind = substr($0, index($0, " ") + 1, 7)
            if (section ~ /^\.data\.rel\.ro/ || kind ~ /d/ || name == section)
                next
            if (object ~ /^client\// && name in of_binding)
                next
            if (name ~ /^(__gcov|__llvm_gcov|__profc|__profd|\.L)/)
                next
            print object ": " name " in " section
        }'
}

nothing_from() { local found; found=$("$@"); printf '%s' "$found"; [ -z "$found" ]; }
rooms_with_objects()
{
    local room
    for room in server client; do
        [ ! -d "$build/$room" ] || [ -z "$(find "$build/$room" -name '*.o' | head -n 1)" ] || echo "$build/$room"
    done
}

# plant CODE: compiles CODE, with its own calls in it and nothing else, into the directory that is looked at.
plant()
{
    rm -f "$planted"/*
    printf '%s\n' "$1" >"$planted/planted.c"
    # shellcheck disable=SC2086
    $CC -O2 -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -fPIE -w -c "$planted/planted.c" -o "$planted/planted.o"
}
caught()
{
    local names=$1 want=$2 code=$3 found
    plant "$code" || return 1
    found=$(called_in "$planted" "$names")
    printf '%s' "$found"
    [[ $found == *": $want" ]]
}
blameless() { plant "$1" && nothing_from called_in "$planted" "$world $memory"; }
kept()
{
    plant "$2" || return 1
    local found
    found=$(writable_in "$planted")
    printf '%s' "$found"
    [[ $found == $1 ]]
}

tap_fact "the build has objects of the server" test -n "$(rooms_with_objects)"
for room in $(rooms_with_objects); do
    name=${room##*/}
    tap_fact "$name/ calls threads, sockets, files, clocks, randomness only through common/" \
        nothing_from called_in "$room" "$world"
    tap_fact "$name/ takes memory only through common/base/memory.h" nothing_from called_in "$room" "$memory"
    tap_fact "$name/ has no variable that can be written" nothing_from writable_in "$room"
done

tap_fact "caught: a lock" caught "$world" pthread_mutex_lock \
    '#include <pthread.h>
     int f(pthread_mutex_t *m) { return pthread_mutex_lock(m); }'
tap_fact "caught: read in its checked form" caught "$world" __read_chk \
    'long __read_chk(int, void *, unsigned long, unsigned long);
     long f(int fd, char *b) { return __read_chk(fd, b, 8, 8); }'
tap_fact "caught: open under the name for large files" caught "$world" open64 \
    '#define _FILE_OFFSET_BITS 64
     #include <fcntl.h>
     int f(const char *p) { return open(p, O_RDONLY); }'
tap_fact "caught: a clock, by address" caught "$world" clock_gettime \
    '#include <time.h>
     void *f(void) { return (void *)clock_gettime; }'
tap_fact "caught: random" caught "$world" random '#include <stdlib.h>
     long f(void) { return random(); }'
tap_fact "caught: fork" caught "$world" fork '#include <unistd.h>
     int f(void) { return fork(); }'
tap_fact "caught: malloc" caught "$memory" malloc 'void *malloc(unsigned long);
     void *f(unsigned long n) { return malloc(n); }'
tap_fact "free of blame: strings and bytes" blameless '#include <string.h>
     int f(const char *a, const char *b) { return strcmp(a, b) + (int)strlen(a); }'
tap_fact "caught: a counter in a function" kept "*: *calls* in .bss" \
    'int f(void) { static int calls; return ++calls; }'
tap_fact "caught: a table that forgot const" kept "*: table in .data" 'int table[] = { 1, 2 };'
tap_fact "caught: a thread-local" kept "*: mine in .tbss" '_Thread_local int mine;'
tap_fact "free of blame: constants, those with addresses too" kept "" \
    'extern int x; int *const address = &x; const char *const names[] = { "a", "b" }; const int one = 1;'
tap_done
