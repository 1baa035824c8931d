"""tap.py - results in the Test Anything Protocol, which make check reads, or as plain lines for people."""

import os
import sys


class Tap:
    def __init__(self, plain=False):
        self.plain = plain
        self.count = 0
        self.failed = 0

    def ok(self, passed, fact):
        self.count += 1
        if not passed:
            self.failed += 1
        if self.plain:
            print("%s  %s" % ("ok    " if passed else "FAILED", fact), flush=True)
        else:
            print("%s %d - %s" % ("ok" if passed else "not ok", self.count, fact.replace("#", "\\#")), flush=True)
        return passed

    def skip(self, fact, why):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, fact, why) if not self.plain else "skipped %s: %s" % (fact, why),
              flush=True)

    def note(self, text):
        """A line for the reader; it is no result."""
        for line in str(text).splitlines() or [""]:
            print(line if self.plain else "# " + line, flush=True)

    def bail_out(self, why):
        print("Bail out! " + why, flush=True)
        sys.exit(1)

    def done(self):
        """Prints the plan and returns the exit status."""
        if self.plain:
            print("%d passed, %d failed" % (self.count - self.failed, self.failed), flush=True)
        else:
            print("1..%d" % self.count, flush=True)
        return 1 if self.failed else 0


def add_option(parser):
    """Adds --tap, which make check does not need to give."""
    parser.add_argument("--tap", action="store_true", default="ZKC_BUILD" in os.environ, help="report in TAP")


def skip_all(why):
    """Ends a test that cannot run here. In make check a peer that is missing is a failure: quickstart installs them."""
    if os.environ.get("ZKC_BUILD"):
        print("not ok 1 - %s\n1..1" % why, flush=True)
        sys.exit(1)
    print("1..0 # SKIP " + why, flush=True)
    sys.exit(0)
