//! What the statements of clients may do: `SQLite` asks while it prepares them, so running them costs nothing more.

use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::error;
use crate::resource::ResourceError;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    /// Queries.
    Read,
    /// Updates.
    Write,
}

/// The pragmas that tell about the database and change nothing.
const PRAGMAS: &[&str] = &[
    "collation_list",
    "compile_options",
    "encoding",
    "foreign_key_list",
    "freelist_count",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "page_count",
    "page_size",
    "pragma_list",
    "schema_version",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
];

/// Of those, the ones whose argument names what to tell about; an argument of the others would be a new value.
const PRAGMAS_WITH_ARGUMENT: &[&str] =
    &["foreign_key_list", "index_info", "index_list", "index_xinfo", "table_info", "table_list", "table_xinfo"];

/// What a connection and its authorizer share.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<Mutex<GateState>>);

#[derive(Debug, Default)]
struct GateState {
    /// Statements are our own: let them through.
    open: bool,
    /// Why the last statement was refused.
    refusal: Option<ResourceError>,
}

impl Gate {
    /// Why the last statement was refused, if it was, which is then forgotten.
    pub(super) fn take_refusal(&self) -> Option<ResourceError> {
        self.0.lock().refusal.take()
    }

    /// Lets all statements through while `own` runs.
    pub(super) fn opened<T>(&self, own: impl FnOnce() -> T) -> T {
        self.0.lock().open = true;
        let result = own();
        self.0.lock().open = false;
        result
    }

    fn pass(&self, purpose: Purpose, action: AuthAction<'_>) -> Authorization {
        let mut state = self.0.lock();
        match refused(purpose, action) {
            Some(error) if !state.open => {
                // The first reason is the best: later ones come from inside of the same statement.
                state.refusal.get_or_insert(error);
                Authorization::Deny
            }
            _ => Authorization::Allow,
        }
    }
}

/// Makes the authorizer of a connection; it leaves its reasons in the gate.
pub(super) fn authorizer(
    purpose: Purpose,
    gate: Gate,
) -> impl for<'r> FnMut(AuthContext<'r>) -> Authorization + Send + 'static {
    move |context| gate.pass(purpose, context.action)
}

fn refused(purpose: Purpose, action: AuthAction<'_>) -> Option<ResourceError> {
    match action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => None,
        AuthAction::Function { function_name } => refused_function(function_name),
        AuthAction::Pragma { pragma_name, pragma_value } => refused_pragma(pragma_name, pragma_value),
        AuthAction::Attach { .. } => Some(never("ATTACH and VACUUM are not available")),
        AuthAction::Detach { .. } => Some(never("DETACH is not available")),
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => {
            Some(never("a transaction is begun and ended by an activity of its own, not by a statement"))
        }
        AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. }
        | AuthAction::DropTempIndex { .. }
        | AuthAction::DropTempTable { .. }
        | AuthAction::DropTempTrigger { .. }
        | AuthAction::DropTempView { .. } => {
            Some(never("temporary tables, views and triggers are not available: connections are shared"))
        }
        AuthAction::Unknown { code, .. } => Some(never(&format!("the action {code} is not available"))),
        _ if purpose == Purpose::Write => None,
        _ => Some(ResourceError::ReadOnly {
            message: "a query may not change the database; use an update statement".to_owned(),
        }),
    }
}

fn refused_function(name: &str) -> Option<ResourceError> {
    let forbidden = ["load_extension", "fts3_tokenizer"].iter().any(|forbidden| name.eq_ignore_ascii_case(forbidden));
    forbidden.then(|| never(&format!("the function {name} is not available")))
}

fn refused_pragma(name: &str, value: Option<&str>) -> Option<ResourceError> {
    let among = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
    if !among(PRAGMAS) {
        Some(never(&format!("PRAGMA {name} is not available")))
    } else if value.is_some() && !among(PRAGMAS_WITH_ARGUMENT) {
        Some(never(&format!("PRAGMA {name} may be read but not set")))
    } else {
        None
    }
}

fn never(message: &str) -> ResourceError {
    match error::sql(message) {
        ResourceError::Sql { message, offset, .. } => {
            ResourceError::Sql { message, code: "SQLITE_AUTH".into(), offset }
        }
        other => other,
    }
}
