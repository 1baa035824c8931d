"""trees.py - compares what several servers hold: every node's data, Stat, ACL and children, and their digests.

Each server is asked by a session of its own, `sync` first. Sessions that expire meanwhile change the tree, so a
difference is looked at again until it stays for as long as `patience` says, and LOOKS times at least: on a busy machine
a large tree takes longer to read than that.
"""

import re
import time

import rawclient

CONFIG = b"/zookeeper/config"
LOOKS = 5


def comparable(path, stat):
    """The Stat less what each server sets by its own clock: /zookeeper/config is written at each start."""
    return tuple(item for item in stat if item[0] != "mtime") if path == CONFIG else stat


def dump(address, timeout_ms=30000, root=b"/", auth=None):
    """The tree as one server holds it: {path: (data, stat, acl, sorted children) or the error of reading it}."""
    session = rawclient.Session(address, timeout_ms)
    try:
        for scheme, data in auth or ():
            session.auth(scheme, data)
        session.call("sync", b"/")
        tree = rawclient.walk(session, root)
    except BaseException:
        session.disconnect()    # a close would read the answer that has not come, and say that it does not fit
        raise
    session.close()
    return {path: node if isinstance(node, int) else (node[0], comparable(path, node[1]), node[2],
                                                      tuple(sorted(node[3]))) for path, node in tree.items()}


def describe(node):
    if node is None:
        return "not there"
    if isinstance(node, int):
        return "error %d" % node
    data, stat, acl, children = node
    stat = " ".join("%s=%s" % (key, hex(value) if "zxid" in key or key == "ephemeralOwner" else value)
                    for key, value in stat)
    return "%r %s acl=%s %d children" % (data if data is None else data[:40], stat, acl, len(children))


def differences(trees, limit=10):
    """Lines that tell where the trees, {name: tree}, differ; empty when they do not."""
    names = list(trees)
    first, lines = trees[names[0]], []
    for name in names[1:]:
        tree = trees[name]
        for path in sorted(set(first) | set(tree)):
            if first.get(path) != tree.get(path):
                if len(lines) == limit:
                    return lines + ["and more"]
                lines.append("%s\n  %s: %s\n  %s: %s" % (path.decode("utf-8", "replace"), names[0],
                                                         describe(first.get(path)), name, describe(tree.get(path))))
    return lines


def without(tree, prefixes):
    """The tree less what lies at or below these paths; the children lists of their parents keep the names."""
    return {path: node for path, node in tree.items()
            if not any(path == prefix or path.startswith(prefix + b"/") for prefix in prefixes)}


def compare(ensemble, sids=None, patience=10.0, ignore=(), auth=None):
    """Dumps the tree over each server that runs; returns (differences, tree of the first)."""
    deadline = time.monotonic() + patience
    looks = 0
    while True:
        looks += 1
        trees = {ensemble.name(sid): without(dump(ensemble.address_of(sid), auth=auth), ignore)
                 for sid in (ensemble.running() if sids is None else sids)}
        lines = differences(trees)
        if not lines or (looks >= LOOKS and time.monotonic() > deadline):
            return lines, next(iter(trees.values()))
        time.sleep(0.2)


def digests(ensemble, sid):
    """What `hash` prints: {zxid: digest}; a server keeps the digest of each 128th transaction or so."""
    found = {}
    for line in ensemble.word(sid, "hash").splitlines():
        match = re.match(r"([0-9a-f]+): (-?\d+)$", line.strip())
        if match:
            found[int(match.group(1), 16)] = int(match.group(2))
    return found


def mismatches(ensemble, sid):
    """How many digests the server found to be wrong by its own account, with what its log says of them."""
    count = int(ensemble.mntr(sid).get("digest_mismatches_count", "0"))
    said = [line for line in ensemble.log_text(sid).splitlines() if "igest" in line and "INFO" not in line]
    return count, "%s counts %d digest mismatches\n%s" % (ensemble.name(sid), count, "\n".join(said[-20:]))


def unsettled_digests(log):
    """Of the log of a Java learner: the zxids, as (first, last), whose digests did not match while a snapshot settled.

    A leader writes the tree for a learner while transactions go on, and a Java learner takes the digest of that tree for
    the one of a zxid: it lists wrong digests, and says so, until the transactions behind the snapshot have made the tree
    whole and a digest matches. Only then does it say how far that went; where it never does, the tree is another one.
    """
    ranges, first, settles = [], None, False
    for line in log.splitlines():
        if "Getting a snapshot from leader" in line:
            settles = True
        elif "Learner received NEWLEADER" in line:
            settles = False
        match = re.search(r"Digests are not matching\. Value is Zxid\. (Last v|V)alue:(\d+)", line)
        if match and match.group(1) == "V":
            first = int(match.group(2)) if settles else None
            if settles:
                ranges.append((first, first))
        elif match and first is not None:
            ranges[-1] = (first, int(match.group(2)))
            first = None
    return ranges


def compare_digests(ensemble, sids=None):
    """Compares the digests of the zxids that several servers list; returns (differences, how many were compared).

    What a Java server lists and calls wrong itself is left out (unsettled_digests()).
    What a server counts as mismatches is a difference only where no server is Java's: Java's digest in a snapshot that
    it writes while transactions go on may belong to a tree a transaction older than the nodes, and whoever loads that
    snapshot counts one, though the trees are equal.
    """
    lines, count = [], 0
    known = {}
    sids = ensemble.running() if sids is None else sids
    ours = not any(ensemble.kind(sid).startswith("java") for sid in ensemble.sids())
    for sid in sids:
        unsettled = unsettled_digests(ensemble.log_text(sid)) if ensemble.kind(sid).startswith("java") else []
        for zxid, digest in digests(ensemble, sid).items():
            if any(first <= zxid <= last for first, last in unsettled):
                continue
            if zxid not in known:
                known[zxid] = (sid, digest)
                continue
            count += 1
            if known[zxid][1] != digest:
                lines.append("0x%x: %s has %x, %s has %x" % (zxid, ensemble.name(known[zxid][0]), known[zxid][1],
                                                             ensemble.name(sid), digest))
        counted, text = mismatches(ensemble, sid)
        if counted and ours:
            lines.append(text)
    return lines, count
