use crate::assert_size;

/// Where a target's connects went that failed, and how.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectFailure {
    /// IPv4 in the first four bytes.
    pub address: [u8; 16],
    /// Of the socket (`ECONNREFUSED`, `ETIMEDOUT`, …); 0: the program gave up.
    pub error: u32,
    pub target: u32,
    pub port: u16,
    /// 4 or 6.
    pub version: u8,
    pub padding: [u8; 5],
}
assert_size!(ConnectFailure, 32);
