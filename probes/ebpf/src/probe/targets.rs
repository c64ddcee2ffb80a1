//! Whose a socket or packet is: by address, by cgroup, by network namespace, in this order.

use core::ffi::c_void;

use meshmark_common::probe::{ANY_USER, AddressKey, CLIENT, NO_TARGET, Namespace};

use crate::{
    kernel::field,
    maps::{ADDRESSES, CGROUPS, NAMESPACES},
    settings::setting,
};

pub const AF_INET: u16 = 2;
pub const AF_INET6: u16 = 10;
/// What lies deeper below a target is not seen to belong to it.
const CGROUP_LEVELS: u32 = 16;

/// The target of a full socket.
#[inline(always)]
pub fn of_sock(sock: *const c_void, role: u8) -> Option<u32> {
    if setting!(addresses) != 0 {
        let remote = role == CLIENT;
        let key = AddressKey { address: address(sock, remote), port: u32::from(port(sock, remote)) };
        if let Some(target) = by_address(key) {
            return Some(target);
        }
        // A client may be named by its own address, whatever its port.
        if remote && let Some(target) = by_address(AddressKey { address: address(sock, false), port: 0 }) {
            return Some(target);
        }
    }
    if setting!(cgroups) != 0
        && let Some(target) = by_cgroup(sock)
    {
        return Some(target);
    }
    by_owner(sock)
}

/// Of the socket's cgroup and those that it is in, the innermost that is a target: so one that is made later counts, too.
#[inline(always)]
pub fn by_cgroup(sock: *const c_void) -> Option<u32> {
    let mut cgroup: *const c_void = field(sock, setting!(offsets.sock_cgroup));
    for _ in 0..CGROUP_LEVELS {
        if cgroup.is_null() {
            return None;
        }
        let node: *const c_void = field(cgroup, setting!(offsets.cgroup_node));
        let id: u64 = field(node, setting!(offsets.node_id));
        // SAFETY: read at once.
        if let Some(target) = unsafe { CGROUPS.get(&id) } {
            return Some(*target);
        }
        cgroup = field(cgroup, setting!(offsets.cgroup_parent));
    }
    None
}

/// By the socket's network namespace, and the user that made it.
#[inline(always)]
pub fn by_owner(sock: *const c_void) -> Option<u32> {
    let number = namespace(sock);
    if setting!(users) != 0 {
        let key = Namespace { number, user: field(sock, setting!(offsets.sock_user)) };
        // SAFETY: read at once.
        if let Some(target) = unsafe { NAMESPACES.get(&key) } {
            return Some(*target);
        }
    }
    by_namespace(number)
}

#[inline(always)]
pub fn by_namespace(number: u32) -> Option<u32> {
    // SAFETY: read at once.
    if let Some(target) = unsafe { NAMESPACES.get(&Namespace { number, user: ANY_USER }) } {
        return Some(*target);
    }
    match setting!(fallback) {
        NO_TARGET => None,
        target => Some(target),
    }
}

#[inline(always)]
pub fn by_address(mut key: AddressKey) -> Option<u32> {
    // SAFETY: read at once.
    if let Some(target) = unsafe { ADDRESSES.get(&key) } {
        return Some(*target);
    }
    if key.port == 0 {
        return None;
    }
    key.port = 0;
    // SAFETY: read at once.
    unsafe { ADDRESSES.get(&key) }.copied()
}

/// Inode number of a socket's network namespace, as in `/proc/PID/ns/net`.
#[inline(always)]
pub fn namespace(sock: *const c_void) -> u32 {
    inum(field(sock, setting!(offsets.sock_net)))
}

#[inline(always)]
pub fn inum(net: *const c_void) -> u32 {
    field(net, setting!(offsets.net_inum))
}

#[inline(always)]
pub fn family(sock: *const c_void) -> u16 {
    field(sock, setting!(offsets.sock_family))
}

/// In host byte order.
#[inline(always)]
pub fn port(sock: *const c_void, remote: bool) -> u16 {
    if remote {
        u16::from_be(field(sock, setting!(offsets.sock_remote_port)))
    } else {
        field(sock, setting!(offsets.sock_local_port))
    }
}

/// IPv4 as `::ffff:a.b.c.d`.
#[inline(always)]
pub fn address(sock: *const c_void, remote: bool) -> [u8; 16] {
    if family(sock) == AF_INET6 {
        let offset = if remote { setting!(offsets.sock_remote6) } else { setting!(offsets.sock_local6) };
        return field(sock, offset);
    }
    let offset = if remote { setting!(offsets.sock_remote4) } else { setting!(offsets.sock_local4) };
    mapped(field(sock, offset))
}

#[inline(always)]
fn mapped(four: [u8; 4]) -> [u8; 16] {
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, four[0], four[1], four[2], four[3]]
}
