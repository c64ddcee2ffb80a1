use core::ptr;

use meshmark_common::datapath::Config;

use crate::maps::CONFIG;

/// The loader's settings, as they are at this moment: each field is read when it is asked for.
#[inline(always)]
pub fn config() -> Option<&'static Config> {
    CONFIG.get(0)
}

/// The revision, not to be read again or later by the compiler: it is stored with the verdict that is made after it.
#[inline(always)]
pub fn revision(config: &Config) -> u32 {
    // SAFETY: a reference is valid to read.
    unsafe { ptr::read_volatile(&raw const config.revision) }
}
