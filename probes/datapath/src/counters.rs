//! What was forwarded and dropped, by endpoint and by rule.

use meshmark_common::datapath::{DIRECTIONS, DropReason, EGRESS, FORWARDED_SLOTS, Forwarded, INGRESS};
use serde_json::{Map, Value, json};

use crate::{
    data_path::DataPath,
    endpoints::EndpointState,
    problem::{Problem, Trying},
};

impl DataPath {
    pub fn counters(&self) -> Result<Value, Problem> {
        let mut endpoints = Vec::new();
        for (id, endpoint) in &self.endpoints {
            endpoints.push(json!({
                "endpoint": id,
                "device": endpoint.device,
                "egress": self.direction(endpoint, EGRESS)?,
                "ingress": self.direction(endpoint, INGRESS)?,
            }));
        }
        let mut rules = Vec::new();
        for rule in self.sets.rules().into_iter().filter(|rule| *rule != 0) {
            let values = self.maps.rule_counters.get(&rule, 0).trying("reading RULE_COUNTERS")?;
            let sum = |pick: fn(&meshmark_common::datapath::RuleCounters) -> u64| {
                values.iter().map(pick).sum::<u64>()
            };
            rules.push(json!({
                "rule": rule,
                "allowed": sum(|value| value.allowed),
                "denied": sum(|value| value.denied),
                "droppedPackets": sum(|value| value.dropped_packets),
            }));
        }
        Ok(json!({ "endpoints": endpoints, "rules": rules }))
    }

    /// Seen from the endpoint. Only reasons that occurred are named.
    fn direction(&self, endpoint: &EndpointState, direction: u32) -> Result<Value, Problem> {
        let index = u32::from(endpoint.slot) * DIRECTIONS + direction;
        let values = self.maps.endpoint_drops.get(&index, 0).trying("reading ENDPOINT_DROPS")?;
        let mut drops = Map::new();
        for reason in DropReason::ALL {
            let dropped: u64 = values.iter().map(|value| value.drops[reason as usize]).sum();
            if dropped > 0 {
                drops.insert(reason.name().into(), dropped.into());
            }
        }
        let now = self.forwarded(endpoint.slot)?[direction as usize];
        let before = endpoint.forwarded_before[direction as usize];
        Ok(json!({
            "packets": now.packets.wrapping_sub(before.packets),
            "bytes": now.bytes.wrapping_sub(before.bytes),
            "drops": drops,
        }))
    }

    /// Of a slot, by direction, whoever has had it.
    pub fn forwarded(&self, slot: u16) -> Result<[Forwarded; DIRECTIONS as usize], Problem> {
        let chunk = u32::from(slot) / FORWARDED_SLOTS as u32;
        let values = self.maps.forwarded.get(&chunk, 0).trying("reading FORWARDED")?;
        let mut sums = [Forwarded::default(); DIRECTIONS as usize];
        for cpu in values.iter() {
            for (sum, one) in sums.iter_mut().zip(cpu.slots[usize::from(slot) % FORWARDED_SLOTS]) {
                sum.packets = sum.packets.wrapping_add(one.packets);
                sum.bytes = sum.bytes.wrapping_add(one.bytes);
            }
        }
        Ok(sums)
    }
}
