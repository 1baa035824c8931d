"""tree_model.py - what the differential test remembers of the tree, learned from the replies of the first server.

It is there to aim: live paths, versions, who owns what, so that most operations hit something. Where a 3.8.0 server
stands on one side it also says who may read a node and feeds the two watch models.
"""

import watch_model
from protocol import OP, READ

ROOT, PROC, QUOTA, CONFIG = b"/", b"/zookeeper", b"/zookeeper/quota", b"/zookeeper/config"
OPEN = ((31, b"world", b"anyone"),)
TTL_KIND, CONTAINER_KIND, PLAIN = "ttl", "container", None


class Node:
    __slots__ = ("acl", "owner", "children", "version", "aversion", "cversion", "mzxid", "pzxid")

    def __init__(self, acl, owner=PLAIN, zxid=0):
        self.acl = acl
        self.owner = owner      # PLAIN, TTL_KIND, CONTAINER_KIND or the number of the session
        self.children = set()
        self.version = self.aversion = self.cversion = 0
        self.mzxid = self.pzxid = zxid


def parent_of(path):
    return path[:path.rfind(b"/")] or ROOT


def ip_matches(expression, address=b"127.0.0.1"):
    """Whether an id of scheme ip, which Java accepted, covers our address."""
    parts = expression.split(b"/", 1)
    if b":" in parts[0]:
        return False
    try:
        bits = int(parts[1]) if len(parts) == 2 else 32
        pair = [int.from_bytes(bytes(int(part) for part in text.split(b".")), "big") for text in (parts[0], address)]
    except ValueError:
        return False
    return pair[0] >> (32 - bits) == pair[1] >> (32 - bits)


class Tree:
    def __init__(self, skip_acl=False, watches=False):
        self.nodes = {ROOT: Node(OPEN), PROC: Node(OPEN), QUOTA: Node(OPEN),
                      CONFIG: Node(((READ, b"world", b"anyone"),))}
        self.nodes[ROOT].children = {PROC}
        self.nodes[PROC].children = {QUOTA, CONFIG}
        self.live = [ROOT, PROC, QUOTA, CONFIG]     # the paths, to pick from
        self.place = {path: index for index, path in enumerate(self.live)}
        self.gone = []                              # some deleted paths
        self.skip_acl = skip_acl
        self.auths = {}                             # session number -> list of (scheme, id) of its connection
        self.zxid = 0
        self.old = self.new = None
        if watches:
            self.old = watch_model.Watches(False, self.may_read)
            self.new = watch_model.Watches(True, self.may_read)

    def allowed(self, acl, perm, session):
        if self.skip_acl or not acl:
            return True
        auths = self.auths.get(session, ())
        if any(scheme == b"super" for scheme, _ in auths):
            return True
        for perms, scheme, name in acl:
            if perms & perm:
                if scheme == b"world" and name == b"anyone":
                    return True
                if scheme == b"ip" and ip_matches(name):
                    return True
                if scheme == b"digest" and (scheme, name) in auths:
                    return True
        return False

    def may_read(self, session, acl):
        return self.allowed(acl, READ, session)

    def expand(self, acl, session):
        """The ACL as the server keeps it: auth becomes the ids of the connection."""
        kept = []
        for perms, (scheme, name) in acl:
            if scheme == b"auth":
                kept += [(perms, s, i) for s, i in self.auths.get(session, ()) if s == b"digest"]
            else:
                kept.append((perms, scheme, name))
        return tuple(kept)

    def node(self, path):
        """The node that a read of `path` finds; the empty path is another name of the root."""
        return self.nodes.get(ROOT if path == b"" else path)

    def create(self, path, acl, owner, zxid):
        parent_path = parent_of(path)
        parent = self.nodes.get(parent_path)
        if parent is None or path in self.nodes:
            return
        self.nodes[path] = Node(acl, owner, zxid)
        parent.children.add(path)
        parent.cversion += 1
        parent.pzxid = zxid
        self.place[path] = len(self.live)
        self.live.append(path)
        if self.old:
            for watches in (self.old, self.new):
                watches.created(path, acl, parent_path, parent.acl)

    def delete(self, path, zxid):
        node = self.nodes.pop(path, None)
        if node is None:
            return
        parent_path = parent_of(path)
        parent = self.nodes[parent_path]
        parent.children.discard(path)
        parent.pzxid = zxid
        index, last = self.place.pop(path), self.live.pop()
        if last != path:
            self.live[index] = last
            self.place[last] = index
        self.gone.append(path)
        if len(self.gone) > 64:
            del self.gone[:32]
        if self.old:
            for watches in (self.old, self.new):
                watches.deleted(path, node.acl, parent_path, parent.acl)

    def set_data(self, path, zxid):
        node = self.nodes.get(path)
        if node is None:
            return
        node.version += 1
        node.mzxid = zxid
        if self.old:
            for watches in (self.old, self.new):
                watches.changed(path, node.acl)

    def set_acl(self, path, acl):
        node = self.nodes.get(path)
        if node is not None:
            node.acl = acl
            node.aversion += 1

    def close_session(self, session, zxid):
        for path in [path for path, node in self.nodes.items() if node.owner == session]:
            self.delete(path, zxid)
        self.drop_connection(session)

    def drop_connection(self, session):
        """The connection of a session is gone, and with it its watches and what it authenticated as."""
        if self.old:
            self.old.drop(session)
            self.new.drop(session)
        self.auths[session] = [(b"ip", b"127.0.0.1")]

    def watch(self, session, path, child):
        """A one-shot watch is set; the empty path stays the empty path."""
        for watches in (self.old, self.new):
            (watches.child if child else watches.data).add(session, path)

    def set_watches(self, session, relative_zxid, lists):
        """setWatches and setWatches2, up to the first list that is null."""
        for index, paths in enumerate(lists):
            if paths is None:
                return
            for path in paths:
                if path is None:
                    return
                if index >= 3:
                    for watches in (self.old, self.new):
                        watches.add(session, path, index - 3)
                    continue
                node = self.node(path)
                if index == 1:
                    fires = node is not None
                else:
                    fires = node is None or (node.mzxid if index == 0 else node.pzxid) > relative_zxid
                if not fires:
                    self.watch(session, path, index == 2)


def owner_of(kind, flags, session):
    """Who owns a node that was created with this operation and these flags."""
    if kind == OP["createTTL"]:
        return TTL_KIND
    if kind == OP["createContainer"]:
        return CONTAINER_KIND
    return session if flags in (1, 3) else PLAIN
