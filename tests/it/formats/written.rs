//! Blocks as the text or the bytes of a whole document.

use arrow_array::RecordBatch;
use rejoin::format::{
    ArrowCompression, ArrowOptions, ArrowReader, ArrowWriter, CsvOptions, CsvReader, CsvReaderOptions, CsvWriter,
    FormatError, JsonForm, JsonOptions, JsonWriter, ParquetCompression, ParquetOptions, ParquetReader, ParquetWriter,
    TemporalColumns, WebRowSetOptions, WebRowSetReader, WebRowSetWriter,
};

pub(super) fn csv(blocks: &[RecordBatch], options: CsvOptions) -> String {
    let mut writer = CsvWriter::new(options).unwrap();
    let mut text = String::new();
    writer.begin(blocks[0].schema_ref(), &mut text);
    for block in blocks {
        writer.rows(block, &mut text).unwrap();
    }
    text
}

pub(super) fn json(blocks: &[RecordBatch], form: JsonForm) -> String {
    let mut writer = JsonWriter::new(JsonOptions { form });
    let mut text = String::new();
    writer.begin(blocks[0].schema_ref(), &mut text);
    for block in blocks {
        writer.rows(block, &mut text).unwrap();
    }
    writer.end(&mut text);
    text
}

pub(super) fn web_row_set(blocks: &[RecordBatch], temporal: TemporalColumns) -> String {
    let mut writer = WebRowSetWriter::new(WebRowSetOptions { temporal, ..WebRowSetOptions::default() });
    let mut text = String::new();
    writer.begin(blocks[0].schema_ref(), &mut text).unwrap();
    for block in blocks {
        writer.rows(block, &mut text).unwrap();
    }
    writer.end(&mut text);
    text
}

pub(super) fn arrow(blocks: &[RecordBatch], compression: ArrowCompression) -> Vec<u8> {
    let mut writer = ArrowWriter::new(ArrowOptions { compression });
    let mut bytes = Vec::new();
    for block in blocks {
        writer.rows(block, &mut bytes).unwrap();
    }
    writer.end(&mut bytes).unwrap();
    bytes
}

pub(super) fn parquet(blocks: &[RecordBatch], compression: ParquetCompression) -> Vec<u8> {
    let mut writer = ParquetWriter::new(ParquetOptions { compression });
    let mut bytes: Vec<u8> = blocks.iter().flat_map(|block| writer.rows(block).unwrap()).collect();
    bytes.extend(writer.end().unwrap());
    bytes
}

pub(super) fn from_csv(text: &str, options: CsvReaderOptions) -> Result<Vec<RecordBatch>, FormatError> {
    let mut reader = CsvReader::new(options)?;
    let mut blocks = Vec::new();
    reader.text(text, &mut blocks)?;
    reader.end(&mut blocks)?;
    Ok(blocks)
}

pub(super) fn from_web_row_set(text: &str) -> Result<Vec<RecordBatch>, FormatError> {
    let mut reader = WebRowSetReader::new();
    let mut blocks = Vec::new();
    reader.text(text, &mut blocks)?;
    reader.end(&mut blocks)?;
    Ok(blocks)
}

pub(super) fn from_arrow(bytes: &[u8]) -> Result<Vec<RecordBatch>, FormatError> {
    let mut reader = ArrowReader::new();
    reader.bytes(bytes.to_vec().into());
    let mut blocks = Vec::new();
    while let Some(block) = reader.next_block()? {
        blocks.push(block);
    }
    blocks.extend(reader.end()?);
    Ok(blocks)
}

pub(super) fn from_parquet(bytes: &[u8]) -> Result<Vec<RecordBatch>, FormatError> {
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    let mut reader = ParquetReader::new(file)?;
    let mut blocks = Vec::new();
    while let Some(block) = reader.next_block()? {
        blocks.push(block);
    }
    Ok(blocks)
}
