"""watch_model.py - who is told what, in the two ways that ZooKeeper 3.8.0 and 3.9.5 answer that question.

The differential test compares two servers directly and needs no model for that. Only where a 3.8.0 server stands on one
side do the watch events differ by design (ZOOKEEPER-4466, -4471, -4472, -4475, -4799); then this model says what each
release must send, so that exactly the known difference is excused and nothing beside it.
"""

STANDARD, PERSISTENT, RECURSIVE = 1, 2, 4
CREATED, DELETED, CHANGED, CHILDREN = 1, 2, 3, 4
CHILDREN_TYPE, DATA_TYPE, ANY_TYPE, PERSISTENT_TYPE, RECURSIVE_TYPE = 1, 2, 3, 4, 5

OK, NO_WATCHER, MARSHALLING = 0, -121, -5


def canonical(path):
    """A path as the server holds it: what is not UTF-8 was replaced when it was read."""
    return None if path is None else path.decode("utf-8", "replace").encode("utf-8")


def upwards(path):
    """The path and its parents, nearest first."""
    yield path
    while path != b"/":
        path = path[:path.rfind(b"/")] or b"/"
        yield path


class OldManager:
    """3.8.0: one mode for each pair of watcher and path, the last one set."""

    def __init__(self):
        self.table = {}     # path -> set of watchers
        self.paths = {}     # watcher -> set of paths
        self.modes = {}     # (watcher, path) -> mode, absent for STANDARD
        self.recursive = 0

    def _set_mode(self, watcher, path, mode):
        old = self.modes.pop((watcher, path), STANDARD)
        if mode != STANDARD:
            self.modes[watcher, path] = mode
        self.recursive += (mode == RECURSIVE) - (old == RECURSIVE)

    def add(self, watcher, path, mode=STANDARD):
        path = canonical(path)
        self.table.setdefault(path, set()).add(watcher)
        self._set_mode(watcher, path, mode)
        self.paths.setdefault(watcher, set()).add(path)

    def drop(self, watcher):
        for path in self.paths.pop(watcher, ()):
            watchers = self.table.get(path)
            if watchers is not None:
                watchers.discard(watcher)
                if not watchers:
                    del self.table[path]
            self._set_mode(watcher, path, STANDARD)

    def fire(self, path, event):
        told = set()
        for here in upwards(path) if self.recursive else (path,):
            watchers = self.table.get(here)
            if not watchers:
                continue
            for watcher in list(watchers):
                mode = self.modes.get((watcher, here), STANDARD)
                if mode == RECURSIVE:
                    if event != CHILDREN:
                        told.add(watcher)
                elif here is path:
                    told.add(watcher)
                    if mode == STANDARD:
                        watchers.discard(watcher)
                        self.paths.get(watcher, set()).discard(here)
            if not watchers:
                del self.table[here]
        return told

    def contains(self, watcher, path, kind):
        path = canonical(path)
        if path is None or (path and b"/" not in path):
            raise ValueError
        if path == b"":
            return False
        if path in self.table or self.modes.get((watcher, path)) == RECURSIVE:
            return True
        if self.recursive and not path.startswith(b"/"):
            raise ValueError    # the way up from there ends in an exception
        return False

    def remove(self, watcher, path, kind):
        path = canonical(path)
        paths = self.paths.get(watcher)
        if paths is None or path not in paths:
            return False
        paths.discard(path)
        watchers = self.table.get(path)
        if watchers is None or watcher not in watchers:
            return False
        watchers.discard(watcher)
        if not watchers:
            del self.table[path]
        self._set_mode(watcher, path, STANDARD)
        return True


class NewManager:
    """3.9.5: any set of modes for each pair of watcher and path."""

    def __init__(self):
        self.table = {}     # path -> {watcher: modes}

    def add(self, watcher, path, mode=STANDARD):
        path = canonical(path)
        modes = self.table.setdefault(path, {})
        modes[watcher] = modes.get(watcher, 0) | mode

    def drop(self, watcher):
        for path in [path for path, watchers in self.table.items() if watcher in watchers]:
            self._set(path, watcher, 0)

    def _set(self, path, watcher, modes):
        watchers = self.table[path]
        if modes:
            watchers[watcher] = modes
        else:
            del watchers[watcher]
            if not watchers:
                del self.table[path]

    def fire(self, path, event):
        told = set()
        for here in upwards(path):
            for watcher, modes in list(self.table.get(here, {}).items()):
                if here is path:
                    told.add(watcher)
                    self._set(here, watcher, modes & ~STANDARD)
                elif modes & RECURSIVE:
                    told.add(watcher)
        return told

    def contains(self, watcher, path, kind):
        path = canonical(path)
        modes = self.table.get(path, {}).get(watcher, 0)
        return bool(modes & kind) if kind else modes != 0

    def remove(self, watcher, path, kind):
        path = canonical(path)
        modes = self.table.get(path, {}).get(watcher, 0)
        rest = modes & ~kind if kind else 0
        if modes != rest:
            self._set(path, watcher, rest)
        return modes != rest


class Watches:
    """The data and child watches of one release; `readable(watcher, acl)` is asked at delivery where it checks."""

    def __init__(self, new, readable):
        self.new = new
        self.readable = readable
        manager = NewManager if new else OldManager
        self.data, self.child = manager(), manager()
        self.sent = []      # (watcher, event, path) since the last take()

    def take(self):
        sent, self.sent = self.sent, []
        return sent

    def _tell(self, told, event, path, acl):
        for watcher in told:
            if self.readable(watcher, acl):
                self.sent.append((watcher, event, path))

    def created(self, path, acl, parent, parent_acl):
        self._tell(self.data.fire(path, CREATED), CREATED, path, acl)
        self._tell(self.child.fire(parent, CHILDREN), CHILDREN, parent, parent_acl)

    def deleted(self, path, acl, parent, parent_acl):
        told = self.data.fire(path, DELETED)
        self._tell(told, DELETED, path, acl)
        self._tell(self.child.fire(path, DELETED) - told, DELETED, path, acl)
        self._tell(self.child.fire(parent, CHILDREN), CHILDREN, parent, parent_acl)

    def changed(self, path, acl):
        self._tell(self.data.fire(path, CHANGED), CHANGED, path, acl)

    def add(self, watcher, path, zoo_mode):
        if zoo_mode == 0:
            self.data.add(watcher, path, PERSISTENT)
            self.child.add(watcher, path, PERSISTENT)
        elif zoo_mode == 1:
            self.data.add(watcher, path, RECURSIVE)
            if not self.new:
                self.child.add(watcher, path, RECURSIVE)

    def drop(self, watcher):
        self.data.drop(watcher)
        self.child.drop(watcher)

    def check(self, watcher, path, kind):
        """The error of checkWatches."""
        data, child = self.data.contains, self.child.contains
        try:
            if kind == CHILDREN_TYPE:
                found = child(watcher, path, STANDARD)
            elif kind == DATA_TYPE:
                found = data(watcher, path, STANDARD)
            elif kind == ANY_TYPE:
                found = child(watcher, path, 0) | data(watcher, path, 0)
            elif kind == PERSISTENT_TYPE and self.new:
                found = data(watcher, path, PERSISTENT)
            elif kind == RECURSIVE_TYPE and self.new:
                found = data(watcher, path, RECURSIVE)
            else:
                return MARSHALLING
        except ValueError:
            return MARSHALLING
        return OK if found else NO_WATCHER

    def remove(self, watcher, path, kind):
        """Does removeWatches and returns its error."""
        data, child = self.data.remove, self.child.remove
        if kind == CHILDREN_TYPE:
            found = child(watcher, path, STANDARD)
        elif kind == DATA_TYPE:
            found = data(watcher, path, STANDARD)
        elif kind == ANY_TYPE:
            found = child(watcher, path, 0) | data(watcher, path, 0)
        elif kind == PERSISTENT_TYPE and self.new:
            found = child(watcher, path, PERSISTENT) | data(watcher, path, PERSISTENT)
        elif kind == RECURSIVE_TYPE and self.new:
            found = data(watcher, path, RECURSIVE)
        else:
            return MARSHALLING
        return OK if found else NO_WATCHER
