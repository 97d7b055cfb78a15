//! All properties, one by one.

use crate::document::nearest;

/// A property, as the documentation has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PropertyDescription {
    /// Its name; `job.*` stands for all names that begin with `job.`.
    pub name: &'static str,
    /// What is done with it.
    pub treatment: PropertyUse,
    /// What its value looks like.
    pub form: &'static str,
    /// What holds without it.
    pub default: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// What is done otherwise than by DIL, or why it is refused.
    pub difference: &'static str,
}

/// What is done with a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyUse {
    /// It is read.
    Read,
    /// It may be there, and changes nothing: it keeps the books of the framework that DIL runs in.
    NoEffect,
    /// It may be there with one of these values, which say what is done anyway.
    Only(&'static [&'static str]),
    /// It is refused: what it asks for isn't done.
    Refused,
}

/// The description of a property.
pub(super) fn find(name: &str) -> Option<&'static PropertyDescription> {
    let exact = PROPERTIES.iter().find(|description| description.name == name);
    exact.or_else(|| PROPERTIES.iter().find(|description| stands_for(description.name, name)))
}

fn stands_for(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').is_some_and(|beginning| name.len() > beginning.len() && name.starts_with(beginning))
}

/// The property that was most likely meant.
pub(super) fn nearest_property(name: &str) -> Option<&'static str> {
    nearest(name, PROPERTIES.iter().map(|description| description.name).filter(|name| !name.ends_with('*')))
}

const fn read(
    name: &'static str,
    form: &'static str,
    default: &'static str,
    purpose: &'static str,
    difference: &'static str,
) -> PropertyDescription {
    PropertyDescription { name, treatment: PropertyUse::Read, form, default, purpose, difference }
}

const fn no_effect(name: &'static str, purpose: &'static str) -> PropertyDescription {
    let treatment = PropertyUse::NoEffect;
    PropertyDescription { name, treatment, form: "any", default: "", purpose, difference: "taken, without effect" }
}

const fn only(
    name: &'static str,
    values: &'static [&'static str],
    purpose: &'static str,
    difference: &'static str,
) -> PropertyDescription {
    let treatment = PropertyUse::Only(values);
    PropertyDescription { name, treatment, form: values[0], default: values[0], purpose, difference }
}

const fn refused(name: &'static str, difference: &'static str) -> PropertyDescription {
    let treatment = PropertyUse::Refused;
    PropertyDescription { name, treatment, form: "", default: "", purpose: "", difference }
}

/// All properties that are known. What is not here is refused, with the nearest name.
pub const PROPERTIES: &[PropertyDescription] = &[
    // What is sent
    read(
        "ms.source.uri",
        "template",
        "none: required",
        "the address, absolute or relative to that of the web resource",
        "an undefined variable is found before the first request; in a path a space is `%20`; a variable at the very \
         beginning is an address and stands as it is; an address with `#` is refused",
    ),
    read(
        "ms.http.request.method",
        "`GET`, `GET_XE`, `POST`, `PUT`, `PATCH`, `DELETE`, `HEAD`",
        "`GET`",
        "the method; `GET_XE` is GET with values that stand in the URI as they are",
        "upper or lower case; `PATCH` and `HEAD` are ours; DELETE has its parameters in the body",
    ),
    read(
        "ms.http.request.headers",
        "object of templates by header",
        "`{}`",
        "headers of every request",
        "an undefined variable is refused; a header whose variable has no value yet is left out; every variable that a \
         header names is not sent again",
    ),
    read(
        "ms.parameters",
        "array of `{name, type?, value?, watermark?, format?, pattern?, timezone?, in?, as?}`",
        "`[]`",
        "what goes with the request; [see below](#parameters)",
        "checked whole; objects in objects are sent; variables are filled in structurally; `in` and `as` are ours; UTF-8 \
         and `application/json`",
    ),
    read(
        "ms.authentication",
        "`{method, encryption, header?, token}`",
        "none",
        "a header with a token: `basic`, `bearer`, `oauth`, `custom`; `base64` or `none`",
        "base64 is made after variables are filled in; the token is required: user and password belong to the web resource",
    ),
    read(
        "extract.is.full",
        "`true` or `false`",
        "`false`",
        "which of the two texts of a `list` parameter is taken: the first if true",
        "no other use",
    ),
    // The remote session
    read(
        "ms.session.key.field",
        "`{name, condition?, failCondition?, initValue?}`; a condition is `{regexp}` or `{formula}`",
        "none",
        "the value of each answer that says whether to go on, to stop or to fail, and that can be sent back",
        "`failCondition` counts without `condition`; what is not said matches nothing; a key without a condition is a \
         cursor: pages are asked for until it is blank; paths are strict, with places in arrays; headers in any case; \
         `initValue` is the text itself; `failCondition` without any other end is refused",
    ),
    read(
        "ms.wait.timeout.seconds",
        "0 to 86400",
        "600 with a condition, else none",
        "how long the remote session has to be complete",
        "counted from the first request; never slept past; it holds for pages alone if it is set",
    ),
    read(
        "ms.call.interval.millis",
        "0 to 86400000",
        "0",
        "the least time from the start of a request to the start of the next",
        "the time that the server takes counts",
    ),
    // Pages
    read(
        "ms.pagination",
        "`{fields?: [start, size, number], initialvalues?: [start, size, number]}`",
        "none",
        "where an answer says which page it is, and what is sent first",
        "more than three entries are refused; the page number is the first one plus pages done; the start never goes back",
    ),
    read(
        "ms.total.count.field",
        "path",
        "none",
        "where an answer says how many records there are altogether",
        "null and absent are taken as unknown; refused for answers that are not JSON",
    ),
    read(
        "rejoin.next",
        "`link`, or a path",
        "none",
        "the answer names the address of the next page: the header Link (RFC 8288), or a value of the body",
        "ours",
    ),
    read(
        "rejoin.blank.pages",
        "`stop`, `continue`, or a number",
        "`stop`",
        "what a page without records means: the end, nothing, or the end when so many follow each other",
        "ours",
    ),
    read(
        "rejoin.pages.max",
        "whole number from 1",
        "none",
        "the most requests for pages; one more is a failure",
        "ours",
    ),
    read(
        "rejoin.loop.guard",
        "whole number",
        "3",
        "how often in a row the same cursor or the same page may come before that is a failure; 0: for ever",
        "ours",
    ),
    // Other signals
    read(
        "rejoin.stop.when",
        "array of formulas, or of `{regexp}` and `{formula}`",
        "`[]`",
        "each one alone ends the ingestion well",
        "ours",
    ),
    read(
        "rejoin.fail.when",
        "array of formulas, or of `{regexp}` and `{formula}`",
        "`[]`",
        "each one alone fails the ingestion",
        "ours",
    ),
    read(
        "rejoin.on.timeout",
        "`fail`, `partial`, `continue`",
        "`fail`",
        "what it means that the time is over: a failure, a good end that says so, or to be gone on with by a later request",
        "ours",
    ),
    read(
        "ms.work.unit.min.records",
        "whole number",
        "0",
        "fewer records are a failure",
        "a failure with its reason, not an exception",
    ),
    // Answers
    read(
        "ms.http.statuses",
        "`{success, warning?, error?, pagination_error?}`: arrays of statuses, `\"5xx\"`, `\"500-503\"`",
        "`{\"success\": [200, 201, 202], \"pagination_error\": [401]}`",
        "which answers hold a page, are passed over, fail, or want new credentials",
        "a status in two lists is refused, and so is an unknown list; without `success` it is refused",
    ),
    read(
        "ms.http.status.reasons",
        "`{error: [text]}`",
        "`{}`",
        "reasons that make an error of a success",
        "they are an error, not a warning",
    ),
    read(
        "ms.http.response.type",
        "`{\"Content-Type\": text or array}`",
        "JSON: `application/json`; CSV: `text/csv`, `application/gzip`; else any",
        "media types that are taken beside the usual ones",
        "compared without upper and lower case; another type is a failure, not an end",
    ),
    read(
        "rejoin.format",
        "`json`, `csv`, `text`, `file`",
        "`json`, or that of `ms.extractor.class`",
        "what answers are written in",
        "ours",
    ),
    read(
        "ms.extractor.class",
        "a class: `JsonExtractor`, `CsvExtractor`, `TextExtractor`, `FileDumpExtractor`",
        "that of `rejoin.format`",
        "the same as `rejoin.format`",
        "the package may be left out; Avro is refused",
    ),
    read(
        "ms.data.field",
        "path",
        "none: the whole answer",
        "where the records are",
        "absent on the first page is a failure, unless pages are asked for",
    ),
    read(
        "ms.csv",
        "`{linesToSkip?, columnHeaderIndex?, fieldSeparator?, quoteCharacter?, escapeCharacter?, recordSeparator?, \
         columnProjection?, defaultFieldType?}`",
        "`{}`",
        "how CSV is read",
        "quotes are doubled unless `escapeCharacter` is given; `maxFailures` and `keepNullString` are refused; the only \
         default type is `string`",
    ),
    read(
        "ms.extract.preprocessors",
        "classes: `GunzipProcessor`",
        "none",
        "answers are unpacked first",
        "what can't be unpacked is a failure; OpenPGP is refused",
    ),
    only(
        "ms.source.data.character.set",
        &["UTF-8", "utf-8"],
        "what answers are written in",
        "answers are read as UTF-8",
    ),
    read(
        "rejoin.page.bytes",
        "1 to 4294967296",
        "67108864",
        "the most bytes of one page, unpacked; what the web resource says, an activity can't exceed",
        "ours",
    ),
    // Records
    read(
        "ms.output.schema",
        "array of `{columnName, isNullable?, dataType: {type}}`",
        "none: inferred",
        "the columns of the records",
        "types of documents such as `int64`, `decimal` with precision and scale are taken too; structures are text: their JSON",
    ),
    read(
        "ms.enable.schema.based.filtering",
        "`true` or `false`",
        "`true`",
        "whether what the schema doesn't name is left out",
        "if not, it is a failure",
    ),
    read(
        "ms.derived.fields",
        "array of `{name, formula: {type, source, format?, timezone?}}`",
        "`[]`",
        "columns that are made of others, of variables or of the time",
        "paths are dotted, without the `$` of JSONPath",
    ),
    read(
        "ms.data.explicit.eof",
        "`true` or `false`",
        "`false`",
        "a last record `{\"EOF\": \"EOF\"}`",
        "it is not counted",
    ),
    // Units
    read(
        "ms.secondary.input",
        "array of `{path?, fields?, filters?, category?, format?, retry?}`",
        "every column is `activation`",
        "which columns of the input `secondary` become variables (`activation`), secrets (`authentication`) or bodies (`payload`)",
        "rows come from the stream, so `path` and `format` say nothing; columns of the category `authentication` are never \
         sent but where a template names them; `validation` is refused",
    ),
    read(
        "ms.watermark",
        "array of `{name, type: datetime, range: {from, to}}` and `{name, type: unit, units}`",
        "2019-01-01 to now, where a parameter speaks of it",
        "the window of time, and listed units",
        "`P1D.UTC` does name a zone; a window that ends before it begins is refused",
    ),
    read(
        "ms.work.unit.partition",
        "`none`, `hourly`, `daily`, `weekly`, `monthly`",
        "`none`",
        "the window is cut: one unit each",
        "composite partitions are refused",
    ),
    read(
        "ms.work.unit.partial.partition",
        "`true` or `false`",
        "`true`",
        "whether the last window may be shorter",
        "none",
    ),
    read(
        "ms.work.unit.parallelism.max",
        "1 to 5000",
        "10",
        "how many units run side by side",
        "DIL limits how many units there are, too",
    ),
    read(
        "ms.work.unit.pacing.seconds",
        "0 to 86400",
        "0",
        "how much later each unit begins than the one before",
        "no thread waits",
    ),
    read("ms.work.unit.min.units", "whole number", "0", "fewer units are a failure", "none"),
    read(
        "rejoin.unit.failure",
        "`continue` or `stop`",
        "`continue`",
        "whether the other units stop when one fails",
        "ours",
    ),
    // What is tried again
    read(
        "rejoin.retry",
        "`{statuses?, transport?, times?, backoff?: {first?, factor?, longest?, jitter?}, longestWait?}`",
        "none; of the object: 429, 502 to 504, `true`, 5, one second doubled up to a minute with a tenth of chance, 5 minutes",
        "which answers and broken connections are tried again, how often, and after what time",
        "ours; DIL fails at once",
    ),
    read("rejoin.poll.errors", "whole number", "0", "how many failed requests in a row a poll goes on after", "ours"),
    // Files
    read(
        "rejoin.download",
        "`{file?, resource?, etag?, resume?, bytes?, checksum?: {algorithm, value?, header?}}`",
        "none",
        "the answer becomes a file: [below](#a-file-and-its-folder)",
        "ours",
    ),
    read(
        "ms.extractor.target.file.name",
        "template",
        "none",
        "the name of the file, as `file` of `rejoin.download`",
        "every variable of the unit; nothing is cut off; refused where pages are asked for",
    ),
    // What keeps the books of the framework around DIL
    no_effect("ms.enable.dynamic.full.load", "whether the framework makes a full load by itself"),
    no_effect("ms.metrics.enabled", "measurement"),
    no_effect("ms.reporter.class", "measurement"),
    no_effect("ms.http.conn.max", "connections: a limit of the web resource"),
    no_effect("ms.http.conn.per.route.max", "connections: a limit of the web resource"),
    no_effect("ms.http.conn.ttl.seconds", "connections: a limit of the web resource"),
    no_effect("ms.retention", "kept for later by DIL"),
    no_effect("job.*", "the job"),
    no_effect("extract.*", "the data set"),
    no_effect("source.class", "the kind of source"),
    no_effect("source.timezone", "the framework's own watermarks"),
    no_effect("dataset.urn", "the data set"),
    no_effect("converter.*", "what becomes of records elsewhere"),
    no_effect("data.publisher.*", "what becomes of records elsewhere"),
    no_effect("writer.*", "what becomes of records elsewhere"),
    no_effect("state.store.*", "where the framework keeps its state"),
    no_effect("taskexecutor.*", "threads"),
    no_effect("metrics.*", "measurement"),
    // What says what is done anyway, or is refused
    only(
        "ms.enable.cleansing",
        &["false"],
        "whether characters in the names of columns are replaced",
        "columns keep their names",
    ),
    only("ms.backfill", &["false"], "whether old windows are asked for again", "the window says what is asked for"),
    only(
        "ms.grace.period.days",
        &["0"],
        "how far windows overlap",
        "no window is kept from run to run: `from` says it",
    ),
    only("ms.abstinent.period.days", &["0"], "how long is waited", "no window is kept from run to run: `from` says it"),
    only("ms.audit.enabled", &["false"], "whether requests are audited", "the output `decisions` lists the requests"),
    only("ms.hdfs.reader.parse.json.strings", &["false"], "whether texts of JSON are unpacked", "texts stay texts"),
    only("task.maxretries", &["0"], "how often a unit is tried again", "`rejoin.retry` says what is tried again"),
    refused("ms.activation.property", "it is internal to DIL: the input `secondary` has the rows"),
    refused("ms.payload.property", "it is internal to DIL: the input `secondary` has the rows"),
    refused(
        "ms.work.unit.scheduling.starttime",
        "it is internal to DIL: `ms.work.unit.pacing.seconds` says when units begin",
    ),
    refused("ms.aux.keys", "it is internal to DIL"),
    refused("ms.watermark.groups", "it is internal to DIL"),
    refused("ms.range.generator.*", "it is internal to DIL"),
    refused("ms.ssl", "TLS belongs to the web resource"),
    refused("ms.connection.client.factory", "connections belong to the web resource"),
    refused("source.conn.*", "credentials and addresses belong to the web resource"),
    refused("ms.secret.manager.class", "encrypted values are not read: credentials belong to the web resource"),
    refused("encrypt.key.loc", "encrypted values are not read: credentials belong to the web resource"),
    refused("ms.encryption.fields", "records are not encrypted: they would leave as they are"),
    refused("ms.extract.preprocessor.parameters", "answers are not decrypted"),
    refused("ms.extractor.target.file.permission", "files have the mode that the umask of the service leaves"),
    refused("extractor.class", "the name is `ms.extractor.class`"),
    refused("ms.schema.cleansing", "columns keep their names"),
    refused("ms.data.default.type", "`ms.output.schema` has the types of columns"),
    refused("ms.target.schema", "records are not converted: `ms.output.schema` has their columns"),
    refused("ms.target.schema.urn", "there is no registry of schemas: `ms.output.schema` has the columns"),
    refused("ms.source.schema.urn", "there is no registry of schemas: `ms.output.schema` has the columns"),
    refused("ms.validation.attributes", "`ms.work.unit.min.records` and `rejoin.fail.when` can fail an ingestion"),
    refused("ms.normalizer.batch.size", "records are not grouped"),
    refused("ms.converter.*", "records are not converted"),
    refused("ms.csv.*", "`ms.csv` has it, as a member"),
    refused("csv.max.failures", "a line that can't be read is a failure"),
    refused("ms.jdbc.*", "the source is HTTP; activities on relational data query databases"),
    refused("ms.kafka*", "the source is HTTP"),
    refused("ms.s3.*", "the source is HTTP"),
    refused("ms.source.s3.parameters", "the source is HTTP"),
    refused("ms.source.files.pattern", "the source is HTTP"),
    refused("ms.sftp.*", "the source is HTTP"),
    refused("job.commit.policy", "`rejoin.unit.failure` says what the failure of a unit does"),
];
