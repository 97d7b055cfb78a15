//! Loading rows by statements that insert many at a time, into servers that take no files.

use mysql_async::prelude::Queryable;
use mysql_async::{Params, Value};

use super::fields::{Field, Fields};
use super::{AwaitedBlocks, Target, does_not_fit};
use crate::resource::ResourceError;
use crate::resource::relational::mysql::bind::prepare;
use crate::resource::relational::mysql::error::{statement_error, write_error};
use crate::resource::relational::mysql::link::Link;
use crate::resource::relational::{BulkLoad, Dialect};

/// The most rows of one statement. The others have a power of two of them, so that there are few different statements.
const ROWS: usize = 256;

/// The most values of one statement, which is what its protocol has room for.
const VALUES: usize = 0xFFFF;

/// How many bytes of values go into one statement, unless a single row has more.
const BYTES: usize = 256 * 1024;

/// Loads the rows; gives how many there were. Whoever calls has it all or none.
pub(super) async fn run(
    link: &mut Link,
    load: &BulkLoad,
    targets: &[Target],
    mut rows: AwaitedBlocks,
) -> Result<u64, ResourceError> {
    let mut fields = Fields::of(&rows.schema());
    let mut loaded = 0;
    while let Some(block) = rows.next().await? {
        let mut queue: Vec<Vec<Value>> = Vec::new();
        let mut bytes = 0;
        {
            let columns = fields.of_block(&block)?;
            for row in 0..block.num_rows() {
                let values: Vec<Value> = columns.iter().map(|column| value(column, row)).collect();
                bytes += values.iter().map(byte_len).sum::<usize>();
                queue.push(values);
            }
        }
        let most = most_rows(targets.len(), queue.len(), bytes);
        let mut rest = queue.into_iter();
        while rest.len() > 0 {
            let count = largest_power(rest.len().min(most));
            loaded += insert(link, load, targets, rest.by_ref().take(count).collect()).await?;
        }
    }
    Ok(loaded)
}

/// How many rows of a block go into one statement.
fn most_rows(columns: usize, rows: usize, bytes: usize) -> usize {
    let by_bytes = BYTES / (bytes / rows.max(1)).max(1);
    ROWS.min(VALUES / columns.max(1)).min(by_bytes).max(1)
}

fn largest_power(number: usize) -> usize {
    1 << number.max(1).ilog2()
}

async fn insert(
    link: &mut Link,
    load: &BulkLoad,
    targets: &[Target],
    rows: Vec<Vec<Value>>,
) -> Result<u64, ResourceError> {
    let sql = insert_text(load, targets, rows.len());
    let prepared = prepare(link, &sql).await.map_err(|error| statement_error(error, &sql))?;
    let values = rows.into_iter().flatten().collect();
    link.driver().exec_drop(&prepared, Params::Positional(values)).await.map_err(write_error)?;
    let loaded = link.driver().affected_rows();
    if link.driver().get_warnings() > 0 {
        return Err(does_not_fit(link).await);
    }
    Ok(loaded)
}

fn insert_text(load: &BulkLoad, targets: &[Target], rows: usize) -> String {
    let names: Vec<&str> = targets.iter().map(|target| &*target.name).collect();
    let row: Vec<String> = targets.iter().map(|target| target.made_of("?")).collect();
    let row = format!("({})", row.join(", "));
    let table = Dialect::MySql.table(&load.table);
    format!("INSERT INTO {table} ({}) VALUES {}", names.join(", "), vec![row; rows].join(", "))
}

/// A value as text: the server makes of it what the column takes, as it does with those of a file.
fn value(column: &Field<'_>, row: usize) -> Value {
    if column.is_null(row) {
        return Value::NULL;
    }
    let mut text = Vec::new();
    column.write(row, &mut text);
    Value::Bytes(text)
}

fn byte_len(value: &Value) -> usize {
    match value {
        Value::Bytes(bytes) => bytes.len() + 9,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::relational::TableName;

    #[test]
    fn statements_have_as_many_rows_as_fit() {
        assert_eq!(most_rows(3, 1024, 30_000), ROWS);
        assert_eq!(most_rows(1000, 1024, 30_000), 65);
        assert_eq!(most_rows(2, 2, 40_000_000), 1);
        assert_eq!(most_rows(0, 0, 0), ROWS);
        assert_eq!([1, 2, 3, 64, 255].map(largest_power), [1, 2, 2, 64, 128]);
    }

    #[test]
    fn the_rows_of_a_statement_stand_side_by_side() {
        let load = BulkLoad { table: TableName::parse("d.t"), create: false, transactionally: true };
        let targets =
            [Target { name: "`a`".into(), around: None }, Target { name: "`b`".into(), around: Some(("UNHEX(", ")")) }];
        let expected = "INSERT INTO `d`.`t` (`a`, `b`) VALUES (?, UNHEX(?)), (?, UNHEX(?))";
        assert_eq!(insert_text(&load, &targets, 2), expected);
    }
}
