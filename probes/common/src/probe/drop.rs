use crate::assert_size;

/// A place where packets of a target were freed, and why.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DropKey {
    /// Return address, into the function that freed it.
    pub location: u64,
    /// Of the running kernel's `enum skb_drop_reason`.
    pub reason: u32,
    pub target: u32,
}
assert_size!(DropKey, 16);

/// Where the packets of a target were going that were dropped for a reason.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DropService {
    /// Destination; IPv4 in the first four bytes.
    pub address: [u8; 16],
    pub reason: u32,
    pub target: u32,
    /// 0 where the protocol has none.
    pub port: u16,
    /// 4 or 6.
    pub version: u8,
    /// IP protocol.
    pub protocol: u8,
    pub padding: u32,
}
assert_size!(DropService, 32);
