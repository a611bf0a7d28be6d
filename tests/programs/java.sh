# A program for the Java VM: threads, processes, files, garbage, a shutdown hook on SIGTERM.
set -e
cat >Main.java <<'T'
import java.nio.file.*;
import java.util.concurrent.*;
import java.util.*;

public class Main {
    static int run(String... words) throws Exception {
        return new ProcessBuilder(words).redirectErrorStream(true).start().waitFor();
    }
    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 0) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook ran")));
            System.out.println("ready");
            Thread.sleep(100000);
        }
        ExecutorService pool = Executors.newFixedThreadPool(16);
        List<Future<Integer>> all = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            final int n = i;
            all.add(pool.submit(() -> {
                Path file = Files.createTempFile("java", ".txt");
                Files.writeString(file, "x".repeat(n));
                int length = Files.readString(file).length();
                Files.delete(file);
                return length;
            }));
        }
        long sum = 0;
        for (Future<Integer> one : all) sum += one.get();
        pool.shutdown();
        System.out.println("sum " + sum);
        for (int i = 0; i < 10; i++) if (run("sh", "-c", "exit " + i) != i) System.out.println("wrong code");
        List<byte[]> garbage = new ArrayList<>();
        for (int i = 0; i < 2000; i++) { garbage.add(new byte[100000]); if (garbage.size() > 100) garbage.clear(); }
        Thread[] threads = new Thread[200];
        for (int i = 0; i < threads.length; i++) { threads[i] = new Thread(() -> Thread.yield()); threads[i].start(); }
        for (Thread thread : threads) thread.join();
        try { Object o = null; o.toString(); } catch (NullPointerException e) { System.out.println("null caught"); }
        System.exit(19);
    }
}
T
javac Main.java
set +e
java -Xmx128m Main; echo "ended $?"
java -Xmx128m Main wait >log & pid=$!
until grep -q ready log 2>/dev/null; do sleep 0.1; done
kill -TERM $pid; wait $pid; echo "after TERM $?"; cat log
