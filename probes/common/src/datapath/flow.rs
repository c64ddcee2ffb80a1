use crate::assert_size;

pub const LEG_NORMAL: u8 = 0;
/// From the proxy to the server: same addresses as the client's own flow, another connection.
pub const LEG_UPSTREAM: u8 = 1;

/// The flow goes through the proxy.
pub const FLOW_PROXY: u8 = 1;
/// It is the proxy's own connection to the server.
pub const FLOW_UPSTREAM: u8 = 2;
/// A FIN or RST was seen.
pub const FLOW_CLOSING: u8 = 4;

/// Ports, protocol and leg of a flow's key, in one word: the kernel hashes and compares words, and one that was stored in pieces
/// is waited for until all of them have reached the cache.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ends(u64);

impl Ends {
    /// # Arguments
    /// `ports`: as on the wire, of the lower end and of the other
    #[must_use]
    pub const fn new([low, high]: [u16; 2], protocol: u8, leg: u8) -> Self {
        Self(low as u64 | (high as u64) << 16 | (protocol as u64) << 32 | (leg as u64) << 40)
    }

    #[must_use]
    pub const fn ports(self) -> [u16; 2] {
        [self.0 as u16, (self.0 >> 16) as u16]
    }

    #[must_use]
    pub const fn protocol(self) -> u8 {
        (self.0 >> 32) as u8
    }
}

/// Key of `FLOWS4`. Normalised, so that one lookup serves both directions: the first address and port are the lower of the
/// two (compared as they are on the wire).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowKey4 {
    /// The lower one in the lower half.
    pub addresses: u64,
    pub ends: Ends,
}
assert_size!(FlowKey4, 16);

/// Key of `FLOWS6`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowKey6 {
    pub addresses: [[u64; 2]; 2],
    pub ends: Ends,
}
assert_size!(FlowKey6, 40);

/// Value of `FLOWS4` and `FLOWS6`. Pairs are by side: 0 is the lower of the key.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Under which it was allowed, read *before* the verdict was made.
    pub revision: u32,
    /// Node-side device of each side; 0: the node itself.
    pub devices: [u32; 2],
    /// Slot of each side's counters, or `NO_SLOT`.
    pub slots: [u16; 2],
    /// That let it in (the receiver's, else the sender's).
    pub rule: u32,
    /// Jiffies of its last packet, and how many of them may pass until the next.
    pub last_seen: u32,
    pub timeout: u32,
    pub last_event: u32,
    /// Side that opened it.
    pub originator: u8,
    pub flags: u8,
    /// TCP flags seen from each side.
    pub tcp_flags: [u8; 2],
}
assert_size!(Flow, 36);
