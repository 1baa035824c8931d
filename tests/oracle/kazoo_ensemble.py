#!/usr/bin/env python3
# timeout: 900
"""kazoo_ensemble.py - runs the test suite that ships inside Debian's kazoo against three servers, test by test.

    kazoo_ensemble.py --server zkc --tap
    kazoo_ensemble.py --server zkc,zkc,java
    kazoo_ensemble.py --server java --record    writes kazoo_expected_ensemble.txt anew

As kazoo_suite.py, whose options it takes; here nothing is left out but what needs SASL or Kerberos. One test fails,
with Java's servers too: TestReadOnlyMode wants to go on with the session it had, and a server that is read-only takes
none over that the whole ensemble knows.
"""

import sys

import kazoo_suite

if __name__ == "__main__":
    sys.exit(kazoo_suite.main(3))
