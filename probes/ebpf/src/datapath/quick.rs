//! Nearly every packet: TCP without options of the network header, of a flow that this CPU has just passed on (`recent.rs`).
//! Straight down, since where other work takes the caches between packets, each line of code that a packet
//! runs over costs more than what it does there. Whatever is not that plain goes the long way, which says the same of it.

use core::mem::size_of;

use aya_ebpf::programs::TcContext;
use meshmark_common::datapath::LEG_NORMAL;

use crate::{
    clock::jiffies,
    config::{config, revision},
    counters::count_forwarded,
    deliver::deliver,
    family::{Family, V4, V6, flow_key},
    from_pod::device,
    packet::{ACK, PLAIN, Packet, TCP},
    parse::{Ipv4, Ipv6, LINK, halves, load},
    recent::place,
};

pub trait Quick: Family {
    /// A packet of an open connection: with ACK and without SYN, FIN and RST.
    fn plain(ctx: &TcContext) -> Option<Packet<Self::Address>>;
}

/// The headers as far as they are looked at.
#[repr(C)]
#[derive(Clone, Copy)]
struct TcpOver<Network> {
    network: Network,
    tcp: [u32; 4],
}

impl Quick for V4 {
    #[inline(always)]
    fn plain(ctx: &TcContext) -> Option<Packet<u32>> {
        let TcpOver { network, tcp } = load::<TcpOver<Ipv4>>(ctx, LINK)?;
        if network.length() != size_of::<Ipv4>() || network.is_fragment() || network.protocol != TCP {
            return None;
        }
        open(network.source, network.destination, tcp)
    }
}

impl Quick for V6 {
    #[inline(always)]
    fn plain(ctx: &TcContext) -> Option<Packet<[u64; 2]>> {
        let TcpOver { network, tcp } = load::<TcpOver<Ipv6>>(ctx, LINK)?;
        if network.next != TCP {
            return None;
        }
        open(halves(network.source), halves(network.destination), tcp)
    }
}

#[inline(always)]
fn open<Address>(source: Address, destination: Address, tcp: [u32; 4]) -> Option<Packet<Address>> {
    let mut packet = Packet {
        source,
        destination,
        source_port: 0,
        destination_port: 0,
        protocol: TCP,
        tcp_flags: 0,
        kind: PLAIN,
        transport: 0,
    };
    packet.set_tcp(tcp);
    (packet.tcp_flags == ACK).then_some(packet)
}

/// The action. `None`: what becomes of the packet has to be found out.
#[inline(always)]
pub fn forward<F: Quick>(ctx: &TcContext) -> Option<i32> {
    let packet = F::plain(ctx)?;
    let config = config()?;
    // Who listens is told of flows that are in use.
    if config.events != 0 {
        return None;
    }
    let (key, side) = flow_key::<F>(&packet, LEG_NORMAL);
    let recent = place(&key)?;
    if !recent.holds(&key, revision(config), jiffies()) || recent.devices[side] != device(ctx) {
        return None;
    }
    count_forwarded(&recent.slots, side, ctx.len());
    Some(deliver(recent.devices[1 - side]))
}
