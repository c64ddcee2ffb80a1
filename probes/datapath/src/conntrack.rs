//! The flows that the kernel knows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use meshmark_common::datapath::{Ends, FLOW_CLOSING, FLOW_PROXY, FLOW_UPSTREAM, Flow};
use serde_json::{Value, json};

use crate::{
    clock,
    data_path::DataPath,
    load::program,
    problem::{Problem, Trying},
    protocol::protocol_name,
};

impl DataPath {
    /// At most `limit` of each IP version, in no order.
    pub fn conntrack(&mut self, limit: usize) -> Result<Value, Problem> {
        let now = clock::jiffies(program(&mut self.ebpf, "clock")?)?;
        let mut flows = Vec::new();
        for row in self.maps.flows4.iter().take(limit) {
            let (key, flow) = row.trying("reading FLOWS4")?;
            let addresses = [key.addresses as u32, (key.addresses >> 32) as u32]
                .map(|address| IpAddr::from(Ipv4Addr::from(address.to_ne_bytes())));
            flows.push(self.flow(addresses, key.ends, &flow, now));
        }
        for row in self.maps.flows6.iter().take(limit) {
            let (key, flow) = row.trying("reading FLOWS6")?;
            let addresses = key.addresses.map(|[high, low]| {
                let mut bytes = [0; 16];
                bytes[..8].copy_from_slice(&high.to_ne_bytes());
                bytes[8..].copy_from_slice(&low.to_ne_bytes());
                IpAddr::from(Ipv6Addr::from(bytes))
            });
            flows.push(self.flow(addresses, key.ends, &flow, now));
        }
        Ok(json!({ "flows": flows }))
    }

    fn flow(&self, addresses: [IpAddr; 2], ends: Ends, flow: &Flow, now: u32) -> Value {
        let ports = ends.ports();
        let from = usize::from(flow.originator & 1);
        let to = 1 - from;
        json!({
            "source": addresses[from].to_string(),
            "sourcePort": u16::from_be(ports[from]),
            "destination": addresses[to].to_string(),
            "destinationPort": u16::from_be(ports[to]),
            "protocol": protocol_name(ends.protocol()),
            "revision": flow.revision,
            "rule": flow.rule,
            "devices": [flow.devices[from], flow.devices[to]],
            "proxy": flow.flags & FLOW_PROXY != 0,
            "upstream": flow.flags & FLOW_UPSTREAM != 0,
            "closing": flow.flags & FLOW_CLOSING != 0,
            // Packets since `now` was asked for are none of a long silence.
            "idleSeconds": flow.idle(now).max(0) as f64 / f64::from(self.hertz),
        })
    }
}
