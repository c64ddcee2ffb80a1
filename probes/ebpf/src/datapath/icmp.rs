//! ICMP errors belong to the flow of the packet that they quote.

use aya_ebpf::programs::TcContext;
use meshmark_common::datapath::{Config, Flow, LEG_NORMAL, LEG_UPSTREAM};

use crate::{
    clock::jiffies,
    config::revision,
    conntrack::find,
    family::{Family, flow_key},
    packet::{PLAIN, Packet, SCTP, TCP, UDP},
    parse::load,
};

/// Bytes of an ICMP header before what it quotes.
const ICMP_HEADER: usize = 8;
/// Longest network header and link header before it.
const FURTHEST: usize = 74;
/// Enough for the quoted headers.
const QUOTED: u32 = FURTHEST as u32 + 8 + 60 + 8;

/// The flow that an error is about, and the side that the error goes to. An error follows a packet of the flow at once: a flow that
/// is over, or was not judged again since policy changed (it may be denied by now), has none.
#[inline(always)]
pub fn quoted<F: Family>(
    ctx: &TcContext,
    packet: &Packet<F::Address>,
    config: &Config,
) -> Option<(&'static mut Flow, usize)> {
    let wanted = ctx.len().min(QUOTED);
    if ctx.data_end() - ctx.data() < wanted as usize {
        let _ = ctx.pull_data(wanted);
    }
    let offset = packet.transport as usize;
    if offset > FURTHEST {
        return None;
    }
    let header = F::header(ctx, offset + ICMP_HEADER);
    // It goes to whoever sent what it quotes.
    if header.transport == 0 || header.is_fragment || header.source != packet.destination {
        return None;
    }
    let ports = load::<u32>(ctx, header.transport)?;
    let mut inner = Packet {
        source: header.source,
        destination: header.destination,
        source_port: ports as u16,
        destination_port: (ports >> 16) as u16,
        protocol: header.protocol,
        tcp_flags: 0,
        kind: PLAIN,
        transport: 0,
    };
    if header.protocol == F::ICMP {
        let id = load::<u16>(ctx, header.transport + 4)?;
        let echo = load::<u8>(ctx, header.transport)? == F::ECHO_REQUEST;
        inner.source_port = if echo { id } else { 0 };
        inner.destination_port = if echo { 0 } else { id };
    } else if !matches!(header.protocol, TCP | UDP | SCTP) {
        return None;
    }
    let now = jiffies();
    let (key, side) = flow_key::<F>(&inner, LEG_NORMAL);
    if let Some(flow) = find::<F>(&key)
        && flow.is_alive(now)
        && flow.revision == revision(config)
    {
        return Some((flow, side));
    }
    // The proxy's own connection is not judged.
    let (key, side) = flow_key::<F>(&inner, LEG_UPSTREAM);
    find::<F>(&key).filter(|flow| flow.is_alive(now)).map(|flow| (flow, side))
}
