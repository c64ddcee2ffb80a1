use aya_ebpf::{macros::cgroup_sock_addr, programs::SockAddrContext};

use crate::services::{Version, to_backend};

/// connect() to a service goes to one of its backends.
///
/// # Minimum kernel version
/// 4.17
#[cgroup_sock_addr(connect4)]
pub fn connect4(ctx: SockAddrContext) -> i32 {
    to_backend(&ctx, Version::V4)
}

/// The same for IPv6 sockets, also where they use IPv4 addresses (`::ffff:a.b.c.d`).
#[cgroup_sock_addr(connect6)]
pub fn connect6(ctx: SockAddrContext) -> i32 {
    to_backend(&ctx, Version::V6)
}
