//! What the result of a statement looks like.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Field, Schema, SchemaRef, TimeUnit};
use mysql_async::Column;
use mysql_async::consts::{ColumnFlags, ColumnType};

use crate::block::ColumnOrigin;
use crate::resource::ResourceError;

/// The number of the character set of bytes that are no text.
const BINARY: u16 = 63;

/// How many bytes a character of the connection's character set takes, as the server counts lengths.
const CHARACTER: u32 = 4;

/// The columns of a result.
#[derive(Debug)]
pub(super) struct ResultShape {
    pub(super) columns: Vec<ColumnShape>,
    last_schema: Option<SchemaRef>,
}

/// One column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnShape {
    pub(super) name: String,
    /// The type of the stream's column.
    pub(super) data_type: DataType,
    /// How many digits of a fraction the server writes.
    pub(super) decimals: u8,
    origin: ColumnOrigin,
}

impl ResultShape {
    /// # Errors
    ///
    /// [`ResourceError::Unsupported`] for bits that the server does not write in a way that can be told.
    pub(super) fn of(columns: &[Column]) -> Result<Self, ResourceError> {
        if let Some(column) = columns.iter().find(|column| has_doubtful_bits(column)) {
            return Err(ResourceError::unsupported(format!(
                "whether the server writes the bits of `{}` as bits or as digits can't be told: write \
                 CAST({} AS UNSIGNED) for it",
                column.name_str(),
                column.name_str()
            )));
        }
        Ok(Self { columns: columns.iter().map(ColumnShape::of).collect(), last_schema: None })
    }

    /// The schema of a block of these columns. Most blocks of a statement have the same, so the last one is kept.
    pub(super) fn schema(&mut self, arrays: &[ArrayRef]) -> SchemaRef {
        let has_types_of = |schema: &SchemaRef| {
            schema.fields().iter().zip(arrays).all(|(field, array)| field.data_type() == array.data_type())
        };
        if let Some(last) = self.last_schema.as_ref().filter(|last| has_types_of(last)) {
            return Arc::clone(last);
        }
        let fields: Vec<Field> = self
            .columns
            .iter()
            .zip(arrays)
            .map(|(column, array)| {
                Field::new(&column.name, array.data_type().clone(), true).with_metadata(column.origin.to_metadata())
            })
            .collect();
        Arc::clone(self.last_schema.insert(Arc::new(Schema::new(fields))))
    }
}

impl ColumnShape {
    fn of(column: &Column) -> Self {
        let flags = column.flags();
        let text = |bytes: &[u8]| (!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned());
        let table = text(column.org_table_ref());
        let nullable = table.is_some().then(|| !flags.contains(ColumnFlags::NOT_NULL_FLAG));
        let origin = ColumnOrigin {
            type_name: Some(type_name(column)),
            column: text(column.org_name_ref()),
            nullable,
            auto_increment: flags.contains(ColumnFlags::AUTO_INCREMENT_FLAG),
            table,
        };
        let decimals = column.decimals().min(6);
        Self { name: column.name_str().into_owned(), data_type: data_type(column), decimals, origin }
    }
}

/// Whether a column is made of bits by an expression, such as `MAX(bits)`: MariaDB calls it `BIT` and sends digits, but bits
/// where it keeps the values in a table for the while. Those of one bit can be told apart, by the value.
fn has_doubtful_bits(column: &Column) -> bool {
    column.column_type() == ColumnType::MYSQL_TYPE_BIT
        && column.column_length() > 1
        && column.org_name_ref().is_empty()
        && column.flags().contains(ColumnFlags::BINARY_FLAG)
}

fn is_unsigned(column: &Column) -> bool {
    column.flags().contains(ColumnFlags::UNSIGNED_FLAG)
}

fn is_text(column: &Column) -> bool {
    column.character_set() != BINARY
}

fn data_type(column: &Column) -> DataType {
    let whole = |signed, unsigned| if is_unsigned(column) { unsigned } else { signed };
    match column.column_type() {
        ColumnType::MYSQL_TYPE_TINY => whole(DataType::Int8, DataType::UInt8),
        ColumnType::MYSQL_TYPE_SHORT => whole(DataType::Int16, DataType::UInt16),
        ColumnType::MYSQL_TYPE_YEAR => DataType::Int16,
        ColumnType::MYSQL_TYPE_INT24 | ColumnType::MYSQL_TYPE_LONG => whole(DataType::Int32, DataType::UInt32),
        ColumnType::MYSQL_TYPE_LONGLONG => whole(DataType::Int64, DataType::UInt64),
        ColumnType::MYSQL_TYPE_FLOAT => DataType::Float32,
        ColumnType::MYSQL_TYPE_DOUBLE => DataType::Float64,
        ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => decimal(column),
        ColumnType::MYSQL_TYPE_BIT if column.column_length() == 1 => DataType::Boolean,
        ColumnType::MYSQL_TYPE_BIT => DataType::UInt64,
        ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => DataType::Date32,
        ColumnType::MYSQL_TYPE_TIME | ColumnType::MYSQL_TYPE_TIME2 => DataType::Time64(TimeUnit::Microsecond),
        ColumnType::MYSQL_TYPE_DATETIME | ColumnType::MYSQL_TYPE_DATETIME2 => {
            DataType::Timestamp(TimeUnit::Microsecond, None)
        }
        ColumnType::MYSQL_TYPE_TIMESTAMP | ColumnType::MYSQL_TYPE_TIMESTAMP2 => {
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
        }
        ColumnType::MYSQL_TYPE_GEOMETRY | ColumnType::MYSQL_TYPE_VECTOR => DataType::Binary,
        ColumnType::MYSQL_TYPE_JSON | ColumnType::MYSQL_TYPE_NULL => DataType::Utf8,
        _ if is_text(column) => DataType::Utf8,
        _ => DataType::Binary,
    }
}

/// Precision and scale of a decimal. The length that the server tells holds room for the sign and the point.
fn precision(column: &Column) -> (u32, u8) {
    let scale = column.decimals();
    (column.column_length().saturating_sub(u32::from(scale > 0) + u32::from(!is_unsigned(column))), scale)
}

fn decimal(column: &Column) -> DataType {
    let (precision, scale) = precision(column);
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision @ 1..=DECIMAL128_MAX_PRECISION), Ok(scale)) if scale.unsigned_abs() <= precision => {
            DataType::Decimal128(precision, scale)
        }
        (Ok(precision @ 1..=DECIMAL256_MAX_PRECISION), Ok(scale)) if scale.unsigned_abs() <= precision => {
            DataType::Decimal256(precision, scale)
        }
        _ => DataType::Utf8,
    }
}

/// The name of a column's type as one would declare it.
fn type_name(column: &Column) -> String {
    let length = column.column_length();
    let flags = column.flags();
    let number = |name: &str| if is_unsigned(column) { format!("{name} UNSIGNED") } else { name.to_owned() };
    let moment = |name: &str| match column.decimals() {
        digits @ 1..=6 => format!("{name}({digits})"),
        _ => name.to_owned(),
    };
    match column.column_type() {
        ColumnType::MYSQL_TYPE_TINY => number("TINYINT"),
        ColumnType::MYSQL_TYPE_SHORT => number("SMALLINT"),
        ColumnType::MYSQL_TYPE_INT24 => number("MEDIUMINT"),
        ColumnType::MYSQL_TYPE_LONG => number("INT"),
        ColumnType::MYSQL_TYPE_LONGLONG => number("BIGINT"),
        ColumnType::MYSQL_TYPE_YEAR => "YEAR".into(),
        ColumnType::MYSQL_TYPE_FLOAT => number("FLOAT"),
        ColumnType::MYSQL_TYPE_DOUBLE => number("DOUBLE"),
        ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => {
            let (precision, scale) = precision(column);
            number(&format!("DECIMAL({precision},{scale})"))
        }
        ColumnType::MYSQL_TYPE_BIT => format!("BIT({length})"),
        ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => "DATE".into(),
        ColumnType::MYSQL_TYPE_TIME | ColumnType::MYSQL_TYPE_TIME2 => moment("TIME"),
        ColumnType::MYSQL_TYPE_DATETIME | ColumnType::MYSQL_TYPE_DATETIME2 => moment("DATETIME"),
        ColumnType::MYSQL_TYPE_TIMESTAMP | ColumnType::MYSQL_TYPE_TIMESTAMP2 => moment("TIMESTAMP"),
        ColumnType::MYSQL_TYPE_JSON => "JSON".into(),
        ColumnType::MYSQL_TYPE_GEOMETRY => "GEOMETRY".into(),
        ColumnType::MYSQL_TYPE_VECTOR => "VECTOR".into(),
        ColumnType::MYSQL_TYPE_NULL => "NULL".into(),
        _ if flags.contains(ColumnFlags::ENUM_FLAG) => "ENUM".into(),
        _ if flags.contains(ColumnFlags::SET_FLAG) => "SET".into(),
        ColumnType::MYSQL_TYPE_STRING if is_text(column) => format!("CHAR({})", length / CHARACTER),
        ColumnType::MYSQL_TYPE_STRING => format!("BINARY({length})"),
        ColumnType::MYSQL_TYPE_VARCHAR | ColumnType::MYSQL_TYPE_VAR_STRING if is_text(column) => {
            format!("VARCHAR({})", length / CHARACTER)
        }
        ColumnType::MYSQL_TYPE_VARCHAR | ColumnType::MYSQL_TYPE_VAR_STRING => format!("VARBINARY({length})"),
        _ => blob_name(length, is_text(column)).into(),
    }
}

/// A `TEXT` or `BLOB` by how much it holds.
fn blob_name(length: u32, is_text: bool) -> &'static str {
    let bytes = if is_text && length < u32::MAX { length / CHARACTER } else { length };
    match (bytes, is_text) {
        (0..=255, true) => "TINYTEXT",
        (0..=255, false) => "TINYBLOB",
        (256..=65_535, true) => "TEXT",
        (256..=65_535, false) => "BLOB",
        (65_536..=16_777_215, true) => "MEDIUMTEXT",
        (65_536..=16_777_215, false) => "MEDIUMBLOB",
        (_, true) => "LONGTEXT",
        (_, false) => "LONGBLOB",
    }
}
