//! The file that holds the key-encryption keys: one base64 key of 32 bytes a line, the first of which seals.
//!
//! Errors name the file and the reason, never a byte of it. A file that exists and cannot be used is an error and is
//! never replaced: what was sealed under it would be lost.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::Vault;
use crate::secrets::{random_bytes, random_token};

/// Far more keys than anyone rotates through; a longer file is some other file.
const MAX_BYTES: u64 = 64 * 1024;

/// A key file that cannot be used. Shows the path and the reason.
#[derive(Debug, thiserror::Error)]
#[error("key file {}: {fault}{}", path.display(), fault.advice(path))]
pub struct KeyFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub fault: KeyFileFault,
}

impl KeyFileFault {
    /// What to do about it, after the sentence that says it of the file at `path`.
    #[must_use]
    pub fn advice(&self, path: &Path) -> String {
        match self {
            Self::Missing => {
                format!("; to make one: (umask 077; head -c 32 /dev/urandom | base64 > {})", path.display())
            }
            _ => String::new(),
        }
    }
}

/// What is wrong with a key file.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileFault {
    /// There is none.
    #[error("does not exist")]
    Missing,
    /// A link, a directory, a device.
    #[error("is not a regular file (a symbolic link is refused too: name the file itself)")]
    NotAFile,
    /// Readable or writable by others.
    #[error("may be read by others (mode {mode:04o}); make it 0600")]
    Loose {
        /// The permission bits.
        mode: u32,
    },
    /// Longer than any list of keys.
    #[error("is too long to be a list of keys")]
    TooLong,
    /// Nothing but blank lines and comments.
    #[error("holds no key")]
    Empty,
    /// A line that is not a key.
    #[error("line {line} is not the base64 of 32 bytes")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// The operating system's answer.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Vault {
    /// The keys of the file at `path`: base64 or base64url, one a line, blank lines and lines that begin with `#`
    /// aside. Made for production: the file must exist, be a regular file and be closed to others (0600 or tighter).
    ///
    /// # Errors
    /// [`KeyFileError`] when it cannot be used as it is.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        read(path).map_err(|fault| KeyFileError { path: path.to_owned(), fault })
    }

    /// As [`Vault::load`], but makes the file with one fresh key when, and only when, there is none. For `dev`.
    ///
    /// # Errors
    /// [`KeyFileError`] when a file is there and cannot be used, or none can be made.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        match read(path) {
            Err(KeyFileFault::Missing) => create(path).and_then(|()| read(path)),
            outcome => outcome,
        }
        .map_err(|fault| KeyFileError { path: path.to_owned(), fault })
    }
}

fn read(path: &Path) -> Result<Vault, KeyFileFault> {
    let named = fs::symlink_metadata(path).map_err(missing)?;
    if !named.file_type().is_file() {
        return Err(KeyFileFault::NotAFile);
    }
    let mut file = File::open(path).map_err(missing)?;
    // The open file is what counts: the name may have been given to another since.
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(KeyFileFault::NotAFile);
    }
    refuse_loose(&metadata)?;
    if metadata.len() > MAX_BYTES {
        return Err(KeyFileFault::TooLong);
    }
    let mut text = Zeroizing::new(Vec::with_capacity(4096));
    io::Read::by_ref(&mut file).take(MAX_BYTES).read_to_end(&mut text)?;
    Vault::from_keys(keys(&text)?).map_err(|_| KeyFileFault::Empty)
}

fn missing(error: io::Error) -> KeyFileFault {
    if error.kind() == io::ErrorKind::NotFound { KeyFileFault::Missing } else { KeyFileFault::Io(error) }
}

fn keys(text: &[u8]) -> Result<Vec<[u8; 32]>, KeyFileFault> {
    let mut keys = Vec::new();
    for (line, bytes) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        let bytes = bytes.trim_ascii();
        if bytes.is_empty() || bytes.starts_with(b"#") {
            continue;
        }
        keys.push(key(bytes).ok_or(KeyFileFault::Line { line })?);
    }
    Ok(keys)
}

fn key(text: &[u8]) -> Option<[u8; 32]> {
    [&STANDARD, &URL_SAFE_NO_PAD, &STANDARD_NO_PAD, &URL_SAFE]
        .into_iter()
        .find_map(|form| form.decode(text).ok())
        .map(Zeroizing::new)
        .and_then(|bytes| bytes.as_slice().try_into().ok())
}

#[cfg(unix)]
fn refuse_loose(metadata: &fs::Metadata) -> Result<(), KeyFileFault> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyFileFault::Loose { mode }) }
}

#[cfg(not(unix))]
fn refuse_loose(_: &fs::Metadata) -> Result<(), KeyFileFault> {
    Ok(())
}

/// Writes a file of one fresh key so that a reader sees all of it or none of it, after a loss of power too.
/// Whoever comes second keeps the first one's file.
fn create(path: &Path) -> Result<(), KeyFileFault> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    make_folder(folder)?;
    let name = path.file_name().ok_or(KeyFileFault::NotAFile)?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}", random_token()));
    let beside = folder.join(beside);
    let outcome = write_new(&beside).and_then(|()| publish(&beside, path));
    let cleared = fs::remove_file(&beside);
    outcome?;
    cleared.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn write_new(path: &Path) -> io::Result<()> {
    let key = Zeroizing::new(random_bytes::<32>());
    let line = Zeroizing::new(format!("{}\n", *Zeroizing::new(STANDARD.encode(*key))));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

/// A hard link, unlike a rename, never takes the place of a file that is already there. Some file systems have none;
/// there the rename must do.
fn publish(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(_) => fs::rename(from, to),
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use tempfile::TempDir;

    use super::*;

    fn written(folder: &TempDir, text: &[u8], mode: u32) -> PathBuf {
        let path = folder.path().join("kek");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn line(byte: u8) -> String {
        STANDARD.encode([byte; 32])
    }

    #[test]
    fn dev_makes_the_file_once_and_closes_it_to_others() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("keys/kek");
        let sealed = Vault::load_or_create(&path).unwrap().seal("a", b"x");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
        assert!(Vault::load_or_create(&path).unwrap().open("a", &sealed).is_ok());
        assert!(Vault::load(&path).unwrap().open("a", &sealed).is_ok());
    }

    #[test]
    fn many_that_make_the_file_at_once_end_with_one_key() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("kek");
        let sealed: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| scope.spawn(|| Vault::load_or_create(&path).unwrap().seal("a", b"x")))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let vault = Vault::load(&path).unwrap();
        assert!(sealed.iter().all(|sealed| vault.open("a", sealed).is_ok()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn keys_are_read_in_every_base64_with_comments_and_blank_lines() {
        let folder = TempDir::new().unwrap();
        let text = format!(
            "# since May\n{}\r\n\n  {}  \n{}",
            line(0xff),
            URL_SAFE_NO_PAD.encode([0xfe; 32]),
            STANDARD_NO_PAD.encode([0xfd; 32]),
        );
        let vault = Vault::load(&written(&folder, text.as_bytes(), 0o400)).unwrap();
        for byte in [0xff, 0xfe, 0xfd] {
            let alone = Vault::from_keys(vec![[byte; 32]]).unwrap().seal("a", b"x");
            assert!(vault.open("a", &alone).is_ok(), "{byte:x}");
        }
        let first = Vault::from_keys(vec![[0xff; 32]]).unwrap();
        assert!(first.open("a", &vault.seal("a", b"x")).is_ok(), "the first line seals");
    }

    /// reliability.md FT16: refused with the reason, the file untouched, no byte of it shown, in both ways to load.
    #[test]
    fn a_damaged_file_is_refused_and_left_alone() {
        let good = line(b'k');
        for (name, text, mode, says) in [
            ("empty", String::new(), 0o600, "holds no key"),
            ("comments alone", "# none\n\n".into(), 0o600, "holds no key"),
            ("truncated", good[..20].into(), 0o600, "line 1 is not the base64 of 32 bytes"),
            ("short key", STANDARD.encode([b'k'; 31]), 0o600, "line 1 is not"),
            ("long key", STANDARD.encode([b'k'; 33]), 0o600, "line 1 is not"),
            ("second line", format!("{good}\nnonsense\n"), 0o600, "line 2 is not"),
            ("a PEM key", "-----BEGIN PRIVATE KEY-----\nMC4C\n".into(), 0o600, "line 1 is not"),
            ("two on one line", format!("{good} {good}"), 0o600, "line 1 is not"),
            ("read by the group", good.clone(), 0o640, "may be read by others (mode 0640)"),
            ("read by all", good.clone(), 0o644, "may be read by others (mode 0644)"),
            ("written by all", good.clone(), 0o602, "may be read by others (mode 0602)"),
            ("far too long", "#".repeat(70_000), 0o600, "too long"),
        ] {
            let folder = TempDir::new().unwrap();
            let path = written(&folder, text.as_bytes(), mode);
            for outcome in [Vault::load(&path), Vault::load_or_create(&path)] {
                let shown = outcome.unwrap_err().to_string();
                assert!(shown.contains(says), "{name}: {shown}");
                assert!(shown.contains(path.to_str().unwrap()), "{name}: {shown}");
                assert!(!shown.contains(&good[..8]), "{name} shows key bytes: {shown}");
            }
            assert_eq!(fs::read(&path).unwrap(), text.as_bytes(), "{name}");
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = TempDir::new().unwrap();
        let target = written(&folder, line(1).as_bytes(), 0o600);
        let link = folder.path().join("link");
        symlink(&target, &link).unwrap();
        let dangling = folder.path().join("dangling");
        symlink(folder.path().join("nowhere"), &dangling).unwrap();
        for path in [link, dangling, folder.path().to_owned()] {
            for outcome in [Vault::load(&path), Vault::load_or_create(&path)] {
                assert!(matches!(outcome.unwrap_err().fault, KeyFileFault::NotAFile), "{}", path.display());
            }
        }
        assert!(!folder.path().join("nowhere").exists());
    }

    #[test]
    fn production_never_makes_a_key() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("kek");
        assert!(matches!(Vault::load(&path).unwrap_err().fault, KeyFileFault::Missing));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error() {
        let folder = TempDir::new().unwrap();
        let file = written(&folder, b"", 0o600);
        assert!(matches!(Vault::load_or_create(&file.join("kek")).unwrap_err().fault, KeyFileFault::Io(_)));
    }
}
