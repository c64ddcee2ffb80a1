use aya_ebpf::{
    bindings::{TC_ACT_OK, TC_ACT_SHOT},
    macros::classifier,
    programs::TcContext,
};
use meshmark_common::datapath::{
    Config, DropReason, FLOW_UPSTREAM, Flow, INGRESS, KIND_DROP, KIND_NEW, LEG_NORMAL, LEG_UPSTREAM,
    MARK_FROM_PROXY, MARK_MASK, NO_RULE, NO_SLOT,
};

use crate::{
    clock::jiffies,
    config::{config, revision},
    conntrack::find,
    counters::{count_dropped, count_forwarded},
    events::what,
    family::{Family, V4, V6, flow_key},
    flow_state::{Step, step},
    judge::{ALLOWED, FROM_NODE, KNOWN, how_to_judge},
    maps::ENDPOINTS,
    packet::{Exception, ICMP_ERROR, Packet},
    parse::parse,
    scratch::lay_down,
};

const IPV4: u32 = 0x0800_u16.to_be() as u32;
const IPV6: u32 = 0x86dd_u16.to_be() as u32;
const ARP: u32 = 0x0806_u16.to_be() as u32;

/// At egress of a pod's node-side device: what the node's own stack sends to the pod, the L7 proxy's packets too. What
/// comes from other pods goes past it.
#[classifier]
pub fn to_pod(ctx: TcContext) -> i32 {
    match ctx.skb.protocol() {
        IPV4 => forward::<V4>(&ctx),
        IPV6 => forward::<V6>(&ctx),
        ARP => TC_ACT_OK,
        _ => drop(&ctx, DropReason::UnsupportedProtocol),
    }
}

#[inline(always)]
fn device(ctx: &TcContext) -> u32 {
    // SAFETY: the context is the kernel's.
    unsafe { (*ctx.skb.skb).ifindex }
}

#[inline(always)]
fn drop(ctx: &TcContext, reason: DropReason) -> i32 {
    count_dropped(device(ctx), INGRESS, reason);
    TC_ACT_SHOT
}

#[inline(never)]
fn forward<F: Family>(ctx: &TcContext) -> i32 {
    let packet = match parse::<F>(ctx) {
        Ok(packet) => packet,
        Err(Exception::Pass) => return TC_ACT_OK,
        Err(Exception::Drop(reason)) => return drop(ctx, reason),
    };
    let Some(config) = config() else { return TC_ACT_SHOT };
    // SAFETY: the context is the kernel's.
    if unsafe { (*ctx.skb.skb).mark } & MARK_MASK == MARK_FROM_PROXY {
        return from_proxy::<F>(ctx, &packet, config);
    }
    // The node's own: it may tell its pods what it could not do for them.
    if packet.kind == ICMP_ERROR {
        return TC_ACT_OK;
    }
    let revision = revision(config);
    let (key, side) = flow_key::<F>(&packet, LEG_NORMAL);
    let mut how = FROM_NODE;
    if let Some(flow) = find::<F>(&key)
        && flow.devices[1 - side] == device(ctx)
    {
        match step(flow, &packet, side, revision, config) {
            Step::Forward | Step::Report(_) => return pass_on(ctx, flow, side),
            again => how |= how_to_judge(flow, &packet, side, again),
        }
    }
    lay_down::<F>(&packet, &key, side);
    let judged = F::judge(device(ctx), how);
    let answer = judged as u32;
    let (kind, detail) = if answer == ALLOWED { (KIND_NEW, 0) } else { (KIND_DROP, answer as u8) };
    if config.events != 0 && (answer != ALLOWED || how & KNOWN == 0) {
        F::report(what(kind, detail), device(ctx), (judged >> 32) as u32, ctx.len());
    }
    if answer != ALLOWED {
        return TC_ACT_SHOT;
    }
    match find::<F>(&key) {
        Some(flow) => pass_on(ctx, flow, side),
        None => drop(ctx, DropReason::ConntrackFull),
    }
}

#[inline(always)]
fn pass_on(ctx: &TcContext, flow: &Flow, side: usize) -> i32 {
    count_forwarded(&flow.slots, side, ctx.len());
    TC_ACT_OK
}

/// The proxy's connection to a server, with the client's address: a flow of its own (its policy was asked about when the
/// client's flow was opened), so that the server's answers are known to be the proxy's.
#[inline(never)]
fn from_proxy<F: Family>(ctx: &TcContext, packet: &Packet<F::Address>, config: &Config) -> i32 {
    let (key, side) = flow_key::<F>(packet, LEG_UPSTREAM);
    if let Some(flow) = find::<F>(&key)
        && flow.devices[1 - (side & 1)] == device(ctx)
        && step(flow, packet, side & 1, flow.revision, config) != Step::Open
    {
        return pass_on(ctx, flow, side & 1);
    }
    // SAFETY: the value is copied at once.
    let slot = match unsafe { ENDPOINTS.get(device(ctx)) } {
        Some(endpoint) => endpoint.slot as u16,
        None => return TC_ACT_SHOT,
    };
    let now = jiffies();
    let mut flow = Flow {
        revision: 0,
        devices: [device(ctx), 0],
        slots: [slot, NO_SLOT],
        rule: NO_RULE,
        last_seen: now,
        timeout: config.tcp_timeout,
        last_event: now,
        originator: side as u8,
        flags: FLOW_UPSTREAM,
        tcp_flags: [0; 2],
    };
    if side == 0 {
        flow.devices = [0, device(ctx)];
        flow.slots = [NO_SLOT, slot];
    }
    if F::flows().insert(&key, &flow, 0).is_err() {
        return drop(ctx, DropReason::ConntrackFull);
    }
    pass_on(ctx, &flow, side & 1)
}
