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
    pub const fn word(self) -> u64 {
        self.0
    }

    #[must_use]
    pub const fn protocol(self) -> u8 {
        (self.0 >> 32) as u8
    }
}

/// So many places of `RECENT4` and of `RECENT6` are a CPU's. A power of two.
pub const RECENT_FLOWS: u32 = 256;

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
    /// Jiffies of its last packet, or of one up to a jiffy before that (`recent.rs`), and how many of them may pass until the next.
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

impl Flow {
    /// Jiffies since its last packet; below 0 where another CPU has noted one after `now` was read. A difference of jiffies
    /// has a sign, else such a flow would look as idle as can be.
    #[must_use]
    #[inline]
    pub fn idle(&self, now: u32) -> i64 {
        elapsed(self.last_seen, now)
    }

    /// Whether its next packet still belongs to it.
    #[must_use]
    #[inline]
    pub fn is_alive(&self, now: u32) -> bool {
        self.idle(now) <= i64::from(self.timeout)
    }
}

/// Jiffies from one moment to another, less than 2^31 of them.
#[must_use]
#[inline]
pub fn elapsed(from: u32, to: u32) -> i64 {
    i64::from(to.wrapping_sub(from).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::Flow;

    fn flow(last_seen: u32) -> Flow {
        Flow {
            revision: 1,
            devices: [1, 2],
            slots: [0, 1],
            rule: 0,
            last_seen,
            timeout: 10,
            last_event: last_seen,
            originator: 0,
            flags: 0,
            tcp_flags: [0; 2],
        }
    }

    #[test]
    fn a_flow_is_idle_from_its_last_packet_on_across_the_wrap_of_jiffies() {
        assert_eq!([flow(100).idle(107), flow(u32::MAX - 1).idle(3)], [7, 5]);
        assert_eq!([flow(100).is_alive(110), flow(100).is_alive(111)], [true, false]);
    }

    #[test]
    fn a_packet_that_another_cpu_noted_a_jiffy_later_ends_no_flow() {
        assert_eq!([flow(100).idle(99), flow(0).idle(u32::MAX)], [-1, -1]);
        assert!(flow(100).is_alive(99) && flow(0).is_alive(u32::MAX));
    }
}
