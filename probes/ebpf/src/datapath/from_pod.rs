use aya_ebpf::{
    bindings::{TC_ACT_OK, TC_ACT_SHOT},
    macros::classifier,
    programs::TcContext,
};
use meshmark_common::datapath::{
    Config, DropReason, EGRESS, FLOW_PROXY, FLOW_UPSTREAM, Flow, KIND_DROP, KIND_NEW, LEG_NORMAL,
    LEG_UPSTREAM, MARK_TO_PROXY,
};

use crate::{
    config::{config, revision},
    conntrack::find,
    counters::{count_dropped, count_forwarded},
    deliver::deliver,
    events::what,
    family::{Family, V4, V6, flow_key},
    flow_state::{Step, step},
    icmp::quoted,
    judge::{ALLOWED, KNOWN, REPLY},
    packet::{ACK, Exception, ICMP_ERROR, Packet, SYN, TCP},
    parse::parse,
    proxy::divert,
    quick,
    scratch::lay_down,
};

const IPV4: u32 = 0x0800_u16.to_be() as u32;
const IPV6: u32 = 0x86dd_u16.to_be() as u32;
const ARP: u32 = 0x0806_u16.to_be() as u32;

/// At ingress of a pod's node-side device: everything that the pod sends.
#[classifier]
pub fn from_pod(ctx: TcContext) -> i32 {
    match ctx.skb.protocol() {
        IPV4 => quick::forward::<V4>(&ctx).unwrap_or_else(|| forward::<V4>(&ctx)),
        IPV6 => match quick6(&ctx) {
            NOT_QUICK => forward::<V6>(&ctx),
            action => action,
        },
        ARP => TC_ACT_OK,
        _ => {
            count_dropped(device(&ctx), EGRESS, DropReason::UnsupportedProtocol);
            TC_ACT_SHOT
        }
    }
}

/// No action: what becomes of the packet has to be found out.
const NOT_QUICK: i32 = i32::MIN;

/// By itself: what it holds on the stack would leave the long way, which calls more, too little of it.
#[inline(never)]
fn quick6(ctx: &TcContext) -> i32 {
    quick::forward::<V6>(ctx).unwrap_or(NOT_QUICK)
}

#[inline(always)]
pub fn device(ctx: &TcContext) -> u32 {
    // SAFETY: the context is the kernel's.
    unsafe { (*ctx.skb.skb).ifindex }
}

#[inline(never)]
fn forward<F: Family>(ctx: &TcContext) -> i32 {
    let packet = match parse::<F>(ctx) {
        Ok(packet) => packet,
        Err(Exception::Pass) => return TC_ACT_OK,
        Err(Exception::Drop(reason)) => {
            count_dropped(device(ctx), EGRESS, reason);
            return TC_ACT_SHOT;
        }
    };
    let Some(config) = config() else { return TC_ACT_SHOT };
    if packet.kind == ICMP_ERROR {
        return icmp_error::<F>(ctx, &packet, config);
    }
    let revision = revision(config);
    let (key, side) = flow_key::<F>(&packet, LEG_NORMAL);
    let mut how = 0;
    if let Some(flow) = find::<F>(&key) {
        if flow.flags & FLOW_PROXY != 0 && side != usize::from(flow.originator) {
            // The server's packets are the proxy's, if it is connected to the server with the client's own port.
            if let Some(action) = upstream::<F>(ctx, &packet, config) {
                return action;
            }
        }
        // Another device: the address has moved, or it is not the sender's; judge() tells which.
        if flow.devices[side] == device(ctx) {
            match step(flow, &packet, side, revision, config) {
                Step::Forward => return pass_on::<F>(ctx, &packet, flow, side, config),
                Step::Report(kind) => {
                    if config.events != 0 {
                        lay_down::<F>(&packet, &key, side);
                        F::report(what(kind, flow.flags), device(ctx), flow.rule, ctx.len());
                    }
                    return pass_on::<F>(ctx, &packet, flow, side, config);
                }
                Step::Judge => {
                    how |= KNOWN;
                    if side != usize::from(flow.originator) {
                        how |= REPLY;
                    }
                }
                Step::Open => {}
            }
        }
    } else if packet.protocol == TCP
        && let Some(action) = upstream::<F>(ctx, &packet, config)
    {
        return action;
    }
    open::<F>(ctx, &packet, &key, side, config, how)
}

/// A new flow, or one that has to be judged again.
#[inline(always)]
fn open<F: Family>(
    ctx: &TcContext,
    packet: &Packet<F::Address>,
    key: &F::Key,
    side: usize,
    config: &Config,
    mut how: u32,
) -> i32 {
    // Conntrack has forgotten the connection (it is bounded): the lower port is the one that was connected to.
    if how & KNOWN == 0
        && packet.protocol == TCP
        && packet.tcp_flags & (SYN | ACK) != SYN
        && u16::from_be(packet.source_port) < u16::from_be(packet.destination_port)
    {
        how |= REPLY;
    }
    lay_down::<F>(packet, key, side);
    let judged = F::judge(device(ctx), how);
    let answer = judged as u32;
    if answer != ALLOWED {
        if config.events != 0 {
            F::report(what(KIND_DROP, answer as u8), device(ctx), (judged >> 32) as u32, ctx.len());
        }
        return TC_ACT_SHOT;
    }
    let Some(flow) = find::<F>(key) else {
        count_dropped(device(ctx), EGRESS, DropReason::ConntrackFull);
        return TC_ACT_SHOT;
    };
    if config.events != 0 && how & KNOWN == 0 {
        F::report(what(KIND_NEW, flow.flags), device(ctx), flow.rule, ctx.len());
    }
    pass_on::<F>(ctx, packet, flow, side, config)
}

#[inline(always)]
fn pass_on<F: Family>(
    ctx: &TcContext,
    packet: &Packet<F::Address>,
    flow: &Flow,
    side: usize,
    config: &Config,
) -> i32 {
    if flow.flags & FLOW_PROXY != 0 {
        return to_proxy::<F>(ctx, packet, flow, side, config);
    }
    count_forwarded(flow, side, ctx.len());
    deliver(flow.devices[1 - side])
}

/// Fails closed: without a socket of the proxy the packet is dropped.
#[inline(never)]
fn to_proxy<F: Family>(
    ctx: &TcContext,
    packet: &Packet<F::Address>,
    flow: &Flow,
    side: usize,
    config: &Config,
) -> i32 {
    if packet.protocol == TCP
        && side == usize::from(flow.originator)
        && let Some(action) = divert::<F>(ctx, packet, Some(config))
    {
        count_forwarded(flow, side, ctx.len());
        return action;
    }
    count_dropped(device(ctx), EGRESS, DropReason::ProxyUnreachable);
    TC_ACT_SHOT
}

/// A server's answer to the proxy's own connection. `None`: it is none.
#[inline(never)]
fn upstream<F: Family>(ctx: &TcContext, packet: &Packet<F::Address>, config: &Config) -> Option<i32> {
    let (key, side) = flow_key::<F>(packet, LEG_UPSTREAM);
    let flow = find::<F>(&key)?;
    if flow.flags & FLOW_UPSTREAM == 0
        || flow.devices[side & 1] != device(ctx)
        || side == usize::from(flow.originator)
    {
        return None;
    }
    if step(flow, packet, side & 1, flow.revision, config) == Step::Open {
        return None;
    }
    let Some(action) = divert::<F>(ctx, packet, None) else {
        count_dropped(device(ctx), EGRESS, DropReason::ProxyUnreachable);
        return Some(TC_ACT_SHOT);
    };
    count_forwarded(flow, side & 1, ctx.len());
    Some(action)
}

#[inline(always)]
fn icmp_error<F: Family>(ctx: &TcContext, packet: &Packet<F::Address>, config: &Config) -> i32 {
    let Some((flow, side)) = quoted::<F>(ctx, packet) else {
        count_dropped(device(ctx), EGRESS, DropReason::UnsolicitedIcmp);
        return TC_ACT_SHOT;
    };
    if flow.devices[1 - side] != device(ctx) {
        count_dropped(device(ctx), EGRESS, DropReason::SpoofedSource);
        return TC_ACT_SHOT;
    }
    // An error is no reason to judge the flow again; a flow that may be no more ends with its own next packet.
    let _ = config;
    count_forwarded(flow, 1 - side, ctx.len());
    if flow.flags & (FLOW_PROXY | FLOW_UPSTREAM) != 0 {
        ctx.set_mark(MARK_TO_PROXY);
        return TC_ACT_OK;
    }
    deliver(flow.devices[side])
}
