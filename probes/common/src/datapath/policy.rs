use crate::assert_size;

/// Verdicts in the order of their weight: of all entries that match, the greatest holds.
pub const VERDICT_NONE: u32 = 0;
pub const VERDICT_PROXY: u32 = 1;
pub const VERDICT_ALLOW: u32 = 2;
pub const VERDICT_DENY: u32 = 3;

/// Bits of `Endpoint::shapes` above those for the port prefix lengths 0 to 16.
pub const ANY_PROTOCOL: u32 = 1 << 17;
pub const ANY_IDENTITY: u32 = 1 << 18;

/// Key of `POLICY`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyKey {
    pub set: u32,
    /// Of the peer; 0: any.
    pub identity: u32,
    /// The port in host byte order, its last `16 - port_bits` bits 0.
    pub port: u16,
    pub port_bits: u8,
    pub direction: u8,
    /// IP protocol; 0: any (then port and `port_bits` are 0). A word: three bytes of padding would be written by a function of
    /// their own, on the stack of 512 bytes.
    pub protocol: u32,
}
assert_size!(PolicyKey, 16);

/// Value of `POLICY`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyValue {
    pub verdict: u32,
    pub rule: u32,
}
assert_size!(PolicyValue, 8);
