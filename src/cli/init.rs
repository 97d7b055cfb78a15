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

/// Writes a configuration with one embedded database into a folder. What is there stays as it is.
pub(super) fn run(dir: &Path) -> anyhow::Result<()> {
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
        fs::write(&path, text).with_context(|| format!("{} can't be written", path.display()))?;
        say!("{}", path.display());
    }
    let dir = dir.display();
    say!("\nNext:\n  rejoin check {dir}\n  rejoin serve --config {dir}");
    say!("  rejoin perform http://127.0.0.1:8080/services/data {dir}/hello.xml");
    Ok(())
}
