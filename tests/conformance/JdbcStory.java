// The JDBC driver's story: one method a claim, each on a connection of its own. Prints "ok NAME" or "FAILED NAME: why" a line.
//
// Arguments: HOST PORT PASSWORD gateway|direct. With "direct" the claims about masks and refusals are left out.

import java.io.StringReader;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Objects;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

public final class JdbcStory {
    private static String host;
    private static String port;
    private static String password;

    private static Connection connect(String... options) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", "alice");
        properties.setProperty("password", password);
        properties.setProperty("sslmode", "disable");
        for (int i = 0; i < options.length; i += 2) {
            properties.setProperty(options[i], options[i + 1]);
        }
        return DriverManager.getConnection("jdbc:postgresql://" + host + ":" + port + "/featurestore", properties);
    }

    private static void same(Object want, Object got) {
        if (!Objects.equals(want, got)) {
            throw new AssertionError("wanted " + want + ", got " + got);
        }
    }

    private static void refused(SQLException error) {
        same("42501", error.getSQLState());
        if (!error.getMessage().contains("blocked by policy")) {
            throw new AssertionError(error.getMessage());
        }
    }

    private interface Work {
        void run() throws SQLException;
    }

    private static SQLException failing(Work work) {
        try {
            work.run();
        } catch (SQLException error) {
            return error;
        }
        throw new AssertionError("nothing was refused");
    }

    private static Object value(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getObject(1);
        }
    }

    static void logs_in_over_tls() throws Exception {
        try (Connection connection = connect("sslmode", "require")) {
            same(1, value(connection, "select 1"));
        }
    }

    static void prepared_statements_turn_binary_after_some_uses() throws Exception {
        for (String threshold : new String[] {"0", "1", "3", "-1"}) {
            try (Connection connection = connect("prepareThreshold", threshold);
                 PreparedStatement statement = connection.prepareStatement("select id, amount, ?::text from orders where id = ?")) {
                for (int i = 1; i <= 12; i++) {
                    statement.setString(1, "ä" + i);
                    statement.setInt(2, i);
                    try (ResultSet rows = statement.executeQuery()) {
                        same(true, rows.next());
                        same(i, rows.getInt(1));
                        same(0, new BigDecimal("1.5").multiply(new BigDecimal(i)).compareTo(rows.getBigDecimal(2)));
                        same("ä" + i, rows.getString(3));
                        same(false, rows.next());
                    }
                }
            }
        }
    }

    static void simple_query_mode_works() throws Exception {
        try (Connection connection = connect("preferQueryMode", "simple");
             PreparedStatement statement = connection.prepareStatement("select amount from orders where id = ?")) {
            statement.setInt(1, 2);
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                same("3.0", rows.getString(1));
            }
        }
    }

    static void several_results_of_one_text() throws Exception {
        try (Connection connection = connect(); Statement statement = connection.createStatement()) {
            same(true, statement.execute("select 1; select 2"));
            same(true, statement.getMoreResults());
            ResultSet rows = statement.getResultSet();
            rows.next();
            same(2, rows.getInt(1));
        }
    }

    static void batches() throws Exception {
        try (Connection connection = connect()) {
            connection.setAutoCommit(false);
            try (PreparedStatement statement = connection.prepareStatement("insert into scratch values (?, ?)")) {
                for (int i = 0; i < 1000; i++) {
                    statement.setInt(1, 30000 + i);
                    statement.setString(2, "n" + i);
                    statement.addBatch();
                }
                same(1000, Arrays.stream(statement.executeBatch()).sum());
            }
            same(1000L, value(connection, "select count(*) from scratch where id >= 30000"));
            connection.rollback();
        }
    }

    static void batches_rewritten_to_one_insert() throws Exception {
        try (Connection connection = connect("reWriteBatchedInserts", "true")) {
            connection.setAutoCommit(false);
            try (PreparedStatement statement = connection.prepareStatement("insert into scratch values (?, ?)")) {
                for (int i = 0; i < 500; i++) {
                    statement.setInt(1, 40000 + i);
                    statement.setString(2, "n" + i);
                    statement.addBatch();
                }
                statement.executeBatch();
            }
            same(500L, value(connection, "select count(*) from scratch where id >= 40000"));
            connection.rollback();
        }
    }

    static void portals_by_fetch_size() throws Exception {
        try (Connection connection = connect()) {
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(7);
                int seen = 0;
                try (ResultSet rows = statement.executeQuery("select generate_series(1, 1000)")) {
                    while (rows.next()) {
                        same(++seen, rows.getInt(1));
                    }
                }
                same(1000, seen);
            }
        }
    }

    static void copy_both_ways() throws Exception {
        try (Connection connection = connect()) {
            connection.setAutoCommit(false);
            var copy = connection.unwrap(PGConnection.class).getCopyAPI();
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 3000; i++) {
                text.append(50000 + i).append("\trow ").append(i).append('\n');
            }
            same(3000L, copy.copyIn("copy scratch from stdin", new StringReader(text.toString())));
            StringWriter out = new StringWriter();
            copy.copyOut("copy (select * from scratch where id >= 50000 order by id) to stdout", out);
            same(text.toString(), out.toString());
            connection.rollback();
        }
    }

    static void a_query_timeout_cancels() throws Exception {
        try (Connection connection = connect(); Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            long start = System.nanoTime();
            same("57014", failing(() -> statement.executeQuery("select pg_sleep(20)")).getSQLState());
            same(true, System.nanoTime() - start < 6_000_000_000L);
            same(1, value(connection, "select 1"));
        }
    }

    static void notifications() throws Exception {
        try (Connection listener = connect(); Connection speaker = connect(); Statement listen = listener.createStatement();
             Statement notify = speaker.createStatement()) {
            listen.execute("listen news");
            notify.execute("notify news, 'hello'");
            PGNotification[] heard = listener.unwrap(PGConnection.class).getNotifications(5000);
            same(1, heard.length);
            same("hello", heard[0].getParameter());
        }
    }

    static void the_catalogue_is_described() throws Exception {
        try (Connection connection = connect(); ResultSet columns = connection.getMetaData().getColumns(null, "public", "users", null)) {
            int count = 0;
            while (columns.next()) {
                count++;
            }
            same(7, count);
        }
    }

    static void gateway_masks_columns_in_text_and_binary() throws Exception {
        for (String transfer : new String[] {"true", "false"}) {
            try (Connection connection = connect("binaryTransfer", transfer, "prepareThreshold", "-1");
                 PreparedStatement statement = connection.prepareStatement(
                     "select id, email as mail, ssn, age, balance, born from users where id < ? order by id")) {
                for (int round = 0; round < 3; round++) {
                    statement.setInt(1, 10);
                    try (ResultSet rows = statement.executeQuery()) {
                        for (int id = 1; id <= 3; id++) {
                            rows.next();
                            same(id, rows.getInt(1));
                            same(id == 3 ? null : "[masked]", rows.getString(2));
                            same(id == 3 ? null : "[masked]", rows.getString("ssn"));
                            same(id == 1 ? 36 : id == 2 ? 41 : 0, rows.getInt(4));
                            BigDecimal balance = rows.getBigDecimal(5);
                            same(false, balance != null && balance.compareTo(new BigDecimal("10.5")) == 0);
                            same(false, "1815-12-10".equals(String.valueOf(rows.getDate(6))));
                        }
                    }
                }
            }
        }
    }

    static void gateway_masks_columns_behind_a_fetch_size() throws Exception {
        try (Connection connection = connect("prepareThreshold", "-1")) {
            connection.setAutoCommit(false);
            try (PreparedStatement statement = connection.prepareStatement("select ssn from users order by id")) {
                statement.setFetchSize(1);
                try (ResultSet rows = statement.executeQuery()) {
                    rows.next();
                    same("[masked]", rows.getString(1));
                    rows.next();
                    same("[masked]", rows.getString(1));
                    rows.next();
                    same(null, rows.getString(1));
                }
            }
        }
    }

    static void gateway_masks_copy() throws Exception {
        try (Connection connection = connect()) {
            StringWriter out = new StringWriter();
            connection.unwrap(PGConnection.class).getCopyAPI().copyOut("copy users(id, ssn) to stdout", out);
            same("1\t[masked]\n2\t[masked]\n3\t\\N\n", out.toString());
        }
    }

    static void gateway_refuses_and_the_connection_lives() throws Exception {
        for (String mode : new String[] {"simple", "extended", "extendedForPrepared", "extendedCacheEverything"}) {
            try (Connection connection = connect("preferQueryMode", mode, "prepareThreshold", "1")) {
                for (int round = 0; round < 7; round++) {
                    try (PreparedStatement statement = connection.prepareStatement("delete from orders where id = ?")) {
                        statement.setInt(1, 1);
                        refused(failing(statement::executeUpdate));
                    }
                    try (Statement statement = connection.createStatement()) {
                        refused(failing(() -> statement.execute("drop table orders")));
                    }
                    same(20L, value(connection, "select count(*) from orders"));
                }
            }
        }
    }

    static void gateway_refuses_in_a_transaction() throws Exception {
        try (Connection connection = connect(); Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("insert into scratch values (70, 'lost')");
            Savepoint savepoint = connection.setSavepoint();
            refused(failing(() -> statement.execute("truncate orders")));
            same("25P02", failing(() -> statement.execute("select 1")).getSQLState());
            connection.rollback(savepoint);
            same(1, value(connection, "select 1"));
            connection.rollback();
            same(0L, value(connection, "select count(*) from scratch where id = 70"));
        }
    }

    static void gateway_refuses_within_a_batch() throws Exception {
        try (Connection connection = connect()) {
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.addBatch("insert into scratch values (80, 'lost')");
                statement.addBatch("delete from orders where id = 1");
                statement.addBatch("insert into scratch values (81, 'lost')");
                SQLException error = failing(statement::executeBatch);
                same(true, error instanceof BatchUpdateException);
                same("42501", error.getSQLState());
            }
            connection.rollback();
            same(0L, value(connection, "select count(*) from scratch where id in (80, 81)"));
        }
    }

    public static void main(String[] arguments) throws Exception {
        host = arguments[0];
        port = arguments[1];
        password = arguments[2];
        boolean direct = arguments[3].equals("direct");
        int failures = 0;
        for (Method method : JdbcStory.class.getDeclaredMethods()) {
            String name = method.getName();
            boolean claim = name.contains("_") && method.getParameterCount() == 0 || name.equals("batches") || name.equals("notifications");
            if (!claim || direct && name.startsWith("gateway_")) {
                continue;
            }
            try {
                method.invoke(null);
                System.out.println("ok " + name);
            } catch (InvocationTargetException error) {
                failures++;
                System.out.println("FAILED " + name + ": " + error.getCause());
            }
        }
        System.exit(failures == 0 ? 0 : 1);
    }
}
