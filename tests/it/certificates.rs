//! Certificates of throw-away servers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Puts `server.crt` and `server.key` for `localhost` into a folder; gives the certificate of who vouches for them.
pub(crate) fn make_certificates(folder: &Path) -> PathBuf {
    let run = |arguments: &str| {
        let done = Command::new("openssl").current_dir(folder).args(arguments.split(' ')).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    run("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=test-authority");
    run(
        "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost -addext subjectAltName=DNS:localhost",
    );
    fs::write(folder.join("san"), "subjectAltName=DNS:localhost").unwrap();
    run("x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 2 -extfile san");
    folder.join("ca.crt")
}
