use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::ingest::Json;
use crate::ingest::transfer::FileKept;
use crate::resource::files::FileName;

/// The columns of a download.
const COLUMNS: [(&str, DataType); 8] = [
    ("file", DataType::Utf8),
    ("bytes", DataType::Int64),
    ("algorithm", DataType::Utf8),
    ("checksum", DataType::Utf8),
    ("mediaType", DataType::Utf8),
    ("etag", DataType::Utf8),
    ("lastModified", DataType::Utf8),
    ("unchanged", DataType::Boolean),
];

/// The columns of the records of downloads, where nothing else is said.
pub(in crate::activity::web::http_ingest) fn record_schema() -> SchemaRef {
    Arc::new(Schema::new(COLUMNS.map(|(name, data_type)| Field::new(name, data_type, true)).to_vec()))
}

/// The record of a file, as JSON: so it is read as any other record is.
pub(super) fn record(name: &FileName, file: &FileKept, headers: &HeaderMap, is_unchanged: bool) -> Bytes {
    let text = |text: Option<&str>| text.map_or(Json::Null, Json::text);
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let values = [
        Json::text(name.as_str()),
        Json::from(file.stamp.bytes),
        Json::text(file.algorithm.name()),
        Json::text(&*file.digest),
        text(media_type),
        text(file.validator.etag.as_deref()),
        text(file.validator.last_modified.as_deref()),
        Json::Bool(is_unchanged),
    ];
    let members = COLUMNS.iter().zip(values).map(|((name, _), value)| ((*name).into(), value));
    Json::Object(members.collect()).to_string().into()
}
