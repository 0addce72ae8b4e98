//! The directory that holds the SQLite file and the master key.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use countersign_crypto::{entropy::Entropy, master_key::MasterKey};

use crate::error::Failure;

/// The directory.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// A directory that may not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The URL of the SQLite database in it.
    pub fn sqlite_url(&self) -> String {
        format!("sqlite:{}", self.file("countersign.sqlite").display())
    }

    /// Makes it, for the owner alone, unless it is there. Refuses to work in somebody else's: files made there now couldn't be opened by the
    /// server later.
    pub fn prepare(&self) -> Result<(), Failure> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        made.map_err(|problem| Failure::failed(&format!("can't make the directory {}", self.0.display()), problem))?;
        check_owner(&self.0)
    }
}

/// Reads the master key; without one, makes it if `may_make`.
pub fn master_key(file: &Path, may_make: bool, entropy: &Entropy) -> Result<MasterKey, Failure> {
    match fs::read_to_string(file) {
        Ok(text) => {
            check_mode(file)?;
            MasterKey::from_text(&text).map_err(|problem| Failure::failed(&file.display().to_string(), problem))
        }
        Err(problem) if problem.kind() == ErrorKind::NotFound && may_make => {
            let key = MasterKey::generate(entropy);
            if make_private(file, format!("{}\n", key.to_text().danger_expose()).as_bytes())? {
                Ok(key)
            } else {
                master_key(file, false, entropy)
            }
        }
        Err(problem) if problem.kind() == ErrorKind::NotFound => Err(Failure::Failed(format!(
            "there is no master key at {}, and the database holds secrets that need one. Restore it from your backup, \
             or name where it is (secrets.master_key_file, secrets.master_key_command, COUNTERSIGN_SECRETS__MASTER_KEY). \
             Nothing was changed",
            file.display()
        ))),
        Err(problem) => Err(Failure::failed(&format!("can't read {}", file.display()), problem)),
    }
}

/// Refuses to work in what belongs to somebody else.
pub fn check_owner(path: &Path) -> Result<(), Failure> {
    let cannot = |problem| Failure::failed(&format!("can't look at {}", path.display()), problem);
    let owner = fs::metadata(path).map_err(cannot)?.uid();
    let me = rustix::process::geteuid().as_raw();
    if owner == me {
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "{} belongs to user {owner}, and this is user {me}: files made now couldn't be opened by the server. \
         Run this as the user who runs the server",
        path.display()
    )))
}

/// What others can read is no secret.
pub(crate) fn check_mode(file: &Path) -> Result<(), Failure> {
    let cannot = |problem| Failure::failed(&format!("can't look at {}", file.display()), problem);
    let mode = fs::metadata(file).map_err(cannot)?.permissions().mode();
    let for_others = mode & 0o077;
    if for_others == 0 {
        return Ok(());
    }
    let shown = mode & 0o777;
    Err(Failure::Failed(format!("{} can be read by others (mode {shown:o}): chmod 600 it", file.display())))
}

/// Writes a file that only its owner can read, whole or not at all.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let beside = write_beside(path, content)?;
    fs::rename(&beside, path).map_err(|problem| cannot_write(path, &problem))
}

/// Makes such a file unless there is one, and says whether it did. Of several servers that start at once, one makes the master key.
fn make_private(path: &Path, content: &[u8]) -> Result<bool, Failure> {
    let beside = write_beside(path, content)?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside).map_err(|problem| cannot_write(&beside, &problem))?;
    match linked {
        Ok(()) => Ok(true),
        Err(problem) if problem.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(problem) => Err(cannot_write(path, &problem)),
    }
}

/// Writes a file of this process's own, in the same directory.
fn write_beside(path: &Path, content: &[u8]) -> Result<PathBuf, Failure> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(name);
    let open = || OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside);
    let written = open().and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()));
    written.map_err(|problem| cannot_write(path, &problem))?;
    Ok(beside)
}

fn cannot_write(path: &Path, problem: &std::io::Error) -> Failure {
    Failure::failed(&format!("can't write {}", path.display()), problem)
}
