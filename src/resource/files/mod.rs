//! Folders that an operator grants: where activities put files, and nowhere else.
//!
//! A [`Folder`] is reached through a handle of its directory. Names are relative to it; what would lead out of it, by `..`, by an
//! absolute path or by a symbolic link, is refused by the operating system itself (`cap-std`), however the folder changes
//! meanwhile. A file comes into being as a [`Part`], which nobody sees, and is put in its place when it is whole.
//!
//! All of it blocks.

mod address;
mod error;
mod factory;
mod folder;
mod name;
mod part;
mod stamp;

pub use error::FileError;
pub use factory::FileFactory;
pub use folder::{Folder, FolderSettings};
pub use name::FileName;
pub use part::Part;
pub use stamp::FileStamp;
