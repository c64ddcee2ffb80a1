//! Targets that are named by a pattern (`netns:mm-*`): what is there, and what comes while they are watched.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

use meshmark_common::probe::{ANY_USER, Namespace};

use crate::namespace;

/// A path in whose parts `*` stands for any number of characters and `?` for one.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub path: PathBuf,
    pub kind: Kind,
    /// Index of the target that all matches are.
    pub target: u32,
}

#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// All of it, or what one user has in it.
    Namespace(Option<u32>),
    Cgroup,
}

/// What the kernel knows a match by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Namespace(Namespace),
    Cgroup(u64),
}

/// What a look at the file system has found.
#[derive(Default)]
pub struct Found {
    pub matches: Vec<(PathBuf, Key)>,
    /// Directories in which a match may come.
    pub directories: BTreeSet<PathBuf>,
    /// A file is there by its name, but is no namespace yet: `ip netns add` makes the file first.
    pub unfinished: bool,
}

pub fn is_pattern(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().iter().any(|byte| matches!(byte, b'*' | b'?'))
}

impl Pattern {
    pub fn look(&self, found: &mut Found) {
        let parts: Vec<Component> = self.path.components().collect();
        self.descend(PathBuf::new(), &parts, found);
    }

    pub fn name(&self, path: &Path) -> String {
        match self.kind {
            Kind::Namespace(Some(user)) => format!("netns:{}@{user}", path.display()),
            Kind::Namespace(None) => format!("netns:{}", path.display()),
            Kind::Cgroup => format!("cgroup:{}", path.display()),
        }
    }

    fn descend(&self, at: PathBuf, rest: &[Component], found: &mut Found) {
        let Some((part, rest)) = rest.split_first() else {
            self.take(at, found);
            return;
        };
        let part = Path::new(part.as_os_str());
        let next = at.join(part);
        if !is_pattern(part) {
            // What is not there yet will come in the innermost directory that is.
            if next.exists() {
                self.descend(next, rest, found);
            } else {
                found.directories.insert(at);
            }
            return;
        }
        for entry in fs::read_dir(&at).into_iter().flatten().flatten() {
            if matches(part.as_os_str().as_encoded_bytes(), entry.file_name().as_encoded_bytes()) {
                self.descend(entry.path(), rest, found);
            }
        }
        found.directories.insert(at);
    }

    fn take(&self, path: PathBuf, found: &mut Found) {
        match self.kind {
            Kind::Namespace(user) => match namespace::number(&path) {
                Ok(number) => {
                    let key = Namespace { number, user: user.unwrap_or(ANY_USER) };
                    found.matches.push((path, Key::Namespace(key)));
                }
                Err(_) => found.unfinished = true,
            },
            Kind::Cgroup => {
                if let Ok(metadata) = path.metadata()
                    && metadata.is_dir()
                {
                    found.matches.push((path, Key::Cgroup(metadata.ino())));
                }
            }
        }
    }
}

fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=name.len()).any(|skipped| matches(rest, &name[skipped..])),
        (Some((b'?', pattern)), Some((_, name))) => matches(pattern, name),
        (Some((wanted, pattern)), Some((found, name))) => wanted == found && matches(pattern, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks() {
        let all = |pattern: &str, names: &[&str]| -> Vec<bool> {
            names.iter().map(|name| matches(pattern.as_bytes(), name.as_bytes())).collect()
        };
        assert_eq!(all("mm-*", &["mm-", "mm-1a-p0", "m-1", "amm-1"]), [true, true, false, false]);
        assert_eq!(all("*-p?", &["a-p1", "a-p", "a-p12", "-p1"]), [true, false, false, true]);
        assert_eq!(all("a*b*c", &["abc", "aXbYc", "acb", "abcb"]), [true, true, false, false]);
        assert_eq!(all("*", &["", "a"]), [true, true]);
    }
}
