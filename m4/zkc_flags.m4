dnl zkc_flags.m4 - asks the compiler about one flag at a time, with warnings as errors, so that a compiler that knows
dnl some of a set still gets those. Needs nothing from autoconf-archive.

dnl ZKC_APPEND_COMPILE_FLAGS(VARIABLE, FLAGS): appends to VARIABLE each of FLAGS that the compiler takes.
AC_DEFUN([ZKC_APPEND_COMPILE_FLAGS], [
    zkc_saved_CFLAGS=$CFLAGS
    for zkc_flag in m4_normalize([$2]); do
        AC_MSG_CHECKING([whether $CC accepts $zkc_flag])
        CFLAGS="$zkc_saved_CFLAGS -Werror $zkc_flag"
        AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
            [AC_MSG_RESULT([yes])
             $1="$$1 $zkc_flag"],
            [AC_MSG_RESULT([no])])
    done
    CFLAGS=$zkc_saved_CFLAGS
])

dnl ZKC_APPEND_LINK_FLAGS(VARIABLE, COMPILE-FLAGS, FLAGS): the same for the linker.
AC_DEFUN([ZKC_APPEND_LINK_FLAGS], [
    zkc_saved_CFLAGS=$CFLAGS
    zkc_saved_LDFLAGS=$LDFLAGS
    for zkc_flag in m4_normalize([$3]); do
        AC_MSG_CHECKING([whether the linker accepts $zkc_flag])
        CFLAGS="$zkc_saved_CFLAGS -Werror $2"
        LDFLAGS="$zkc_saved_LDFLAGS $$1 $zkc_flag"
        AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
            [AC_MSG_RESULT([yes])
             $1="$$1 $zkc_flag"],
            [AC_MSG_RESULT([no])])
    done
    CFLAGS=$zkc_saved_CFLAGS
    LDFLAGS=$zkc_saved_LDFLAGS
])

dnl ZKC_REQUIRE_FLAG(FLAG, ADVICE): ends configure where compiler and linker do not take FLAG.
AC_DEFUN([ZKC_REQUIRE_FLAG], [
    zkc_saved_CFLAGS=$CFLAGS
    AC_MSG_CHECKING([whether $CC can build with $1])
    CFLAGS="$zkc_saved_CFLAGS $1"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
        [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no])
         AC_MSG_ERROR([$CC cannot build with $1: $2])])
    CFLAGS=$zkc_saved_CFLAGS
])

dnl ZKC_FORTIFY_SOURCE(VARIABLE): the highest level that works; none without optimisation, where libc warns about it.
AC_DEFUN([ZKC_FORTIFY_SOURCE], [
    zkc_saved_CFLAGS=$CFLAGS
    for zkc_level in 3 2; do
        AC_MSG_CHECKING([whether _FORTIFY_SOURCE=$zkc_level works])
        CFLAGS="$zkc_saved_CFLAGS -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$zkc_level"
        AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]], [[return (int)strlen("");]])],
            [AC_MSG_RESULT([yes])
             $1="$$1 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$zkc_level"
             break],
            [AC_MSG_RESULT([no])])
    done
    CFLAGS=$zkc_saved_CFLAGS
])

dnl ZKC_AUTO_VAR_INIT(VARIABLE): locals start as zero. Clang before 16 wants to be told twice that one means it.
AC_DEFUN([ZKC_AUTO_VAR_INIT], [
    zkc_saved_CFLAGS=$CFLAGS
    zkc_twice=-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang
    AC_MSG_CHECKING([how $CC sets locals to zero])
    zkc_found=no
    for zkc_flag in "-ftrivial-auto-var-init=zero" "-ftrivial-auto-var-init=zero $zkc_twice"; do
        CFLAGS="$zkc_saved_CFLAGS -Werror $zkc_flag"
        AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [zkc_found=$zkc_flag; break], [])
    done
    AS_IF([test "x$zkc_found" != xno], [$1="$$1 $zkc_found"])
    AC_MSG_RESULT([$zkc_found])
    CFLAGS=$zkc_saved_CFLAGS
])
