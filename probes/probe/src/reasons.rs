//! Why packets are dropped: names as the running kernel has them (its numbers change from release to release), and what
//! they mean for whoever sent the packet.

use std::collections::HashMap;

use serde::Serialize;

use crate::btf::KernelTypes;

#[derive(Serialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// There was no room, or it was broken: it has to be sent again.
    Loss,
    /// Nobody was there to take it.
    Refused,
    /// A rule forbade it.
    Policy,
    /// Left over when a connection ended, or come too late for it.
    Teardown,
    /// The kernel does not say, or means something else.
    Unknown,
}

pub const CLASSES: [Class; 5] = [Class::Loss, Class::Refused, Class::Policy, Class::Teardown, Class::Unknown];

impl Class {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Refused => "refused",
            Self::Policy => "policy",
            Self::Teardown => "teardown",
            Self::Unknown => "unknown",
        }
    }
}

const LOSS: &[&str] = &[
    "CAKE_FLOOD",
    "CPU_BACKLOG",
    "DEV_READY",
    "DUALPI2_STEP_DROP",
    "FQ_BAND_LIMIT",
    "FQ_FLOW_LIMIT",
    "FQ_HORIZON_LIMIT",
    "FRAG_REASM_TIMEOUT",
    "FULL_RING",
    "ICMP_CSUM",
    "IP_CSUM",
    "NEIGH_CREATEFAIL",
    "NEIGH_DEAD",
    "NEIGH_FAILED",
    "NEIGH_HH_FILLFAIL",
    "NEIGH_QUEUEFULL",
    "NOMEM",
    "NO_TX_TARGET",
    "PFMEMALLOC",
    "PKT_TOO_BIG",
    "PROTO_MEM",
    "QDISC_CONGESTED",
    "QDISC_DROP",
    "QDISC_OVERLIMIT",
    "SKB_CSUM",
    "SKB_GSO_SEG",
    "SKB_UCOPY_FAULT",
    "SOCKET_BACKLOG",
    "SOCKET_RCVBUFF",
    "TCP_CSUM",
    "TCP_LISTEN_OVERFLOW",
    "TCP_OFO_DROP",
    "TCP_OFO_QUEUE_PRUNE",
    "TCP_OVERWINDOW",
    "TCP_ZEROWINDOW",
    "UDP_CSUM",
];
const REFUSED: &[&str] = &[
    "IPV6DISABLED",
    "IP_INADDRERRORS",
    "IP_INNOROUTES",
    "IP_INVALID_DEST",
    "IP_INVALID_SOURCE",
    "IP_LOCALNET",
    "IP_LOCAL_SOURCE",
    "IP_NOPROTO",
    "IP_OUTNOROUTES",
    "NO_SOCKET",
    "OTHERHOST",
    "TCP_RESET",
    "UNHANDLED_PROTO",
];
const POLICY: &[&str] = &[
    "BPF_CGROUP_EGRESS",
    "IP_RPFILTER",
    "NETFILTER_DROP",
    "SECURITY_HOOK",
    "SOCKET_FILTER",
    "TAP_FILTER",
    "TAP_TXFILTER",
    "TCP_AOFAILURE",
    "TCP_AOKEYNOTFOUND",
    "TCP_AONOTFOUND",
    "TCP_AOUNEXPECTED",
    "TCP_AUTH_HDR",
    "TCP_MD5FAILURE",
    "TCP_MD5NOTFOUND",
    "TCP_MD5UNEXPECTED",
    "TC_EGRESS",
    "TC_INGRESS",
    "XDP",
    "XFRM_POLICY",
];
const TEARDOWN: &[&str] = &[
    "QUEUE_PURGE",
    "SOCKET_CLOSE",
    "TCP_ABORT_ON_DATA",
    "TCP_ACK_UNSENT_DATA",
    "TCP_CLOSE",
    "TCP_INVALID_ACK_SEQUENCE",
    "TCP_OFOMERGE",
    "TCP_OLD_ACK",
    "TCP_OLD_DATA",
    "TCP_OLD_SEQUENCE",
    "TCP_RFC7323_PAWS",
    "TCP_RFC7323_PAWS_ACK",
    "TCP_RFC7323_TW_PAWS",
    "TCP_TOO_OLD_ACK",
    "UNIX_DISCONNECT",
];

/// What a reason means. What is not in the lists is unknown: counted and shown, never hidden.
pub fn class(name: &str) -> Class {
    let lists = [
        (LOSS, Class::Loss),
        (REFUSED, Class::Refused),
        (POLICY, Class::Policy),
        (TEARDOWN, Class::Teardown),
    ];
    lists.into_iter().find(|(names, _)| names.contains(&name)).map_or(Class::Unknown, |(_, class)| class)
}

pub struct Reasons(HashMap<u64, String>);

impl Reasons {
    pub fn read(types: &KernelTypes) -> Self {
        let values = types.values("skb_drop_reason").into_iter();
        Self(
            values
                .map(|(name, value)| {
                    let short = name.strip_prefix("SKB_DROP_REASON_").or_else(|| name.strip_prefix("SKB_"));
                    (value, short.unwrap_or(&name).to_owned())
                })
                .collect(),
        )
    }

    /// Reasons of subsystems (in the upper half) and unknown ones by their number. Before 5.17 there are none.
    pub fn name(&self, reason: u32) -> String {
        match self.0.get(&u64::from(reason)) {
            Some(name) if reason != 0 => name.clone(),
            _ if reason == 0 => "NOT_SPECIFIED".into(),
            _ => format!("{reason:#x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, LOSS, POLICY, REFUSED, Reasons, TEARDOWN, class};
    use crate::btf::KernelTypes;

    #[test]
    fn every_listed_reason_is_in_one_list_only() {
        let mut all: Vec<&str> = [LOSS, REFUSED, POLICY, TEARDOWN].concat();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    /// On the newest kernel that was looked at (6.18), no reason is misspelt here.
    #[test]
    fn this_kernel_knows_the_common_ones() {
        let types = KernelTypes::read().expect("this kernel has BTF");
        let known: Vec<String> = (0..200).map(|reason| Reasons::read(&types).name(reason)).collect();
        for name in ["NO_SOCKET", "NETFILTER_DROP", "TCP_CSUM", "SOCKET_FILTER"] {
            assert!(known.iter().any(|each| each == name), "{name}");
        }
        assert_eq!(class("NOT_SPECIFIED"), Class::Unknown);
        assert_eq!(class("NETFILTER_DROP"), Class::Policy);
    }
}
