// What the JDBC driver's DatabaseMetaData and its relatives tell of a database: "== NAME" and then a line for each row.
//
// Arguments: HOST PORT USER PASSWORD. Two runs against the same database, on whatever road, print the same.

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import org.postgresql.PGConnection;

public final class JdbcMetadata {
    private static final String[] SCHEMAS = {null, "public", "stock", "Odd Schema", "pg_catalog", "information_schema"};
    private static final String[][] TABLES = {
        {"public", "customers"}, {"public", "products"}, {"public", "orders"}, {"public", "order_lines"}, {"public", "payments"},
        {"public", "contacts"}, {"public", "monthly"}, {"stock", "shelves"}, {"stock", "truck"}, {"Odd Schema", "Odd Table"}};

    private interface Question {
        ResultSet ask(DatabaseMetaData about) throws SQLException;
    }

    private interface Work {
        String told(Connection connection) throws Exception;
    }

    private static final Map<String, Question> QUESTIONS = new LinkedHashMap<>();
    private static final Map<String, Work> WORKS = new LinkedHashMap<>();

    static {
        QUESTIONS.put("catalogs", about -> about.getCatalogs());
        QUESTIONS.put("schemas", about -> about.getSchemas());
        QUESTIONS.put("schemas by pattern", about -> about.getSchemas(null, "st%"));
        QUESTIONS.put("table types", about -> about.getTableTypes());
        QUESTIONS.put("type info", about -> about.getTypeInfo());
        QUESTIONS.put("client info", about -> about.getClientInfoProperties());
        for (String schema : SCHEMAS) {
            QUESTIONS.put("tables " + schema, about -> about.getTables(null, schema, "%", null));
            QUESTIONS.put("columns " + schema, about -> about.getColumns(null, schema, "%", "%"));
            QUESTIONS.put("procedures " + schema, about -> about.getProcedures(null, schema, "%"));
            QUESTIONS.put("functions " + schema, about -> about.getFunctions(null, schema, "%"));
            QUESTIONS.put("procedure columns " + schema, about -> about.getProcedureColumns(null, schema, "l%", "%"));
            QUESTIONS.put("function columns " + schema, about -> about.getFunctionColumns(null, schema, "c%", "%"));
            QUESTIONS.put("types " + schema, about -> about.getUDTs(null, schema, "%", null));
            QUESTIONS.put("privileges " + schema, about -> about.getTablePrivileges(null, schema, "%"));
        }
        QUESTIONS.put("tables of a kind", about -> about.getTables("shop", "public", "c%", new String[] {"TABLE", "PARTITIONED TABLE"}));
        QUESTIONS.put("views, sequences, indexes", about -> about.getTables(
            null, null, "%", new String[] {"VIEW", "MATERIALIZED VIEW", "SEQUENCE", "INDEX", "FOREIGN TABLE", "TYPE", "SYSTEM VIEW"}));
        for (String[] table : TABLES) {
            String name = " " + table[0] + "." + table[1];
            QUESTIONS.put("primary keys" + name, about -> about.getPrimaryKeys(null, table[0], table[1]));
            QUESTIONS.put("imported keys" + name, about -> about.getImportedKeys(null, table[0], table[1]));
            QUESTIONS.put("exported keys" + name, about -> about.getExportedKeys(null, table[0], table[1]));
            QUESTIONS.put("indexes" + name, about -> about.getIndexInfo(null, table[0], table[1], false, true));
            QUESTIONS.put("unique indexes" + name, about -> about.getIndexInfo(null, table[0], table[1], true, false));
            QUESTIONS.put("best rows" + name, about -> about.getBestRowIdentifier(
                null, table[0], table[1], DatabaseMetaData.bestRowSession, true));
            QUESTIONS.put("version columns" + name, about -> about.getVersionColumns(null, table[0], table[1]));
            QUESTIONS.put("column privileges" + name, about -> about.getColumnPrivileges(null, table[0], table[1], "%"));
        }
        QUESTIONS.put("cross reference", about -> about.getCrossReference(null, "public", "customers", null, "public", "payments"));

        WORKS.put("words and limits", connection -> {
            DatabaseMetaData about = connection.getMetaData();
            return about.getSQLKeywords() + about.getMaxColumnNameLength() + about.getMaxConnections()
                + about.getDefaultTransactionIsolation() + about.getDatabaseProductName() + about.getDatabaseProductVersion()
                + about.getStringFunctions();
        });
        WORKS.put("of a result", connection -> {
            StringBuilder told = new StringBuilder();
            try (PreparedStatement statement = connection.prepareStatement(
                     "select c.*, o.note, count(*) over () as n, p.price from customers c, orders o, products p where c.id = ?")) {
                ResultSetMetaData about = statement.getMetaData();
                for (int i = 1; i <= about.getColumnCount(); i++) {
                    told.append(about.getColumnLabel(i)).append(' ').append(about.getTableName(i)).append(' ')
                        .append(about.getColumnTypeName(i)).append(' ').append(about.getSchemaName(i)).append(' ')
                        .append(about.isAutoIncrement(i)).append(about.isNullable(i))
                        .append(about.isSearchable(i)).append(about.getPrecision(i)).append(about.getColumnClassName(i)).append('\n');
                }
                ParameterMetaData given = statement.getParameterMetaData();
                told.append(given.getParameterCount()).append(given.getParameterTypeName(1));
            }
            return told.toString();
        });
        WORKS.put("values of every type", connection -> {
            StringBuilder told = new StringBuilder();
            try (Statement statement = connection.createStatement();
                 ResultSet rows = statement.executeQuery(
                     "select feels, lives_at, tags, born, p.sizes, p.code, p.attributes, p.picture, p.price, p.made_in, array[feels] as f "
                     + "from customers c join products p using (id) order by id")) {
                while (rows.next()) {
                    for (int i = 1; i <= 11; i++) {
                        Object value = rows.getObject(i);
                        told.append(value instanceof byte[] bytes ? Arrays.toString(bytes) : value).append('|');
                    }
                    told.append('\n');
                }
            }
            return told.toString();
        });
        WORKS.put("settings of a session", connection -> {
            connection.setSchema("stock");
            String told = connection.getSchema() + connection.getCatalog();
            connection.setClientInfo("ApplicationName", "a report");
            told += value(connection, "show application_name");
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            told += value(connection, "show transaction_isolation") + value(connection, "show transaction_read_only");
            connection.rollback();
            return told + connection.isValid(5) + connection.getNetworkTimeout() + connection.getTransactionIsolation();
        });
        WORKS.put("a pool that lends and takes back", connection -> {
            String told = "";
            for (int round = 0; round < 2; round++) {
                connection.setReadOnly(true);
                connection.setAutoCommit(false);
                told += value(connection, "select count(*) from products");
                connection.commit();
                connection.setAutoCommit(true);
                connection.setReadOnly(false);
                connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
                connection.clearWarnings();
                told += connection.isValid(2);
            }
            return told;
        });
        WORKS.put("savepoints", connection -> {
            connection.setAutoCommit(false);
            Savepoint savepoint = connection.setSavepoint("here");
            String told;
            try {
                told = value(connection, "select 1/0");
            } catch (SQLException error) {
                told = error.getSQLState();
            }
            connection.rollback(savepoint);
            told += value(connection, "select 7");
            connection.releaseSavepoint(connection.setSavepoint());
            connection.commit();
            return told;
        });
        WORKS.put("a scrolling result that could be updated", connection -> {
            try (Statement statement = connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
                 ResultSet rows = statement.executeQuery("select id, label from products order by id")) {
                rows.absolute(2);
                String told = rows.getString(2);
                rows.refreshRow();
                rows.last();
                return told + rows.getString(2) + rows.getRow();
            }
        });
        WORKS.put("a large object", connection -> {
            connection.setAutoCommit(false);
            try (var object = connection.unwrap(PGConnection.class).getLargeObjectAPI().open(4711L, 0x40000)) {
                return new String(object.read(5)) + object.size() + object.tell();
            }
        });
        WORKS.put("a function called", connection -> {
            try (var call = connection.prepareCall("{? = call upper(?)}")) {
                call.registerOutParameter(1, java.sql.Types.VARCHAR);
                call.setString(2, "abc");
                call.execute();
                return call.getString(1);
            }
        });
        WORKS.put("escapes", connection -> value(connection, "select {fn concat('a', {fn ucase('b')})}, {d '2024-01-01'}"));
    }

    private static String value(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1) + " ";
        }
    }

    private static void print(ResultSet rows) throws SQLException {
        try (rows) {
            int columns = rows.getMetaData().getColumnCount();
            while (rows.next()) {
                StringBuilder line = new StringBuilder();
                for (int i = 1; i <= columns; i++) {
                    line.append(rows.getString(i)).append('|');
                }
                System.out.println(line);
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        for (String threshold : new String[] {"5", "-1"}) {
            Properties properties = new Properties();
            properties.setProperty("user", arguments[2]);
            properties.setProperty("password", arguments[3]);
            properties.setProperty("sslmode", "disable");
            properties.setProperty("prepareThreshold", threshold);
            String mode = threshold.equals("5") ? "" : ", binary";
            String address = "jdbc:postgresql://" + arguments[0] + ":" + arguments[1] + "/shop";
            try (Connection connection = DriverManager.getConnection(address, properties)) {
                for (Map.Entry<String, Question> one : QUESTIONS.entrySet()) {
                    System.out.println("== " + one.getKey() + mode);
                    try {
                        print(one.getValue().ask(connection.getMetaData()));
                    } catch (SQLException error) {
                        System.out.println("ERROR " + error.getMessage());
                    }
                }
            }
            for (Map.Entry<String, Work> one : WORKS.entrySet()) {
                System.out.println("== " + one.getKey() + mode);
                try (Connection connection = DriverManager.getConnection(address, properties)) {
                    System.out.println(one.getValue().told(connection));
                } catch (SQLException error) {
                    System.out.println("ERROR " + error.getMessage());
                }
            }
        }
    }
}
