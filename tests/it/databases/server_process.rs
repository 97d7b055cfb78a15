//! The process of a server, which ends with the test that started it, however that ends.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Starts the server, tells its process id, waits for a word or the end of its input, and ends the server then; without the
/// word `keep`, its folder as well. Whatever becomes of the test, the pipe to this script is closed with it.
const GUARD: &str = r#"
log=$1; shift
"$@" >"$log" 2>&1 </dev/null &
server=$!
echo $server
read -r what
kill -CONT $server 2>/dev/null
kill -QUIT $server 2>/dev/null
for try in 1 2 3 4 5 6 7 8 9 10; do
    kill -0 $server 2>/dev/null || break
    sleep 0.1
done
kill -KILL $server 2>/dev/null
wait
[ "$what" = keep ] || rm -rf "$(dirname "$log")"
"#;

/// A running server.
#[derive(Debug)]
pub(super) struct ServerProcess {
    guard: Child,
    id: u32,
}

impl ServerProcess {
    /// Starts `command`, of which `log`, in the folder of the server, keeps what it says.
    pub(super) fn start(log: &Path, command: &[String]) -> Self {
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(log)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(guard.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { guard, id: line.trim().parse().unwrap() }
    }

    /// Sends a signal to the server and, if `with_children`, to the processes that it started.
    pub(super) fn signal(&self, signal: &str, with_children: bool) {
        if with_children {
            // There may be none.
            let _ = Command::new("pkill").args([&format!("-{signal}"), "-P", &self.id.to_string()]).status();
        }
        let status = Command::new("kill").args([&format!("-{signal}"), &self.id.to_string()]).status().unwrap();
        assert!(status.success(), "kill -{signal}: {status}");
    }

    /// Has it stand still, and waits until it does: a signal takes its time to reach every thread.
    pub(super) fn freeze(&self, with_children: bool) {
        self.signal("STOP", with_children);
        let until = Instant::now() + Duration::from_secs(30);
        while !self.stands_still(with_children) {
            assert!(Instant::now() < until, "the server does not stand still");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether each of its threads is stopped and, if `with_children`, the processes that it started.
    fn stands_still(&self, with_children: bool) -> bool {
        let threads = fs::read_dir(format!("/proc/{}/task", self.id)).unwrap();
        let mut all = threads.flatten().filter_map(|thread| Status::read(&thread.path()));
        all.all(|thread| thread.is_stopped())
            && (!with_children
                || fs::read_dir("/proc")
                    .unwrap()
                    .flatten()
                    .filter_map(|process| Status::read(&process.path()))
                    .filter(|process| process.parent == self.id)
                    .all(|process| process.is_stopped()))
    }

    /// Ends it as a loss of power would.
    pub(super) fn kill(&mut self, with_children: bool) {
        self.signal("KILL", with_children);
        self.wait();
    }

    /// Ends it in order, by the signal that it takes for that.
    pub(super) fn stop(&mut self, signal: &str) {
        self.signal(signal, false);
        let until = Instant::now() + Duration::from_secs(30);
        while self.is_alive() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.wait();
    }

    /// Waits until a client of it succeeds.
    pub(super) fn await_ready(folder: &Path, client: impl Fn() -> Command) {
        let until = Instant::now() + Duration::from_mins(1);
        while !client().output().unwrap().status.success() {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < until, "the server does not start: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Runs a statement by a client of it, and gives what it answered.
    pub(super) fn answer(mut client: Command, sql: &str) -> String {
        let done = client.output().unwrap();
        assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim_end().to_owned()
    }

    /// Whether the server still runs.
    fn is_alive(&self) -> bool {
        Path::new(&format!("/proc/{}", self.id)).exists()
    }

    /// Ends it, if it has not ended, and keeps its folder.
    fn wait(&mut self) {
        if let Some(mut guard) = self.guard.stdin.take() {
            guard.write_all(b"keep\n").unwrap();
        }
        self.guard.wait().unwrap();
    }
}

/// What the system says of a process or a thread.
struct Status {
    state: char,
    parent: u32,
}

impl Status {
    /// Reads it, if it is one and there still.
    fn read(folder: &Path) -> Option<Self> {
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        // The name before may have anything in it.
        let (_, rest) = stat.rsplit_once(") ")?;
        let mut fields = rest.split(' ');
        Some(Self { state: fields.next()?.chars().next()?, parent: fields.next()?.parse().ok()? })
    }

    /// One that has ended, and that nobody has waited for, does nothing either.
    fn is_stopped(&self) -> bool {
        matches!(self.state, 'T' | 't' | 'Z' | 'X')
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // It ends in any case.
        let _ = self.guard.wait();
    }
}
