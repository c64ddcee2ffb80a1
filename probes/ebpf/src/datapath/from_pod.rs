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
    clock::jiffies,
    config::{config, revision},
    conntrack::find,
    counters::{count_dropped, count_forwarded},
    deliver::deliver,
    events::what,
    family::{Family, V4, V6, flow_key},
    flow_state::{Step, step},
    icmp::quoted,
    judge::{ALLOWED, KNOWN, how_to_judge, locate},
    packet::{Exception, ICMP_ERROR, Packet, TCP},
    parse::parse,
    proxy::{divert, divert_to_upstream},
    quick,
    recent::note,
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
        // The server's packets are the proxy's, if it is connected to the server from this port: the client's own, or one from
        // which the client was connected before, past the proxy.
        if side != usize::from(flow.originator)
            && (flow.flags & FLOW_PROXY != 0 || flow.revision != revision || !flow.is_alive(jiffies()))
            && let Upstream::Given(action) = upstream::<F>(ctx, &packet, config)
        {
            return action;
        }
        // Another device: the address has moved, or it is not the sender's; judge() tells which.
        if flow.devices[side] == device(ctx) {
            match step(flow, &packet, side, revision, config) {
                Step::Forward => {
                    note(&key, flow, revision);
                    return pass_on::<F>(ctx, &packet, flow, side, config);
                }
                Step::Report(kind) => {
                    if config.events != 0 {
                        lay_down::<F>(&packet, &key, side);
                        F::report(what(kind, flow.flags), device(ctx), flow.rule, ctx.len());
                    }
                    return pass_on::<F>(ctx, &packet, flow, side, config);
                }
                again => how = how_to_judge(flow, &packet, side, again),
            }
        }
    } else {
        match upstream::<F>(ctx, &packet, config) {
            Upstream::Given(action) => return action,
            Upstream::Gone => {
                count_dropped(device(ctx), EGRESS, DropReason::ProxyUnreachable);
                return TC_ACT_SHOT;
            }
            Upstream::Other => {}
        }
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
    how: u32,
) -> i32 {
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
    count_forwarded(&flow.slots, side, ctx.len());
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
        count_forwarded(&flow.slots, side, ctx.len());
        return action;
    }
    count_dropped(device(ctx), EGRESS, DropReason::ProxyUnreachable);
    TC_ACT_SHOT
}

/// What a packet is to the proxy's own connections to servers.
enum Upstream {
    /// A server's answer, which the proxy gets: the action.
    Given(i32),
    /// A server's answer, to a proxy that is no more.
    Gone,
    Other,
}

#[inline(never)]
fn upstream<F: Family>(ctx: &TcContext, packet: &Packet<F::Address>, config: &Config) -> Upstream {
    if !packet.is_within_tcp() {
        return Upstream::Other;
    }
    let (key, side) = flow_key::<F>(packet, LEG_UPSTREAM);
    if let Some(flow) = find::<F>(&key)
        && flow.flags & FLOW_UPSTREAM != 0
        && flow.devices[side & 1] == device(ctx)
        && side != usize::from(flow.originator)
        && step(flow, packet, side & 1, flow.revision, config) != Step::Open
    {
        let Some(action) = divert::<F>(ctx, packet, None) else { return Upstream::Gone };
        count_forwarded(&flow.slots, side & 1, ctx.len());
        return Upstream::Given(action);
    }
    // Conntrack may have forgotten the connection (it is bounded), the proxy has not: its next packet is a flow again, with
    // which packets are counted.
    if locate(F::mapped(packet.source)).device == device(ctx)
        && let Some(action) = divert_to_upstream::<F>(ctx, packet)
    {
        return Upstream::Given(action);
    }
    Upstream::Other
}

#[inline(always)]
fn icmp_error<F: Family>(ctx: &TcContext, packet: &Packet<F::Address>, config: &Config) -> i32 {
    let Some((flow, side)) = quoted::<F>(ctx, packet, config) else {
        count_dropped(device(ctx), EGRESS, DropReason::UnsolicitedIcmp);
        return TC_ACT_SHOT;
    };
    if flow.devices[1 - side] != device(ctx) {
        count_dropped(device(ctx), EGRESS, DropReason::SpoofedSource);
        return TC_ACT_SHOT;
    }
    count_forwarded(&flow.slots, 1 - side, ctx.len());
    if flow.flags & (FLOW_PROXY | FLOW_UPSTREAM) != 0 {
        ctx.set_mark(MARK_TO_PROXY);
        return TC_ACT_OK;
    }
    deliver(flow.devices[side])
}
