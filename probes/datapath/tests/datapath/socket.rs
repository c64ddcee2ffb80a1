//! Sockets with what std does not offer: options before `bind`, `bind` before `connect`, and raw ones.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpStream},
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

use crate::{namespace::Namespace, traffic::PATIENCE};

/// TCP flags of a crafted segment.
pub const ACK: u8 = 0x10;

pub fn option(socket: &impl AsRawFd, level: i32, name: i32, value: i32) {
    // SAFETY: an open socket and an int.
    let result = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), size_of::<i32>() as u32)
    };
    assert_eq!(result, 0, "setsockopt {level} {name}");
}

pub const fn family(address: IpAddr) -> i32 {
    if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 }
}

/// May be bound to a port that was just used.
pub fn stream(address: IpAddr) -> TcpStream {
    // SAFETY: takes numbers; owned at once.
    let socket = unsafe { TcpStream::from_raw_fd(libc::socket(family(address), libc::SOCK_STREAM, 0)) };
    option(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1);
    socket
}

pub fn bind(socket: &impl AsRawFd, address: SocketAddr) {
    with_sockaddr(address, |pointer, length| {
        // SAFETY: an open socket, an address of that length.
        assert_eq!(unsafe { libc::bind(socket.as_raw_fd(), pointer, length) }, 0, "bind {address}");
    });
}

pub fn with_sockaddr<T>(address: SocketAddr, what: impl FnOnce(*const libc::sockaddr, u32) -> T) -> T {
    match address {
        SocketAddr::V4(v4) => {
            let value = libc::sockaddr_in {
                sin_family: libc::AF_INET as u16,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                sin_zero: [0; 8],
            };
            what((&raw const value).cast(), size_of_val(&value) as u32)
        }
        SocketAddr::V6(v6) => {
            let value = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as u16,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: 0,
                sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                sin6_scope_id: 0,
            };
            what((&raw const value).cast(), size_of_val(&value) as u32)
        }
    }
}

/// As `traffic::connect`, from that port.
pub fn connect_from(namespace: &Namespace, port: u16, to: SocketAddr) -> io::Result<TcpStream> {
    namespace.enter(|| {
        let socket = stream(to.ip());
        let any: IpAddr = if to.is_ipv4() { [0, 0, 0, 0].into() } else { [0_u16; 8].into() };
        bind(&socket, (any, port).into());
        // The time that connect() takes at most.
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        // SAFETY: an open socket, an address of that length.
        match with_sockaddr(to, |pointer, length| unsafe {
            libc::connect(socket.as_raw_fd(), pointer, length)
        }) {
            0 => Ok(socket),
            _ => Err(io::Error::last_os_error()),
        }
    })
}

/// Sends what comes behind the network header, as it is.
pub fn raw(namespace: &Namespace, protocol: i32, to: IpAddr, bytes: &[u8]) {
    namespace.enter(|| {
        // SAFETY: takes numbers; owned at once.
        let socket = unsafe { OwnedFd::from_raw_fd(libc::socket(family(to), libc::SOCK_RAW, protocol)) };
        let sent = with_sockaddr((to, 0).into(), |pointer, length| {
            // SAFETY: an open socket, bytes and an address of their lengths.
            unsafe {
                libc::sendto(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0, pointer, length)
            }
        });
        assert_eq!(sent, bytes.len().cast_signed(), "a raw packet to {to}: {}", io::Error::last_os_error());
    });
}

/// A TCP header, without a checksum: no socket is to take it.
pub fn segment(source_port: u16, destination_port: u16, flags: u8) -> Vec<u8> {
    let mut header = [source_port.to_be_bytes(), destination_port.to_be_bytes()].concat();
    header.extend([0, 0, 0, 1, 0, 0, 0, 1, 5 << 4, flags, 0xff, 0xff, 0, 0, 0, 0]);
    header
}
