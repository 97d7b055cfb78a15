//! What the service tells about itself: `GET /services` and `GET /services/{resource}`.

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::SecondsFormat;
use quick_xml::escape::escape;

use super::entrance::RequestId;
use super::media_type::FaultFormat;
use super::reload::ConfigurationProblem;
use super::routes::xml;
use super::state::{ServedResource, ServiceState};
use crate::activity::relational::table_element;
use crate::document::{Position, TYPES_NAMESPACE};
use crate::resource::relational::{DatabaseSchema, SchemaFilter, Table};
use crate::resource::{DataResource, ResourceError};

/// The data service resources.
pub(super) async fn list(State(state): State<ServiceState>) -> Response {
    let mut out = format!("<services xmlns=\"{TYPES_NAMESPACE}\" product=\"Rejoin\" version=\"{VERSION}\">\n");
    for resource in state.resources.values() {
        let name = escape(&resource.name);
        element(&mut out, 1, &format!("dataServiceResource name=\"{name}\" location=\"/services/{name}\""), |out| {
            documentation(out, 2, resource);
        });
    }
    out.push_str("</services>\n");
    xml(out)
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The properties of one: product, activities, schemas, database schema.
pub(super) async fn show(
    State(state): State<ServiceState>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let resource = match state.resource_at(&name) {
        Ok(resource) => resource,
        Err(refusal) => return refusal.into_response(request_id, FaultFormat::wished_for(&headers)),
    };
    let mut schemas = Vec::new();
    for (name, data_resource) in resource.engine.catalogue().resources().iter() {
        schemas.push((name, data_resource, database_schema(&**data_resource).await));
    }
    let mut out = format!("<dataServiceResource xmlns=\"{TYPES_NAMESPACE}\" name=\"{}\">\n", escape(&resource.name));
    documentation(&mut out, 1, resource);
    for problem in resource.session.problems().iter() {
        configuration_problem(&mut out, 1, problem);
    }
    element(&mut out, 1, "activityTypes", |out| {
        for activity in resource.engine.catalogue().names() {
            line(out, 2, &format!("<activity name=\"{}\"/>", escape(activity)));
        }
    });
    line(&mut out, 1, "<performDocumentSchema location=\"/schemas/activities.xsd\"/>");
    line(&mut out, 1, "<responseDocumentSchema location=\"/schemas/response.xsd\"/>");
    line(&mut out, 1, "<faultDocumentSchema location=\"/schemas/fault.xsd\"/>");
    line(&mut out, 1, "<sessionStatusDocumentSchema location=\"/schemas/session-status.xsd\"/>");
    for (name, data_resource, schema) in schemas {
        describe_data_resource(&mut out, name, &**data_resource, &schema);
    }
    out.push_str("</dataServiceResource>\n");
    xml(out)
}

async fn database_schema(data_resource: &dyn DataResource) -> Result<Option<DatabaseSchema>, ResourceError> {
    match data_resource.as_relational() {
        Some(relational) => relational.schema(&SchemaFilter::default()).await.map(Some),
        None => Ok(None),
    }
}

fn describe_data_resource(
    out: &mut String,
    name: &str,
    data_resource: &dyn DataResource,
    schema: &Result<Option<DatabaseSchema>, ResourceError>,
) {
    let start = match name {
        "" => "dataResource".to_owned(),
        name => format!("dataResource name=\"{}\"", escape(name)),
    };
    element(out, 1, &start, |out| {
        let product = data_resource.product();
        let (product, version) = (escape(&*product.name), escape(&*product.version));
        line(
            out,
            2,
            &format!(
                "<productInfo><productName>{product}</productName><productVersion>{version}</productVersion></productInfo>"
            ),
        );
        match schema {
            Ok(None) => {}
            Ok(Some(schema)) => element(out, 2, "databaseSchema", |out| {
                for table in &schema.tables {
                    describe_table(out, table);
                }
            }),
            Err(error) => {
                tracing::warn!(data_resource = name, %error, "the database schema can't be read");
                line(out, 2, "<unavailable/>");
            }
        }
    });
}

/// As `extractDatabaseSchema` tells it.
fn describe_table(out: &mut String, table: &Table) {
    match table_element(table).to_xml() {
        Ok(xml) => line(out, 3, xml.trim_end()),
        Err(error) => tracing::warn!(%error, "a table has a name that XML can't hold"),
    }
}

fn documentation(out: &mut String, depth: usize, resource: &ServedResource) {
    for text in &resource.documentation {
        line(out, depth, &format!("<documentation>{}</documentation>", escape(text.trim())));
    }
}

/// Why a changed document is not in force.
fn configuration_problem(out: &mut String, depth: usize, problem: &ConfigurationProblem) {
    let ConfigurationProblem { file, position: Position { line: at, column }, message, since } = problem;
    let (file, message) = (escape(file), escape(message));
    let since = since.to_rfc3339_opts(SecondsFormat::Millis, true);
    let start = format!("configurationProblem file=\"{file}\" line=\"{at}\" column=\"{column}\" since=\"{since}\"");
    line(out, depth, &format!("<{start}>{message}</configurationProblem>"));
}

/// An element of that start tag, and what `content` puts into it.
fn element(out: &mut String, depth: usize, start: &str, content: impl FnOnce(&mut String)) {
    line(out, depth, &format!("<{start}>"));
    content(out);
    let name = start.split(' ').next().unwrap_or_default();
    line(out, depth, &format!("</{name}>"));
}

fn line(out: &mut String, depth: usize, text: &str) {
    for _ in 0..depth {
        out.push_str("  ");
    }
    out.push_str(text);
    out.push('\n');
}
