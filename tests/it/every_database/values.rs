//! Values of every common type, read and written back.

use super::Kind;
use super::stage::{Stage, parameters, query, update, update_with};

in_every_database!(
    every_value_is_read_as_it_is,
    every_value_is_written_back_as_it_was_read,
    null_of_every_type_is_null_in_both_directions,
);

/// A value: the type of its column, how the database writes it, and how it reads as CSV.
type Case = (&'static str, &'static str, &'static str);

fn cases(kind: Kind) -> Vec<Case> {
    let mut cases = vec![
        ("SMALLINT", "-32768", "-32768"),
        ("INTEGER", "2147483647", "2147483647"),
        ("BIGINT", "-9223372036854775808", "-9223372036854775808"),
        ("DOUBLE PRECISION", "0.1", "0.1"),
        ("DOUBLE PRECISION", "-1e300", "-1e+300"),
        ("VARCHAR(40)", "'plain'", "plain"),
        ("VARCHAR(40)", "'Zoë, \"quoted\" <&> 漢字 😀'", "\"Zoë, \"\"quoted\"\" <&> 漢字 😀\""),
        ("VARCHAR(40)", "'two\nlines'", "\"two\nlines\""),
        ("TEXT", "''", ""),
    ];
    match kind {
        Kind::Sqlite => cases.extend(SQLITE),
        Kind::Postgres => cases.extend(POSTGRES),
        Kind::MariaDb => cases.extend(MARIADB),
    }
    cases
}

const SQLITE: &[Case] = &[
    ("BLOB", "x'00ff10'", "AP8Q"),
    ("BOOLEAN", "1", "1"),
    ("TIMESTAMP", "'2026-11-21 08:00:00.5'", "2026-11-21 08:00:00.5"),
    ("DATE", "'2026-02-28'", "2026-02-28"),
    ("TEXT", "'0.10000000000000000000000000000000000001'", "0.10000000000000000000000000000000000001"),
];

const POSTGRES: &[Case] = &[
    ("BOOLEAN", "true", "true"),
    ("mood", "'not so good'", "not so good"),
    ("CHAR(5)", "'ab'", "ab   "),
    ("XML", "'<a b=\"c\">d</a>'", "\"<a b=\"\"c\"\">d</a>\""),
    ("BIT(3)", "B'101'", "101"),
    ("MONEY", "'12.34'", "$12.34"),
    ("JSON", "'{\"a\":  1.50}'", "\"{\"\"a\"\":  1.50}\""),
    ("INT4RANGE", "'[1,5)'", "\"[1,5)\""),
    ("POINT", "'(1.5,-2)'", "\"(1.5,-2)\""),
    ("TIMESTAMPTZ", "'9999-12-31 23:59:59.999999+00'", "9999-12-31 23:59:59.999999+00"),
    ("TIME", "'24:00:00'", "24:00:00"),
    ("INTERVAL", "'-1 year +3 days -04:05'", "P-1Y3DT-4H-5M"),
    ("NUMERIC", "'NaN'", "NaN"),
    ("BOOLEAN[]", "'{t,NULL,f}'", "\"{t,NULL,f}\""),
    ("NUMERIC(5,2)[]", "'{1.50,NULL}'", "\"{1.50,NULL}\""),
    ("BYTEA[]", "ARRAY['\\x00ff'::bytea]", "\"{\"\"\\\\x00ff\"\"}\""),
    ("REAL", "'0.1'", "0.1"),
    ("DOUBLE PRECISION", "'NaN'", "NaN"),
    ("DOUBLE PRECISION", "'-Infinity'", "-Infinity"),
    ("NUMERIC(10,2)", "12345678.90", "12345678.90"),
    ("NUMERIC(38,0)", "99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
    ("NUMERIC(76,38)", "-1.00000000000000000000000000000000000001", "-1.00000000000000000000000000000000000001"),
    ("NUMERIC", "1e-30", "0.000000000000000000000000000001"),
    ("BYTEA", "'\\x00ff10'", "AP8Q"),
    ("DATE", "'2026-02-28'", "2026-02-28"),
    ("TIME", "'23:59:59.999999'", "23:59:59.999999"),
    ("TIMESTAMP", "'2026-11-21 08:00:00.5'", "2026-11-21 08:00:00.5"),
    ("TIMESTAMPTZ", "'2026-11-21 08:00:00+02'", "2026-11-21 06:00:00+00"),
    ("TIMESTAMP", "'infinity'", "infinity"),
    ("DATE", "'0044-03-15 BC'", "0044-03-15 BC"),
    ("TIMETZ", "'08:00:00+02'", "08:00:00+02"),
    ("INTERVAL", "'1 year 2 mons 3 days 04:05:06.5'", "P1Y2M3DT4H5M6.5S"),
    ("UUID", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("JSONB", "'{\"a\": [1, null]}'", "\"{\"\"a\"\": [1, null]}\""),
    ("INET", "'192.168.0.0/24'", "192.168.0.0/24"),
    ("INTEGER[]", "'{1,2,NULL}'", "\"{1,2,NULL}\""),
    ("TEXT[]", "'{\"a b\",\"c,d\",\"\"}'", "\"{\"\"a b\"\",\"\"c,d\"\",\"\"\"\"}\""),
    ("INTEGER[]", "'{{1,2},{3,4}}'", "\"{{1,2},{3,4}}\""),
];

const MARIADB: &[Case] = &[
    ("BOOLEAN", "true", "1"),
    ("TINYINT", "-128", "-128"),
    ("SMALLINT UNSIGNED", "65535", "65535"),
    ("INT UNSIGNED", "4294967295", "4294967295"),
    ("UUID", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("INET6", "'::1'", "::1"),
    ("DECIMAL(65,38)", "-1.00000000000000000000000000000000000001", "-1.00000000000000000000000000000000000001"),
    ("DATE", "'0000-00-00'", "0000-00-00"),
    ("DATETIME(6)", "'9999-12-31 23:59:59.999999'", "9999-12-31 23:59:59.999999"),
    ("TIME(6)", "'100:00:00.000001'", "100:00:00.000001"),
    ("CHAR(5)", "'ab'", "ab"),
    ("ENUM('small','')", "''", ""),
    ("BIT(1)", "b'1'", "true"),
    ("BIT(64)", "b'1111111111111111111111111111111111111111111111111111111111111111'", "18446744073709551615"),
    ("TINYINT UNSIGNED", "255", "255"),
    ("BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615"),
    ("MEDIUMINT", "-8388608", "-8388608"),
    ("FLOAT", "0.1", "0.1"),
    ("DECIMAL(10,2)", "12345678.90", "12345678.90"),
    (
        "DECIMAL(65,0)",
        "99999999999999999999999999999999999999999999999999999999999999999",
        "99999999999999999999999999999999999999999999999999999999999999999",
    ),
    ("DECIMAL(38,38)", "0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"),
    ("BLOB", "x'00ff10'", "AP8Q"),
    ("DATE", "'2026-02-28'", "2026-02-28"),
    ("TIME(6)", "'23:59:59.999999'", "23:59:59.999999"),
    ("TIME", "'-838:59:59'", "-838:59:59"),
    ("DATETIME(6)", "'2026-11-21 08:00:00.5'", "2026-11-21 08:00:00.5"),
    ("TIMESTAMP(6) NULL", "'2026-11-21 06:00:00'", "2026-11-21 06:00:00+00"),
    ("YEAR", "2026", "2026"),
    ("JSON", "'{\"a\": [1, null]}'", "\"{\"\"a\"\": [1, null]}\""),
    ("ENUM('small','large')", "'large'", "large"),
    ("SET('a','b')", "'a,b'", "\"a,b\""),
];

/// A table with a row for each value, each in a column of its own.
async fn stage_with_values(kind: Kind) -> (Stage, Vec<Case>) {
    let (stage, cases) = (Stage::new(kind).await, cases(kind));
    let columns = |from: &str| -> String {
        let all = cases.iter().enumerate();
        all.map(|(place, (name, ..))| format!(", c{place} {name}{from}")).collect()
    };
    if kind == Kind::Postgres {
        stage.database.run("CREATE TYPE mood AS ENUM ('good', 'not so good')");
    }
    stage.database.run(&format!("CREATE TABLE sample (id INTEGER PRIMARY KEY{})", columns("")));
    for (place, (name, literal, _)) in cases.iter().enumerate() {
        let insert = format!("INSERT INTO sample (id, c{place}) VALUES ({place}, {literal})");
        stage.database.run(&insert);
        assert!(!name.is_empty());
    }
    (stage, cases)
}

async fn every_value_is_read_as_it_is(kind: Kind) {
    let (stage, cases) = stage_with_values(kind).await;
    let mut wrong = Vec::new();
    for (place, (name, literal, expected)) in cases.iter().enumerate() {
        let sql = format!("SELECT c{place} FROM sample WHERE id = {place}");
        let reply = stage.context.raw(&query(&sql), "csv").await;
        if reply.text != format!("{expected}\n") {
            wrong.push(format!("{name} {literal}: {} instead of {expected}", reply.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn every_value_is_written_back_as_it_was_read(kind: Kind) {
    let (stage, cases) = stage_with_values(kind).await;
    let mut wrong = Vec::new();
    for (place, (name, literal, csv)) in cases.iter().enumerate() {
        let mut value = unquoted(csv);
        // MariaDB writes no zone itself, and takes none.
        if name.starts_with("TIMESTAMP(") && kind == Kind::MariaDb {
            value.truncate(value.len() - "+00".len());
        }
        // Bits have no text form in MariaDB that it would take.
        let (place_of_value, value) = match (kind, *name) {
            (Kind::MariaDb, "BIT(1)" | "BIT(64)") => ("CAST(? AS UNSIGNED)", value.replace("true", "1")),
            _ => ("?", value),
        };
        let insert = format!("INSERT INTO sample (id, c{place}) VALUES ({}, {place_of_value})", 1000 + place);
        let mut given = parameters(&[&value]);
        if *csv == "AP8Q" {
            given = given.replace("<sqlParameter ", "<sqlParameter type=\"binary\" ");
        }
        let done = stage.perform(&update_with("u", &given, &insert)).await;
        if done.status != 200 {
            wrong.push(format!("{name} {literal}: {}", done.text));
            continue;
        }
        let sql = format!("SELECT c{place} FROM sample WHERE id = {}", 1000 + place);
        let again = stage.context.raw(&query(&sql), "csv").await.text;
        if again != format!("{csv}\n") {
            wrong.push(format!("{name} {literal}: {again} instead of {csv}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The value of a field of CSV.
fn unquoted(field: &str) -> String {
    match field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\""),
        None => field.to_owned(),
    }
}

async fn null_of_every_type_is_null_in_both_directions(kind: Kind) {
    let (stage, cases) = stage_with_values(kind).await;
    stage.perform(&update("u", "INSERT INTO sample (id) VALUES (5000)")).await.is_completed();
    let columns: Vec<String> = (0..cases.len()).map(|place| format!("c{place}")).collect();
    let nulls = vec!["NULL"; cases.len()].join(",") + "\n";
    let sql = format!("SELECT {} FROM sample WHERE id = 5000", columns.join(", "));
    assert_eq!(stage.rows(&sql).await, nulls);
    // Where NULL follows a value in one block, and a value NULL.
    for (place, (.., csv)) in cases.iter().enumerate() {
        let sql = format!("SELECT c{place} FROM sample WHERE id IN ({place}, 5000) ORDER BY id");
        assert_eq!(stage.rows(&sql).await, format!("{csv}\nNULL\n"), "{:?}", cases[place]);
    }
}
