//! A file that is read whole.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Reads a file of at most `limit` bytes.
///
/// A location in a configuration document may lead anywhere: a pipe would make whoever opens it wait for a writer, and a
/// device may have no end. So what is no file is not opened, and no more is read than may be.
///
/// # Errors
///
/// What the system says; what is no file; what is longer. None of it holds the path.
pub(crate) fn read_whole(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it has more than {limit} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_or_longer_than_may_be_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "12345678").unwrap();
        assert_eq!(read_whole(&path, 8).unwrap(), b"12345678");
        assert_eq!(read_whole(&path, 7).unwrap_err().to_string(), "it has more than 7 bytes");
        for no_file in [folder.path(), Path::new("/dev/zero")] {
            assert_eq!(read_whole(no_file, 8).unwrap_err().to_string(), "it is not a file");
        }
    }
}
