//! Every packet of a device, with the time at which the kernel had it there: what a packet capture shows.

use std::{
    iter, mem,
    os::fd::{AsRawFd, OwnedFd},
    ptr, thread,
    time::Duration,
};

use crate::{packet_socket, world::inside};

const ETHERNET: usize = 14;
const TCP: u8 = 6;

/// A TCP segment as it was on the device.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// `CLOCK_REALTIME`, in nanoseconds.
    pub at: u64,
    pub from_port: u16,
    pub to_port: u16,
    pub syn: bool,
    pub ack: bool,
    /// First byte of its data.
    pub first: Option<u8>,
}

pub struct Capture {
    socket: OwnedFd,
}

impl Capture {
    /// Nobody waits for the packets, so that nobody is woken when one comes: that would take longer than the kernel does with it.
    pub fn start(namespace: &str, device: &str) -> Self {
        let options =
            [(libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1), (libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, 16 << 20)];
        let socket = inside(namespace, || packet_socket::open(device, &options)).expect("root may capture");
        // The kernel begins to take the times a moment after somebody has asked for them.
        thread::sleep(Duration::from_millis(50));
        Self { socket }
    }

    /// All TCP segments, in the order in which they came and went.
    pub fn end(self) -> Vec<Segment> {
        iter::from_fn(|| receive(&self.socket)).flatten().collect()
    }
}

/// The next packet; none: there are no more.
#[expect(clippy::option_option, reason = "none inside: the packet is not TCP")]
fn receive(socket: &OwnedFd) -> Option<Option<Segment>> {
    let (mut packet, mut control) = ([0_u8; 128], [0_u64; 8]);
    let mut vector = libc::iovec { iov_base: packet.as_mut_ptr().cast(), iov_len: packet.len() };
    // SAFETY: all zeroes is a valid message.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    (message.msg_iov, message.msg_iovlen) = (&raw mut vector, 1);
    (message.msg_control, message.msg_controllen) = (control.as_mut_ptr().cast(), size_of_val(&control) as _);
    // SAFETY: all that the message points to lives until the call returns.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
    let packet = packet.get(..usize::try_from(length).ok()?)?;
    Some(segment(packet, time(&message)))
}

fn time(message: &libc::msghdr) -> u64 {
    // SAFETY: the kernel filled the message; what CMSG_DATA points to is read as bytes of this length.
    let time = unsafe {
        let header = libc::CMSG_FIRSTHDR(message);
        assert!(
            !header.is_null() && (*header).cmsg_type == libc::SCM_TIMESTAMPNS,
            "every packet has its time"
        );
        ptr::read_unaligned(libc::CMSG_DATA(header).cast::<libc::timespec>())
    };
    let number = |part: i64| u64::try_from(part).expect("it is after 1970");
    number(time.tv_sec) * 1_000_000_000 + number(time.tv_nsec)
}

/// Of an Ethernet frame; without IPv6 extension headers.
fn segment(frame: &[u8], at: u64) -> Option<Segment> {
    let packet = frame.get(ETHERNET..)?;
    let (protocol, header) = match packet.first()? >> 4 {
        4 => (*packet.get(9)?, usize::from(packet[0] & 15) * 4),
        6 => (*packet.get(6)?, 40),
        _ => return None,
    };
    let tcp = packet.get(header..header + 20).filter(|_| protocol == TCP)?;
    let port = |at: usize| u16::from_be_bytes([tcp[at], tcp[at + 1]]);
    let first = packet.get(header + usize::from(tcp[12] >> 4) * 4).copied();
    // A short frame may be filled up; a short segment over veth is not.
    Some(Segment {
        first,
        at,
        from_port: port(0),
        to_port: port(2),
        syn: tcp[13] & 2 != 0,
        ack: tcp[13] & 16 != 0,
    })
}
