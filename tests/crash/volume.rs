//! A real volume that is full or read-only: a small file system in memory, in a name space of its own, which needs no rights
//! where the system lets users have such. Part of `faults`.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::faults::{answered, completed};
use crate::held::{Found, document, look};
use crate::home::Home;
use crate::service::Service;
use crate::wire::{Ask, Link, Stage};

/// Whether name spaces can be had here.
pub(crate) fn is_available() -> bool {
    let tried = Command::new("unshare").args(["-Urm", "true"]).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

/// The service, with a volume of two megabytes in the place of its store.
fn on_volume(home: &Home, prepare: &str) -> Result<Service> {
    fs::create_dir_all(home.store())?;
    let script =
        format!("mount -t tmpfs -o size=2m,mode=0700 none \"$1\" && {prepare} exec \"$2\" serve --config \"$3\"");
    let mut command = Command::new("unshare");
    command.args(["-Urm", "sh", "-c", &script, "sh"]);
    command.arg(home.store()).arg(env!("CARGO_BIN_EXE_rejoin")).arg(home.folder());
    Service::start_command(home, command)
}

/// A full volume: what fails has not happened, what was there can be read, and when there is room the service goes on.
pub(crate) fn full(home: &Home) -> Result<String> {
    let mut service = on_volume(home, "")?;
    let (url, _) = service.ready(home)?;
    // The volume as the service sees it.
    let seen = PathBuf::from(format!("/proc/{}/root{}", service.id(), home.store().display()));
    let stage = tokio::sync::watch::Sender::new(Stage::Serving { number: 1, url });
    let mut link = Link::new(stage.subscribe(), None)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let refused = runtime.block_on(async {
        let id = completed(&mut link, &set("<session/>", "Oban")).await?.session_id()?;
        let session = format!("<session id=\"{id}\"/>");
        let filler = seen.join("filler");
        fill(&filler)?;
        let mut refused = 0;
        for _ in 0..20 {
            let reply = answered(&mut link, &Ask::perform(document(&set(&session, &"x".repeat(50_000))))).await?;
            if reply.is_completed() {
                continue;
            }
            ensure!(reply.is_unavailable(), "a full disk is answered with {}: {}", reply.status, reply.text());
            ensure!(reply.fault()?.retryable, "it may be tried again, and does not say so: {}", reply.text());
            refused += 1;
            ensure!(matches!(look(&mut link, &id, 0).await?, Found::Alive(_)), "what was there can't be read");
        }
        ensure!(refused > 0, "the disk was not full");
        fs::remove_file(&filler)?;
        completed(&mut link, &set(&session, "Perth")).await.context("with room again")?;
        let Found::Alive(state) = look(&mut link, &id, 0).await? else { bail!("the session is gone") };
        ensure!(state.text("town") == "Perth", "the session is not what it was");
        anyhow::Ok(refused)
    })?;
    let status = service.stop()?;
    ensure!(status.success(), "the service did not stop cleanly: {status}; it said:\n{}", home.last_of_log());
    Ok(format!("a full volume refused {refused} requests, and took them when it had room"))
}

/// A read-only volume: the service does not start, and says why.
pub(crate) fn read_only(home: &Home) -> Result<String> {
    let mut service = on_volume(home, "mount -o remount,ro none \"$1\" &&")?;
    if service.url()?.is_some() {
        bail!("the service started on a read-only volume");
    }
    let status = service.wait(Duration::from_secs(10))?.context("it did not end")?;
    let said = home.last_of_log();
    ensure!(status.code() == Some(1), "it ended with {status}: {said}");
    ensure!(said.contains("can't be written"), "it does not say why: {said}");
    Ok("a read-only volume was refused at the start".to_owned())
}

fn set(session: &str, town: &str) -> String {
    format!(
        "{session}<sessionAttributeManagement name=\"set\"><setAttribute name=\"town\">{town}</setAttribute>\
         </sessionAttributeManagement>"
    )
}

/// Writes until nothing more fits.
fn fill(path: &PathBuf) -> Result<()> {
    let mut file = fs::File::create(path).context("the volume can't be reached")?;
    for size in [4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    Ok(())
}
