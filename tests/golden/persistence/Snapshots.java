/*
 * Snapshots.java - how the golden files beside it were made, with ZooKeeper 3.8.0.
 *
 * log.1 and snapshot.0 are what a standalone server with -Dzookeeper.preAllocSize=8, extendedTypesEnabled=true and
 * -Dznode.container.checkIntervalMs=1000 had on its disk when it was killed after make_log.py. The rest is made by:
 *
 *   java Snapshots save DIR snappy OUT    snapshot.20.snappy (or "gz", or "") of what DIR/version-2 holds, in OUT
 *   java Snapshots dump DIR               tree.txt
 */
import java.io.File;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;
import org.apache.zookeeper.server.DataTree;
import org.apache.zookeeper.server.persistence.FileTxnSnapLog;
import org.apache.zookeeper.server.persistence.SnapStream;

public class Snapshots {
    public static void main(String[] args) throws Exception {
        FileTxnSnapLog log = new FileTxnSnapLog(new File(args[1]), new File(args[1]));
        DataTree tree = new DataTree();
        ConcurrentHashMap<Long, Integer> sessions = new ConcurrentHashMap<>();
        long zxid = log.restore(tree, sessions, (header, record, digest) -> {});
        if (args[0].equals("dump")) {
            dump(tree, sessions, zxid);
        } else {
            SnapStream.setStreamMode(SnapStream.StreamMode.fromString(args[2]));
            new FileTxnSnapLog(new File(args[3]), new File(args[3])).save(tree, sessions, false);
        }
        log.close();
    }

    static void dump(DataTree tree, Map<Long, Integer> sessions, long zxid) throws Exception {
        System.out.println("zxid 0x" + Long.toHexString(zxid) + " digest " + Long.toUnsignedString(tree.getTreeDigest())
            + " nodes " + tree.getNodeCount() + " acls " + tree.aclCacheSize());
        for (Map.Entry<Long, Integer> session : new TreeMap<>(sessions).entrySet()) {
            System.out.println("session " + session.getKey() + " " + session.getValue());
        }
        List<String> lines = new ArrayList<>();
        collect(tree, "/", lines);
        Collections.sort(lines);
        lines.forEach(System.out::println);
    }

    static void collect(DataTree tree, String path, List<String> lines) throws Exception {
        Stat s = new Stat();
        StringBuilder data = new StringBuilder();
        byte[] bytes = tree.getData(path, s, null);
        for (int i = 0; bytes != null && i < bytes.length; i++) {
            data.append(String.format("%02x", bytes[i]));
        }
        StringBuilder acls = new StringBuilder();
        for (ACL acl : tree.getACL(path, new Stat())) {
            acls.append(acl.getPerms() + ":" + acl.getId().getScheme() + ":" + acl.getId().getId() + ",");
        }
        lines.add(path + " " + (bytes == null ? "null" : data) + " " + acls + " " + s.getCzxid() + " " + s.getMzxid()
            + " " + s.getCtime() + " " + s.getMtime() + " " + s.getVersion() + " " + s.getCversion() + " "
            + s.getAversion() + " " + s.getEphemeralOwner() + " " + s.getDataLength() + " " + s.getNumChildren() + " "
            + s.getPzxid());
        for (String child : tree.getChildren(path, new Stat(), null)) {
            collect(tree, path.equals("/") ? "/" + child : path + "/" + child, lines);
        }
    }
}
