//! Sets of policy entries: as they are asked for, and as they lie in `POLICY`.

use std::collections::BTreeMap;

use meshmark_common::datapath::{
    ANY_IDENTITY, ANY_PROTOCOL, EGRESS, INGRESS, PolicyKey, PolicyValue, VERDICT_ALLOW, VERDICT_DENY,
    VERDICT_PROXY,
};

use crate::{
    problem::Problem,
    protocol::{Direction, Entry, Verdict},
};

/// Key of a set and value of its entry, the set's own number still 0.
pub type Entries = BTreeMap<PolicyKey, PolicyValue>;

pub struct PolicySet {
    /// Its number in `POLICY`.
    pub id: u32,
    pub entries: Entries,
    /// By direction: see `Endpoint::shapes`.
    pub shapes: [u32; 2],
}

#[derive(Default)]
pub struct PolicySets {
    pub by_name: BTreeMap<String, PolicySet>,
    pub last_id: u32,
}

impl PolicySets {
    pub fn entries(&self) -> usize {
        self.by_name.values().map(|set| set.entries.len()).sum()
    }

    pub fn rules(&self) -> std::collections::BTreeSet<u32> {
        self.by_name.values().flat_map(|set| set.entries.values().map(|value| value.rule)).collect()
    }
}

/// Of two entries for the same packets, the weightier holds.
pub fn compile(name: &str, entries: &[Entry], rules: u32) -> Result<Entries, Problem> {
    let mut compiled = Entries::new();
    for (index, entry) in entries.iter().enumerate() {
        let (key, value) = convert(entry, rules)
            .map_err(|why| Problem(format!("sets, {name:?}, entries[{index}]: {why}")))?;
        compiled
            .entry(key)
            .and_modify(|old| *old = if value.verdict > old.verdict { value } else { *old })
            .or_insert(value);
    }
    Ok(compiled)
}

pub fn shapes(entries: &Entries) -> [u32; 2] {
    let mut shapes = [0; 2];
    for key in entries.keys() {
        let shape = &mut shapes[usize::from(key.direction)];
        *shape |= if key.protocol == 0 { ANY_PROTOCOL } else { 1 << key.port_bits };
        if key.identity == 0 {
            *shape |= ANY_IDENTITY;
        }
    }
    shapes
}

fn convert(entry: &Entry, rules: u32) -> Result<(PolicyKey, PolicyValue), String> {
    let Entry { direction, identity, protocol, port, port_bits, verdict, rule } = *entry;
    let has_ports = matches!(protocol, 6 | 17 | 132);
    if !has_ports && !matches!(protocol, 0 | 1 | 58) {
        return Err(format!("protocol {protocol} is none of 0 (any), 1, 6, 17, 58, 132"));
    }
    if port_bits > 16 || (!has_ports && (port_bits != 0 || port != 0)) {
        return Err(format!("portBits {port_bits} does not go with protocol {protocol}"));
    }
    if u32::from(port) & (0xffff >> port_bits) != 0 {
        return Err(format!("port {port} has more than its first {port_bits} bits"));
    }
    if rule >= rules {
        return Err(format!(
            "rule {rule}: there are counters for rules below {rules}; start meshmark-datapath with a larger --rule-entries"
        ));
    }
    let direction = match direction {
        Direction::Egress => EGRESS,
        Direction::Ingress => INGRESS,
    } as u8;
    let verdict = match verdict {
        Verdict::Allow => VERDICT_ALLOW,
        Verdict::Deny => VERDICT_DENY,
        Verdict::Proxy => VERDICT_PROXY,
    };
    let key = PolicyKey { set: 0, identity, port, port_bits, direction, protocol: protocol.into() };
    Ok((key, PolicyValue { verdict, rule }))
}
