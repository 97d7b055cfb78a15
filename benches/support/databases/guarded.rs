//! The process of a server, which ends with the bench that started it, however that ends.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// Starts the server, says that it has, waits for the end of its input, and ends the server then. Whatever becomes of the
/// bench, the pipe to this script is closed with it.
const GUARD: &str = r#"
signal=$1; log=$2; shift 2
"$@" >"$log" 2>&1 </dev/null &
server=$!
echo started
cat >/dev/null
kill "-$signal" $server 2>/dev/null
wait
"#;

/// A server that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Guarded(Child);

impl Guarded {
    /// Starts `command`, of which `log` keeps what it says, and which `signal` ends.
    pub(crate) fn start(command: &[String], signal: &str, log: &Path) -> Result<Self> {
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "guard", signal])
            .arg(log)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("sh can't be run")?;
        let said = guard.stdout.take().context("no pipe from the guard")?;
        BufReader::new(said).read_line(&mut String::new())?;
        Ok(Self(guard))
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // Nobody is left to tell.
        let _ = self.0.wait();
    }
}
