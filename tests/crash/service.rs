//! The real service, as a process of its own.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::home::Home;
use crate::layer::Layer;

/// How long a service that was killed or told to stop may take to be gone.
const PATIENCE: Duration = Duration::from_mins(1);

/// A service that was started. It is killed if nobody ends it.
#[derive(Debug)]
pub(crate) struct Service {
    child: Child,
    /// Open for as long as it runs: it may have more to say.
    stdout: BufReader<ChildStdout>,
    started: Instant,
}

impl Service {
    /// Starts one, over the disk layer if that is wanted. It is not ready yet.
    pub(crate) fn start(home: &Home, layer: Option<&Layer>) -> Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rejoin"));
        command.args(["serve", "--config"]).arg(home.folder());
        command.env_remove("REJOIN_SESSION").env("REJOIN_LOG", "info");
        if let Some(layer) = layer {
            layer.put_under(&mut command, home);
        }
        Self::start_command(home, command)
    }

    /// Starts a command that becomes a service in the end.
    pub(crate) fn start_command(home: &Home, mut command: Command) -> Result<Self> {
        let log = OpenOptions::new().create(true).append(true).open(home.log())?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let stdout = BufReader::new(child.stdout.take().context("no standard output")?);
        Ok(Self { child, stdout, started: Instant::now() })
    }

    /// Waits until it serves: its address. `None` when it has ended before.
    pub(crate) fn url(&mut self) -> Result<Option<String>> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        Ok(Some(line.trim().to_owned()).filter(|url| !url.is_empty()))
    }

    /// Waits until it serves, which it has to.
    pub(crate) fn ready(&mut self, home: &Home) -> Result<(String, Duration)> {
        match self.url()? {
            Some(url) => Ok((url, self.started.elapsed())),
            None => bail!("the service did not start; it said:\n{}", home.last_of_log()),
        }
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until it has ended by itself, but no longer than `patience`.
    pub(crate) fn wait(&mut self, patience: Duration) -> Result<Option<ExitStatus>> {
        let until = Instant::now() + patience;
        loop {
            match self.ended()? {
                Some(status) => return Ok(Some(status)),
                None if Instant::now() >= until => return Ok(None),
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and what it says at its end.
    pub(crate) fn stop(mut self) -> Result<ExitStatus> {
        // The shell has `kill` built in; a program of that name need not be there.
        let told = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status()?;
        if !told.success() {
            bail!("the service could not be told to stop");
        }
        self.wait(PATIENCE)?.context("the service did not stop when it was told to")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
