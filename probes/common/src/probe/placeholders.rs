//! What stands in the programs for what only the loader knows: it puts the running kernel's in its place, before they are loaded.

/// As the number of a helper, which there is none of: what makes a socket, its first argument, one of TCP. The second is `tcp_type`.
pub const AS_TCP: u32 = 0x7e57_0001;

/// As the upper half of a constant: it is one of the settings; the lower half says which.
pub const SETTING: u32 = 0x7e57_0002;

/// Stands for the setting so many bytes from the beginning.
#[must_use]
pub const fn placeholder(offset: u32) -> u64 {
    (SETTING as u64) << 32 | offset as u64
}
