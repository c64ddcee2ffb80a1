//! Service addresses: a socket that is sent to one gets a backend, and is told the service's address when it asks.

use core::ptr;

use aya_ebpf::{
    EbpfContext,
    bindings::bpf_sock_addr,
    helpers::{bpf_get_prandom_u32, generated::bpf_get_socket_cookie},
    programs::SockAddrContext,
};
use meshmark_common::datapath::{Address, Backend, BackendKey, OriginKey, ServiceKey, map_ipv4};

use crate::maps::{BACKENDS, ORIGINS, SERVICES};

pub const REFUSE: i32 = 0;
pub const PROCEED: i32 = 1;

/// IPv4 or IPv6: which of the context's addresses is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Version {
    V4,
    V6,
}

/// Sends the socket to a backend, if its destination is a service; refuses when the service has none.
#[inline(always)]
pub fn to_backend(ctx: &SockAddrContext, version: Version) -> i32 {
    let (address, port) = destination(ctx, version);
    let protocol = protocol(ctx);
    let key = ServiceKey { address, port, protocol, padding: 0 };
    // SAFETY: the value is copied at once.
    let Some(service) = (unsafe { SERVICES.get(key) }).copied() else { return PROCEED };
    if service.slots == 0 {
        return REFUSE;
    }
    // SAFETY: takes nothing.
    let slot = (unsafe { bpf_get_prandom_u32() }) % service.slots;
    // SAFETY: the value is copied at once.
    let Some(backend) = (unsafe { BACKENDS.get(BackendKey { service: service.id, slot }) }).copied() else {
        return REFUSE;
    };
    let key = OriginKey {
        cookie: cookie(ctx),
        address: backend.address,
        port: backend.port,
        protocol,
        padding: [0; 5],
    };
    if ORIGINS.insert(key, Backend { address, port, padding: 0 }, 0).is_err() {
        return REFUSE;
    }
    rewrite(ctx, version, &backend);
    PROCEED
}

/// Puts the service's address back, if the socket was sent from it to the one that the kernel names.
#[inline(always)]
pub fn to_service(ctx: &SockAddrContext, version: Version) -> i32 {
    let (address, port) = destination(ctx, version);
    let key = OriginKey { cookie: cookie(ctx), address, port, protocol: protocol(ctx), padding: [0; 5] };
    // SAFETY: the value is copied at once.
    if let Some(origin) = (unsafe { ORIGINS.get(key) }).copied() {
        rewrite(ctx, version, &origin);
    }
    PROCEED
}

#[inline(always)]
fn cookie(ctx: &SockAddrContext) -> u64 {
    // SAFETY: the context is the kernel's.
    unsafe { bpf_get_socket_cookie(ctx.as_ptr()) }
}

/// The context's fields may be read as they were declared only, not in parts.
macro_rules! field {
    ($ctx:expr, $name:ident $(, $index:literal)?) => {{
        let context: *mut bpf_sock_addr = $ctx.sock_addr;
        // SAFETY: the context is the kernel's.
        unsafe { ptr::read_volatile(&raw const (*context).$name $([$index])?) }
    }};
}

macro_rules! set_field {
    ($ctx:expr, $value:expr, $name:ident $(, $index:literal)?) => {{
        let context: *mut bpf_sock_addr = $ctx.sock_addr;
        // SAFETY: the context is the kernel's.
        unsafe { ptr::write_volatile(&raw mut (*context).$name $([$index])?, $value) }
    }};
}

#[inline(always)]
fn protocol(ctx: &SockAddrContext) -> u8 {
    field!(ctx, protocol) as u8
}

#[inline(always)]
fn destination(ctx: &SockAddrContext, version: Version) -> (Address, u16) {
    let address = match version {
        Version::V4 => map_ipv4(field!(ctx, user_ip4)),
        Version::V6 => [
            field!(ctx, user_ip6, 0),
            field!(ctx, user_ip6, 1),
            field!(ctx, user_ip6, 2),
            field!(ctx, user_ip6, 3),
        ],
    };
    (address, field!(ctx, user_port) as u16)
}

#[inline(always)]
fn rewrite(ctx: &SockAddrContext, version: Version, to: &Backend) {
    let [a, b, c, d] = to.address;
    match version {
        Version::V4 => set_field!(ctx, d, user_ip4),
        Version::V6 => {
            set_field!(ctx, a, user_ip6, 0);
            set_field!(ctx, b, user_ip6, 1);
            set_field!(ctx, c, user_ip6, 2);
            set_field!(ctx, d, user_ip6, 3);
        }
    }
    set_field!(ctx, u32::from(to.port), user_port);
}
