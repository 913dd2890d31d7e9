// The JDBC driver on masked values of every type, run by masked-types.test.ts: URL, TABLE, `text` or `binary`.
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.util.Properties;

public class MaskedTypes {
  public static void main(String[] words) throws Exception {
    URI uri = new URI(words[0]);
    String[] who = uri.getRawUserInfo().split(":");
    Properties properties = new Properties();
    properties.setProperty("user", who[0]);
    properties.setProperty("password", URLDecoder.decode(who[1], StandardCharsets.UTF_8));
    boolean binary = words[2].equals("binary");
    // Minus one: binary from the first run on, for all types that the driver reads so.
    properties.setProperty("prepareThreshold", binary ? "-1" : "5");
    properties.setProperty("binaryTransfer", binary ? "true" : "false");
    String to = "jdbc:postgresql://" + uri.getHost() + ":" + uri.getPort() + uri.getRawPath();
    try (Connection db = DriverManager.getConnection(to, properties);
        PreparedStatement asked = db.prepareStatement("SELECT * FROM " + words[1]);
        ResultSet rows = asked.executeQuery()) {
      ResultSetMetaData about = rows.getMetaData();
      for (int row = 1; rows.next(); row++) {
        for (int at = 2; at <= about.getColumnCount(); at++) {
          Object value = rows.getObject(at);
          String text = rows.getString(at);
          if ((value == null) != (text == null)) throw new Exception(about.getColumnName(at));
          if (value instanceof byte[]) value = ((byte[]) value).length + " bytes";
          if (value instanceof java.sql.SQLXML) value = ((java.sql.SQLXML) value).getString();
          System.out.println(row + " " + about.getColumnTypeName(at) + " " + value);
        }
      }
    }
  }
}
