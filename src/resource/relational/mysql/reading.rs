//! Queries of a transaction that may write.
//!
//! The server has no transactions inside of transactions, so it does not keep such a query from writing. What can write in one
//! is a function, and the server counts what functions do.

use mysql_async::prelude::Queryable;

use super::error::resource_error;
use super::link::Link;
use super::transaction::as_one;
use crate::resource::ResourceError;

/// What the server counts of a session: the statements that wrote, those in functions included.
const COUNTS: &str = "SHOW SESSION STATUS WHERE Variable_name IN ('Com_delete', 'Com_delete_multi', 'Com_insert', \
    'Com_insert_select', 'Com_load', 'Com_replace', 'Com_replace_select', 'Com_update', 'Com_update_multi')";

/// Runs a query that calls a function. If that has written, it is taken back, and an error.
pub(super) async fn only<T>(
    link: &mut Link,
    query: impl AsyncFnOnce(&mut Link) -> Result<T, ResourceError>,
) -> Result<T, ResourceError> {
    let before = written(link).await?;
    as_one(link, async |link| {
        let done = query(link).await?;
        if written(link).await? == before {
            Ok(done)
        } else {
            Err(ResourceError::ReadOnly {
                message: "a function that the query calls changes the database; use an update statement".into(),
            })
        }
    })
    .await
}

async fn written(link: &mut Link) -> Result<u64, ResourceError> {
    let counts: Vec<(String, u64)> = link.driver().query(COUNTS).await.map_err(resource_error)?;
    Ok(counts.iter().map(|(_, count)| count).sum())
}
