//! `rejoin serve`: serves a configuration until it is told to stop.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::service::{Configuration, Server};

pub(super) async fn run(config: &Path) -> anyhow::Result<ExitCode> {
    log_to_stderr();
    let configuration = Configuration::load(config)?;
    let server = Server::builder().configuration(configuration).build()?.bind().await?;
    say!("{}", server.url());
    let shutdown = shutdown_signal()?;
    server.serve(shutdown).await;
    Ok(ExitCode::SUCCESS)
}

/// Resolves at SIGTERM or Ctrl-C.
pub(super) fn shutdown_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be listened for")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("Ctrl-C can't be listened for")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("draining: requests that run are answered, new ones are not taken");
    })
}

/// Log lines to standard error, as `REJOIN_LOG` asks for (`info` without it): for people on a terminal, JSON elsewhere.
pub(super) fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("REJOIN_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        builder.init();
    } else {
        builder.json().init();
    }
}
