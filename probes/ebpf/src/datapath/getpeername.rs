use aya_ebpf::{macros::cgroup_sock_addr, programs::SockAddrContext};

use crate::services::{Version, to_service};

/// getpeername() names the service that the socket was connected to.
///
/// # Minimum kernel version
/// 5.8
#[cgroup_sock_addr(getpeername4)]
pub fn getpeername4(ctx: SockAddrContext) -> i32 {
    to_service(&ctx, Version::V4)
}

/// The same for IPv6 sockets, also where they use IPv4 addresses (`::ffff:a.b.c.d`).
#[cgroup_sock_addr(getpeername6)]
pub fn getpeername6(ctx: SockAddrContext) -> i32 {
    to_service(&ctx, Version::V6)
}
