#!/usr/bin/env python3
"""make_log.py HOST:PORT - one transaction of every kind, and some of them twice, for a server's log.

The second session is closed, the first is left open: kill the server when the script says so. Uses kazoo.
"""
import os
import struct
import sys
import time

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, NodeExistsError, NoNodeError
from kazoo.security import make_acl, make_digest_acl


def text(value):
    value = value.encode()
    return struct.pack('>i', len(value)) + value


def send(client, opcode, body):
    """A request that kazoo has no call for."""
    class Request:
        type = opcode
        serialize = staticmethod(lambda: bytearray(body))
        deserialize = staticmethod(lambda data, offset: bytes(data[offset:]))

    result = client.handler.async_result()
    client._call(Request(), result)
    return result.get(timeout=5)


def attempt(error, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error:
        return
    sys.exit('a call that should fail did not')


one, two = KazooClient(hosts=sys.argv[1]), KazooClient(hosts=sys.argv[1])
one.start()
two.start()
one.create('/a', b'one')
one.create('/a/b', b'two', include_data=True)
one.create('/a/seq-', b'', sequence=True)
one.create('/a/seq-', b'', sequence=True)
one.create('/eph', b'mine', ephemeral=True)
two.create('/eph2', b'yours', ephemeral=True)
two.create('/eph2-seq', b'yours', ephemeral=True, sequence=True)
one.set('/a', b'changed')
one.set('/a/b', b'x' * 300)
one.add_auth('digest', 'bob:secret')
one.create('/private', b's', acl=[make_digest_acl('bob', 'secret', all=True), make_acl('ip', '127.0.0.1', read=True)])
one.set_acls('/a/b', [make_digest_acl('bob', 'secret', all=True), make_acl('world', 'anyone', read=True)])
attempt(NodeExistsError, one.create, '/a', b'')
attempt(NoNodeError, one.delete, '/none')
multi = one.transaction()
multi.create('/m1', b'1')
multi.create('/m2', b'2')
multi.set_data('/a', b'by multi')
multi.check('/m1', 0)
multi.delete('/m2')
multi.commit()
multi = one.transaction()
multi.create('/m3', b'1')
multi.delete('/none')
multi.set_data('/a', b'never')
multi.commit()
one.create('/todelete', b'')
one.delete('/todelete')
one.ensure_path('/zookeeper/quota/a')
one.create('/zookeeper/quota/a/zookeeper_limits', b'count=100,bytes=10000')
one.create('/zookeeper/quota/a/zookeeper_stats', b'count=0,bytes=0')
one.create('/a/c', b'counted')
acl = struct.pack('>ii', 1, 31) + text('world') + text('anyone')
send(one, 19, text('/container') + struct.pack('>i', 1) + b'c' + acl + struct.pack('>i', 4))
send(one, 21, text('/ttl') + struct.pack('>i', 1) + b't' + acl + struct.pack('>iq', 5, 86400000))
send(one, 21, text('/ttl-') + struct.pack('>i', -1) + acl + struct.pack('>iq', 6, 86400000))
one.create('/container/x', b'')
one.delete('/container/x')
attempt(BadVersionError, one.set, '/a', b'', version=77)
while one.exists('/container'):
    time.sleep(0.1)
two.stop()
two.close()
one.create('/last', 'ünï€😀'.encode())
print('kill the server now', flush=True)
time.sleep(5)
os._exit(0)
