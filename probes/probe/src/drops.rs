//! Packets that were dropped, by target.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use meshmark_common::probe::NOT_SENT;
use serde::Serialize;

use crate::{
    raw::Raw,
    reasons::{CLASSES, Class, Reasons},
    symbols::Symbols,
};

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Drops {
    pub total: u64,
    pub by_class: BTreeMap<&'static str, u64>,
    pub reasons: Vec<DropRow>,
    /// Where the packets were going; those that are neither IPv4 nor IPv6 go nowhere.
    pub services: Vec<ServiceRow>,
    /// Connects that failed in the same time.
    pub failed_connects: Vec<FailureRow>,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct DropRow {
    pub class: Class,
    pub reason: String,
    /// Where in the kernel.
    pub location: String,
    pub count: u64,
    pub per_second: f64,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct ServiceRow {
    pub class: Class,
    pub reason: String,
    pub protocol: String,
    pub address: IpAddr,
    pub port: u16,
    pub count: u64,
    pub per_second: f64,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct FailureRow {
    pub cause: String,
    pub address: IpAddr,
    pub port: u16,
    pub count: u64,
}

pub struct Names {
    pub reasons: Reasons,
    pub symbols: Symbols,
}

pub fn drops(raw: &Raw, target: u32, names: &Names, seconds: f64) -> Drops {
    let mut by_class: BTreeMap<&'static str, u64> = CLASSES.iter().map(|class| (class.name(), 0)).collect();
    let mut reasons: Vec<DropRow> = Vec::new();
    for (key, count) in raw.drops.iter().filter(|(key, _)| key.target == target) {
        let reason = names.reasons.name(key.reason);
        let class = crate::reasons::class(&reason);
        *by_class.entry(class.name()).or_default() += count;
        reasons.push(DropRow {
            class,
            reason,
            location: names.symbols.name(key.location),
            count: *count,
            per_second: *count as f64 / seconds,
        });
    }
    reasons
        .sort_by(|left, right| right.count.cmp(&left.count).then_with(|| left.location.cmp(&right.location)));
    let mut services: Vec<ServiceRow> = raw
        .services
        .iter()
        .filter(|(key, _)| key.target == target)
        .map(|(key, count)| {
            let reason = names.reasons.name(key.reason);
            ServiceRow {
                class: crate::reasons::class(&reason),
                reason,
                protocol: protocol(key.protocol),
                address: IpAddr::V6(Ipv6Addr::from(key.address)).to_canonical(),
                port: key.port,
                count: *count,
                per_second: *count as f64 / seconds,
            }
        })
        .collect();
    services.sort_by_key(|row| std::cmp::Reverse(row.count));
    Drops {
        total: by_class.values().sum(),
        by_class,
        reasons,
        services,
        failed_connects: failures(raw, target),
    }
}

pub fn failures(raw: &Raw, target: u32) -> Vec<FailureRow> {
    let mut rows: Vec<FailureRow> = raw
        .failures
        .iter()
        .filter(|(key, _)| key.target == target)
        .map(|(key, count)| FailureRow {
            cause: cause(key.error),
            address: if key.version == 4 {
                IpAddr::V4(Ipv4Addr::new(key.address[0], key.address[1], key.address[2], key.address[3]))
            } else {
                IpAddr::V6(Ipv6Addr::from(key.address)).to_canonical()
            },
            port: key.port,
            count: *count,
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.count));
    rows
}

/// Error numbers of sockets, by what happened.
fn cause(error: u32) -> String {
    if error == NOT_SENT {
        return "no SYN was sent".into();
    }
    match error.cast_signed() {
        0 => "given up".into(),
        libc::ECONNREFUSED => "refused".into(),
        libc::ETIMEDOUT => "timed out".into(),
        libc::EHOSTUNREACH => "host unreachable".into(),
        libc::ENETUNREACH => "network unreachable".into(),
        libc::ECONNRESET => "reset".into(),
        libc::EACCES | libc::EPERM => "forbidden".into(),
        _ => format!("error {error}"),
    }
}

fn protocol(number: u8) -> String {
    match number {
        1 => "icmp".into(),
        6 => "tcp".into(),
        17 => "udp".into(),
        58 => "icmpv6".into(),
        _ => number.to_string(),
    }
}
