// The JDBC driver, run by clients.test.ts: `same URL` prints what it saw, `guard URL MASKED` checks refusals and masks.
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Properties;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;
import org.postgresql.jdbc.PreferQueryMode;
import org.postgresql.util.PGobject;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

public class JdbcClient {
  interface Act {
    void run() throws Exception;
  }

  public static void main(String[] words) throws Exception {
    // Some of what the driver asks on its own depends on the locale's time zone.
    java.util.TimeZone.setDefault(java.util.TimeZone.getTimeZone("UTC"));
    if (words[0].equals("same")) same(words[1]);
    else guard(words[1], words[2]);
  }

  static Connection open(String url, String... more) throws Exception {
    URI uri = new URI(url);
    String[] who = uri.getRawUserInfo().split(":");
    Properties properties = new Properties();
    properties.setProperty("user", who[0]);
    properties.setProperty("password", URLDecoder.decode(who[1], StandardCharsets.UTF_8));
    for (int at = 0; at < more.length; at += 2) properties.setProperty(more[at], more[at + 1]);
    String to = "jdbc:postgresql://" + uri.getHost() + ":" + uri.getPort() + uri.getRawPath();
    return DriverManager.getConnection(to, properties);
  }

  static void show(String what, Object value) {
    System.out.println(what + " " + value);
  }

  static SQLException fails(String what, Act act) throws Exception {
    try {
      act.run();
    } catch (SQLException error) {
      ServerErrorMessage said = error instanceof PSQLException ? ((PSQLException) error).getServerErrorMessage() : null;
      String from = said == null ? "" : said.getSeverity() + "|" + said.getMessage() + "|" + said.getDetail() + "|" + said.getHint()
          + "|" + said.getPosition() + "|" + said.getTable() + "|" + said.getConstraint();
      show(what, error.getClass().getSimpleName() + " " + error.getSQLState() + " " + from);
      return error;
    }
    throw new AssertionError("no error: " + what);
  }

  static String rows(ResultSet result) throws Exception {
    ResultSetMetaData about = result.getMetaData();
    StringBuilder text = new StringBuilder();
    for (int at = 1; at <= about.getColumnCount(); at++) {
      text.append(about.getColumnName(at)).append(':').append(about.getColumnTypeName(at)).append(' ');
    }
    while (result.next()) {
      text.append('[');
      for (int at = 1; at <= about.getColumnCount(); at++) text.append(result.getString(at)).append('|');
      text.append(']');
    }
    result.close();
    return text.toString();
  }

  static String ask(Connection db, String text, Object... values) throws Exception {
    try (PreparedStatement statement = db.prepareStatement(text)) {
      for (int at = 0; at < values.length; at++) statement.setObject(at + 1, values[at]);
      return rows(statement.executeQuery());
    }
  }

  static void same(String url) throws Exception {
    for (String mode : new String[] {"simple", "extended", "extendedForPrepared", "extendedCacheEverything"}) {
      try (Connection db = open(url, "preferQueryMode", mode)) {
        show("#", mode);
        types(db);
      }
    }
    // Prepared on the server, and in binary, from the first time on.
    try (Connection db = open(url, "prepareThreshold", "-1")) {
      show("#", "binary");
      types(db);
    }
    try (Connection db = open(url, "prepareThreshold", "2", "preparedStatementCacheQueries", "16")) {
      statements(db);
      transactions(db);
      batches(db);
      copies(db);
      limits(db);
      errors(db);
    }
    try (Connection db = open(url)) {
      introspection(db);
      notifications(db, url);
    }
    try (Connection db = open(url, "reWriteBatchedInserts", "true", "autosave", "always", "ApplicationName", "job=jdbc")) {
      show("#", "rewritten");
      batches(db);
      autosave(db);
    }
  }

  static void types(Connection db) throws Exception {
    String[][] values = {
      {"int2", "-7"}, {"int8", "-9223372036854775808"}, {"float8", "1e300"}, {"numeric", "123456789012345678901234567890.000123"},
      {"bool", "t"}, {"text", "it's é"}, {"varchar(3)", "abc"}, {"date", "2024-02-29"}, {"time", "23:59:59.999999"}, {"timetz", "12:00:00+02"},
      {"timestamp", "1999-12-31 23:59:59.000001"}, {"timestamptz", "2024-06-01 12:00:00+00"}, {"interval", "3 days 00:00:07"},
      {"uuid", "12345678-1234-5678-1234-567812345678"}, {"json", "{\"a\": [1, null]}"}, {"jsonb", "{\"a\": 1}"}, {"inet", "10.1.2.3"},
      {"int4[]", "{1,NULL,3}"}, {"text[]", "{\"a,b\",NULL,\"{}\"}"}, {"int4[]", "{{1,2},{3,4}}"}, {"numeric[]", "{NaN,-0.01}"}, {"mood", "good"},
      {"point", "(1,2)"}, {"int4range", "[1,5)"}, {"varbit", "1011"}, {"oid", "4294967295"}, {"money", "$12.50"},
    };
    for (String[] one : values) {
      PGobject value = new PGobject();
      value.setType(one[0].replaceAll("\\(.*", ""));
      value.setValue(one[1]);
      for (int again = 0; again < 2; again++) show(one[0], ask(db, "SELECT ?::" + one[0] + " AS v", value));
    }
    // The driver cannot write some of these into a text.
    if (db.unwrap(PGConnection.class).getPreferQueryMode() == PreferQueryMode.SIMPLE) return;
    try (PreparedStatement statement = db.prepareStatement("SELECT ?::int, ?::bigint, ?::numeric, ?::text, ?::bytea, ?::date, ?::timestamp, ?::timestamptz, ?::uuid, ?::boolean, ?::float8, ?::int[], ?::text")) {
      for (int again = 0; again < 2; again++) {
        statement.setInt(1, 7);
        statement.setLong(2, Long.MIN_VALUE);
        statement.setBigDecimal(3, new BigDecimal("1.50"));
        statement.setString(4, "é");
        statement.setBytes(5, new byte[] {0, -1, 16});
        statement.setObject(6, LocalDate.of(2024, 2, 29));
        statement.setObject(7, LocalDateTime.of(1999, 12, 31, 23, 59));
        statement.setObject(8, OffsetDateTime.of(2024, 6, 1, 12, 0, 0, 5000, ZoneOffset.UTC));
        statement.setObject(9, UUID.fromString("12345678-1234-5678-1234-567812345678"));
        statement.setBoolean(10, true);
        statement.setDouble(11, 1.25);
        statement.setArray(12, db.createArrayOf("int4", new Integer[] {1, null, 3}));
        statement.setNull(13, Types.VARCHAR);
        try (ResultSet result = statement.executeQuery()) {
          result.next();
          Array array = result.getArray(12);
          show("read", result.getInt(1) + " " + result.getLong(2) + " " + result.getBigDecimal(3) + " " + result.getString(4) + " "
              + Arrays.toString(result.getBytes(5)) + " " + result.getObject(6, LocalDate.class) + " " + result.getTimestamp(7) + " "
              + result.getObject(8, OffsetDateTime.class) + " " + result.getObject(9) + " " + result.getBoolean(10) + " " + result.getDouble(11) + " "
              + Arrays.toString((Object[]) array.getArray()) + " " + result.getString(13));
        }
      }
    }
    show("row", ask(db, "SELECT id, name, email, born, score, tags FROM customers WHERE id = ?", 3));
  }

  static void statements(Connection db) throws Exception {
    show("#", "statements");
    // More than the driver keeps: it closes statements on the server.
    for (int round = 0; round < 4; round++) {
      for (int n = 0; n < 40; n++) {
        String row = ask(db, "SELECT " + n + " + ?::int AS n", round);
        if (!row.endsWith("[" + (n + round) + "|]")) throw new AssertionError(row);
      }
    }
    try (PreparedStatement statement = db.prepareStatement("SELECT id, name FROM customers WHERE id = ?")) {
      show("parameters", statement.getParameterMetaData().getParameterTypeName(1));
      show("columns", statement.getMetaData().getColumnCount() + statement.getMetaData().getTableName(2));
      for (int n = 1; n < 10; n++) {
        statement.setInt(1, n);
        show("name", rows(statement.executeQuery()));
      }
    }
    try (Statement statement = db.createStatement()) {
      boolean first = statement.execute("SELECT 1 AS a; UPDATE customers SET score = score WHERE id < 1 AND id = 2; SELECT 2 AS b");
      show("first", first + rows(statement.getResultSet()));
      show("second", statement.getMoreResults() + " " + statement.getUpdateCount());
      show("third", statement.getMoreResults() + rows(statement.getResultSet()));
      statement.execute("CREATE TEMP TABLE changing (a int)");
      show("before", ask(db, "SELECT * FROM changing"));
      show("before", ask(db, "SELECT * FROM changing"));
      show("before", ask(db, "SELECT * FROM changing"));
      statement.execute("ALTER TABLE changing ADD COLUMN b text");
      show("after", ask(db, "SELECT * FROM changing"));
      statement.execute("DROP TABLE changing");
      statement.setMaxRows(3);
      show("most", rows(statement.executeQuery("SELECT id FROM customers ORDER BY id")));
    }
    db.setAutoCommit(false);
    try (Statement statement = db.createStatement()) {
      statement.setFetchSize(37);
      ResultSet walk = statement.executeQuery("SELECT id FROM customers ORDER BY id");
      int count = 0;
      long sum = 0;
      while (walk.next()) {
        count++;
        sum += walk.getInt(1);
        // Another statement between two parts of a portal.
        if (count == 100) show("between", ask(db, "SELECT count(*) FROM orders WHERE customer_id = ?", 5));
      }
      show("walked", count + " " + sum);
    }
    try (Statement statement = db.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)) {
      ResultSet result = statement.executeQuery("SELECT id, name FROM customers WHERE id IN (21, 22) ORDER BY id");
      result.last();
      result.updateString("name", "Updated");
      result.updateRow();
      result.beforeFirst();
      result.next();
      show("scrolled", result.getString(2));
    }
    show("updated", ask(db, "SELECT name FROM customers WHERE id = 22"));
    db.rollback();
    db.setAutoCommit(true);
    try (PreparedStatement statement = db.prepareStatement("INSERT INTO customers (id, name) VALUES (?, ?)", new String[] {"id", "name"})) {
      statement.setInt(1, 7301);
      statement.setString(2, "keys");
      statement.executeUpdate();
      show("keys", rows(statement.getGeneratedKeys()));
    }
    show("deleted", db.createStatement().executeUpdate("DELETE FROM customers WHERE id = 7301"));
  }

  static void transactions(Connection db) throws Exception {
    show("#", "transactions");
    String insert = "INSERT INTO customers (id, name) VALUES (7302, 'x')";
    String count = "SELECT count(*) FROM customers WHERE id = 7302";
    db.setAutoCommit(false);
    db.createStatement().executeUpdate(insert);
    Savepoint point = db.setSavepoint("here");
    fails("twice", () -> db.createStatement().executeUpdate(insert));
    fails("aborted", () -> ask(db, "SELECT 1"));
    db.rollback(point);
    show("still", ask(db, count));
    db.releaseSavepoint(point);
    db.rollback();
    show("gone", ask(db, count));
    db.commit();
    for (int level : new int[] {Connection.TRANSACTION_SERIALIZABLE, Connection.TRANSACTION_REPEATABLE_READ, Connection.TRANSACTION_READ_COMMITTED}) {
      db.setTransactionIsolation(level);
      show("isolation", db.getTransactionIsolation() + ask(db, "SHOW transaction_isolation"));
      db.commit();
    }
    db.setReadOnly(true);
    fails("read only", () -> db.createStatement().executeUpdate(insert));
    db.rollback();
    db.setReadOnly(false);
    db.setAutoCommit(true);
  }

  static void batches(Connection db) throws Exception {
    show("#", "batches");
    db.createStatement().execute("CREATE TEMP TABLE many (a int PRIMARY KEY, b text)");
    try (PreparedStatement statement = db.prepareStatement("INSERT INTO many VALUES (?, ?)")) {
      for (int n = 0; n < 3000; n++) {
        statement.setInt(1, n);
        statement.setString(2, "row " + n);
        statement.addBatch();
      }
      show("done", statement.executeBatch().length);
    }
    show("many", ask(db, "SELECT count(*), sum(a) FROM many"));
    try (PreparedStatement statement = db.prepareStatement("INSERT INTO many VALUES (?, 'x')")) {
      for (int n : new int[] {5000, 5001, 7, 5002}) {
        statement.setInt(1, n);
        statement.addBatch();
      }
      BatchUpdateException error = (BatchUpdateException) fails("twice", statement::executeBatch);
      show("counts", Arrays.toString(error.getUpdateCounts()) + error.getNextException().getSQLState());
    }
    show("many", ask(db, "SELECT count(*), sum(a) FROM many"));
    try (Statement statement = db.createStatement()) {
      for (int n = 0; n < 300; n++) statement.addBatch("UPDATE many SET b = 'u" + n + "' WHERE a = " + n);
      show("updates", Arrays.stream(statement.executeBatch()).sum());
    }
    try (PreparedStatement statement = db.prepareStatement("INSERT INTO many VALUES (?, 'k')", Statement.RETURN_GENERATED_KEYS)) {
      for (int n = 6000; n < 6005; n++) {
        statement.setInt(1, n);
        statement.addBatch();
      }
      statement.executeBatch();
      show("keys", rows(statement.getGeneratedKeys()));
    }
    db.createStatement().execute("DROP TABLE many");
  }

  static void copies(Connection db) throws Exception {
    show("#", "copies");
    db.createStatement().execute("CREATE TEMP TABLE copied (a int, b text)");
    CopyManager copy = db.unwrap(PGConnection.class).getCopyAPI();
    StringBuilder text = new StringBuilder();
    for (int n = 0; n < 20000; n++) text.append(n).append("\tétext ").append(n).append('\n');
    show("in", copy.copyIn("COPY copied FROM STDIN", new StringReader(text.toString())));
    StringWriter out = new StringWriter();
    show("out", copy.copyOut("COPY (SELECT * FROM copied ORDER BY a) TO STDOUT (FORMAT csv, HEADER)", out));
    show("text", out.toString().length() + " " + out.toString().substring(0, 60).replace('\n', '/'));
    fails("bad", () -> copy.copyIn("COPY copied FROM STDIN", new StringReader("x\ty\n")));
    var half = copy.copyIn("COPY copied FROM STDIN");
    byte[] row = "1\tx\n".getBytes(StandardCharsets.UTF_8);
    half.writeToCopy(row, 0, row.length);
    half.cancelCopy();
    show("after", ask(db, "SELECT count(*) FROM copied"));
    db.createStatement().execute("DROP TABLE copied");
  }

  static void limits(Connection db) throws Exception {
    show("#", "limits");
    try (Statement statement = db.createStatement()) {
      statement.setQueryTimeout(1);
      fails("timeout", () -> statement.executeQuery("SELECT pg_sleep(20)"));
    }
    // PostgreSQL signals twice for one cancel; the second may come late on a busy machine.
    Thread.sleep(300);
    try (Statement statement = db.createStatement()) {
      Thread canceller = new Thread(() -> {
        try {
          Thread.sleep(400);
          statement.cancel();
        } catch (Exception error) {
          throw new RuntimeException(error);
        }
      });
      canceller.start();
      fails("cancelled", () -> statement.executeQuery("SELECT pg_sleep(20)"));
      canceller.join();
      Thread.sleep(300);
    }
    db.createStatement().execute("SET statement_timeout = '200ms'");
    fails("its own", () -> ask(db, "SELECT pg_sleep(?)", 20));
    db.createStatement().execute("RESET statement_timeout");
    show("valid", db.isValid(5));
    db.setNetworkTimeout(Runnable::run, 30000);
    show("after", ask(db, "SELECT 1"));
  }

  static void errors(Connection db) throws Exception {
    show("#", "errors");
    fails("column", () -> ask(db, "SELECT naem FROM customers"));
    fails("table", () -> ask(db, "SELECT * FROM nowhere WHERE id = ?", 1));
    fails("unique", () -> db.createStatement().executeUpdate("INSERT INTO customers (id, name) VALUES (1, 'x')"));
    fails("foreign", () -> db.createStatement().executeUpdate("INSERT INTO orders (customer_id) VALUES (0)"));
    fails("value", () -> ask(db, "SELECT ?::int", "x"));
    fails("zero", () -> ask(db, "SELECT 1 / ?", 0));
    SQLException syntax = null;
    try {
      ask(db, "SELECT FROM WHERE x");
    } catch (SQLException error) {
      syntax = error;
    }
    show("syntax", syntax.getSQLState() + " " + ((PSQLException) syntax).getServerErrorMessage().getMessage());
    try (Statement statement = db.createStatement()) {
      statement.execute("ROLLBACK");
      statement.execute("DROP TABLE IF EXISTS pg_temp.nothing");
      show("warning", statement.getWarnings());
    }
  }

  static void introspection(Connection db) throws Exception {
    show("#", "introspection");
    DatabaseMetaData about = db.getMetaData();
    show("product", about.getDatabaseProductName() + about.getDatabaseProductVersion());
    show("most", about.getMaxColumnNameLength() + " " + about.getMaxColumnsInIndex());
    show("catalogs", rows(about.getCatalogs()));
    show("schemas", rows(about.getSchemas()));
    show("tables", rows(about.getTables(null, "public", "%", null)));
    show("types", rows(about.getTableTypes()));
    for (String table : new String[] {"customers", "orders", "order_totals"}) {
      show("columns", rows(about.getColumns(null, "public", table, "%")));
      show("keys", rows(about.getPrimaryKeys(null, "public", table)));
      show("imported", rows(about.getImportedKeys(null, "public", table)));
      show("exported", rows(about.getExportedKeys(null, "public", table)));
      show("indexes", rows(about.getIndexInfo(null, "public", table, false, true)));
      show("best", rows(about.getBestRowIdentifier(null, "public", table, DatabaseMetaData.bestRowSession, true)));
      show("version", rows(about.getVersionColumns(null, "public", table)));
      show("privileges", rows(about.getTablePrivileges(null, "public", table)));
      show("column privileges", rows(about.getColumnPrivileges(null, "public", table, "%")));
    }
    show("cross", rows(about.getCrossReference(null, "public", "customers", null, "public", "orders")));
    show("functions", rows(about.getFunctions(null, "public", "%")).replaceAll("plus_one_\\d+", "plus_one"));
    show("arguments", rows(about.getFunctionColumns(null, "public", "%", "%")).replaceAll("plus_one_\\d+", "plus_one"));
    show("procedures", rows(about.getProcedures(null, "public", "%")).replaceAll("plus_one_\\d+", "plus_one"));
    show("procedure columns", rows(about.getProcedureColumns(null, "public", "%", "%")).replaceAll("plus_one_\\d+", "plus_one"));
    show("all types", rows(about.getTypeInfo()).length() > 10000);
    show("udts", rows(about.getUDTs(null, "public", "%", null)));
    show("client", rows(about.getClientInfoProperties()));
    show("keywords", about.getSQLKeywords());
    show("numeric", about.getNumericFunctions().length());
  }

  static void notifications(Connection db, String url) throws Exception {
    show("#", "notifications");
    db.createStatement().execute("LISTEN news");
    try (Connection other = open(url)) {
      other.createStatement().execute("SELECT pg_notify('news', 'one')");
      other.createStatement().execute("NOTIFY news, 'two'");
    }
    int heard = 0;
    while (heard < 2) {
      PGNotification[] news = db.unwrap(PGConnection.class).getNotifications(10000);
      if (news == null || news.length == 0) throw new AssertionError("heard nothing");
      for (PGNotification one : news) show("heard", one.getName() + " " + one.getParameter());
      heard += news.length;
    }
    db.createStatement().execute("UNLISTEN *");
    db.setSchema("pg_catalog");
    show("schema", db.getSchema());
    db.setSchema("public");
    db.setClientInfo("ApplicationName", "renamed");
    show("name", ask(db, "SHOW application_name"));
  }

  static void autosave(Connection db) throws Exception {
    db.setAutoCommit(false);
    show("one", ask(db, "SELECT 1"));
    fails("failed", () -> ask(db, "SELECT 1 / ?", 0));
    // The driver went back to its own savepoint.
    show("goes on", ask(db, "SELECT 2"));
    db.rollback();
    db.setAutoCommit(true);
  }

  static void mustFail(Connection db, Act act) throws Exception {
    try {
      act.run();
    } catch (SQLException error) {
      SQLException last = error instanceof BatchUpdateException ? error.getNextException() : error;
      ServerErrorMessage said = ((PSQLException) last).getServerErrorMessage();
      check("42501".equals(last.getSQLState()), last.getSQLState());
      check(said.getMessage().startsWith("No role of this identity allows"), said.getMessage());
      check(said.getDetail().contains("\"verdict\":\"not_allowed\""), said.getDetail());
      check(said.getHint() != null && last.getMessage().contains("Hint: "), last.getMessage());
      if (!db.getAutoCommit()) db.rollback();
      check(ask(db, "SELECT 1 AS one").endsWith("[1|]"), "the session goes on");
      if (!db.getAutoCommit()) db.rollback();
      return;
    }
    throw new AssertionError("was let through");
  }

  static void check(boolean isTrue, String what) {
    if (!isTrue) throw new AssertionError(what);
  }

  static void guard(String url, String masked) throws Exception {
    for (String threshold : new String[] {"-1", "0", "5"}) {
      try (Connection db = open(url, "prepareThreshold", threshold)) {
        for (boolean auto : new boolean[] {true, false}) {
          db.setAutoCommit(auto);
          mustFail(db, () -> db.createStatement().executeUpdate("DELETE FROM orders WHERE id = 1"));
          mustFail(db, () -> ask(db, "DELETE FROM orders WHERE id = ? RETURNING id", 1));
          mustFail(db, () -> db.createStatement().execute("DROP TABLE orders"));
          mustFail(db, () -> db.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY orders (id, customer_id) FROM STDIN", new StringReader("1\t2\n")));
          mustFail(db, () -> {
            PreparedStatement statement = db.prepareStatement("UPDATE orders SET total = ? WHERE id = ?");
            for (int n = 1; n < 10; n++) {
              statement.setInt(1, n);
              statement.setInt(2, n);
              statement.addBatch();
            }
            statement.executeBatch();
          });
        }
      }
    }
    for (String threshold : new String[] {"-1", "0", "5"}) {
      try (Connection db = open(masked, "prepareThreshold", threshold)) {
        for (int again = 0; again < 7; again++) {
          check(ask(db, "SELECT id, name, email FROM customers WHERE id = ?", 7).endsWith("[7|Name 7|****|]"), "masked");
        }
        db.setAutoCommit(false);
        Statement statement = db.createStatement();
        statement.setFetchSize(50);
        ResultSet result = statement.executeQuery("SELECT * FROM customers");
        int count = 0;
        while (result.next()) {
          check(result.getString("email").equals("****") && result.getObject("born", LocalDate.class) != null, "row");
          count++;
        }
        check(count == 1000, "count " + count);
        db.rollback();
        db.setAutoCommit(true);
        for (String text : new String[] {"SELECT id FROM customers ORDER BY email", "SELECT id FROM customers WHERE email = 'c7@example.com'"}) {
          try {
            ask(db, text);
          } catch (SQLException error) {
            check("42501".equals(error.getSQLState()) && !error.getMessage().contains("c7@"), error.getMessage());
            continue;
          }
          throw new AssertionError(text);
        }
        StringWriter out = new StringWriter();
        db.unwrap(PGConnection.class).getCopyAPI().copyOut("COPY customers (id, email) TO STDOUT", out);
        check(out.toString().contains("\n77\t****\n") && !out.toString().contains("@"), "copy");
        check(rows(db.getMetaData().getPrimaryKeys(null, "public", "customers")).contains("customers_pkey"), "keys");
      }
    }
    System.out.println("fine");
  }
}
