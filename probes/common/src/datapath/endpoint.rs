use crate::assert_size;

/// Identity of the node.
pub const HOST: u32 = 1;
/// Identity of every address that has no other.
pub const WORLD: u32 = 2;

/// An address as it is on the wire, IPv4 mapped into IPv6 (`::ffff:a.b.c.d`).
pub type Address = [u32; 4];

/// # Arguments
/// `address`: as it is on the wire.
#[must_use]
#[inline]
pub const fn map_ipv4(address: u32) -> Address {
    [0, 0, 0xffff_u32.to_be(), address]
}

/// Value of the LPM trie `IPCACHE`: who has an address, and where.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    pub identity: u32,
    /// Node-side device of the endpoint that has it; 0: none has.
    pub device: u32,
}
assert_size!(Destination, 8);

/// Value of `ENDPOINTS`, by node-side device.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub id: u32,
    pub slot: u32,
    /// Set of policy entries by direction (`EGRESS`, `INGRESS`); 0: no policy selects it there, all is allowed.
    pub sets: [u32; 2],
    /// Which entries the set has: bit 0 to 16 a port prefix length, `ANY_PROTOCOL`, `ANY_IDENTITY`.
    pub shapes: [u32; 2],
}
assert_size!(Endpoint, 24);
