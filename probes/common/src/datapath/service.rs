use super::Address;
use crate::assert_size;

/// Key of `SERVICES`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServiceKey {
    pub address: Address,
    /// In network byte order.
    pub port: u16,
    pub protocol: u8,
    pub padding: u8,
}
assert_size!(ServiceKey, 20);

/// Value of `SERVICES`. A change of backends is a new `id` with slots of its own, so that it is atomic.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    pub id: u32,
    /// 0: the service has no backend, connections to it are refused.
    pub slots: u32,
}
assert_size!(Service, 8);

/// Key of `BACKENDS`: a backend has as many slots as its weight says.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BackendKey {
    pub service: u32,
    pub slot: u32,
}
assert_size!(BackendKey, 8);

/// Value of `BACKENDS` (where to) and of `ORIGINS` (which service it was).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backend {
    pub address: Address,
    /// In network byte order.
    pub port: u16,
    pub padding: u16,
}
assert_size!(Backend, 20);

/// Key of `ORIGINS`: what a socket was sent to instead of the service, for `getpeername()` and `recvmsg()`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OriginKey {
    pub cookie: u64,
    pub address: Address,
    pub port: u16,
    pub protocol: u8,
    pub padding: [u8; 5],
}
assert_size!(OriginKey, 32);
