//! A value that is read from files, and read again when they change.
//!
//! Invariant: once there is a value there always is one; files that do not do leave the one before in force.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::{ArcSwap, Guard};

/// Makes the value, or says everything that is wrong with the files.
type Load<T> = Box<dyn Fn() -> Result<T, Vec<String>> + Send + Sync>;

/// A value from files.
pub(crate) struct Watched<T> {
    paths: Vec<PathBuf>,
    load: Load<T>,
    current: ArcSwap<T>,
    seen: Mutex<Vec<Option<Stamp>>>,
}

/// What tells one content of a file from another without reading it.
type Stamp = (SystemTime, u64, u64);

impl<T> Watched<T> {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub(crate) fn begin(paths: Vec<PathBuf>, load: Load<T>) -> Result<Self, Vec<String>> {
        // The stamps first: a change while the files are read is then seen at the next look.
        let seen = Mutex::new(stamps(&paths));
        let current = ArcSwap::from_pointee(load()?);
        Ok(Watched { paths, load, current, seen })
    }

    /// The value in force.
    pub(crate) fn current(&self) -> Guard<Arc<T>> {
        self.current.load()
    }

    /// Reads the files again if they have changed; whether there is a new value.
    pub(crate) fn look(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamps(&self.paths);
        if *seen == now {
            return false;
        }
        *seen = now;
        match (self.load)() {
            Ok(value) => {
                self.current.store(Arc::new(value));
                tracing::info!(files = %self.shown(), "read again");
                true
            }
            Err(faults) => {
                for fault in faults {
                    tracing::error!(%fault, "the changed file does not do; what it said before stays in force");
                }
                false
            }
        }
    }

    fn shown(&self) -> String {
        self.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    }
}

impl<T> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watched({})", self.shown())
    }
}

fn stamps(paths: &[PathBuf]) -> Vec<Option<Stamp>> {
    use std::os::unix::fs::MetadataExt as _;
    let stamp = |path: &PathBuf| {
        let meta = std::fs::metadata(path).ok()?;
        Some((meta.modified().ok()?, meta.ino(), meta.len()))
    };
    paths.iter().map(stamp).collect()
}
