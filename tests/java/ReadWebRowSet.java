import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.ResultSetMetaData;
import java.util.Base64;
import javax.sql.rowset.RowSetProvider;
import javax.sql.rowset.WebRowSet;

/**
 * Reads a WebRowSet document with the reader that Java brings, and prints what it has understood: one line for each
 * column ("column", name, java.sql.Types code, type name, table, nullable), then one for each value ("value", row,
 * column, and its text in base64, or "null"). Fields are separated by tabs.
 *
 * Usage: java ReadWebRowSet.java FILE
 */
public class ReadWebRowSet {
    public static void main(String[] arguments) throws Exception {
        try (Reader reader = Files.newBufferedReader(Path.of(arguments[0]), StandardCharsets.UTF_8);
                WebRowSet rows = RowSetProvider.newFactory().createWebRowSet()) {
            rows.readXml(reader);
            StringBuilder out = new StringBuilder();
            ResultSetMetaData columns = rows.getMetaData();
            for (int column = 1; column <= columns.getColumnCount(); column++) {
                out.append(String.join("\t", "column", columns.getColumnName(column),
                        String.valueOf(columns.getColumnType(column)), columns.getColumnTypeName(column),
                        columns.getTableName(column), String.valueOf(columns.isNullable(column)))).append('\n');
            }
            rows.beforeFirst();
            for (int row = 1; rows.next(); row++) {
                for (int column = 1; column <= columns.getColumnCount(); column++) {
                    out.append(String.join("\t", "value", String.valueOf(row), String.valueOf(column),
                            text(rows, column, columns.getColumnType(column)))).append('\n');
                }
            }
            System.out.print(out);
        }
    }

    private static String text(WebRowSet rows, int column, int type) throws Exception {
        if (rows.getObject(column) == null) {
            return "null";
        }
        byte[] bytes = type == java.sql.Types.VARBINARY
                ? rows.getBytes(column)
                : rows.getString(column).getBytes(StandardCharsets.UTF_8);
        return Base64.getEncoder().encodeToString(bytes);
    }
}
