/*
 * MakeTree.java - drives Java's DataTree from a seed and writes down what it did, for tests/unit/server/tree.
 *
 * Run against the classes of ZooKeeper 3.9.5 (and their dependencies):
 *   javac -cp "$CP" -d out MakeTree.java
 *   java -cp "out:$CP" -Dfile.encoding=UTF-8 -Dzookeeper.extendedTypesEnabled=true \
 *       org.apache.zookeeper.server.MakeTree txns.bin tree.snapshot
 *
 * txns.bin is a row of steps, each an int and then, as jute writes it:
 *   1  transaction: its bytes; expected: err, has-stat and stat, tree digest, node count, data size, ephemerals, ACLs;
 *      of each of the watchers its events (count; type, path, zxid)
 *   2  watch: watcher, kind (1 data, 2 exists, 3 children, 4 persistent, 5 recursive), path; expected: err
 *   3  look: session; expected: paths of getEphemerals in order
 *   4  look: expected text of dumpEphemerals, and of dumpWatchesSummary; containers, TTLs
 *   5  remove a watch: watcher, WatcherType, path; expected: removed
 *   6  a snapshot is due: tree.snapshot holds it
 * tree.snapshot is what DataTree.serialize writes, followed by serializeZxidDigest.
 */
package org.apache.zookeeper.server;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.FileOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.apache.jute.BinaryOutputArchive;
import org.apache.jute.Record;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;
import org.apache.zookeeper.txn.*;

public class MakeTree {
    static final int WATCHERS = 3;
    static final String[] NAMES = {"a", "b", "c", "lock-0000000001", "lock-0000000002", "Aa", "BB", "\u00e9",
        "\u6f22\u5b57", "x y", "n10", "n11", "n12"};
    static final long[] SESSIONS = {0x1000000a1b20001L, 0x1000000a1b20002L, 0x2000000a1b20003L, 0x3ff0000a1b20004L};
    static final Random RANDOM = new Random(395);
    static final DataTree TREE = new DataTree();
    static final List<List<WatchedEvent>> EVENTS = new ArrayList<>();
    static final List<Watcher> WATCHER = new ArrayList<>();
    static final List<List<ACL>> ACLS = new ArrayList<>();
    static DataOutputStream out;
    static long zxid = 0x100000000L;
    static long time = 1700000000000L;

    static void text(String s) throws Exception {
        byte[] b = s.getBytes(StandardCharsets.UTF_8);
        out.writeInt(b.length);
        out.write(b);
    }

    static byte[] bytes(Record... records) throws Exception {
        ByteArrayOutputStream b = new ByteArrayOutputStream();
        BinaryOutputArchive a = BinaryOutputArchive.getArchive(b);
        for (Record r : records) {
            if (r != null) {
                r.serialize(a, "r");
            }
        }
        return b.toByteArray();
    }

    static String pickName() {
        return NAMES[RANDOM.nextInt(NAMES.length)];
    }

    /* An existing node, or "/". */
    static String pickNode() {
        String path = "";
        for (int depth = RANDOM.nextInt(4); depth > 0; depth--) {
            DataNode node = TREE.getNode(path);
            List<String> children = new ArrayList<>(node.getChildren());
            children.remove("zookeeper");
            Collections.sort(children);
            if (children.isEmpty()) {
                break;
            }
            path += "/" + children.get(RANDOM.nextInt(children.size()));
        }
        return path.isEmpty() ? "/" : path;
    }

    static String below(String parent) {
        return (parent.equals("/") ? "" : parent) + "/" + pickName();
    }

    static byte[] pickData() {
        int kind = RANDOM.nextInt(8);
        if (kind == 0) {
            return null;
        }
        byte[] b = new byte[kind == 1 ? 0 : RANDOM.nextInt(40)];
        RANDOM.nextBytes(b);
        return b;
    }

    static List<ACL> pickAcl() {
        return ACLS.get(RANDOM.nextInt(ACLS.size()));
    }

    static int nextCversion(String path) {
        String parent = path.substring(0, path.lastIndexOf('/'));
        DataNode node = TREE.getNode(parent);
        int kind = RANDOM.nextInt(10);
        if (node == null || kind == 0) {
            return -1;
        }
        return kind == 1 ? node.stat.getCversion() : node.stat.getCversion() + 1;
    }

    static TxnHeader header(int type, long session) {
        return new TxnHeader(session, RANDOM.nextInt(1000), zxid, time, type);
    }

    static void events() throws Exception {
        for (List<WatchedEvent> events : EVENTS) {
            out.writeInt(events.size());
            for (WatchedEvent e : events) {
                out.writeInt(e.getType().getIntValue());
                text(e.getPath());
                out.writeLong(e.getZxid());
            }
            events.clear();
        }
    }

    static void apply(TxnHeader header, Record txn) throws Exception {
        byte[] b = bytes(header, txn);
        DataTree.ProcessTxnResult rc = TREE.processTxn(header, txn, null);
        out.writeInt(1);
        out.writeInt(b.length);
        out.write(b);
        out.writeInt(rc.err);
        out.writeBoolean(rc.stat != null);
        if (rc.stat != null) {
            out.write(bytes(rc.stat));
        }
        out.writeLong(TREE.getTreeDigest());
        out.writeInt(TREE.getNodeCount());
        out.writeLong(TREE.cachedApproximateDataSize());
        out.writeInt(TREE.getEphemeralsCount());
        out.writeInt(TREE.aclCacheSize());
        events();
        zxid++;
        time += RANDOM.nextInt(1000);
    }

    /* A path with no node whose parent exists and is no ephemeral, or null. */
    static String pickFree() {
        for (int i = 0; i < 20; i++) {
            String parent = pickNode();
            String path = below(parent);
            long owner = TREE.getNode(parent).stat.getEphemeralOwner();
            if (TREE.getNode(path) == null && EphemeralType.get(owner) != EphemeralType.NORMAL) {
                return path;
            }
        }
        return null;
    }

    static String pickLeaf() {
        String path = pickNode();
        return path.equals("/") || !TREE.getNode(path).getChildren().isEmpty() ? below(path) + "-none" : path;
    }

    static Record create(int type, String path) {
        switch (type) {
        case OpCode.createTTL:
            return new CreateTTLTxn(path, pickData(), pickAcl(), nextCversion(path), 1 + RANDOM.nextInt(100000));
        case OpCode.createContainer:
            return new CreateContainerTxn(path, pickData(), pickAcl(), nextCversion(path));
        default:
            return new CreateTxn(path, pickData(), pickAcl(), RANDOM.nextInt(3) == 0, nextCversion(path));
        }
    }

    static void createStep(String path) throws Exception {
        int[] types = {OpCode.create, OpCode.create, OpCode.create2, OpCode.createTTL, OpCode.createContainer};
        int type = types[RANDOM.nextInt(types.length)];
        apply(header(type, SESSIONS[RANDOM.nextInt(SESSIONS.length)]), create(type, path));
    }

    static Txn part(int type, Record record) throws Exception {
        return new Txn(type, bytes(record));
    }

    static void multiStep() throws Exception {
        List<Txn> parts = new ArrayList<>();
        boolean fails = RANDOM.nextInt(4) == 0;
        for (int i = 1 + RANDOM.nextInt(4); i > 0; i--) {
            String free = pickFree();
            if (fails && RANDOM.nextInt(2) == 0) {
                parts.add(part(OpCode.error, new ErrorTxn(RANDOM.nextInt(2) == 0 ? 0 : -101)));
            } else if (free != null && RANDOM.nextBoolean() && parts.isEmpty()) {
                parts.add(part(OpCode.create2, create(OpCode.create2, free)));
            } else if (RANDOM.nextBoolean()) {
                parts.add(part(OpCode.check, new CheckVersionTxn(pickNode(), 1)));
            } else {
                parts.add(part(OpCode.setData, new SetDataTxn(pickNode(), pickData(), i)));
            }
        }
        apply(header(OpCode.multi, SESSIONS[0]), new MultiTxn(parts));
    }

    static void closeStep() throws Exception {
        long session = SESSIONS[RANDOM.nextInt(SESSIONS.length)];
        List<String> paths = new ArrayList<>(TREE.getEphemerals(session));
        if (!paths.isEmpty() && RANDOM.nextInt(3) == 0) {
            paths.remove(0);
        }
        apply(header(OpCode.closeSession, session), new CloseSessionTxn(paths));
    }

    static void watchStep() throws Exception {
        int watcher = RANDOM.nextInt(WATCHERS);
        int kind = 1 + RANDOM.nextInt(5);
        String path = RANDOM.nextInt(3) == 0 ? below(pickNode()) : pickNode();
        int err = 0;
        try {
            switch (kind) {
            case 1:
                TREE.getData(path, new Stat(), WATCHER.get(watcher));
                break;
            case 2:
                TREE.statNode(path, WATCHER.get(watcher));
                break;
            case 3:
                TREE.getChildren(path, new Stat(), WATCHER.get(watcher));
                break;
            default:
                TREE.addWatch(path, WATCHER.get(watcher), kind - 4);
                break;
            }
        } catch (KeeperException e) {
            err = e.code().intValue();
        }
        out.writeInt(2);
        out.writeInt(watcher);
        out.writeInt(kind);
        text(path);
        out.writeInt(err);
    }

    static void unwatchStep() throws Exception {
        int watcher = RANDOM.nextInt(WATCHERS);
        int type = 1 + RANDOM.nextInt(5);
        String path = pickNode();
        boolean removed = TREE.removeWatch(path, Watcher.WatcherType.fromInt(type), WATCHER.get(watcher));
        out.writeInt(5);
        out.writeInt(watcher);
        out.writeInt(type);
        text(path);
        out.writeBoolean(removed);
    }

    static void paths(Collection<String> paths) throws Exception {
        out.writeInt(paths.size());
        for (String path : paths) {
            text(path);
        }
    }

    static void lookStep() throws Exception {
        long session = SESSIONS[RANDOM.nextInt(SESSIONS.length)];
        out.writeInt(3);
        out.writeLong(session);
        paths(TREE.getEphemerals(session));
        StringWriter ephemerals = new StringWriter();
        StringWriter watches = new StringWriter();
        TREE.dumpEphemerals(new PrintWriter(ephemerals, true));
        TREE.dumpWatchesSummary(new PrintWriter(watches, true));
        out.writeInt(4);
        text(ephemerals.toString());
        text(watches.toString());
        paths(TREE.getContainers());
        paths(TREE.getTtls());
    }

    static void step() throws Exception {
        int kind = RANDOM.nextInt(100);
        String free = pickFree();
        if (kind < 38 && free != null) {
            createStep(free);
        } else if (kind < 41) {
            createStep("/none-" + pickName() + "/" + pickName());
        } else if (kind < 53) {
            apply(header(OpCode.delete, SESSIONS[0]), new DeleteTxn(pickLeaf()));
        } else if (kind < 66) {
            apply(header(OpCode.setData, SESSIONS[0]), new SetDataTxn(pickNode(), pickData(), RANDOM.nextInt(9)));
        } else if (kind < 72) {
            apply(header(OpCode.setACL, SESSIONS[0]), new SetACLTxn(pickNode(), pickAcl(), RANDOM.nextInt(9)));
        } else if (kind < 75) {
            multiStep();
        } else if (kind < 77) {
            closeStep();
        } else if (kind < 78) {
            apply(header(OpCode.error, SESSIONS[0]), new ErrorTxn(-110));
        } else if (kind < 96) {
            watchStep();
        } else if (kind < 98) {
            unwatchStep();
        } else {
            lookStep();
        }
    }

    static void plain(String path, String data) throws Exception {
        apply(header(OpCode.create, SESSIONS[0]),
              new CreateTxn(path, data.getBytes(StandardCharsets.UTF_8), ACLS.get(0), false, nextCversion(path)));
    }

    static void quota(String path) throws Exception {
        String at = "/zookeeper/quota";
        for (String name : path.substring(1).split("/")) {
            at += "/" + name;
            if (TREE.getNode(at) == null) {
                plain(at, "");
            }
        }
        plain(at + "/zookeeper_limits", "count=5,bytes=-1=;byteHardLimit=100");
        plain(at + "/zookeeper_stats", "count=0,bytes=0");
    }

    public static void main(String[] args) throws Exception {
        out = new DataOutputStream(new FileOutputStream(args[0]));
        for (int i = 0; i < WATCHERS; i++) {
            List<WatchedEvent> events = new ArrayList<>();
            EVENTS.add(events);
            WATCHER.add(events::add);
        }
        ACLS.add(ZooDefs.Ids.OPEN_ACL_UNSAFE);
        ACLS.add(ZooDefs.Ids.READ_ACL_UNSAFE);
        ACLS.add(Collections.singletonList(new ACL(ZooDefs.Perms.ALL, new Id("digest", "u:abcdef="))));
        List<ACL> two = new ArrayList<>();
        two.add(new ACL(ZooDefs.Perms.READ | ZooDefs.Perms.CREATE, new Id("ip", "10.0.0.0/8")));
        two.add(new ACL(ZooDefs.Perms.READ, new Id("world", "anyone")));
        ACLS.add(two);
        for (int i = 0; i < 300; i++) {
            step();
        }
        quota("/a");
        plain("/a-quota", "");
        quota("/a-quota");
        for (int i = 0; i < 400; i++) {
            step();
        }
        apply(header(OpCode.delete, SESSIONS[0]), new DeleteTxn("/zookeeper/quota/a/zookeeper_limits"));
        for (int i = 0; i < 20; i++) {
            plain("/a-quota/child-" + i, "0123456789");
        }
        lookStep();
        apply(header(OpCode.setData, SESSIONS[0]), new SetDataTxn("/", new byte[7], 1));
        out.writeInt(6);
        FileOutputStream snapshot = new FileOutputStream(args[1]);
        BinaryOutputArchive archive = BinaryOutputArchive.getArchive(snapshot);
        TREE.serialize(archive, "tree");
        TREE.serializeZxidDigest(archive);
        snapshot.close();
        for (int i = 0; i < 200; i++) {    /* creations of what is there, which Java counts twice in its ACL cache */
            step();
            String path = pickNode();
            DataNode parent = TREE.getNode(path.substring(0, Math.max(path.lastIndexOf('/'), 0)));
            if (!path.equals("/")) {
                CreateTxn txn = new CreateTxn(path, new byte[0], ACLS.get(0), false, parent.stat.getCversion() + i % 3);
                apply(header(OpCode.create, SESSIONS[0]), txn);
            }
        }
        out.close();
    }
}
