//! Tells the kernel of what comes and goes by a pattern while it is watched.

use std::{
    collections::{BTreeSet, HashMap},
    ffi::CString,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use aya::{
    Ebpf,
    maps::{HashMap as KernelMap, MapData},
};
use meshmark_common::probe::Namespace;

use crate::{
    patterns::{Found, Key, Pattern},
    problem::{Problem, Trying},
};

/// Milliseconds until a file that is no namespace yet is looked at again, and how often it is.
const AGAIN: i32 = 2;
const PATIENCE: u32 = 500;

/// What the patterns have matched so far: it shows in the report.
#[derive(Default)]
pub struct Seen {
    /// By target, all that were there at one time.
    pub names: HashMap<u32, BTreeSet<String>>,
    /// What could not be watched: there was no room.
    pub refused: u64,
}

#[derive(Clone, Default)]
pub struct Watched(Arc<Mutex<Seen>>);

impl Watched {
    pub fn read<T>(&self, with: impl FnOnce(&Seen) -> T) -> T {
        with(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Watcher {
    patterns: Vec<Pattern>,
    namespaces: KernelMap<MapData, Namespace, u32>,
    cgroups: KernelMap<MapData, u64, u32>,
    notes: OwnedFd,
    /// By pattern and path.
    known: HashMap<(usize, PathBuf), Key>,
    seen: Watched,
}

/// What is there is known to the kernel when this returns; a thread goes on until the program ends.
pub fn watch(ebpf: &mut Ebpf, patterns: &[Pattern]) -> Result<Watched, Problem> {
    let seen = Watched::default();
    if patterns.is_empty() {
        return Ok(seen);
    }
    let mut take =
        |name: &str| ebpf.take_map(name).ok_or_else(|| Problem(format!("the eBPF object has no map {name}")));
    // SAFETY: takes a number; the descriptor is owned at once.
    let notes = unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) };
    if notes < 0 {
        return Err(std::io::Error::last_os_error()).trying("watching directories");
    }
    let mut watcher = Watcher {
        patterns: patterns.to_vec(),
        namespaces: take("NAMESPACES")?.try_into().trying("opening the map NAMESPACES")?,
        cgroups: take("CGROUPS")?.try_into().trying("opening the map CGROUPS")?,
        // SAFETY: just made, and nobody else's.
        notes: unsafe { OwnedFd::from_raw_fd(notes) },
        known: HashMap::new(),
        seen: seen.clone(),
    };
    let unfinished = watcher.look();
    thread::spawn(move || watcher.go_on(unfinished));
    Ok(seen)
}

impl Watcher {
    fn go_on(mut self, mut unfinished: bool) {
        let mut tries = 0;
        loop {
            let patience = if unfinished && tries < PATIENCE { AGAIN } else { -1 };
            if self.wait(patience) {
                tries = 0;
            } else {
                tries += 1;
            }
            unfinished = self.look();
        }
    }

    /// `true`: something has changed.
    fn wait(&self, milliseconds: i32) -> bool {
        let mut poll = libc::pollfd { fd: self.notes.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one structure, ours.
        if unsafe { libc::poll(&raw mut poll, 1, milliseconds) } <= 0 {
            return false;
        }
        let mut notes = [0_u8; 4096];
        // Which it was does not matter: everything is looked at anew.
        // SAFETY: the descriptor is open and does not block, the buffer as long as it says.
        while unsafe { libc::read(self.notes.as_raw_fd(), notes.as_mut_ptr().cast(), notes.len()) } > 0 {}
        true
    }

    /// `true`: there is something that is no namespace yet.
    fn look(&mut self) -> bool {
        let mut unfinished = false;
        let mut there = HashMap::new();
        for index in 0..self.patterns.len() {
            // A directory that comes while it is looked for is looked into once it is watched.
            let mut found = Found::default();
            loop {
                self.patterns[index].look(&mut found);
                let before = found.directories.len();
                found.directories.iter().for_each(|directory| self.notice(directory));
                let mut again = Found::default();
                self.patterns[index].look(&mut again);
                let settled = again.directories.len() == before;
                found = again;
                if settled {
                    break;
                }
            }
            unfinished |= found.unfinished;
            there.extend(found.matches.into_iter().map(|(path, key)| ((index, path), key)));
        }
        let gone = self.known.iter().filter(|(place, key)| there.get(*place) != Some(*key));
        for (place, key) in gone.map(|(place, key)| (place.clone(), *key)).collect::<Vec<_>>() {
            self.known.remove(&place);
            // The kernel may give its number to another one.
            let _ = match key {
                Key::Namespace(key) => self.namespaces.remove(&key),
                Key::Cgroup(key) => self.cgroups.remove(&key),
            };
        }
        for ((index, path), key) in there {
            if !self.known.contains_key(&(index, path.clone())) {
                self.come(index, path, key);
            }
        }
        unfinished
    }

    fn come(&mut self, index: usize, path: PathBuf, key: Key) {
        let target = self.patterns[index].target;
        let done = match key {
            Key::Namespace(key) => self.namespaces.insert(key, target, 0),
            Key::Cgroup(key) => self.cgroups.insert(key, target, 0),
        };
        let mut seen = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        if done.is_ok() {
            seen.names.entry(target).or_default().insert(self.patterns[index].name(&path));
        } else {
            seen.refused += 1;
        }
        drop(seen);
        self.known.insert((index, path), key);
    }

    /// It is no matter if it can't be: then it is gone.
    fn notice(&self, directory: &Path) {
        if let Ok(directory) = CString::new(directory.as_os_str().as_bytes()) {
            let what = libc::IN_CREATE | libc::IN_DELETE | libc::IN_MOVE | libc::IN_ONLYDIR;
            // SAFETY: the descriptor is open, the path ends with zero.
            unsafe { libc::inotify_add_watch(self.notes.as_raw_fd(), directory.as_ptr(), what) };
        }
    }
}
