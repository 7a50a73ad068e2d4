//! A SQLite file that comes to be: whole, or not at all.
//!
//! A file that grows where it is called for is a database only after four syncs of the disk: of a journal that could take
//! back what there was, which was nothing, and of the file. This one is made beside, where nobody looks for it, and named
//! once it is on the disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;
use crate::secrets::random_token;

/// Why there is no file.
pub(super) enum NotMade {
    /// The system says no.
    Io(io::Error),
    /// SQLite does.
    Store(StoreError),
}

impl From<io::Error> for NotMade {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rusqlite::Error> for NotMade {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Makes an empty database at `path` where there is nothing yet, for its owner alone: it will hold password hashes and
/// sealed keys. SQLite gives its companions the same rights. Readers need not wait for its writer, from its first day on.
/// Of several processes that do so at once, the first one's file stays. Its name lasts with the first commit: SQLite brings
/// the folder to the disk with the log that it begins.
pub(super) fn make(path: &Path) -> Result<(), NotMade> {
    if fs::symlink_metadata(path).is_ok() {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let beside = beside(folder, path)?;
    let named = empty(&beside).and_then(|()| Ok(name(&beside, path)?));
    let cleared = fs::remove_file(&beside);
    named?;
    cleared?;
    Ok(())
}

/// A name in `folder` that nobody else uses.
fn beside(folder: &Path, path: &Path) -> io::Result<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().ok_or(ErrorKind::InvalidFilename)?);
    name.push(format!(".{}", random_token()));
    Ok(folder.join(name))
}

/// Writes an empty database with a write-ahead log, and waits for the disk once.
fn empty(path: &Path) -> Result<(), NotMade> {
    private(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.close().map_err(|(_, error)| error)?;
    OpenOptions::new().write(true).open(path)?.sync_all()?;
    Ok(())
}

/// Makes an empty file for its owner alone.
fn private(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new();
    file.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path)
}

/// A hard link never takes the place of a file that is already there. Where a file system has none, the database begins as
/// an empty file, which a first change makes one.
fn name(beside: &Path, path: &Path) -> io::Result<()> {
    let there = |error: &io::Error| error.kind() == ErrorKind::AlreadyExists;
    match fs::hard_link(beside, path) {
        Err(error) if there(&error) => Ok(()),
        Err(_) => match private(path) {
            Err(error) if there(&error) => Ok(()),
            made => made.map(drop),
        },
        linked => linked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(path: &Path) -> String {
        Connection::open(path).unwrap().pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_new_file_is_whole_private_and_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        assert!(make(&path).is_ok());
        // Its own companions aside, which a connection makes and takes away.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        assert_eq!(fs::metadata(&path).unwrap().len(), 4_096, "one page");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(journal(&path), "wal");
    }

    #[test]
    fn a_file_that_is_there_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        for content in ["", "no database at all"] {
            fs::write(&path, content).unwrap();
            assert!(make(&path).is_ok());
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert!(matches!(make(&folder.path().join("missing/new.db")), Err(NotMade::Io(_))));
    }

    #[test]
    fn of_many_at_once_all_open_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        std::thread::scope(|scope| {
            for number in 0..16 {
                let path = &path;
                scope.spawn(move || {
                    assert!(make(path).is_ok());
                    let connection = Connection::open(path).unwrap();
                    connection.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
                    connection.execute_batch(&format!("CREATE TABLE t{number} (a)")).unwrap();
                });
            }
        });
        let count = "SELECT COUNT(*) FROM sqlite_master";
        let tables: i64 = Connection::open(&path).unwrap().query_row(count, [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 16);
    }
}
