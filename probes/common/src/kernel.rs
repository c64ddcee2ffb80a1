//! The kernel that this runs on.

use std::{fs, string::String};

/// Release of the running kernel, as `uname -r` prints it.
#[must_use]
pub fn release() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease")
        .map_or_else(|_| "unknown".into(), |text| text.trim().into())
}
