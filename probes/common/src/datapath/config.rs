use crate::assert_size;

/// The bits of a packet's mark that are ours.
pub const MARK_MASK: u32 = 0x3;
/// Mark of a packet that a socket of the proxy is to get: `ip rule fwmark 0x1/0x3` makes it a local one.
pub const MARK_TO_PROXY: u32 = 0x1;
/// Mark of what the proxy sends to servers (its `original_src` filter sets it).
pub const MARK_FROM_PROXY: u32 = 0x2;

/// The one entry of the `CONFIG` array, which the loader has mapped: it changes single fields by atomic stores.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Config {
    /// Of policy, identities and endpoints; a flow that was judged under another one is judged again.
    pub revision: u32,
    /// Not 0: somebody listens to flow events.
    pub events: u32,
    /// The proxy's listener, in network byte order; 0: there is none.
    pub proxy_port: u32,
    pub proxy_address4: u32,
    pub proxy_address6: [u32; 4],
    /// How long flows live without a packet, in jiffies.
    pub tcp_timeout: u32,
    pub other_timeout: u32,
    pub closing_timeout: u32,
    /// Jiffies between two events of an established flow.
    pub event_interval: u32,
    /// Events per CPU: how many at once, and one more for so many nanoseconds.
    pub event_burst: u32,
    pub event_nanoseconds: u32,
}
assert_size!(Config, 56);
