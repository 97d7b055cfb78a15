//! `rejoin serve`: serves a configuration until it is told to stop.

use std::convert::Infallible;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::service::{BoundServer, Configuration, Ending, Reloader, Server};

pub(super) async fn run(config: &Path) -> anyhow::Result<ExitCode> {
    log_to_stderr();
    let configuration = Configuration::load(config)?;
    let server = Server::builder().configuration(configuration).build()?.bind().await?;
    until_told(server, |server| say!("{}", server.url())).await
}

/// Serves until SIGTERM or Ctrl-C, then drains; a second one ends it at once. At SIGHUP the server looks whether its
/// configuration has changed. `announce` says that it is ready, for all of these. The exit code says whether anything was cut
/// off.
pub(super) async fn until_told(server: BoundServer, announce: impl FnOnce(&BoundServer)) -> anyhow::Result<ExitCode> {
    let (mut first, mut second) = (Signals::listen()?, Signals::listen()?);
    let reloading = reload_at(signal(SignalKind::hangup()).context("SIGHUP can't be listened for")?, server.reloader());
    announce(&server);
    let serving = server.serve(async move {
        first.next().await;
        tracing::info!("draining: requests that run are answered, new ones are not taken");
    });
    let told_twice = async {
        second.next().await;
        second.next().await;
    };
    tokio::select! {
        ending = serving => Ok(match ending {
            Ending::Drained => ExitCode::SUCCESS,
            Ending::CutOff => ExitCode::FAILURE,
        }),
        () = told_twice => {
            tracing::warn!("told to stop a second time: requests that run are cut off");
            Ok(ExitCode::FAILURE)
        }
        never = reloading => match never {},
    }
}

/// Lets the server look at its configuration at each SIGHUP.
async fn reload_at(mut hang_up: Signal, reloader: Reloader) -> Infallible {
    loop {
        if hang_up.recv().await.is_none() {
            return std::future::pending().await;
        }
        tracing::info!("SIGHUP: looking whether the configuration has changed");
        reloader.reload().await;
    }
}

/// SIGTERM and Ctrl-C.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let terminate = signal(SignalKind::terminate()).context("SIGTERM can't be listened for")?;
        let interrupt = signal(SignalKind::interrupt()).context("Ctrl-C can't be listened for")?;
        Ok(Self { terminate, interrupt })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
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
