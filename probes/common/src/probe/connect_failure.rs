use crate::assert_size;

/// In place of an error: no SYN was sent, and the socket does not say why. As a rule no local port was free.
pub const NOT_SENT: u32 = u32::MAX;

/// Where a target's connects went that failed, and how.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectFailure {
    /// IPv4 in the first four bytes.
    pub address: [u8; 16],
    /// Of the socket (`ECONNREFUSED`, `ETIMEDOUT`, …); 0: the program gave up; or `NOT_SENT`.
    pub error: u32,
    pub target: u32,
    pub port: u16,
    /// 4 or 6.
    pub version: u8,
    pub padding: [u8; 5],
}
assert_size!(ConnectFailure, 32);
