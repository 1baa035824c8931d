#!/usr/bin/env python3
"""reliability.py - holds the table of tests/reliability.md against the tests there are.

A row of the table says what is expected of one hostile input or fault, and in its last column which tests show it: each
between backquotes, the file, a colon, the name. A name in a unit test is that of a START_TEST which is added to a suite;
in a script it is a text that stands in it, as a fact or as the name of a row. A name no test has is a row that rotted.
"""

import ast
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("ZKC_SOURCE", os.path.dirname(HERE))
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))

import tap      # noqa: E402

TESTS = os.path.join(SOURCE, "tests")
REFERENCE = re.compile(r"`([\w.]+): ([^`]+)`")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def files():
    """{name: path} of all test files; a unit program stands under its name without .c. Twice the same name is None."""
    found = {}
    for folder, _, names in os.walk(TESTS):
        for name in names:
            if name.endswith((".py", ".sh", ".c")):
                key = name[:-2] if name.endswith(".c") else name
                found[key] = None if key in found else os.path.join(folder, name)
    return found


def in_fragments():
    """All text of the fragments of the Makefile, where a test must stand to be run."""
    text = []
    for folder, _, names in os.walk(TESTS):
        text += [read(os.path.join(folder, name)) for name in names if name.endswith(".am")]
    return "\n".join(text)


class Tests:
    def __init__(self):
        self.files, self.fragments, self.known = files(), in_fragments(), {}

    def texts(self, path):
        """The strings of a script; adjacent ones are one."""
        if path not in self.known:
            content = read(path)
            self.known[path] = content if not path.endswith(".py") else "\0".join(
                node.value for node in ast.walk(ast.parse(content))
                if isinstance(node, ast.Constant) and isinstance(node.value, str))
        return self.known[path]

    def wrong(self, name, fact):
        """Why that is no test; None when it is one."""
        path = self.files.get(name)
        if path is None:
            return "there is no file %s, or two" % name
        at = os.path.relpath(path, SOURCE)
        if (at[:-2] if path.endswith(".c") else at) not in self.fragments:
            return "%s is not run by make check" % name
        if path.endswith(".c"):
            is_there = "START_TEST(%s)" % fact in self.texts(path) and \
                re.search(r"tcase_add_\w*test\w*\(\w+, %s\b" % re.escape(fact), self.texts(path))
        else:
            is_there = fact in self.texts(path)
        return None if is_there else "%s has no test \"%s\"" % (name, fact)

    def wrong_in(self, rows):
        problems = []
        for row in rows:
            references = REFERENCE.findall(row[-1])
            if not references:
                problems.append("no test shows: " + row[0])
            for reference in references:
                why = self.wrong(*reference)
                if why is not None:
                    problems.append("%s: %s" % (row[0], why))
            rest = REFERENCE.sub("", row[-1]).replace(",", "").strip()
            if rest:
                problems.append("%s: cannot be read: %s" % (row[0], rest))
        return problems


def sections(text):
    """(heading, rows) of each table; a row is a list of cells."""
    found = []
    for block in re.split(r"^## ", text, flags=re.M)[1:]:
        heading, _, body = block.partition("\n")
        rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body.splitlines()
                if line.startswith("| ")]
        found.append((heading, rows[1:]))    # without the head
    return found


def main():
    results, tests = tap.Tap(), Tests()
    tables = sections(read(os.path.join(TESTS, "reliability.md")))
    results.ok(len(tables) >= 8 and sum(len(rows) for _, rows in tables) > 100, "the table has its sections and rows")
    for heading, rows in tables:
        problems = tests.wrong_in(rows) + ["not three cells: %s" % row for row in rows if len(row) != 3]
        if not results.ok(not problems, "%s: every test that is named is there" % heading):
            results.note("\n".join(problems))
    planted = (("a fact that no script states", "`hostile_words.py: every word is a poem`"),
               ("a unit test that is not there", "`test_file_snap: no_such_test`"),
               ("a file that is not there", "`hostile_poems.py: conf`"),
               ("a row without a test", "later"))
    for fact, cell in planted:
        results.ok(tests.wrong_in([["planted", "", cell]]), "caught: " + fact)
    results.ok(not tests.wrong_in([["planted", "", "`test_file_snap: every_length_is_refused`"]]),
               "free of blame: a test there is")
    return results.done()


if __name__ == "__main__":
    sys.exit(main())
