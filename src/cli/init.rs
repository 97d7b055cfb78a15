//! `rejoin init`: a configuration to begin with.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

/// What is written, file by file. The templates are checked by the tests with the same reader that `serve` uses.
pub(super) const FILES: [(&str, &str); 5] = [
    ("service.xml", include_str!("templates/service.xml")),
    ("data/resource.xml", include_str!("templates/resource.xml")),
    ("data/session.xml", include_str!("templates/session.xml")),
    ("data/activities.xml", include_str!("templates/activities.xml")),
    ("hello.xml", include_str!("templates/hello.xml")),
];

/// What of the templates is different where sessions are kept on disk.
const DURABLE: [(&str, &str); 2] = [
    ("rejoin.TransientSessionManagerFactory", "rejoin.DurableSessionManagerFactory"),
    (
        "    <!-- Sessions are in memory and end with the service. To keep them on disk, name rejoin.DurableSessionManagerFactory above,
         and here <store path=\"sessions/\"/>. -->\n",
        "    <!-- Where sessions are kept on disk. With durability=\"os\" an answer does not wait for the disk: a machine that loses its
         power loses the last seconds. -->
    <store path=\"sessions/\" durability=\"full\"/>\n",
    ),
];

/// Writes a configuration with one embedded database into a folder. What is there stays as it is.
pub(super) fn run(dir: &Path, durable: bool) -> anyhow::Result<()> {
    for (name, _) in FILES {
        let path = dir.join(name);
        if path.exists() {
            bail!("{} is there already: nothing was written. Choose another folder", path.display());
        }
    }
    for (name, text) in FILES {
        let path = dir.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
        }
        let text = if durable { made_durable(text) } else { text.to_owned() };
        fs::write(&path, text).with_context(|| format!("{} can't be written", path.display()))?;
        say!("{}", path.display());
    }
    let dir = dir.display();
    say!("\nNext:\n  rejoin check {dir}\n  rejoin serve --config {dir}");
    say!("  rejoin perform http://127.0.0.1:8080/services/data {dir}/hello.xml");
    Ok(())
}

fn made_durable(text: &str) -> String {
    DURABLE.iter().fold(text.to_owned(), |text, (transient, durable)| text.replacen(transient, durable, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_durable_configuration_says_where_its_sessions_are() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), true).unwrap();
        let session = fs::read_to_string(folder.path().join("data/session.xml")).unwrap();
        assert!(session.contains("impl=\"rejoin.DurableSessionManagerFactory\">"));
        assert!(session.contains("\n    <store path=\"sessions/\" durability=\"full\"/>\n"));
        assert!(!session.contains("in memory") && !session.contains("Transient"), "{session}");
    }
}
