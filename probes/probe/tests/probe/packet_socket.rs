//! Sockets that see every frame of a device (packet(7)).

use std::{
    ffi::CString,
    io, mem,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    time::Duration,
};

/// In network byte order, as the kernel wants it.
const EVERYTHING: u16 = (libc::ETH_P_ALL as u16).to_be();
/// So that whoever reads can see now and then whether it is to end.
const PATIENCE: Duration = Duration::from_millis(20);

/// In the calling thread's network namespace. The options, of a level each, are set before it sees anything.
pub fn open(device: &str, options: &[(i32, i32, i32)]) -> io::Result<OwnedFd> {
    // SAFETY: takes numbers; the descriptor is owned at once.
    let socket = unsafe {
        OwnedFd::from_raw_fd(check(libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0))?)
    };
    for (level, option, value) in options {
        set(&socket, *level, *option, value)?;
    }
    let time = libc::timeval { tv_sec: 0, tv_usec: i64::from(PATIENCE.subsec_micros()) };
    set(&socket, libc::SOL_SOCKET, libc::SO_RCVTIMEO, &time)?;
    let name = CString::new(device)?;
    // SAFETY: all zeroes is a valid address.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    (address.sll_family, address.sll_protocol) = (libc::AF_PACKET as u16, EVERYTHING);
    // SAFETY: a name that ends with zero.
    address.sll_ifindex = unsafe { libc::if_nametoindex(name.as_ptr()) }.cast_signed();
    // SAFETY: the descriptor is open, the address ours and so long.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length(&address)) })?;
    Ok(socket)
}

fn set<T>(socket: &OwnedFd, level: i32, option: i32, value: &T) -> io::Result<i32> {
    // SAFETY: the descriptor is open, the value ours and so long.
    check(unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const *value).cast(), length(value))
    })
}

const fn length<T>(_: &T) -> u32 {
    size_of::<T>() as u32
}

fn check(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
