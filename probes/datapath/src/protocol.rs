//! What clients say: JSON, one request a line.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Deserialize;

/// Field `op`, beside `id`.
#[derive(Deserialize)]
#[serde(tag = "op", deny_unknown_fields)]
pub enum Request {
    #[serde(rename = "endpoint.add")]
    EndpointAdd {
        device: String,
        endpoint: u32,
        identity: u32,
        addresses: Vec<String>,
        #[serde(default)]
        world: bool,
    },
    #[serde(rename = "endpoint.remove")]
    EndpointRemove { endpoint: u32 },
    #[serde(rename = "policy.apply")]
    PolicyApply {
        identities: Vec<NamedPrefix>,
        sets: Vec<Set>,
        endpoints: Vec<EndpointSets>,
        #[serde(default)]
        proxy: Option<Proxy>,
    },
    #[serde(rename = "service.set")]
    ServiceSet { address: IpAddr, port: u16, protocol: u8, backends: Vec<ServiceBackend> },
    #[serde(rename = "service.remove")]
    ServiceRemove { address: IpAddr, port: u16, protocol: u8 },
    #[serde(rename = "counters")]
    Counters {},
    #[serde(rename = "drops")]
    Drops {},
    #[serde(rename = "maps")]
    Maps {},
    #[serde(rename = "programs")]
    Programs {},
    #[serde(rename = "stats")]
    Stats { on: bool },
    #[serde(rename = "conntrack")]
    Conntrack {
        #[serde(default = "conntrack_limit")]
        limit: usize,
    },
    #[serde(rename = "flows")]
    Flows {},
}

const fn conntrack_limit() -> usize {
    1_000
}

/// The whole desired state of policy.
pub struct PolicyState {
    pub identities: Vec<NamedPrefix>,
    pub sets: Vec<Set>,
    pub endpoints: Vec<EndpointSets>,
    pub proxy: Option<Proxy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedPrefix {
    pub prefix: String,
    pub identity: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    pub name: String,
    pub entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Entry {
    pub direction: Direction,
    /// Of the peer; 0: any.
    pub identity: u32,
    /// 0: any.
    pub protocol: u8,
    pub port: u16,
    /// How many of the port's first bits count; 0: any port.
    pub port_bits: u8,
    pub verdict: Verdict,
    /// 0: not to be counted.
    pub rule: u32,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    Ingress,
    Egress,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Allow,
    Deny,
    Proxy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointSets {
    pub endpoint: u32,
    pub ingress: Option<String>,
    pub egress: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    pub address4: Ipv4Addr,
    pub address6: Ipv6Addr,
    pub port: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceBackend {
    pub address: IpAddr,
    pub port: u16,
    pub weight: u32,
}

/// Name of an IP protocol.
pub fn protocol_name(protocol: u8) -> String {
    match protocol {
        1 => "icmp".into(),
        6 => "tcp".into(),
        17 => "udp".into(),
        58 => "icmp6".into(),
        132 => "sctp".into(),
        other => other.to_string(),
    }
}
