import java.io.Reader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.sql.rowset.RowSetProvider;
import javax.sql.rowset.WebRowSet;

/**
 * Reads a WebRowSet document with the reader that Java brings, and writes the rows again with Java's writer.
 *
 * Usage: java CopyWebRowSet.java FROM TO
 */
public class CopyWebRowSet {
    public static void main(String[] arguments) throws Exception {
        try (Reader reader = Files.newBufferedReader(Path.of(arguments[0]), StandardCharsets.UTF_8);
                Writer writer = Files.newBufferedWriter(Path.of(arguments[1]), StandardCharsets.UTF_8);
                WebRowSet rows = RowSetProvider.newFactory().createWebRowSet()) {
            rows.readXml(reader);
            rows.beforeFirst();
            rows.writeXml(writer);
        }
    }
}
