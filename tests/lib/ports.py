"""ports.py - TCP ports for servers of tests: nobody else's now, nor until this process ends.

They come from below the range out of which the kernel takes ports for outgoing connections, so that a server that
comes back finds its own free. Tests run side by side, and a port that is only looked at may be gone when the server
binds it: whoever takes one here holds a name for it in the abstract namespace of Unix sockets. That is one for each
network namespace, as ports are, and the kernel drops the name with the process.
"""

import random
import socket

FIRST, LAST = 11000, 29000     # unit tests take theirs above

_held = []      # name sockets


def _hold(port):
    """True when the port is ours from now on."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind("\0zkc-test-port-%d" % port)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
    except OSError:
        name.close()
        return False
    _held.append(name)
    return True


def row(count):
    """The first of `count` ports that follow one another."""
    while True:
        first = random.SystemRandom().randrange(FIRST, LAST - count)
        if all(_hold(port) for port in range(first, first + count)):
            return first


def take(count):
    return [row(1) for _ in range(count)]


def one():
    return row(1)
