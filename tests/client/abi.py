#!/usr/bin/env python3
"""abi.py - what programs that were built for Debian's libzookeeper find in ours: headers, layouts, symbols, values.

(1) Our public headers compile each alone, as C99, C11 and C++, with and without THREADED and OpenSSL's types.
(2) Every prototype and type of Debian's headers may stand beside ours, so no signature differs, and none is missing.
(3) A program that prints every sizeof, offsetof, enum and macro of Debian's headers prints the same with ours.
(4) Both shared objects have Debian's names (SONAME) and every symbol Debian's have, of the same size where it is a
    variable, the synchronous calls only in libzookeeper_mt, and nothing that no public header declares.
(5) The constants have the same values, and errors the same texts.
(6) A static library shows what the shared one does, and links beside functions of the names we use inside.

Debian's 3.8.0 stands for the interface; where 3.9.5 differs from it, DIFFERENCES says so.
"""

import ctypes
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("ZKC_SOURCE", os.path.dirname(os.path.dirname(HERE)))
BUILD = os.environ.get("ZKC_BUILD", os.getcwd())
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))
import tap as tap_lib  # noqa: E402

CC = os.environ.get("CC") or "cc"
NM = os.environ.get("NM") or "nm"
OBJDUMP = os.environ.get("OBJDUMP") or "objdump"
TMP = os.environ.get("TMPDIR", "/tmp")
DEBIAN_HEADERS = "/usr/include/zookeeper"
HEADERS = ["proto.h", "recordio.h", "zookeeper.h", "zookeeper.jute.h", "zookeeper_log.h", "zookeeper_version.h"]
OURS = ["-I" + os.path.join(SOURCE, "client"), "-I" + os.path.join(BUILD, "client")]
DEBIANS = ["-I" + DEBIAN_HEADERS]
FLAVOURS = ("mt", "st")

# What 3.9.5 has otherwise than 3.8.0, by the line of the printed program.
DIFFERENCES = {
    "sizeof(struct ConnectRequest)": "readOnly is new in it",
    "sizeof(struct ConnectResponse)": "readOnly is new in it",
    "ZOO_VERSION": "the release",
}
# Errors that had no text; and one whose text Debian has without the slip of the pen that is still in 3.9.5.
OTHER_TEXTS = {-15, -122, -125, -127, -13}
# Exported by the old libraries though in no header.
IN_NO_HEADER = {"zoo_lock_auth", "zoo_unlock_auth"}


def run(command, text=None):
    """Returns (status, output and errors)."""
    process = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             universal_newlines=True, check=False)
    return process.returncode, process.stdout


def output_of(command, text=None):
    process = subprocess.run(command, input=text, stdout=subprocess.PIPE, universal_newlines=True, check=True)
    return process.stdout


def debian_library(flavour):
    name = "libzookeeper_%s.so.2" % flavour
    found = glob.glob("/usr/lib/*/" + name) + glob.glob("/usr/lib/" + name)
    return found[0] if found else None


def our_library(flavour):
    return os.path.join(BUILD, ".libs", "libzookeeper_%s.so.2" % flavour)


# --- (1) headers alone ---------------------------------------------------------------------------------------------


def cxx():
    """A compiler that knows C++, as a command; None without one."""
    for command in ([CC, "-x", "c++"], ["g++", "-x", "c++"], ["clang++", "-x", "c++"]):
        try:
            if run(command + ["-fsyntax-only", "-"], "#ifndef __cplusplus\n#error\n#endif\n")[0] == 0:
                return command
        except OSError:
            pass
    return None


def check_headers_alone(tap):
    strict = ["-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-"] + OURS
    languages = [("C99", [CC, "-std=c99", "-x", "c"]), ("C11", [CC, "-std=c11", "-x", "c"])]
    compiler = cxx()
    if compiler:
        languages.append(("C++", compiler + ["-std=c++11"]))
    else:
        tap.ok(False, "there is a compiler for C++")
    for name, command in languages:
        complaints = ""
        for header in HEADERS:
            for defines in ([], ["-DTHREADED"], ["-DHAVE_OPENSSL_H"], ["-DTHREADED", "-D_GNU_SOURCE"]):
                status, said = run(command + strict + defines, '#include <%s>\nextern int more;\n' % header)
                if status != 0 or said:
                    complaints += "%s with %s\n%s" % (header, " ".join(defines) or "nothing", said)
        if not tap.ok(not complaints, "every public header compiles alone as " + name):
            tap.note(complaints)


# --- (2) signatures ------------------------------------------------------------------------------------------------


def strip_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)


def own_text(include, defines):
    """What the preprocessor leaves of the headers in `include`'s directories, without what the system's bring in."""
    text = "".join('#include "%s"\n' % header for header in HEADERS)
    kept, own = [], False
    directories = [flag[2:] for flag in include]
    for line in output_of([CC, "-E", "-x", "c", "-"] + include + defines, text).splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            own = any(os.path.dirname(marker.group(1)) == directory for directory in directories)
        elif own:
            kept.append(line)
    return "\n".join(kept)


def statements(text):
    """Splits C at the semicolons outside braces."""
    depth, start, found = 0, 0, []
    for i, char in enumerate(text):
        if char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
        elif char == ";" and depth == 0:
            found.append(" ".join(text[start:i].split()))
            start = i + 1
    return [one for one in found if one]


def functions_of(text):
    """{name: prototype}"""
    found = {}
    for statement in statements(text):
        if "{" in statement or statement.startswith("typedef"):
            continue
        statement = re.sub(r"__attribute__ ?\(\((?:[^()]|\([^()]*\))*\)\)", "", statement)
        name = re.search(r"(\w+) ?\(", statement)
        if name:
            found[name.group(1)] = statement
    return found


def check_signatures(tap):
    for defines in ([], ["-DTHREADED"]):
        theirs = own_text(DEBIANS, defines)
        beside = list(functions_of(theirs).values())
        beside += [one for one in statements(theirs) if one.startswith("typedef") and "{" not in one]
        beside += [one for one in statements(theirs) if one.startswith("extern") and "(" not in one]
        source = "".join('#include "%s"\n' % header for header in HEADERS) + ";\n".join(beside) + ";\n"
        command = [CC, "-std=gnu11", "-fsyntax-only", "-Wall", "-Werror", "-x", "c", "-"]
        status, said = run(command + OURS + defines, source)
        fact = "%d declarations of Debian's headers fit beside ours (%s)" % (
            len(beside), "threads" if defines else "no threads")
        if not tap.ok(status == 0 and len(beside) > 200, fact):
            tap.note(said)
        missing = sorted(set(functions_of(theirs)) - set(functions_of(own_text(OURS, defines))))
        if not tap.ok(not missing, "every function in them is declared by ours"):
            tap.note(" ".join(missing))


# --- (3) layouts and values ----------------------------------------------------------------------------------------

# Members that stand in structs within unions, which members_of() does not look into.
NESTED = """create_op create_op.path create_op.data create_op.datalen create_op.buf create_op.buflen create_op.acl
create_op.flags create_op.ttl delete_op delete_op.path delete_op.version set_op set_op.path set_op.data set_op.datalen
set_op.version set_op.stat check_op check_op.path check_op.version""".split()


def members_of(body):
    names = []
    for declaration in body.split(";"):
        pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)\s*\(", declaration)
        plain = re.search(r"(\w+)\s*(?:\[[^\]]*\])?\s*$", declaration)
        if pointer:
            names.append(pointer.group(1))
        elif plain:
            names.append(plain.group(1))
    return names


def printing_program(text, macros):
    """A program that prints every size, offset and value that the headers in `text` define."""
    lines = []

    def number(what):
        lines.append('    printf("%%s %%lld\\n", "%s", (long long)(%s));' % (what, what))

    for statement in statements(text):
        struct = re.match(r"(?:typedef )?struct (\w+)? ?\{(.*)\} ?(\w*)$", statement)
        enum = re.match(r"(?:typedef )?enum (\w+)? ?\{(.*)\} ?(\w*)$", statement)
        if struct:
            name = struct.group(3) or "struct " + struct.group(1)
            number("sizeof(%s)" % name)
            number("_Alignof(%s)" % name)
            members = ["type"] + NESTED if name == "zoo_op_t" else members_of(struct.group(2))
            for member in members:
                number("offsetof(%s, %s)" % (name, member))
                number("sizeof(((%s *)0)->%s)" % (name, member))
        elif enum:
            number("sizeof(%s)" % (enum.group(3) or "enum " + enum.group(1)))
            for constant in enum.group(2).split(","):
                if constant.strip():
                    number(constant.split("=")[0].strip())
    for name, value in sorted(macros.items()):
        if value.startswith('"'):
            lines.append('    printf("%%s %%s\\n", "%s", %s);' % (name, name))
        else:
            number(name)
    head = "#include <stddef.h>\n#include <stdio.h>\n" + "".join('#include "%s"\n' % header for header in HEADERS)
    return head + "int main(void)\n{\n" + "\n".join(lines) + "\n    return 0;\n}\n"


def value_macros():
    found = {}
    for header in HEADERS:
        with open(os.path.join(DEBIAN_HEADERS, header), encoding="utf-8") as stream:
            text = strip_comments(stream.read())
        found.update(re.findall(r'^#define (ZOO_\w+)[ \t]+(-?\d+|"[^"]*")[ \t]*$', text, re.M))
    return found


def printed_with(source, include, name, defines):
    program = os.path.join(TMP, name)
    with open(program + ".c", "w", encoding="utf-8") as stream:
        stream.write(source)
    status, said = run([CC, "-std=gnu11", "-w", "-o", program, program + ".c"] + include + defines)
    if status != 0:
        return None, said
    return dict(line.rsplit(" ", 1) for line in output_of([program]).splitlines()), said


def check_layouts(tap):
    for defines in (["-DTHREADED"], ["-DTHREADED", "-DHAVE_OPENSSL_H"]):
        source = printing_program(own_text(DEBIANS, defines), value_macros())
        theirs, said = printed_with(source, DEBIANS, "theirs", defines)
        if theirs is None:
            tap.ok(False, "the program that prints layouts compiles with Debian's headers")
            tap.note(said)
            continue
        ours, said = printed_with(source, OURS, "ours", defines)
        if ours is None:
            tap.ok(False, "the program that prints layouts compiles with our headers")
            tap.note(said)
            continue
        differing = ["%s: %s there, %s here" % (what, value, ours.get(what)) for what, value in sorted(theirs.items())
                     if ours.get(what) != value and what not in DIFFERENCES]
        structs = sum(what.startswith("sizeof(struct ") for what in theirs)
        fact = "%d sizes, offsets and values are Debian's (%d structs%s)" % (
            len(theirs), structs, ", with OpenSSL" if len(defines) > 1 else "")
        if not tap.ok(not differing and structs > 70 and len(theirs) > 700, fact):
            tap.note("\n".join(differing) or "too few: %d, %d structs" % (len(theirs), structs))
        same = [what for what in DIFFERENCES if theirs.get(what) == ours.get(what)]
        tap.ok(not same, "differences that are named are there: " + (", ".join(same) or "all"))


# --- (4) symbols ---------------------------------------------------------------------------------------------------


def exported(library):
    """{name: (kind, size)} of what can be bound to."""
    found = {}
    for line in output_of([NM, "-D", "-S", "--defined-only", library]).splitlines():
        fields = line.split()
        found[fields[-1]] = (fields[-2], int(fields[1], 16) if len(fields) == 4 else 0)
    return found


def soname(library):
    return re.search(r"SONAME\s+(\S+)", output_of([OBJDUMP, "-p", library])).group(1)


def declared_words():
    words = set(IN_NO_HEADER)
    for header in HEADERS:
        for directory in ("client", os.path.join(BUILD, "client")):
            path = os.path.join(SOURCE, directory, header)
            if os.path.exists(path):
                with open(path, encoding="utf-8") as stream:
                    words.update(re.findall(r"\w+", strip_comments(stream.read())))
    return words


def check_symbols(tap):
    symbols = {}
    for flavour in FLAVOURS:
        theirs, ours = exported(debian_library(flavour)), exported(our_library(flavour))
        symbols[flavour] = theirs, ours
        name = "libzookeeper_%s.so.2" % flavour
        tap.ok(soname(our_library(flavour)) == soname(debian_library(flavour)) == name, "SONAME is " + name)
        missing = sorted(set(theirs) - set(ours))
        if not tap.ok(not missing, "%s has all %d symbols of Debian's" % (name, len(theirs))):
            tap.note("%d are missing: %s" % (len(missing), " ".join(missing)))
        resized = [one for one, (kind, size) in theirs.items()
                   if kind in "RDB" and one in ours and ours[one][1] != size]
        if not tap.ok(not resized, name + ": variables have the size that programs copied"):
            tap.note(" ".join(resized))
        private = sorted(set(ours) - declared_words())
        if not tap.ok(not private, name + " exports nothing that no public header declares"):
            tap.note(" ".join(private))

    synchronous = set(functions_of(own_text(OURS, ["-DTHREADED"]))) - set(functions_of(own_text(OURS, [])))
    synchronous.add("zoo_remove_all_watches")
    owed = sorted(synchronous - set(symbols["mt"][1]))
    fact = "libzookeeper_mt has the %d synchronous calls" % len(synchronous)
    if not tap.ok(len(synchronous) > 25 and not owed, fact):
        tap.note("missing: " + " ".join(owed))
    found = sorted(synchronous & set(symbols["st"][1]))
    if not tap.ok(not found, "libzookeeper_st has none of them, as Debian's"):
        tap.note(" ".join(found))
    tap.ok(set(symbols["mt"][0]) - set(symbols["st"][0]) <= synchronous, "what only Debian's mt has is synchronous")
    declared = set(functions_of(own_text(OURS, ["-DZKC_LIBRARY"])))    # both halves, and what takes others' types
    for flavour in FLAVOURS:
        owed = sorted(declared - set(symbols[flavour][1]) - (synchronous if flavour == "st" else set()))
        if not tap.ok(not owed, "libzookeeper_%s has every function that our headers declare" % flavour):
            tap.note("%d are missing: %s" % (len(owed), " ".join(owed)))


# --- (5) values ----------------------------------------------------------------------------------------------------


class Id(ctypes.Structure):
    _fields_ = [("scheme", ctypes.c_char_p), ("id", ctypes.c_char_p)]


class Acl(ctypes.Structure):
    _fields_ = [("perms", ctypes.c_int32), ("id", Id)]


class AclVector(ctypes.Structure):
    _fields_ = [("count", ctypes.c_int32), ("data", ctypes.POINTER(Acl))]


def values_of(library):
    """What every variable with a ZOO name holds."""
    handle = ctypes.CDLL(library)
    found = {}
    for name, (kind, size) in exported(library).items():
        if kind not in "RD":
            continue
        if name.endswith(("_UNSAFE", "_ACL")) and "ACL" in name:
            vector = AclVector.in_dll(handle, name)
            found[name] = [(vector.data[i].perms, vector.data[i].id.scheme, vector.data[i].id.id)
                           for i in range(vector.count)]
        elif name in ("ZOO_ANYONE_ID_UNSAFE", "ZOO_AUTH_IDS"):
            one = Id.in_dll(handle, name)
            found[name] = (one.scheme, one.id)
        elif size == 4:
            found[name] = ctypes.c_int.in_dll(handle, name).value
    return found


def texts_of(library):
    handle = ctypes.CDLL(library)
    handle.zerror.restype = ctypes.c_char_p
    return {code: handle.zerror(code) for code in range(-300, 140)}


def check_values(tap):
    for flavour in FLAVOURS:
        theirs, ours = values_of(debian_library(flavour)), values_of(our_library(flavour))
        differing = ["%s: %s there, %s here" % (name, value, ours.get(name)) for name, value in sorted(theirs.items())
                     if ours.get(name) != value]
        fact = "the %d variables of libzookeeper_%s hold what Debian's hold" % (len(theirs), flavour)
        if not tap.ok(not differing and len(theirs) >= 35, fact):
            tap.note("\n".join(differing))
    theirs, ours = texts_of(debian_library("mt")), texts_of(our_library("mt"))
    differing = ["%d: %s there, %s here" % (code, text, ours[code]) for code, text in theirs.items()
                 if ours[code] != text and code not in OTHER_TEXTS]
    if not tap.ok(not differing, "errors have the same texts"):
        tap.note("\n".join(differing))


# --- (6) static libraries ------------------------------------------------------------------------------------------

CLASHING = """
#include <stdio.h>
#include "zookeeper.h"
int log_write(void) { return 1; }
int error_set(void) { return 2; }
int buffer_append(void) { return 3; }
int memory_alloc(void) { return 4; }
int string_copy(void) { return 5; }
int mutex_lock(void) { return 6; }
int main(void)
{
    struct String_vector strings;
    allocate_String_vector(&strings, 3);
    deallocate_String_vector(&strings);
    int sum = log_write() + error_set() + buffer_append() + memory_alloc() + string_copy() + mutex_lock();
    printf("%s %d\\n", zerror(ZOK), sum);
    return 0;
}
"""


def check_static(tap):
    for flavour in FLAVOURS:
        archive = os.path.join(BUILD, "libzookeeper_%s.a" % flavour)
        shown = {line.split()[-1] for line in output_of([NM, "-g", "--defined-only", archive]).splitlines()
                 if len(line.split()) == 3}
        differing = sorted(shown ^ set(exported(our_library(flavour))))
        if not tap.ok(not differing, "libzookeeper_%s.a shows what the shared one does" % flavour):
            tap.note(" ".join(differing))
        program = os.path.join(TMP, "clashing_" + flavour)
        libraries = ["-pthread"] + output_of(["pkg-config", "--libs", "libssl", "libcrypto"]).split()
        command = [CC, "-w", "-o", program, "-x", "c", "-", "-x", "none", archive]
        status, said = run(command + OURS + libraries, CLASHING)
        said = output_of([program]) if status == 0 else said
        fact = "libzookeeper_%s.a links beside a program's own log_write and the like" % flavour
        if not tap.ok(said == "ok 21\n", fact):
            tap.note(said)


def main():
    tap = tap_lib.Tap(plain="ZKC_BUILD" not in os.environ)
    wanted = [(debian_library("mt"), "libzookeeper-mt2"), (debian_library("st"), "libzookeeper-st2"),
              (os.path.exists(os.path.join(DEBIAN_HEADERS, "zookeeper.h")), "libzookeeper-mt-dev")]
    for there, package in wanted:
        if not there:
            tap_lib.skip_all("Debian's %s is not installed" % package)
    check_headers_alone(tap)
    check_signatures(tap)
    check_layouts(tap)
    check_symbols(tap)
    check_values(tap)
    check_static(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
