use std::{
    os::fd::{AsFd, AsRawFd},
    ptr,
    sync::atomic::{AtomicU32, Ordering},
};

use aya::maps::MapData;
use meshmark_common::datapath::Config;

use crate::problem::Problem;

/// The one entry of `CONFIG`, mapped: a field is changed by one store that no program sees half done.
pub struct ConfigMap {
    entry: *mut Config,
}

// SAFETY: the mapping is shared memory, written through atomics only.
unsafe impl Send for ConfigMap {}

impl ConfigMap {
    /// The mapping keeps the map alive by itself.
    pub fn new(map: &MapData) -> Result<Self, Problem> {
        let descriptor = map.fd().as_fd().as_raw_fd();
        // SAFETY: a mapping of its own, of a descriptor that is open.
        let entry = unsafe {
            libc::mmap(
                ptr::null_mut(),
                size_of::<Config>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                descriptor,
                0,
            )
        };
        if entry == libc::MAP_FAILED {
            return Err(Problem(format!("mapping CONFIG: {}", std::io::Error::last_os_error())));
        }
        Ok(Self { entry: entry.cast() })
    }

    fn field(&self, pick: impl FnOnce(*mut Config) -> *mut u32) -> &AtomicU32 {
        // SAFETY: `pick` gives a field of the entry, which stays mapped and is aligned to a page.
        unsafe { AtomicU32::from_ptr(pick(self.entry)) }
    }

    pub fn revision(&self) -> u32 {
        // SAFETY: only the field's address is taken.
        self.field(|entry| unsafe { &raw mut (*entry).revision }).load(Ordering::SeqCst)
    }

    /// From now on every flow is judged again, at its next packet.
    pub fn next_revision(&self) -> u32 {
        // SAFETY: only the field's address is taken.
        self.field(|entry| unsafe { &raw mut (*entry).revision }).fetch_add(1, Ordering::SeqCst) + 1
    }

    pub fn set_events(&self, on: bool) {
        // SAFETY: only the field's address is taken.
        self.field(|entry| unsafe { &raw mut (*entry).events }).store(u32::from(on), Ordering::SeqCst);
    }

    /// Where the proxy listens, all in network byte order; port 0: nowhere.
    pub fn set_proxy(&self, address4: u32, address6: [u32; 4], port: u16) {
        // SAFETY: only the fields' addresses are taken.
        unsafe {
            self.field(|entry| &raw mut (*entry).proxy_address4).store(address4, Ordering::SeqCst);
            for (word, part) in address6.into_iter().enumerate() {
                self.field(|entry| &raw mut (*entry).proxy_address6[word]).store(part, Ordering::SeqCst);
            }
            self.field(|entry| &raw mut (*entry).proxy_port).store(u32::from(port), Ordering::SeqCst);
        }
    }

    /// Before anything is attached: all of it at once.
    pub fn initialise(&self, config: Config) {
        // SAFETY: the entry is mapped, and no program runs yet.
        unsafe { self.entry.write_volatile(config) };
    }
}

impl Drop for ConfigMap {
    fn drop(&mut self) {
        // SAFETY: nobody else has the address.
        unsafe { libc::munmap(self.entry.cast(), size_of::<Config>()) };
    }
}
