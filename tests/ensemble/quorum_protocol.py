#!/usr/bin/env python3
# timeout: 300
"""quorum_protocol.py - the learner protocol and the election messages, packet by packet, from both ends.

    quorum_protocol.py --kinds java,zkc --tap

For each kind of server a made follower (quorum_fakes.py) joins its leader, and a made leader takes its follower. Every
packet the server sends is compared with the one that is due, down to whether data and authinfo are null or empty; of a
transaction everything but the time and the digest is known beforehand. Where Java 3.8.0 has a bug of its own, the fact
says its number, and only Java is let off.
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import ensemble     # noqa: E402
import tap          # noqa: E402
from protocol_follows import Follows, introduction_v2   # noqa: E402
from protocol_leads import Leads        # noqa: E402


def main():
    parser = argparse.ArgumentParser(description="The protocols between servers, packet by packet.")
    ensemble.add_options(parser, kinds="zkc")
    parser.add_argument("--only", choices=("leads", "follows"))
    tap.add_option(parser)
    options = parser.parse_args()
    why = ensemble.require(options.kinds)
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    for kind in dict.fromkeys(ensemble.parse_kinds(options.kinds)):
        if options.only != "follows":
            Leads(kind, report).run()
        if options.only != "leads":
            Follows(kind, report).run()
            introduction_v2(kind, report)
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
