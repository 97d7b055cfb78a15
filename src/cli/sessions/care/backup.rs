//! `rejoin sessions backup`

use super::BackupArguments;
use super::progress::Progress;
use crate::session::SqliteSnapshot;

pub(super) fn run(arguments: &BackupArguments) -> anyhow::Result<()> {
    let progress = Progress::endless("copying");
    SqliteSnapshot::copy(&arguments.store.path, &arguments.to)?;
    drop(progress);
    say!("{} is a copy of {}", arguments.to.display(), arguments.store.path.display());
    Ok(())
}
