//! `rejoin serve`, the command itself in a process of its own: what it is measured by is what a user gets.

use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// A service that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Service {
    process: Child,
    url: String,
}

impl Service {
    /// Serves resources, each a name with the content of its resource document, whose documents are put into `folder`; `limits`
    /// are attributes of the element of that name.
    pub(crate) fn start(folder: &Path, resources: &[(&str, String)], limits: &str) -> Result<Self> {
        const NAMESPACE: &str = "http://ogsadai.org.uk/namespaces/2005/10/config";
        let mut served = String::new();
        for (name, content) in resources {
            let document = format!(
                "<dataServiceResourceConfiguration xmlns=\"{NAMESPACE}\">{content}</dataServiceResourceConfiguration>"
            );
            fs::write(folder.join(format!("{name}.xml")), document)?;
            write!(served, "<dataServiceResource name=\"{name}\" location=\"{name}.xml\"/>")?;
        }
        let document = format!(
            "<dataServiceConfiguration xmlns=\"{NAMESPACE}\"><listen address=\"127.0.0.1:0\"/>\
             <limits {limits}/>{served}</dataServiceConfiguration>"
        );
        fs::write(folder.join("service.xml"), document)?;
        let mut process = Command::new(env!("CARGO_BIN_EXE_rejoin"))
            .arg("serve")
            .arg("--config")
            .arg(folder)
            .env("REJOIN_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .context("rejoin can't be run")?;
        let said = process.stdout.take().context("no pipe from rejoin")?;
        let mut url = String::new();
        BufReader::new(said).read_line(&mut url)?;
        ensure!(!url.trim().is_empty(), "rejoin does not serve");
        Ok(Self { process, url: url.trim().to_owned() })
    }

    /// Where a resource is served.
    pub(crate) fn url(&self, resource: &str) -> String {
        format!("{}/services/{resource}", self.url)
    }

    /// The memory that it has now, in KiB; from now on the peak counts from here.
    pub(crate) fn begin_peak(&self) -> Result<u64> {
        fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5").context("the peak can't be reset")?;
        self.status("VmRSS:")
    }

    /// The most memory that it has had since [`Service::begin_peak`], in KiB.
    pub(crate) fn peak(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    /// What the kernel tells of the process: a line of its status.
    pub(crate) fn status(&self, what: &str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(what)).context("the kernel does not tell")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
