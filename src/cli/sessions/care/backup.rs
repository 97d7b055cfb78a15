//! `rejoin sessions backup`

use anyhow::ensure;

use super::BackupArguments;
use super::parent::check_parent;
use super::progress::Progress;
use crate::session::SqliteSnapshot;

pub(super) fn run(arguments: &BackupArguments) -> anyhow::Result<()> {
    let to = &arguments.to;
    ensure!(!to.exists(), "`{}` is there already: name a folder that is not", to.display());
    check_parent(to)?;
    let progress = Progress::endless("copying");
    SqliteSnapshot::copy(&arguments.store.path, to)?;
    drop(progress);
    say!("{} is a copy of {}", to.display(), arguments.store.path.display());
    Ok(())
}
