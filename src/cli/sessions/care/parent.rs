use std::path::Path;

use anyhow::{bail, ensure};

/// Refuses a folder to be made whose parent is not there: where a name is misspelt, or a volume is not mounted, it would be
/// made in a wrong place, on a wrong disk.
pub(super) fn check_parent(of: &Path) -> anyhow::Result<()> {
    let parents = of.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty());
    if let Some(missing) = parents.clone().take_while(|parent| !parent.exists()).last() {
        bail!(
            "the folder `{}` is not there, where `{}` is to be made: correct the name, mount what belongs there, or make the \
             folder first",
            missing.display(),
            of.display()
        );
    }
    for parent in parents.take(1) {
        ensure!(parent.is_dir(), "`{}` is no folder: `{}` can't be made there", parent.display(), of.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_that_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let refused = |of: &Path| check_parent(of).unwrap_err().to_string();
        let missing = format!("the folder `{}` is not there", path("mnt").display());
        for name in ["mnt/copy", "mnt/backup/copy", "mnt/a/b/c/copy"] {
            assert!(refused(&path(name)).starts_with(&missing), "{}", refused(&path(name)));
        }
        assert!(check_parent(&path("copy")).is_ok() && check_parent(Path::new("copy")).is_ok());
        assert!(refused(Path::new("no-such-folder/copy")).starts_with("the folder `no-such-folder` is not there"));
        std::fs::write(path("file"), "").unwrap();
        assert!(refused(&path("file/copy")).contains("is no folder"), "{}", refused(&path("file/copy")));
    }
}
