use crate::assert_size;

/// Stands for every user that has no target of its own in the namespace.
pub const ANY_USER: u32 = u32::MAX;

/// A network namespace, or the sockets of one user in it.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Namespace {
    pub number: u32,
    pub user: u32,
}
assert_size!(Namespace, 8);

/// An end of a connection. IPv4 as `::ffff:a.b.c.d`.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressKey {
    pub address: [u8; 16],
    /// 0: any.
    pub port: u32,
}
assert_size!(AddressKey, 20);

/// Ports that a network namespace gives to clients, both included.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocalPorts {
    pub low: u32,
    pub high: u32,
}
assert_size!(LocalPorts, 8);

/// A port that somebody listens on, in a network namespace: connections from it are a server's.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Listener {
    pub namespace: u32,
    pub port: u32,
}
assert_size!(Listener, 8);
