//! Where the result goes. A file is made ready before anything is watched, and takes its name only when it is whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::problem::{Problem, Trying};

pub enum Output {
    Standard,
    /// Written to a file beside it first, then given its name.
    File {
        file: File,
        written: PathBuf,
        named: PathBuf,
    },
    /// A device or pipe.
    Other(File),
}

impl Output {
    pub fn open(path: Option<&Path>) -> Result<Self, Problem> {
        let Some(path) = path else { return Ok(Self::Standard) };
        let what = format!("the output {} can't be written", path.display());
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return OpenOptions::new().write(true).open(path).trying(&what).map(Self::Other);
        }
        let mut written = path.as_os_str().to_owned();
        written.push(format!(".{}.part", std::process::id()));
        let written = PathBuf::from(written);
        // What is there must be ours to replace.
        if path.exists() {
            OpenOptions::new().append(true).open(path).trying(&what)?;
        }
        let file = OpenOptions::new().write(true).create_new(true).open(&written).trying(&what)?;
        Ok(Self::File { file, written, named: path.to_owned() })
    }

    pub const fn is_standard(&self) -> bool {
        matches!(self, Self::Standard)
    }

    pub fn write(self, text: &str) -> Result<(), Problem> {
        match self {
            Self::Standard => print(&format!("{text}\n")),
            Self::Other(mut file) => writeln!(file, "{text}").trying("writing the result"),
            Self::File { mut file, written, named } => {
                let what = format!("writing the result to {}", named.display());
                if let Err(error) = writeln!(file, "{text}") {
                    // Half of it is of no use.
                    let _ = fs::remove_file(&written);
                    return Err(error).trying(&what);
                }
                if fs::rename(&written, &named).is_ok() {
                    return Ok(());
                }
                // One that is mounted there by itself (as into a container) can be written, not replaced.
                fs::write(&named, format!("{text}\n"))
                    .trying(&format!("{what} (it is in {})", written.display()))?;
                let _ = fs::remove_file(&written);
                Ok(())
            }
        }
    }

    /// There is no result.
    pub fn discard(self) {
        if let Self::File { written, .. } = self {
            let _ = fs::remove_file(written);
        }
    }
}

/// To standard output. Whoever read it may be gone (`| head`): no reason to complain.
pub fn print(text: &str) -> Result<(), Problem> {
    let mut standard = io::stdout().lock();
    match standard.write_all(text.as_bytes()).and_then(|()| standard.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.trying("writing to standard output"),
    }
}
