//! One process at a time: a lock on a file of the directory, which the system takes back when the process ends.
//!
//! The file is opened so that no program started from here inherits it, and stays where it is: a lock file that is
//! removed can be held twice.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use super::store::StoreError;

const FILE: &str = "lock";

/// The lock; given up when it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes it.
    ///
    /// # Errors
    /// Another process has it: its number is told. Or the directory may not be written to.
    pub fn take(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(FILE);
        let fault = |what, source| StoreError::Directory { path: path.clone(), what, source, mend: WRITABLE };
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|error| fault("cannot be opened", error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse { path: directory.to_owned(), pid: holder(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(fault("cannot be locked", error)),
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write(&mut file).map_err(|error| fault("cannot be written", error))?;
        Ok(Lock { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a program that is being started at this moment has the file open until it runs.
        let _ = self.file.unlock();
    }
}

/// What to do about a directory that does not serve.
pub const WRITABLE: &str = "see that the directory may be written to and its disk has space, or give another";

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "(number unknown)".to_owned(),
    }
}
