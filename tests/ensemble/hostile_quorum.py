#!/usr/bin/env python3
# timeout: 600
"""hostile_quorum.py - what must not be said, said to a leader, to a follower, and to their election ports.

    hostile_quorum.py --kinds java,zkc --tap

For each kind. Against a leader and the election ports: two servers serve, one client writes; after every attack the
same server still leads in the same epoch, the write goes on, and the connection of the attacker is closed where
nothing sensible could follow. Against a follower we are the leader: it hangs up, lives, and lets itself be led again.
The memory of each server stays within bounds over all of it.

Java ends by itself, with the status 12 or 13, where a leader sends what it cannot understand; a server may do the same
on the rows that say so, and must come up again.
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import ensemble     # noqa: E402
import tap          # noqa: E402
from hostile_election import AgainstElection    # noqa: E402
from hostile_follower import AgainstFollower    # noqa: E402
from hostile_leader import AgainstLeader        # noqa: E402


def main():
    parser = argparse.ArgumentParser(description="Says to servers of an ensemble what must not be said.")
    ensemble.add_options(parser, kinds="zkc")
    parser.add_argument("--only", choices=("leader", "election", "follower"))
    parser.add_argument("--share", type=int, default=2, help="says one row in so many, beginning with the seed; 1: all")
    tap.add_option(parser)
    options = parser.parse_args()
    why = ensemble.require(options.kinds)
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)

    def chosen(rows):
        return rows[options.seed % options.share::options.share]

    for kind in dict.fromkeys(ensemble.parse_kinds(options.kinds)):
        for name, part in (("leader", AgainstLeader), ("election", AgainstElection)):
            if options.only in (None, name):
                peace = part(kind, report, chosen)
                with peace.servers:
                    peace.begin()
                    peace.run()
        if options.only in (None, "follower"):
            AgainstFollower(kind, report, chosen).run()
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
