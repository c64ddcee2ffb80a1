use aya_ebpf::{macros::cgroup_sock_addr, programs::SockAddrContext};

use crate::services::{Version, to_backend};

/// sendto() to a service goes to one of its backends, each datagram for itself.
///
/// # Minimum kernel version
/// 4.18
#[cgroup_sock_addr(sendmsg4)]
pub fn sendmsg4(ctx: SockAddrContext) -> i32 {
    to_backend(&ctx, Version::V4)
}

/// The same for IPv6 sockets, also where they use IPv4 addresses (`::ffff:a.b.c.d`).
#[cgroup_sock_addr(sendmsg6)]
pub fn sendmsg6(ctx: SockAddrContext) -> i32 {
    to_backend(&ctx, Version::V6)
}
