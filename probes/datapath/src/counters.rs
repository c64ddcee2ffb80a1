//! What was forwarded and dropped, by endpoint and by rule.

use meshmark_common::datapath::{DIRECTIONS, DropReason, EGRESS, INGRESS};
use serde_json::{Map, Value, json};

use crate::{
    data_path::DataPath,
    problem::{Problem, Trying},
};

impl DataPath {
    pub fn counters(&self) -> Result<Value, Problem> {
        let mut endpoints = Vec::new();
        for (id, endpoint) in &self.endpoints {
            endpoints.push(json!({
                "endpoint": id,
                "device": endpoint.device,
                "egress": self.direction(endpoint.slot, EGRESS)?,
                "ingress": self.direction(endpoint.slot, INGRESS)?,
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
    fn direction(&self, slot: u16, direction: u32) -> Result<Value, Problem> {
        let index = u32::from(slot) * DIRECTIONS + direction;
        let values = self.maps.endpoint_counters.get(&index, 0).trying("reading ENDPOINT_COUNTERS")?;
        let mut drops = Map::new();
        for reason in DropReason::ALL {
            let dropped: u64 = values.iter().map(|value| value.drops[reason as usize]).sum();
            if dropped > 0 {
                drops.insert(reason.name().into(), dropped.into());
            }
        }
        Ok(json!({
            "packets": values.iter().map(|value| value.packets).sum::<u64>(),
            "bytes": values.iter().map(|value| value.bytes).sum::<u64>(),
            "drops": drops,
        }))
    }
}
