"""operations.py - the random operations of the differential test, each made from the seed and the tree as it stands.

A Generator hands out blocks: a list of operations for one session that may be sent in one go, since their order alone
decides the answers. What depends on the time between two requests (authentication, which Java does on the I/O thread;
creates whose flags contradict their opcode, which Java's prep sees otherwise than its tree does; setACL, which
prep forgets; hard quotas, which prep reads from the tree) ends its block.

Never sent, because it ends a Java server: createTTL with a flag that is no TTL and a negative ttl; statistics of a
quota that are no statistics; zookeeper_limits directly under /zookeeper/quota; and, to 3.8.0 only, a check outside a
multi that succeeds (ZOOKEEPER-2623).
"""

import base64
import hashlib

import jute
import protocol
from protocol import OP
from tree_model import CONFIG, PROC, QUOTA, ROOT

WORLD = (31, (b"world", b"anyone"))
SUPER_PASSWORD = b"super:secret"
DIGEST_USERS = (b"alice:wonder", b"bob:builder", b"carol:", b"dave", b"\xc3\xa4rger:pa\xc3\x9f:wort")

NAMES = [b"a", b"b", b"c", b"node", b"lock", b"queue", b"config", b"x" * 40, b"read-", b"n_", b"with space", b"UPPER",
         "\u00e4\u00f6\u00fc".encode(), "\u65e5\u672c".encode(), "\U0001f600".encode(), b"Aa", b"BB", b"AaAa", b"AaBB",
         b"BBAa", b"BBBB", b"...", b".hidden", b"a.b", b"%41", b"zookeeper", b"quota", b"-", b"0000000001", b"AaAaAa"]

BAD_PATHS = [None, b"", b"a", b"a/b", b"//", b"/a//b", b"/.", b"/..", b"/a/.", b"/a/..", b"/a/./b", b"/a/../b", b"/a/",
             b"/a/b/", b"/\0", b"/a\0b", b"/\x01", b"/\x1f", b"/a\x7f", "/\u0080".encode(), "/\u009f".encode(),
             "/\uf8ff".encode(), "/\ufff0".encode(), "/\uffff".encode(), b"/\xff\xfe", b"/\xc3\x28", b"/a\xed\xa0\x80",
             b"/\xf0\x9f\x98", b"/\xc0\x80", b"./a", b"/" + b"l" * 1500, b" /a", b"/zookeeper/", b"/zookeeper/quota/"]

BAD_ACLS = [None, (), ((31, (None, None)),), ((31, (b"", b"")),), ((31, (b"world", b"someone")),),
            ((31, (b"nonesuch", b"x")),), ((31, (b"digest", b"nocolon")),), ((31, (b"digest", b"a:b:c")),),
            ((31, (b"ip", b"300.1.1.1")),), ((31, (b"ip", b"1.2.3")),), ((31, (b"ip", b"1.2.3.4/33")),),
            ((31, (b"ip", b"1.2.3.4/-1")),), ((31, (b"ip", b"1.2.3.4/x")),), ((31, (b"ip", b"")),),
            ((31, (b"ip", b"localhost")),), ((31, (b"x509", b"CN=x")),), ((31, (b"sasl", b"joe")),),
            ((31, (b"super", b"")),), ((31, (b"world", b"anyone")), (31, (b"nonesuch", b"x")))]

V6_ACLS = [((31, (b"ip", b"::1")),), ((31, (b"ip", b"fe80::1/64")), WORLD),
           ((1, (b"ip", b"1:2:3:4:5:6:7:8/128")), WORLD),
           ((31, (b"ip", b"::1/129")),), ((31, (b"ip", b":::")),), ((31, (b"ip", b"1::2::3")),),
           ((31, (b"ip", b"12345::")),), ((31, (b"ip", b"g::1")),), ((31, (b"ip", b"::/0")),)]

CREATES = ("create", "create2", "createContainer", "createTTL")
# A request whose record cannot be read takes a zxid in 3.8.0 and none in 3.9.5 (ZOOKEEPER-4575).
READ_BEFORE_ZXID = frozenset(OP[name] for name in CREATES + ("delete", "setData", "setACL", "check", "deleteContainer"))
STAT_AT_END = frozenset(OP[name] for name in ("create2", "createContainer", "createTTL", "exists", "getData", "setData",
                                              "getACL", "setACL", "getChildren2", "check"))


def digest_id(user_and_password, algorithm="sha1"):
    """The id that scheme digest makes of user:password."""
    user = user_and_password.split(b":", 1)[0]
    return user + b":" + base64.b64encode(hashlib.new(algorithm, user_and_password).digest())


def shorten(value):
    """A printable form of nested arguments in which long bytes are cut."""
    if isinstance(value, (tuple, list)):
        return "(%s)" % ", ".join(shorten(item) for item in value)
    if isinstance(value, bytes) and len(value) > 200:
        return "%r... of %d bytes" % (value[:40], len(value))
    return repr(value)


class Operation:
    """One request: its opcode, its bytes, and the arguments that the model needs."""

    __slots__ = ("kind", "xid", "body", "args", "ends_block", "closes", "malformed", "raw")

    def __init__(self, kind, body, args=(), ends_block=False, closes=False, malformed=False, raw=None):
        self.kind = kind
        self.xid = 0
        self.body = body
        self.args = args
        self.ends_block = ends_block    # nothing may be sent behind it before its answer is here
        self.closes = closes            # the server may close the connection over it
        self.malformed = malformed
        self.raw = raw                  # bytes to send instead of a frame

    @property
    def name(self):
        return protocol.OP_NAME.get(self.kind, "opcode %d" % self.kind)

    def bytes(self, to_side=None):
        """What is sent; `to_side` makes a zxid in it one of the server it goes to."""
        if self.raw is not None:
            return self.raw
        body = self.body
        if to_side is not None and self.kind in (OP["setWatches"], OP["setWatches2"]) and not self.malformed:
            body = jute.LONG.pack(to_side(self.args[0])) + body[8:]
        return jute.INT.pack(len(body) + 8) + jute.INT.pack(self.xid) + jute.INT.pack(self.kind) + body

    def __str__(self):
        body = self.body if len(self.body) <= 160 else self.body[:160] + b"..."
        return "%s xid=%d %s%s%s" % (self.name, self.xid, shorten(self.args) if self.args else body,
                                     " malformed body=%r" % body if self.malformed else "",
                                     " raw=%r" % self.raw[:64] if self.raw is not None else "")


class Generator:
    """Makes blocks of operations. `mixed` holds back what a 3.8.0 server cannot answer as 3.9.5 does without the two
    trees growing apart; differences.md lists it."""

    def __init__(self, rng, tree, variant, mixed):
        self.rng = rng
        self.tree = tree
        self.variant = variant
        self.mixed = mixed
        self.alg = variant.digest_algorithm
        self.quotas = []
        self.quota_serial = 0
        makers = [(self.create, 20), (self.delete, 9), (self.set_data, 12), (self.exists, 7), (self.get_data, 7),
                  (self.get_children, 5), (self.get_children2, 6), (self.get_acl, 4), (self.set_acl, 4),
                  (self.sync, 1), (self.ping, 1), (self.multi, 6), (self.multi_read, 2), (self.add_watch, 4),
                  (self.check_watches, 1.5), (self.remove_watches, 1.5), (self.set_watches, 0.7),
                  (self.set_watches2, 0.7), (self.get_ephemerals, 0.8), (self.get_all_children_number, 1),
                  (self.who_am_i, 0.7), (self.reconfig, 0.4), (self.quota, 1.2), (self.check, 0.5),
                  (self.delete_container, 0.5), (self.malformed, 1.6), (self.auth, 0.6), (self.sasl, 0.2),
                  (self.unknown, 0.15), (self.bad_frame, 0.08), (self.create_session, 0.1)]
        if variant.max_buffer is not None:
            makers.append((self.edge_of_length, 0.5))
        self.makers = [maker for maker, _ in makers]
        self.weights = [weight for _, weight in makers]
        self.alone = {self.check, self.delete_container, self.auth, self.sasl, self.unknown, self.bad_frame,
                      self.create_session}
        self.postponed = None       # a maker whose operation stands alone, for the next block

    def block(self, session, size):
        """Up to `size` operations for `session`."""
        self.session = session
        if self.postponed is not None:
            maker, self.postponed = self.postponed, None
            return [maker()]
        block = []
        for maker in self.rng.choices(self.makers, self.weights, k=size):
            if maker in self.alone:
                if block:
                    self.postponed = maker
                    break
                return [maker()]
            operation = maker()
            if self.too_long(operation):    # refused, and the connection with it
                operation.closes = True
                if block:
                    self.postponed = lambda doomed=operation: doomed
                    break
                return [operation]
            block.append(operation)
            if operation.ends_block or (self.variant.enforce_quota and operation.kind in WRITES):
                break
        return block

    def too_long(self, operation):
        return self.variant.max_buffer is not None and len(operation.body) + 8 > self.variant.max_buffer

    # -- arguments --

    def live_path(self):
        live = self.tree.live
        if self.rng.random() < 0.3:
            return live[-1 - self.rng.randrange(min(len(live), 12))]
        return live[self.rng.randrange(len(live))]

    def child_of(self, parent):
        name = self.rng.choice(NAMES)
        if self.rng.random() < 0.3:
            name += b"%d" % self.rng.randrange(20)
        return (b"" if parent == ROOT else parent) + b"/" + name

    def path(self, bad=0.05):
        dice = self.rng.random()
        if dice < bad:
            return self.rng.choice(BAD_PATHS)
        if dice < 0.78:
            return self.live_path()
        if dice < 0.83 and self.tree.gone:
            return self.rng.choice(self.tree.gone)
        if dice < 0.86:
            return self.rng.choice((ROOT, PROC, QUOTA, CONFIG))
        if dice < 0.88 and self.quotas:
            return QUOTA + self.rng.choice(self.quotas) + \
                self.rng.choice((b"", b"/zookeeper_limits", b"/zookeeper_stats"))
        return self.child_of(self.live_path())

    def read_path(self):
        return b"" if self.rng.random() < 0.01 else self.path()

    def data(self):
        dice = self.rng.random()
        if dice < 0.06:
            return None
        if dice < 0.16:
            return b""
        if dice < 0.97:
            return self.rng.randbytes(self.rng.randrange(1, 24))
        return self.rng.randbytes(self.rng.randrange(24, 3000))

    def acl(self):
        dice = self.rng.random()
        if dice < 0.55:
            return (WORLD,)
        if dice < 0.66:
            return ((self.rng.randrange(0, 32), (b"world", b"anyone")),)
        if dice < 0.74:
            return ((31, (b"digest", digest_id(self.rng.choice(DIGEST_USERS[:3]), self.alg))),
                    (self.rng.choice((0, 1, 3, 31)), (b"world", b"anyone")))
        if dice < 0.79:
            return ((self.rng.choice((31, 1, 15, 64, -1)), (b"auth", self.rng.choice((b"", b"ignored")))),
                    (1, (b"world", b"anyone")))
        if dice < 0.82:
            return ((31, (b"auth", b"")),)
        if dice < 0.88:
            return ((31, (b"ip", self.rng.choice((b"127.0.0.1", b"127.0.0.0/8", b"10.0.0.0/8", b"0.0.0.0/0",
                                                  b"127.0.0.1/32")))), (1, (b"world", b"anyone")))
        if dice < 0.91:
            return (WORLD, WORLD, (1, (b"world", b"anyone")))
        if dice < 0.93 and not self.mixed:
            return self.rng.choice(V6_ACLS)
        if dice < 0.95 and self.mixed:
            return self.rng.choice(V6_ACLS[4:8])     # ids that no release takes
        return self.rng.choice(BAD_ACLS)

    def version(self, path, which="version"):
        node = self.tree.nodes.get(path)
        dice = self.rng.random()
        if dice < 0.55 or node is None:
            return -1 if dice < 0.45 else self.rng.choice((-1, 0, 1, -2, 2147483647, -2147483648))
        return getattr(node, which) + self.rng.choice((0, 0, 0, 0, 1, -1))

    def watch(self):
        return self.rng.random() < 0.5

    # -- writes --

    def create_arguments(self, in_multi=False):
        """(opcode name, path, data, acl, flags, ttl or None, odd): odd flags contradict the opcode."""
        rng = self.rng
        dice = rng.random()
        parent = self.live_path()
        if (len(parent) > 60 or parent.startswith(PROC)) and rng.random() < 0.9 or rng.random() < 0.1:
            parent = ROOT
        path = self.path() if dice < 0.12 else self.child_of(parent)
        if path is not None and path.startswith(QUOTA + b"/zookeeper_"):
            path = b"/a"
        dice = rng.random()
        data, acl = self.data(), self.acl()
        if dice < 0.62:
            name = rng.choice(("create", "create2"))
            flags = rng.choices((0, 1, 2, 3, 4, 5, 6, 7, -1, 99), (40, 14, 14, 10, 1.5, 0.7, 0.7, 0.5, 0.5, 0.3))[0]
            return name, path, data, acl, flags, None, flags in (4, 5, 6)
        if dice < 0.80:
            flags = 4 if in_multi and self.mixed else rng.choices((4, 0, 1, 2, 3, 5, 8), (60, 3, 1, 2, 1, 1, 1))[0]
            return "createContainer", path, data, acl, flags, None, flags != 4
        ttl = rng.choice((1, 1000, 60000, 0x7fffffff, 0xffffffffff, 0x00ffffffffff, 0x010000000000, 0, -1, -5, 1 << 62))
        flags = rng.choices((5, 6, 0, 1, 2, 3, 4, 9), (40, 30, 2, 2, 2, 2, 2, 1))[0]
        if flags not in (5, 6) and not in_multi:
            ttl = abs(ttl)      # a negative one ends a Java server
        return "createTTL", path, data, acl, flags, ttl, flags not in (5, 6)

    def create(self):
        name, path, data, acl, flags, ttl, odd = self.create_arguments()
        values = (path, data, acl, flags) + (() if ttl is None else (ttl,))
        return Operation(OP[name], jute.encode(protocol.REQUEST[name], *values), (path, data, acl, flags, ttl),
                         ends_block=odd)

    def delete(self):
        path = self.path()
        if self.rng.random() < 0.6:     # prefer leaves
            for _ in range(4):
                node = self.tree.nodes.get(path)
                if node is None or not node.children:
                    break
                path = self.live_path()
        version = self.version(path)
        return Operation(OP["delete"], jute.encode("DeleteRequest", path, version), (path, version))

    def set_data(self):
        path, data = self.path(), self.data()
        if path is not None and path.endswith(b"/zookeeper_stats"):
            data = b"count=%d,bytes=%d" % (self.rng.randrange(9), self.rng.randrange(99))
        version = self.version(path)
        return Operation(OP["setData"], jute.encode("SetDataRequest", path, data, version), (path, data, version))

    def edge_of_length(self):
        """A request that is as long as may be, or one byte longer or shorter."""
        path = self.live_path()
        if path.endswith(b"/zookeeper_stats"):
            path = b"/a"
        size = self.variant.max_buffer + self.rng.choice((-1, 0, 0, 1)) - 20 - len(path)
        data = self.rng.randbytes(max(0, size))
        return Operation(OP["setData"], jute.encode("SetDataRequest", path, data, -1), (path, data, -1))

    def set_acl(self):
        path, acl = self.path(), self.acl()
        if path in (ROOT, PROC, QUOTA) and self.rng.random() < 0.997:
            acl = (WORLD,)      # else a seed soon finds every door shut
        version = self.version(path, "aversion")
        return Operation(OP["setACL"], jute.encode("SetACLRequest", path, acl, version), (path, acl, version),
                         ends_block=True)       # prep goes by the old ACL until the new one is applied

    def quota(self):
        """Creates, changes or removes the nodes that make a quota."""
        rng = self.rng
        if not self.quotas or rng.random() < 0.3:
            path = self.live_path()
            if path in (ROOT,) or path.startswith(PROC):
                path = b"/a"
            if len(self.quotas) < 12:
                self.quotas.append(path)
        path = rng.choice(self.quotas)
        here = QUOTA
        for part in path[1:].split(b"/") + [rng.choice((b"zookeeper_limits", b"zookeeper_stats"))]:
            here += b"/" + part
            if here not in self.tree.nodes:
                break
        limits = rng.choice((b"count=%d,bytes=%d" % (rng.randrange(-1, 9), rng.randrange(-1, 90)),
                             b"count=%d,bytes=-1=;byteHardLimit=%d;countHardLimit=%d" %
                             (rng.randrange(9), rng.randrange(10, 300), rng.randrange(3, 15))))
        if here.endswith(b"/zookeeper_stats"):
            limits = b"count=%d,bytes=%d" % (rng.randrange(9), rng.randrange(99))
        if here not in self.tree.nodes:
            return Operation(OP["create"], jute.encode("CreateRequest", here, limits, (WORLD,), 0),
                             (here, limits, (WORLD,), 0, None))
        if rng.random() < 0.35:
            return Operation(OP["delete"], jute.encode("DeleteRequest", here, -1), (here, -1))
        return Operation(OP["setData"], jute.encode("SetDataRequest", here, limits, -1), (here, limits, -1))

    def check(self):
        """A check outside a multi: 3.9.5 refuses it and closes the connection."""
        path = self.path()
        version = self.version(path)
        if self.mixed:
            path, version = self.rng.choice(((b"/none/such", -1), (b"bad", 0), (ROOT, 12345), (b"/a//b", 1)))
        elif self.rng.random() < 0.3:
            version = -1
        if self.variant.old_pair:       # both are 3.8.0
            path, version = b"/none/such", -1
        return Operation(OP["check"], jute.encode("CheckVersionRequest", path, version), (path, version),
                         ends_block=True, closes=True)

    def delete_container(self):
        """Only the container collector sends this one, but nothing keeps a client from it."""
        path = self.path()
        if self.mixed:
            doomed = [p for p in (self.live_path() for _ in range(8))
                      if self.tree.nodes[p].children or isinstance(self.tree.nodes[p].owner, int)]
            path = self.rng.choice(doomed + [b"/none/such", b"nope", b"/zookeeper", b"/"])
        return Operation(OP["deleteContainer"], jute.encode("DeleteContainerRequest", path), (path,), ends_block=True)

    def multi(self):
        rng = self.rng
        operations, args, odd = [], [], False
        made = []
        for _ in range(rng.choices((0, 1, 2, 3, 4, 6, 12), (2, 12, 30, 30, 15, 8, 3))[0]):
            dice = rng.random()
            if dice < 0.42:
                name, path, data, acl, flags, ttl, strange = self.create_arguments(in_multi=True)
                if made and rng.random() < 0.3:
                    path = self.child_of(rng.choice(made))
                if name == "createTTL" and flags not in (5, 6):
                    strange = True
                if rng.random() < 0.7:      # most multis should pass
                    acl = (WORLD,)
                    if path in self.tree.nodes or path in BAD_PATHS:
                        path = self.child_of(self.live_path()) + b"%d" % rng.randrange(1000)
                values = (path, data, acl, flags) + (() if ttl is None else (ttl,))
                odd = odd or strange
                if path:
                    made.append(path)
                entry = (name, values)
            elif dice < 0.58:
                path = rng.choice(made) if made and rng.random() < 0.2 else self.path(0.02)
                entry = ("delete", (path, self.version(path)))
            elif dice < 0.80:
                path = rng.choice(made) if made and rng.random() < 0.2 else self.path(0.02)
                data = self.data()
                if path is not None and path.endswith(b"/zookeeper_stats"):
                    data = b"count=1,bytes=1"
                entry = ("setData", (path, data, self.version(path)))
            elif dice < 0.985:
                path = rng.choice(made) if made and rng.random() < 0.2 else self.path(0.02)
                entry = ("check", (path, self.version(path)))
            elif dice < 0.993:
                entry = ("getData", (self.path(), False))
            else:
                entry = (rng.choice((0, 3, 12, 14, 20, 99, -1)), None)
            name, values = entry
            if self.mixed and values is not None and values[0] is None:
                values = (b"",) + values[1:]    # a null path leaves a 3.8.0 server one zxid behind (ZOOKEEPER-4575)
            args.append((name, values))
            operations.append((name, b"" if values is None else jute.encode(protocol.REQUEST[name], *values)))
        body = protocol.encode_multi(operations)
        if rng.random() < 0.02:
            body += b"garbage"
        return Operation(OP["multi"], body, tuple(args), ends_block=odd)

    # -- reads and watches --

    def exists(self):
        path, watch = self.read_path(), self.watch()
        return Operation(OP["exists"], jute.encode("ExistsRequest", path, watch), (path, watch))

    def get_data(self):
        path, watch = self.read_path(), self.watch()
        return Operation(OP["getData"], jute.encode("GetDataRequest", path, watch), (path, watch))

    def get_children(self):
        path, watch = self.read_path(), self.watch()
        return Operation(OP["getChildren"], jute.encode("GetChildrenRequest", path, watch), (path, watch))

    def get_children2(self):
        path, watch = self.read_path(), self.watch()
        return Operation(OP["getChildren2"], jute.encode("GetChildren2Request", path, watch), (path, watch))

    def get_acl(self):
        path = self.read_path()
        return Operation(OP["getACL"], jute.encode("GetACLRequest", path), (path,))

    def sync(self):
        path = self.path(0.2)
        return Operation(OP["sync"], jute.encode("SyncRequest", path), (path,))

    def ping(self):
        return Operation(OP["ping"], b"")

    def who_am_i(self):
        return Operation(OP["whoAmI"], b"")

    def get_ephemerals(self):
        prefix = self.rng.choice((None, b"", b"/", b"  ", b" / ", self.live_path(), self.live_path()[:3], b"nope"))
        return Operation(OP["getEphemerals"], jute.encode("GetEphemeralsRequest", prefix), (prefix,))

    def get_all_children_number(self):
        path = self.read_path()
        return Operation(OP["getAllChildrenNumber"], jute.encode("GetAllChildrenNumberRequest", path), (path,))

    def multi_read(self):
        rng = self.rng
        args = []
        for _ in range(rng.randrange(0, 6)):
            name = rng.choice(("getData", "getChildren"))
            args.append((name, (self.read_path(), self.watch())))
        if rng.random() < 0.05:
            args.insert(rng.randrange(len(args) + 1), ("setData", (self.live_path(), b"", -1)))
        body = protocol.encode_multi([(name, jute.encode(protocol.REQUEST[name], *values)) for name, values in args])
        return Operation(OP["multiRead"], body, tuple(args))

    def watch_path(self):
        path = self.path()
        return b"" if path is None else path    # null: Java takes a watch on null and stumbles over it later

    def add_watch(self):
        path, mode = self.watch_path(), self.rng.choices((0, 1, 2, -1), (10, 10, 1, 1))[0]
        return Operation(OP["addWatch"], jute.encode("AddWatchRequest", path, mode), (path, mode))

    def check_watches(self):
        path, kind = self.path(), self.rng.choices((1, 2, 3, 4, 5, 0, 6), (5, 5, 5, 4, 4, 1, 1))[0]
        return Operation(OP["checkWatches"], jute.encode("CheckWatchesRequest", path, kind), (path, kind))

    def remove_watches(self):
        path, kind = self.path(), self.rng.choices((1, 2, 3, 4, 5, 0, 6), (5, 5, 5, 4, 4, 1, 1))[0]
        return Operation(OP["removeWatches"], jute.encode("RemoveWatchesRequest", path, kind), (path, kind))

    def relative_zxid(self):
        zxid = self.tree.zxid
        return self.rng.choice((0, -1, zxid, zxid, 1 << 40 if self.mixed else zxid + 5, self.rng.randrange(zxid + 1)))

    def watch_list(self):
        return [self.watch_path() for _ in range(self.rng.randrange(0, 4))]

    def set_watches(self):
        lists = [self.watch_list() for _ in range(3)]
        if self.rng.random() < 0.05:
            lists[self.rng.randrange(3)] = None
        relative = self.relative_zxid()
        return Operation(OP["setWatches"], jute.encode("SetWatches", relative, *lists), (relative, lists))

    def set_watches2(self):
        lists = [self.watch_list() for _ in range(5)]
        if self.rng.random() < 0.05:
            lists[self.rng.randrange(5)] = None
        relative = self.relative_zxid()
        return Operation(OP["setWatches2"], jute.encode("SetWatches2", relative, *lists), (relative, lists))

    # -- the rest --

    def reconfig(self):
        rng = self.rng
        members = [rng.choice((None, b"", b"server.1=127.0.0.1:1:2:participant;3", b"1")) for _ in range(3)]
        config = rng.choice((-1, 0, 5))
        return Operation(OP["reconfig"], jute.encode("ReconfigRequest", *members, config), tuple(members) + (config,))

    def auth(self):
        rng = self.rng
        dice = rng.random()
        if dice < 0.7:
            scheme, data = b"digest", rng.choice(DIGEST_USERS)
        elif dice < 0.8 and self.variant.super_digest:
            scheme, data = b"digest", SUPER_PASSWORD
        else:
            scheme, data = rng.choice(((b"ip", b""), (b"ip", None), (b"world", b"anyone"), (b"digest", None),
                                       (b"digest", b""), (b"nonesuch", b"x"), (b"", b""), (None, b"x"), (b"x509", b""),
                                       (b"sasl", b""), (b"auth", b""), (b"digest", b"\xff\xfe:x"), (b"super", b"")))
        return Operation(OP["auth"], jute.encode("AuthPacket", 0, scheme, data), (scheme, data), ends_block=True,
                         closes=True)

    def sasl(self):
        token = self.rng.choice((b"", b"token", None))
        return Operation(OP["sasl"], jute.encode("GetSASLRequest", token), (token,), ends_block=True, closes=True)

    def create_session(self):
        body = self.rng.choice((jute.INT.pack(500000), jute.INT.pack(500000) + b"tail", b"", b"\0\0"))
        return Operation(OP["createSession"], body, (body,), ends_block=True)

    def unknown(self):
        kind = self.rng.choice((0, 10, 23, 50, 99, 108, 500, -1, -2, 1 << 30, -(1 << 31)))
        return Operation(kind, self.rng.randbytes(self.rng.randrange(0, 20)), ends_block=True, closes=True)

    def malformed(self):
        """A good request with its body cut, lengthened or spoilt."""
        rng = self.rng
        alone = {"auth", "sasl", "check", "deleteContainer", "createSession"}
        name = rng.choice(sorted(protocol.REQUEST.keys() - alone) + ["multi", "multiRead"])
        if name in ("multi", "multiRead"):
            body = protocol.encode_multi([("create", jute.encode("CreateRequest", b"/cut", b"x", (), 0)),
                                          ("delete", jute.encode("DeleteRequest", b"/cut", -1))]
                                         if name == "multi" else
                                         [("getData", jute.encode("GetDataRequest", ROOT, False))] * 2)
        else:
            body = b"".join(self.plain_value(kind) for kind, _ in jute.RECORDS[protocol.REQUEST[name]])
        dice = rng.random()
        if dice < 0.5:
            body = body[:rng.randrange(len(body))]
        elif dice < 0.65:
            body += rng.randbytes(rng.randrange(1, 9))
        else:
            at = 8 if name in ("setWatches", "setWatches2") else 0      # the first length or count
            wrong = rng.choice((-2, -1, 0x7fffffff, -0x80000000, 1 << 24, 5))
            body = body[:at] + jute.INT.pack(wrong) + body[at + 4:]
        return Operation(OP[name], body, malformed=True)

    def plain_value(self, kind):
        """A field of a request that changes nothing that matters, should the server take it."""
        return {"ustring": jute.encode_buffer(b"/cut"), "buffer": jute.encode_buffer(b"data"),
                "int": jute.INT.pack(3 if self.rng.random() < 0.5 else 99), "long": jute.LONG.pack(1),
                "boolean": b"\0", "vector<ACL>": jute.encode_value("vector<ACL>", ((99, (b"nonesuch", b"")),)),
                "vector<ustring>": jute.encode_value("vector<ustring>", ())}[kind]

    def bad_frame(self):
        """What is no frame: the server closes the connection."""
        raw = self.rng.choice((jute.INT.pack(-1), jute.INT.pack(0), jute.INT.pack(0x7fffffff), jute.INT.pack(-1 << 31),
                               b"ruok", b"srvr\n", jute.INT.pack(0x10000000) + b"x", jute.INT.pack(4) + b"\0\0\0\1",
                               jute.INT.pack(7) + b"\0\0\0\1\0\0\0", jute.INT.pack(8) + b"\0\0\0\1\0\0\0\x64",
                               jute.INT.pack(12) + b"\0\0\0\1\0\0\0\x64\0\0\0\0",
                               jute.INT.pack(10) + b"\0\0\0\1\0\0\0\x66\0\0"))
        return Operation(-999, b"", ends_block=True, closes=True, raw=raw)


WRITES = frozenset(OP[name] for name in CREATES + ("delete", "setData", "setACL", "multi", "deleteContainer"))
