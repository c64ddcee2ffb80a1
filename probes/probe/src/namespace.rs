use std::{fs::File, io, mem::MaybeUninit, os::fd::AsRawFd, os::unix::fs::MetadataExt, path::Path};

use crate::problem::{Problem, Trying};

/// `NSFS_MAGIC` of linux/magic.h
const NAMESPACE_FILES: i64 = 0x6e73_6673;

/// Inode number of a network namespace, from a file that stands for it.
pub fn number(path: &Path) -> Result<u32, Problem> {
    let what = format!("opening the network namespace {}", path.display());
    let file = File::open(path).trying(&what)?;
    let mut filesystem = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the descriptor is open, the structure ours; it is read only if the call filled it.
    let is_namespace = unsafe {
        libc::fstatfs(file.as_raw_fd(), filesystem.as_mut_ptr()) == 0
            && filesystem.assume_init().f_type == NAMESPACE_FILES
    };
    if !is_namespace {
        return Err(Problem(format!(
            "{} is no network namespace: name one of /run/netns (netns:NAME), or netns:/proc/PID/ns/net",
            path.display()
        )));
    }
    // The kernel numbers namespaces in 32 bits.
    u32::try_from(file.metadata().trying(&what)?.ino())
        .map_err(|_| Problem(format!("{what}: its number is too long")))
}

/// The calling thread's network namespace becomes that one.
pub fn enter(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    // SAFETY: the descriptor is open.
    if unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
