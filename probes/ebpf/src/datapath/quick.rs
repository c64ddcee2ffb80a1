//! Nearly every packet: TCP without options of the network header, of a flow that is allowed under the present revision and goes
//! from pod to pod. Straight down, since where other work takes the caches between packets, each line of code that a packet
//! runs over costs more than what it does there. Whatever is not that plain goes the long way, which says the same of it.

use aya_ebpf::programs::TcContext;
use meshmark_common::datapath::LEG_NORMAL;

use crate::{
    clock::jiffies,
    config::{config, revision},
    conntrack::find,
    counters::count_forwarded,
    deliver::deliver,
    family::{Family, V4, V6, flow_key},
    from_pod::device,
    packet::{ACK, FIN, PLAIN, Packet, RST, SYN, TCP},
    parse::{LINK, halves, load},
};

pub trait Quick: Family {
    /// A packet of an open connection: with ACK and without SYN, FIN and RST.
    fn plain(ctx: &TcContext) -> Option<Packet<Self::Address>>;
}

/// The headers as far as they are looked at.
#[repr(C)]
#[derive(Clone, Copy)]
struct TcpOverIpv4 {
    version_and_length: u8,
    service: u8,
    total_length: u16,
    id: u16,
    fragment: u16,
    ttl: u8,
    protocol: u8,
    checksum: u16,
    source: u32,
    destination: u32,
    tcp: [u32; 4],
}

#[repr(C)]
#[derive(Clone, Copy)]
struct TcpOverIpv6 {
    version_and_label: u32,
    length: u16,
    next: u8,
    hops: u8,
    // Halves, so that the structure needs no alignment of 8.
    source: [u32; 4],
    destination: [u32; 4],
    tcp: [u32; 4],
}

impl Quick for V4 {
    #[inline(always)]
    fn plain(ctx: &TcContext) -> Option<Packet<u32>> {
        let headers = load::<TcpOverIpv4>(ctx, LINK)?;
        // Five words of header; more fragments, or an offset.
        if headers.version_and_length & 0xf != 5
            || headers.fragment & 0x3fff_u16.to_be() != 0
            || headers.protocol != TCP
        {
            return None;
        }
        tcp(headers.source, headers.destination, headers.tcp)
    }
}

impl Quick for V6 {
    #[inline(always)]
    fn plain(ctx: &TcContext) -> Option<Packet<[u64; 2]>> {
        let headers = load::<TcpOverIpv6>(ctx, LINK)?;
        if headers.next != TCP {
            return None;
        }
        tcp(halves(headers.source), halves(headers.destination), headers.tcp)
    }
}

#[inline(always)]
fn tcp<Address>(
    source: Address,
    destination: Address,
    [ports, _, _, rest]: [u32; 4],
) -> Option<Packet<Address>> {
    let tcp_flags = (rest >> 8) as u8 & (FIN | SYN | RST | ACK);
    (tcp_flags == ACK).then_some(Packet {
        source,
        destination,
        source_port: ports as u16,
        destination_port: (ports >> 16) as u16,
        protocol: TCP,
        tcp_flags,
        kind: PLAIN,
        transport: 0,
    })
}

/// The action. `None`: what becomes of the packet has to be found out.
#[inline(always)]
pub fn forward<F: Quick>(ctx: &TcContext) -> Option<i32> {
    let packet = F::plain(ctx)?;
    let config = config()?;
    if config.events != 0 {
        return None;
    }
    let (key, side) = flow_key::<F>(&packet, LEG_NORMAL);
    let flow = find::<F>(&key)?;
    let now = jiffies();
    let idle = now.wrapping_sub(flow.last_seen);
    if flow.revision != revision(config)
        || flow.flags != 0
        || flow.devices[side] != device(ctx)
        || flow.tcp_flags[side] & ACK == 0
        || idle > flow.timeout
    {
        return None;
    }
    if idle != 0 {
        flow.last_seen = now;
    }
    count_forwarded(flow, side, ctx.len());
    Some(deliver(flow.devices[1 - side]))
}
