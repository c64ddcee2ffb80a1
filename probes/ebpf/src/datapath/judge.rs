//! What policy says about a flow, and the flow that comes of it.

use aya_ebpf::maps::lpm_trie::Key;
use meshmark_common::datapath::{
    Address, Config, DIRECTIONS, Destination, DropReason, EGRESS, Endpoint, FLOW_CLOSING, FLOW_PROXY, Flow,
    HOST, INGRESS, NO_RULE, NO_SLOT, VERDICT_DENY, VERDICT_NONE, VERDICT_PROXY, WORLD,
};

use crate::{
    clock::jiffies,
    config::{config, revision},
    counters::{count_allowed, count_denied, count_dropped},
    family::{Family, V4, V6},
    flow_state::Step,
    maps::{ENDPOINTS, IPCACHE, NEW_FLOW},
    packet::{ECHO_REPLY, FIN, Packet, RST, TCP},
    policy::{ask, rule, verdict},
    scratch::Request,
};

/// The packet goes from the side that answers to the one that asked.
pub const REPLY: u32 = 2;
/// The flow is in conntrack, allowed under an older revision.
pub const KNOWN: u32 = 4;
/// The packet comes out of the node's own stack.
pub const FROM_NODE: u32 = 8;

/// Judged, and allowed.
pub const ALLOWED: u32 = u32::MAX;

/// How a packet is judged that its flow's entry does not pass on by itself. An entry that has expired still tells who opened
/// the connection; without one nothing does, and the packet's sender counts as who opens it.
#[inline(always)]
pub fn how_to_judge<A>(flow: &Flow, packet: &Packet<A>, side: usize, step: Step) -> u32 {
    let known = if step == Step::Judge { KNOWN } else { 0 };
    if side != usize::from(flow.originator) && (step == Step::Judge || packet.is_within_tcp()) {
        return known | REPLY;
    }
    known
}

/// Who has an address, as `identity << 32 | device`. Verified by itself.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn whois(high: u64, low: u64) -> u64 {
    let address = [high as u32, (high >> 32) as u32, low as u32, (low >> 32) as u32];
    match IPCACHE.get(Key::new(128, address)) {
        Some(found) => u64::from(found.identity) << 32 | u64::from(found.device),
        None => u64::from(WORLD) << 32,
    }
}

#[inline(always)]
pub fn locate([a, b, c, d]: Address) -> Destination {
    let found = whois(u64::from(a) | u64::from(b) << 32, u64::from(c) | u64::from(d) << 32);
    Destination { identity: (found >> 32) as u32, device: found as u32 }
}

/// The flow may not be: counts why, for whom and by which rule.
struct Denial {
    reason: DropReason,
    rule: u32,
    device: u32,
    direction: u32,
}

/// Judges the flow of this CPU's packet (`scratch`), which came by `device`. Verified by itself.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn judge4(device: u32, how: u32) -> u64 {
    judge::<V4>(device, how)
}

/// The same for IPv6.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn judge6(device: u32, how: u32) -> u64 {
    judge::<V6>(device, how)
}

/// In the direction in which it was opened; puts it into conntrack when it may be. Returns `ALLOWED`, or the
/// `DropReason` (which is counted), and above it the rule that denies.
#[inline(always)]
fn judge<F: Family>(device: u32, how: u32) -> u64 {
    let Some(request) = F::scratch() else { return DropReason::UnknownEndpoint as u64 };
    // SAFETY: this CPU's own value, laid down before.
    let Request { packet, key, side } = unsafe { &*request };
    let Some(config) = config() else { return DropReason::UnknownEndpoint as u64 };
    let before = revision(config);
    let opens_flow = !packet.is_within_tcp();
    match decide::<F>(device, packet, how) {
        Ok(allowed) => {
            if how & KNOWN == 0 {
                for rule in allowed.rules {
                    if rule != NO_RULE {
                        count_allowed(rule);
                    }
                }
            }
            u64::from(store::<F>(&allowed, packet, key, *side & 1, how, before, config))
        }
        Err(denial) => {
            if denial.rule != NO_RULE {
                count_denied(denial.rule, opens_flow);
            }
            let reason = if how & KNOWN != 0 && (denial.reason as u32) <= DropReason::DenyRule as u32 {
                // It stays in conntrack, under its old revision: forgotten, it would be taken up again by whichever end sends
                // first and may.
                DropReason::Revoked
            } else {
                denial.reason
            };
            count_dropped(denial.device, denial.direction, reason);
            u64::from(denial.rule) << 32 | reason as u64
        }
    }
}

struct Allowed {
    /// Of the packet's sender and receiver.
    devices: [u32; 2],
    slots: [u16; 2],
    /// Of the originator's egress and the other's ingress.
    rules: [u32; 2],
    proxy: bool,
}

#[inline(always)]
fn decide<F: Family>(device: u32, packet: &Packet<F::Address>, how: u32) -> Result<Allowed, Denial> {
    let source = locate(F::mapped(packet.source));
    let destination = locate(F::mapped(packet.destination));
    let own = if how & FROM_NODE == 0 { EGRESS } else { INGRESS };
    let refuse = |reason| Denial { reason, rule: NO_RULE, device, direction: own };
    if how & FROM_NODE == 0 {
        if source.device != device {
            return Err(refuse(DropReason::SpoofedSource));
        }
    } else if how & KNOWN == 0 && (source.device != 0 || source.identity != HOST) {
        return Err(refuse(DropReason::NotFromNode));
    }
    if packet.kind == ECHO_REPLY && how & KNOWN == 0 {
        return Err(refuse(DropReason::UnsolicitedIcmp));
    }
    let sender = endpoint(source.device);
    let receiver = endpoint(destination.device);
    let mut slots = [NO_SLOT; 2];
    if let Some(sender) = sender {
        slots[0] = sender.slot as u16;
    } else if how & FROM_NODE == 0 {
        return Err(refuse(DropReason::UnknownEndpoint));
    }
    if let Some(receiver) = receiver {
        slots[1] = receiver.slot as u16;
    }
    let (from, from_endpoint, to, to_endpoint, port) = if how & REPLY == 0 {
        (source, sender, destination, receiver, packet.destination_port)
    } else {
        (destination, receiver, source, sender, packet.source_port)
    };
    let target = u32::from(u16::from_be(port)) << 16 | u32::from(packet.protocol) << 8;
    let egress = permit(from_endpoint, from.device, to.identity, EGRESS, target)?;
    // The node reaches its pods whatever their policy says, as kubelet's probes must.
    let ingress = if from.identity == HOST {
        u64::from(NO_RULE)
    } else {
        permit(to_endpoint, to.device, from.identity, INGRESS, target)?
    };
    if destination.device == 0 && destination.identity != HOST {
        return Err(refuse(DropReason::NoDestination));
    }
    Ok(Allowed {
        devices: [source.device, destination.device],
        slots,
        rules: [rule(egress), rule(ingress)],
        proxy: verdict(egress) == VERDICT_PROXY || verdict(ingress) == VERDICT_PROXY,
    })
}

#[inline(always)]
fn endpoint(device: u32) -> Option<&'static Endpoint> {
    // SAFETY: values of a preallocated map stay memory of the map while the program runs.
    unsafe { ENDPOINTS.get(device) }
}

/// One direction of one endpoint.
#[inline(always)]
fn permit(
    endpoint: Option<&Endpoint>,
    device: u32,
    peer: u32,
    direction: u32,
    target: u32,
) -> Result<u64, Denial> {
    let Some(endpoint) = endpoint else { return Ok(u64::from(NO_RULE)) };
    let set = endpoint.sets[(direction % DIRECTIONS) as usize];
    if set == 0 {
        return Ok(u64::from(NO_RULE));
    }
    let answer = ask(set, endpoint.shapes[(direction % DIRECTIONS) as usize], peer, target | direction);
    match verdict(answer) {
        VERDICT_NONE => Err(Denial { reason: DropReason::DefaultDeny, rule: NO_RULE, device, direction }),
        VERDICT_DENY => Err(Denial { reason: DropReason::DenyRule, rule: rule(answer), device, direction }),
        _ => Ok(answer),
    }
}

/// Into conntrack.
#[inline(always)]
fn store<F: Family>(
    allowed: &Allowed,
    packet: &Packet<F::Address>,
    key: &F::Key,
    side: u32,
    how: u32,
    revision: u32,
    config: &Config,
) -> u32 {
    let now = jiffies();
    let by_side =
        |[sender, receiver]: [u32; 2]| if side == 0 { [sender, receiver] } else { [receiver, sender] };
    let [a, b] = by_side([u32::from(allowed.slots[0]), u32::from(allowed.slots[1])]);
    let rule = if allowed.rules[1] == NO_RULE { allowed.rules[0] } else { allowed.rules[1] };
    if how & KNOWN != 0 {
        if let Some(flow) = crate::conntrack::find::<F>(key) {
            flow.devices = by_side(allowed.devices);
            flow.rule = rule;
            // A flow can't move into the proxy, whose peer it never was; nor out of it. Into it: the packets find no
            // socket there, the listener answers with a reset, and the client connects anew.
            if allowed.proxy && packet.protocol == TCP {
                flow.flags |= FLOW_PROXY;
            }
            flow.slots = slots_of([a, b], flow.flags, u32::from(flow.originator));
            flow.revision = revision;
        }
        return ALLOWED;
    }
    let originator = if how & REPLY == 0 { side } else { side ^ 1 };
    // In a map of its own: the stack is short.
    let Some(place) = NEW_FLOW.get_ptr_mut(0) else { return DropReason::ConntrackFull as u32 };
    // SAFETY: this CPU's own value.
    let flow = unsafe { &mut *place };
    *flow = Flow {
        revision,
        devices: by_side(allowed.devices),
        slots: [NO_SLOT; 2],
        rule,
        last_seen: now,
        timeout: config.other_timeout,
        last_event: now,
        originator: originator as u8,
        flags: 0,
        tcp_flags: [0; 2],
    };
    if packet.protocol == TCP {
        flow.timeout = config.tcp_timeout;
        flow.tcp_flags = if side == 0 { [packet.tcp_flags, 0] } else { [0, packet.tcp_flags] };
        if packet.tcp_flags & (FIN | RST) != 0 {
            flow.flags = FLOW_CLOSING;
        }
        if packet.tcp_flags & RST != 0 {
            flow.timeout = config.closing_timeout;
        }
    }
    if allowed.proxy {
        flow.flags |= FLOW_PROXY;
    }
    flow.slots = slots_of([a, b], flow.flags, originator);
    if F::flows().insert(key, &*flow, 0).is_err() {
        count_dropped(allowed.devices[0], EGRESS, DropReason::ConntrackFull);
        return DropReason::ConntrackFull as u32;
    }
    ALLOWED
}

/// By side, for a flow with these flags. The proxy ends a flow that goes through it: what reaches the other side is counted with
/// the proxy's own connection to it.
#[inline(always)]
fn slots_of([a, b]: [u32; 2], flags: u8, originator: u32) -> [u16; 2] {
    if flags & FLOW_PROXY == 0 {
        [a as u16, b as u16]
    } else if originator == 0 {
        [a as u16, NO_SLOT]
    } else {
        [NO_SLOT, b as u16]
    }
}
