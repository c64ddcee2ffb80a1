//! From bytes to what conntrack needs.

use core::mem::size_of;

use aya_ebpf::programs::TcContext;
use meshmark_common::datapath::DropReason;

use crate::{
    family::Family,
    packet::{ECHO_REPLY, Exception, ICMP_ERROR, ICMP6, PLAIN, Packet, SCTP, TCP, UDP},
};

/// Bytes before the network header.
pub const LINK: usize = 14;
const HOP_BY_HOP: u8 = 0;
const FRAGMENT: u8 = 44;

/// The network header.
pub struct Header<Address> {
    pub source: Address,
    pub destination: Address,
    pub protocol: u8,
    /// Bytes before the transport header; 0: the packet is too short or its header is wrong.
    pub transport: usize,
    pub is_fragment: bool,
    /// IPv6 multicast.
    pub is_multicast: bool,
}

/// A value of the packet at `offset`, if it is long enough.
#[inline(always)]
pub fn load<T: Copy>(ctx: &TcContext, offset: usize) -> Option<T> {
    let start = ctx.data() + offset;
    if start + size_of::<T>() > ctx.data_end() {
        return None;
    }
    // SAFETY: within the packet. Not aligned, which the kernel allows where the CPU does (x86-64, arm64) and the
    // verifier refuses elsewhere; byte-wise reads would cost several instructions for each field.
    Some(unsafe { *(start as *const T) })
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ipv4 {
    version_and_length: u8,
    service: u8,
    total_length: u16,
    id: u16,
    fragment: u16,
    ttl: u8,
    pub protocol: u8,
    checksum: u16,
    pub source: u32,
    pub destination: u32,
}

impl Ipv4 {
    /// Of the header, in bytes.
    #[inline(always)]
    pub fn length(&self) -> usize {
        usize::from(self.version_and_length & 0xf) * 4
    }

    /// More fragments, or an offset.
    #[inline(always)]
    pub fn is_fragment(&self) -> bool {
        self.fragment & 0x3fff_u16.to_be() != 0
    }
}

/// The IPv4 header at `offset`.
#[inline(always)]
pub fn ipv4(ctx: &TcContext, offset: usize) -> Header<u32> {
    let mut header = Header {
        source: 0,
        destination: 0,
        protocol: 0,
        transport: 0,
        is_fragment: false,
        is_multicast: false,
    };
    let Some(ip) = load::<Ipv4>(ctx, offset) else { return header };
    let length = ip.length();
    if length < size_of::<Ipv4>() {
        return header;
    }
    header.source = ip.source;
    header.destination = ip.destination;
    header.protocol = ip.protocol;
    header.transport = offset + length;
    header.is_fragment = ip.is_fragment();
    header
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ipv6 {
    version_and_label: u32,
    length: u16,
    pub next: u8,
    hops: u8,
    // Halves, so that the structure needs no alignment of 8.
    pub source: [u32; 4],
    pub destination: [u32; 4],
}

/// The IPv6 header at `offset`. Extension headers are not walked: only a hop-by-hop header is told from the others.
#[inline(always)]
pub fn ipv6(ctx: &TcContext, offset: usize) -> Header<[u64; 2]> {
    let mut header = Header {
        source: [0; 2],
        destination: [0; 2],
        protocol: 0,
        transport: 0,
        is_fragment: false,
        is_multicast: false,
    };
    let Some(ip) = load::<Ipv6>(ctx, offset) else { return header };
    header.source = halves(ip.source);
    header.destination = halves(ip.destination);
    header.protocol = ip.next;
    header.transport = offset + size_of::<Ipv6>();
    header.is_fragment = ip.next == FRAGMENT;
    header.is_multicast = header.destination[0] & 0xff == 0xff;
    header
}

#[inline(always)]
pub fn halves([a, b, c, d]: [u32; 4]) -> [u64; 2] {
    [u64::from(a) | u64::from(b) << 32, u64::from(c) | u64::from(d) << 32]
}

/// # Errors
/// What is not for conntrack: passed on, or dropped with its reason.
#[inline(always)]
pub fn parse<F: Family>(ctx: &TcContext) -> Result<Packet<F::Address>, Exception> {
    let wanted = ctx.len().min(F::HEADERS);
    if ctx.data_end() - ctx.data() < wanted as usize {
        let _ = ctx.pull_data(wanted);
    }
    let header = F::header(ctx, LINK);
    if header.transport == 0 {
        return Err(Exception::Drop(DropReason::Malformed));
    }
    if header.is_fragment {
        return Err(Exception::Drop(DropReason::Fragment));
    }
    let mut packet = Packet {
        source: header.source,
        destination: header.destination,
        source_port: 0,
        destination_port: 0,
        protocol: header.protocol,
        tcp_flags: 0,
        kind: PLAIN,
        transport: header.transport as u32,
    };
    let offset = header.transport;
    match header.protocol {
        TCP => {
            let Some(words) = load::<[u32; 4]>(ctx, offset) else {
                return Err(Exception::Drop(DropReason::Malformed));
            };
            packet.set_tcp(words);
        }
        UDP | SCTP => {
            let Some(ports) = load::<u32>(ctx, offset) else {
                return Err(Exception::Drop(DropReason::Malformed));
            };
            packet.source_port = ports as u16;
            packet.destination_port = (ports >> 16) as u16;
        }
        // Multicast listener reports of the link.
        HOP_BY_HOP if header.is_multicast => return Err(Exception::Pass),
        protocol if protocol == F::ICMP => return icmp::<F>(ctx, packet),
        _ => return Err(Exception::Drop(DropReason::UnsupportedProtocol)),
    }
    Ok(packet)
}

#[inline(always)]
fn icmp<F: Family>(ctx: &TcContext, mut packet: Packet<F::Address>) -> Result<Packet<F::Address>, Exception> {
    let Some([kind, rest]) = load::<[u32; 2]>(ctx, packet.transport as usize) else {
        return Err(Exception::Drop(DropReason::Malformed));
    };
    let icmp_type = kind as u8;
    let id = rest as u16;
    if icmp_type == F::ECHO_REQUEST {
        packet.source_port = id;
    } else if icmp_type == F::ECHO_REPLY {
        packet.destination_port = id;
        packet.kind = ECHO_REPLY;
    } else if F::ICMP == ICMP6 && matches!(icmp_type, 130..=137 | 143) {
        // Multicast listeners, routers and neighbours of the link.
        return Err(Exception::Pass);
    } else if F::is_icmp_error(icmp_type) {
        packet.kind = ICMP_ERROR;
    } else {
        return Err(Exception::Drop(DropReason::UnsupportedProtocol));
    }
    Ok(packet)
}
