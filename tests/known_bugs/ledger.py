#!/usr/bin/env python3
"""ledger.py - the known bugs of ZooKeeper: each has a test, and of many the bug comes back and its test catches it.

ledger.md has a row for each row of sections 2a, 2b and 2d of our list of known bugs, and some of our own. A bug that can exist in this server
is a patch beside it, <id>.patch: a small change that takes away what guards us. Its head says

    Brings back ZOOKEEPER-n: what it does
    Test: <program> <arguments>        dramas, simulate, or a unit test and the name of one of its cases
    Caught: <regular expression>       the kind of verdict that must come

For each patch: the program runs as it is, and the test passes; then the files that the patch touches are copied, patched
and compiled, the program is linked with these objects in front of the libraries, whose members of that name stay out,
and the test must fail with a verdict of that kind. A patch that does not apply, compile or fail its test is a failure.

    ledger.py [--only 4646,3911] [--verbose] [--keep DIRECTORY]
"""
# timeout: 900

import argparse
import concurrent.futures
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("ZKC_SOURCE", os.path.dirname(os.path.dirname(HERE)))
BUILD = os.environ.get("ZKC_BUILD", os.path.join(SOURCE, "build", "gcc"))
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))
sys.path.insert(0, os.path.join(SOURCE, "tests"))

import reliability      # noqa: E402
import tap              # noqa: E402

LEDGER = os.path.join(SOURCE, "tests", "known_bugs", "ledger.md")
PATCHES = os.path.join(SOURCE, "tests", "known_bugs")
PROGRAMS = {"dramas": "tests/known_bugs/dramas", "simulate": "tests/simulator/simulate"}
LEAST_CAUGHT = 25
REQUIRED = "3911 4643 4646 4785 4712 2845 3642 3104 4925 3701 2355 4394 4882 4837 3127".split()
TEST_LIMIT_S = 180


class Failure(Exception):
    """What went wrong, and what was printed over it."""


def run(command, **kwargs):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          check=False, **kwargs)


# ---- the build ----

class Build:
    """The compiler, the flags and the objects of the build, as its Makefile has them."""

    def __init__(self, programs):
        self.objects = {program: program.replace("/", "_") + "_OBJECTS" for program in programs}
        names = ["CC", "COMPILE", "AM_CFLAGS", "CFLAGS", "AM_LDFLAGS", "LDFLAGS", "LDADD", "LIBS"]
        values = self.variables(names + list(self.objects.values()))
        self.compile = values["COMPILE"]
        self.link = [values[name] for name in ("CC", "AM_CFLAGS", "CFLAGS", "AM_LDFLAGS", "LDFLAGS")]
        self.libraries = [values["LDADD"], values["LIBS"]]
        self.objects = {program: values[name] for program, name in self.objects.items()}

    @staticmethod
    def variables(names):
        rules = "include Makefile\nprint-for-ledger:\n" + "".join(
            "\t@echo '%s='$(call shell_quoted,$(%s))\n" % (name, name) for name in names)
        rules = "shell_quoted = '$(subst ','\\'',$(1))'\n" + rules
        result = run(["make", "-s", "--no-print-directory", "-f", "-", "print-for-ledger"], cwd=BUILD, input=rules)
        lines = dict(line.partition("=")[::2] for line in result.stdout.splitlines() if "=" in line)
        missing = [name for name in names if name not in lines]
        if result.returncode or missing:
            raise Failure("make does not tell %s\n%s" % (", ".join(missing), result.stdout))
        return lines

    def compiled(self, source, scratch):
        """The object of a patched source; patched headers come before those of the tree, for it alone."""
        target = os.path.join(scratch, source)[:-2] + ".o"
        compiler = self.compile.replace(" -I", " -I%s -I" % shlex.quote(scratch), 1)
        command = "%s -w -c -o %s %s" % (compiler, shlex.quote(target), shlex.quote(os.path.join(scratch, source)))
        result = run(["sh", "-c", command], cwd=BUILD)
        if result.returncode:
            raise Failure("%s cannot be compiled\n%s" % (source, result.stdout))
        return target

    def linked(self, program, mutated, scratch):
        target = os.path.join(scratch, os.path.basename(program))
        command = " ".join(self.link + ["-o", shlex.quote(target), self.objects[program]] +
                           [shlex.quote(item) for item in mutated] + self.libraries)
        result = run(["sh", "-c", command], cwd=BUILD)
        if result.returncode:
            raise Failure("%s cannot be linked\n%s" % (program, result.stdout))
        return target


# ---- the patches ----

class Bug:
    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)[:-len(".patch")]
        with open(path, encoding="utf-8") as file:
            text = file.read()
        head = text.partition("\n--- ")[0]
        self.title = self.field(head, r"^Brings back (.*?)$(?=\n\w+: )")
        words = shlex.split(self.field(head, r"^Test: (.*)$"))
        self.caught = re.compile(self.field(head, r"^Caught: (.*)$"))
        self.program = PROGRAMS.get(words[0], words[0])
        self.arguments = words[1:]
        self.is_unit = words[0] not in PROGRAMS
        self.sources = re.findall(r"^\+\+\+ b/(\S+)", text, flags=re.M)
        self.ids = re.findall(r"\d{4,}", self.name)

    def field(self, head, pattern):
        found = re.search(pattern, head, flags=re.M | re.S if "(?=" in pattern else re.M)
        if found is None:
            raise Failure("%s has no line %s" % (self.path, pattern))
        return " ".join(found.group(1).split())

    def test(self):
        return " ".join([os.path.basename(self.program)] + self.arguments)

    def command(self, program):
        # Line by line, so that it can be ended when its case has failed.
        return ["stdbuf", "-oL", program] if self.is_unit else [program] + self.arguments

    def problems(self, output):
        """The lines that tell of a failure of the test: of a unit test those of its case."""
        if not self.is_unit:
            return [line for line in output.splitlines() if "FAILED: " in line]
        name = ":%s:" % self.arguments[0]
        return [line for line in output.splitlines() if line.startswith("not ok") and name in line]

    def verdict(self, line):
        """What a line of problems() says, without where it stands."""
        return line.partition(":%s: " % self.arguments[0] if self.is_unit else "FAILED: ")[2] or line

    def is_caught_by(self, line):
        return bool(self.problems(line)) and self.caught.search(line) is not None

    def is_there(self, output):
        """Whether the test ran at all."""
        if not self.is_unit:
            return re.search(r"\b\d+ seeds, \d+ failed", output) is not None
        return ":%s:" % self.arguments[0] in output


def bugs():
    return [Bug(os.path.join(PATCHES, name)) for name in sorted(os.listdir(PATCHES)) if name.endswith(".patch")]


def patched(bug, scratch):
    """Copies what the patch touches, and patches it. Returns the sources."""
    for source in bug.sources:
        target = os.path.join(scratch, source)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(os.path.join(SOURCE, source), "rb") as file, open(target, "wb") as copy:
            copy.write(file.read())
    result = run(["patch", "-p1", "-s", "-N", "--no-backup-if-mismatch", "-i", bug.path], cwd=scratch)
    if result.returncode or not bug.sources:
        raise Failure("the patch does not apply\n" + result.stdout)
    return [source for source in bug.sources if source.endswith(".c")]


def environment(scratch):
    return dict(os.environ, TMPDIR=scratch, CK_DEFAULT_TIMEOUT="20", ZKC_SOURCE=SOURCE, ZKC_BUILD=BUILD)


def end_all(process):
    """Ends it and those it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def played(bug, program, scratch, until=None):
    """What the test prints, up to the first line that `until` is true of; a test that does not end has failed."""
    process = subprocess.Popen(bug.command(program), cwd=scratch, env=environment(scratch), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    alarm = threading.Timer(TEST_LIMIT_S, end_all, (process,))
    alarm.start()
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if until is not None and until(line):
                end_all(process)
                break
    finally:
        process.stdout.close()
        process.wait()
        alarm.cancel()
    return "".join(lines)


class Unpatched:
    """What tests print with the program as it is; each is run once, whoever asks first."""

    def __init__(self):
        self.lock, self.outputs = threading.Lock(), {}

    def output(self, bug):
        key = tuple(bug.command(bug.program))
        with self.lock:
            is_first = key not in self.outputs
            future = self.outputs.setdefault(key, concurrent.futures.Future())
        if is_first:
            with tempfile.TemporaryDirectory(prefix="zkc-bug.", ignore_cleanup_errors=True) as scratch:
                future.set_result(played(bug, os.path.join(BUILD, bug.program), scratch))
        return future.result()


class Result:
    def __init__(self, bug):
        self.bug, self.passes_unpatched, self.is_back, self.is_caught, self.verdict, self.notes = \
            bug, False, False, False, "", []


def tried(build, unpatched, bug, verbose, keep):
    result = Result(bug)
    with tempfile.TemporaryDirectory(prefix="zkc-bug.", ignore_cleanup_errors=True) as scratch:
        try:
            output = unpatched.output(bug)
            result.passes_unpatched = bug.is_there(output) and not bug.problems(output)
            if not result.passes_unpatched:
                result.notes.append("as it is: " + output[-1500:])
            objects = [build.compiled(source, scratch) for source in patched(bug, scratch)]
            program = build.linked(bug.program, objects, scratch)
            result.is_back = True
            if keep:
                shutil.copy(program, os.path.join(keep, bug.name))
            output = played(bug, program, scratch, None if verbose else bug.is_caught_by)
            problems = bug.problems(output)
            hits = [line for line in problems if bug.caught.search(line)]
            result.is_caught = bool(hits)
            result.verdict = bug.verdict((hits or problems or ["nothing failed"])[0])
            if verbose or not hits:
                result.notes += problems[:40] or [output[-1500:]]
        except Failure as failure:
            result.notes.append(str(failure))
    return result


# ---- the table ----

class Tests(reliability.Tests):
    """As for the other tables; dramas besides."""

    def wrong(self, name, fact):
        if name != "dramas":
            return super().wrong(name, fact)
        with open(os.path.join(PATCHES, "drama_list.c"), encoding="utf-8") as file:
            return None if '{"%s", ' % fact in file.read() else "there is no drama %s" % fact


def rows():
    """[section, cells] of each row of ledger.md."""
    with open(LEDGER, encoding="utf-8") as file:
        return [(heading, cells) for heading, lines in reliability.sections(file.read()) for cells in lines]


def check_table(results, patches):
    table, tests = rows(), Tests()
    for section in ("2a", "2b", "2d", "Ours"):
        mine = [cells for heading, cells in table if heading.startswith(section)]
        wrong = tests.wrong_in([[cells[0], cells[2]] for cells in mine]) + \
            ["not five cells: %s" % cells for cells in mine if len(cells) != 5]
        if not results.ok(mine and not wrong, "%s: each of %d rows has tests that are there" % (section, len(mine))):
            results.note("\n".join(wrong))
    named = re.findall(r"`(\S+)\.patch`", "\n".join(cells[3] for _, cells in table))
    if not results.ok(sorted(named) == sorted(patches), "every patch stands in a row, once"):
        results.note("only in the table: %s; only a file: %s" %
                     (sorted(set(named) - set(patches)), sorted(set(patches) - set(named))))


def print_table(results, outcomes):
    by_name = {outcome.bug.name: outcome for outcome in outcomes}
    results.note("%-28s %-44s %-6s %-6s %s" % ("bug", "test", "back", "caught", "verdict"))
    for _, cells in rows():
        mine = [by_name[name] for name in re.findall(r"`(\S+)\.patch`", cells[3]) if name in by_name]
        for outcome in mine:
            results.note("%-28s %-44s %-6s %-6s %s" % (outcome.bug.name, outcome.bug.test()[:44],
                                                       "yes" if outcome.is_back else "NO",
                                                       "yes" if outcome.is_caught else "NO", outcome.verdict[:100]))
        if not mine:
            results.note("%-28s %-44s %-6s %-6s %s" % (cells[0][:28], cells[2].split("`")[1][:44], "-", "-", ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="ids of bugs, with commas between")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--verbose", action="store_true", help="prints every verdict")
    parser.add_argument("--keep", metavar="DIRECTORY", help="leaves the programs with the bugs there")
    tap.add_option(parser)
    options = parser.parse_args()
    results = tap.Tap(plain=not options.tap)
    wanted = options.only.split(",") if options.only else None
    chosen = [bug for bug in bugs() if wanted is None or any(word in bug.name for word in wanted)]
    if not options.only:
        check_table(results, [bug.name for bug in chosen])
    build = Build(sorted({bug.program for bug in chosen}))
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        unpatched = Unpatched()
        outcomes = list(pool.map(lambda bug: tried(build, unpatched, bug, options.verbose, options.keep), chosen))
    for outcome in outcomes:
        results.ok(outcome.passes_unpatched and outcome.is_caught,
                   "%s: %s passes, and fails with the bug: %s" % (outcome.bug.name, outcome.bug.test(),
                                                                  outcome.verdict[:110]))
        for note in outcome.notes:
            results.note(note)
    if not options.only:
        caught = {name for outcome in outcomes if outcome.is_caught for name in outcome.bug.ids}
        count = sum(outcome.is_caught for outcome in outcomes)
        results.ok(count >= LEAST_CAUGHT, "%d bugs came back and were caught" % count)
        results.ok(not set(REQUIRED) - caught, "those that must be among them are")
        print_table(results, outcomes)
    return results.done()


if __name__ == "__main__":
    sys.exit(main())
