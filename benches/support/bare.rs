//! The bare handler that requests are compared with.

use std::net::SocketAddr;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;

/// Starts an axum handler that reads the same body and answers nothing of use.
pub(crate) async fn start_bare() -> Result<SocketAddr> {
    let router =
        Router::new().route("/", post(|body: Bytes| async move { if body.is_empty() { "empty" } else { "read" } }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
