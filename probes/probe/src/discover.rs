//! The network namespaces of this machine: those with a name, our own, and those of processes.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use crate::namespace;

pub struct Namespace {
    pub name: String,
    pub number: u32,
    pub path: PathBuf,
}

const NAMED: &str = "/run/netns";

pub fn namespaces() -> Vec<Namespace> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    let mut add = |name: String, path: PathBuf| {
        if let Ok(number) = namespace::number(&path)
            && seen.insert(number)
        {
            found.push(Namespace { name, number, path });
        }
    };
    add("host".into(), PathBuf::from("/proc/self/ns/net"));
    let mut named: Vec<PathBuf> = entries(Path::new(NAMED)).collect();
    named.sort();
    for path in named {
        add(path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path);
    }
    for process in entries(Path::new("/proc")) {
        let id = process.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if id.bytes().all(|byte| byte.is_ascii_digit()) {
            add(format!("pid {id}"), process.join("ns/net"));
        }
    }
    found
}

fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path())
}
