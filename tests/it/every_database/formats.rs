//! The rows of every database in every format: what is written, and what comes back.

use super::Kind;
use super::stage::{Stage, escape};

in_every_database!(
    rows_come_back_from_every_format_as_they_were,
    json_says_every_value_as_the_database_means_it,
    an_empty_result_has_its_columns_in_every_format,
);

/// How rows are written in a format and read from it again, from the stream `r` to the stream `again`.
const FORMATS: [(&str, &str); 3] = [
    (
        "WebRowSet",
        "<sqlResultsToXML name=\"w\"><resultSet from=\"r\"/><webRowSet name=\"x\"/></sqlResultsToXML>\
         <webRowSetToRows name=\"t\"><webRowSetInput from=\"x\"/><rows name=\"again\"/></webRowSetToRows>",
    ),
    (
        "Arrow",
        "<sqlResultsToArrow name=\"w\"><resultSet from=\"r\"/><arrowOutput name=\"x\"/><compression value=\"zstd\"/>\
         </sqlResultsToArrow><arrowToRows name=\"t\"><arrowInput from=\"x\"/><rows name=\"again\"/></arrowToRows>",
    ),
    (
        "Parquet",
        "<sqlResultsToParquet name=\"w\"><resultSet from=\"r\"/><parquetOutput name=\"x\"/></sqlResultsToParquet>\
         <parquetToRows name=\"t\"><parquetInput from=\"x\"/><rows name=\"again\"/></parquetToRows>",
    ),
];

fn query(sql: &str) -> String {
    format!(
        "<sqlQueryStatement name=\"q\"><expression>{}</expression><resultStream name=\"r\"/></sqlQueryStatement>",
        escape(sql)
    )
}

fn to_csv(from: &str) -> String {
    format!(
        "<sqlResultsToCSV name=\"f\"><resultSet from=\"{from}\"/><csvOutput name=\"csv\"/><nullDataStr value=\"none\"/>\
         <includeHeader value=\"true\"/></sqlResultsToCSV>"
    )
}

async fn output(stage: &Stage, content: &str, name: &str) -> String {
    let reply = stage.context.raw(content, name).await;
    assert_eq!(reply.status, 200, "{content}: {}", reply.text);
    reply.text
}

/// A table with a row of values that are hard to carry, one of NULL, and then many.
async fn samples(kind: Kind) -> Stage {
    let stage = Stage::new(kind).await;
    let (bytes, real, unsigned) = kind.pick(
        ("BLOB", "REAL", "BIGINT"),
        ("BYTEA", "DOUBLE PRECISION", "NUMERIC(20,0)"),
        ("BLOB", "DOUBLE", "BIGINT UNSIGNED"),
    );
    let blob = kind.pick("x'00ff10'", "'\\x00ff10'", "x'00ff10'");
    let most = kind.pick("9223372036854775807", "18446744073709551615", "18446744073709551615");
    stage.database.run(&format!(
        "CREATE TABLE sample (id INTEGER PRIMARY KEY, big BIGINT, huge {unsigned}, level {real}, name VARCHAR(60), bytes {bytes})"
    ));
    stage.database.run(&format!(
        "INSERT INTO sample VALUES (1, -9223372036854775808, {most}, 1e-300, ' Zoë \"quoted\" <&> 漢字 😀, ]]> ', {blob}), \
         (2, NULL, NULL, NULL, NULL, NULL), (3, 0, 0, 0.1, '', {blob})"
    ));
    let series = kind.pick(
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 3000) SELECT n + 10, n, n, n / 8.0, 'x', NULL FROM s",
        "SELECT n + 10, n, n, n / 8.0, 'x', NULL FROM generate_series(1, 3000) AS s(n)",
        "SELECT seq + 10, seq, seq, seq / 8.0, 'x', NULL FROM seq_1_to_3000",
    );
    stage.database.run(&format!("INSERT INTO sample {series}"));
    stage
}

async fn rows_come_back_from_every_format_as_they_were(kind: Kind) {
    let stage = samples(kind).await;
    let rows = query("SELECT * FROM sample ORDER BY id");
    let expected = output(&stage, &(rows.clone() + &to_csv("r")), "csv").await;
    assert_eq!(expected.lines().count(), 3004);
    for (name, way) in FORMATS {
        let came_back = output(&stage, &[&rows, way, &to_csv("again")].concat(), "csv").await;
        let differs = came_back.lines().zip(expected.lines()).find(|(one, other)| one != other);
        assert_eq!(differs, None, "{name}");
        assert_eq!(came_back.len(), expected.len(), "{name}");
    }
}

async fn json_says_every_value_as_the_database_means_it(kind: Kind) {
    let stage = samples(kind).await;
    let json = query("SELECT * FROM sample WHERE id < 4 ORDER BY id")
        + "<sqlResultsToJSON name=\"w\"><resultSet from=\"r\"/><jsonOutput name=\"json\"/><format value=\"lines\"/></sqlResultsToJSON>";
    let lines = output(&stage, &json, "json").await;
    let most = kind.pick("9223372036854775807", "18446744073709551615", "18446744073709551615");
    let expected = format!(
        "{{\"id\":1,\"big\":-9223372036854775808,\"huge\":{most},\"level\":1e-300,\"name\":\" Zoë \\\"quoted\\\" <&> 漢字 😀, ]]> \",\"bytes\":\"AP8Q\"}}\n\
         {{\"id\":2,\"big\":null,\"huge\":null,\"level\":null,\"name\":null,\"bytes\":null}}\n\
         {{\"id\":3,\"big\":0,\"huge\":0,\"level\":0.1,\"name\":\"\",\"bytes\":\"AP8Q\"}}\n"
    );
    assert_eq!(lines, expected);
}

async fn an_empty_result_has_its_columns_in_every_format(kind: Kind) {
    let stage = samples(kind).await;
    for (name, way) in FORMATS {
        let content = [&query("SELECT id, name FROM sample WHERE id < 0"), way, &to_csv("again")].concat();
        assert_eq!(output(&stage, &content, "csv").await, "id,name\n", "{name}");
    }
}
