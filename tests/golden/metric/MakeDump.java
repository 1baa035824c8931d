/*
 * MakeDump.java - what Java's DefaultMetricsProvider dumps after known samples, for tests/unit/server/metric.
 *
 * Run against the classes of ZooKeeper 3.9.5:
 *   javac -cp "$CP" -d out MakeDump.java && java -cp "out:$CP" MakeDump > dump.txt
 */
import org.apache.zookeeper.server.ServerMetrics;

public class MakeDump {
    public static void main(String[] args) {
        ServerMetrics m = ServerMetrics.DEFAULT_METRICS_FOR_TESTS;
        m.SNAP_COUNT.add(3);
        m.BYTES_RECEIVED_COUNT.add(1L << 40);
        for (int i = 1; i <= 7; i++) {
            m.FSYNC_TIME.add(i * i);
            m.READ_LATENCY.add(i * 9);
            m.WRITE_PER_NAMESPACE.add("a" + i % 3, i);
        }
        for (int i = 0; i < 1000; i++) {
            m.UPDATE_LATENCY.add(i % 60);
        }
        m.PREP_PROCESS_TIME.add(-5);
        for (int i = 0; i < 40; i++) {
            m.QUOTA_EXCEEDED_ERROR_PER_NAMESPACE.add("name" + i, i);
            m.ACK_LATENCY.add(Integer.toString(i * 7), i);
        }
        m.getMetricsProvider().dump((name, value) -> System.out.println(name + "=" + value));
    }
}
