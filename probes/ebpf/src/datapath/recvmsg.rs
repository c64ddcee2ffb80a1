use aya_ebpf::{macros::cgroup_sock_addr, programs::SockAddrContext};

use crate::services::{Version, to_service};

/// recvfrom() names the service that the socket sent to, not the backend that answers.
///
/// # Minimum kernel version
/// 5.2
#[cgroup_sock_addr(recvmsg4)]
pub fn recvmsg4(ctx: SockAddrContext) -> i32 {
    to_service(&ctx, Version::V4)
}

/// The same for IPv6 sockets, also where they use IPv4 addresses (`::ffff:a.b.c.d`).
#[cgroup_sock_addr(recvmsg6)]
pub fn recvmsg6(ctx: SockAddrContext) -> i32 {
    to_service(&ctx, Version::V6)
}
