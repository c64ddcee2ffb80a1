//! Where the programs can be attached: for each thing that is watched the ways to get there, best first, which
//! is the cheapest.

use crate::arguments::Probes;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    BtfTracepoint,
    RawTracepoint,
    Fentry,
    Kprobe,
    Cgroup,
    Iterator,
}

impl Way {
    pub const fn name(self) -> &'static str {
        match self {
            Self::BtfTracepoint => "BTF tracepoint",
            Self::RawTracepoint => "raw tracepoint",
            Self::Fentry => "fentry",
            Self::Kprobe => "kprobe",
            Self::Cgroup => "cgroup",
            Self::Iterator => "iterator",
        }
    }

    /// Whether such programs reach what is stored with a socket (they are the ones with typed pointers).
    pub const fn reaches_socket_storage(self) -> bool {
        !matches!(self, Self::RawTracepoint | Self::Kprobe)
    }
}

#[derive(Debug)]
pub struct Rung {
    pub program: &'static str,
    pub way: Way,
    /// Tracepoint or function.
    pub on: &'static str,
    /// Lowest kernel that has all of it.
    pub since: &'static str,
}

#[derive(Debug)]
pub struct Hook {
    pub name: &'static str,
    pub rungs: &'static [Rung],
    /// What is missing without it.
    pub without: &'static str,
    /// Its programs find out that what they are to do is done: two copies of one count no more than one.
    pub repeatable: bool,
}

impl Hook {
    /// Whether there is no other way than by a cgroup.
    pub fn is_by_cgroup(&self) -> bool {
        self.rungs.iter().all(|rung| rung.way == Way::Cgroup)
    }
}

const fn rung(program: &'static str, way: Way, on: &'static str, since: &'static str) -> Rung {
    Rung { program, way, on, since }
}

pub static SEND: Hook = Hook {
    name: "send",
    rungs: &[
        rung("send_btf", Way::BtfTracepoint, "net_dev_queue", "5.10"),
        rung("send_raw", Way::RawTracepoint, "net_dev_queue", "5.10"),
        rung("send_fentry", Way::Fentry, "tcp_sendmsg", "5.11"),
        rung("send_kprobe", Way::Kprobe, "tcp_sendmsg", "5.10"),
    ],
    without: "requests",
    repeatable: true,
};
pub static RECEIVE: Hook = Hook {
    name: "receive",
    rungs: &[
        rung("receive_btf", Way::BtfTracepoint, "sock_recv_length", "6.3"),
        rung("receive_piece_btf", Way::BtfTracepoint, "tcp_rcv_space_adjust", "5.10"),
        rung("receive_piece_raw", Way::RawTracepoint, "tcp_rcv_space_adjust", "5.10"),
        rung("receive_piece_kprobe", Way::Kprobe, "tcp_rcv_space_adjust", "5.10"),
    ],
    without: "requests",
    repeatable: true,
};
pub static DATA_READY: Hook = Hook {
    name: "data ready",
    rungs: &[
        rung("data_ready_btf", Way::BtfTracepoint, "sk_data_ready", "6.3"),
        rung("data_ready_raw", Way::RawTracepoint, "sk_data_ready", "6.3"),
        rung("data_ready_fentry", Way::Fentry, "sock_def_readable", "5.11"),
        rung("data_ready_kprobe", Way::Kprobe, "sock_def_readable", "5.10"),
    ],
    without: "how long data waits in receive queues",
    repeatable: true,
};
pub static SET_STATE: Hook = Hook {
    name: "connection state",
    rungs: &[
        rung("set_state_btf", Way::BtfTracepoint, "inet_sock_set_state", "5.10"),
        rung("set_state_raw", Way::RawTracepoint, "inet_sock_set_state", "5.10"),
    ],
    without: "connections",
    repeatable: true,
};
pub static RETRANSMIT: Hook = Hook {
    name: "retransmit",
    rungs: &[
        rung("retransmit_btf", Way::BtfTracepoint, "tcp_retransmit_skb", "5.10"),
        rung("retransmit_raw", Way::RawTracepoint, "tcp_retransmit_skb", "5.10"),
    ],
    without: "retransmits",
    repeatable: false,
};
pub static DROP: Hook = Hook {
    name: "drop",
    rungs: &[
        rung("drop_btf", Way::BtfTracepoint, "kfree_skb", "5.10"),
        rung("drop_raw", Way::RawTracepoint, "kfree_skb", "5.10"),
    ],
    without: "drops",
    repeatable: false,
};
pub static TLS_INGRESS: Hook = Hook {
    name: "TLS in",
    rungs: &[rung("tls_ingress", Way::Cgroup, "ingress of the root cgroup", "5.10")],
    without: "TLS handshakes",
    repeatable: false,
};
pub static TLS_EGRESS: Hook = Hook {
    name: "TLS out",
    rungs: &[rung("tls_egress", Way::Cgroup, "egress of the root cgroup", "5.10")],
    without: "TLS handshakes",
    repeatable: false,
};
/// Takes out what belonged to a socket that is no more, where that does not lie with it.
pub static DESTROY: Hook = Hook {
    name: "socket end",
    rungs: &[
        rung("destroy_btf", Way::BtfTracepoint, "tcp_destroy_sock", "5.10"),
        rung("destroy_raw", Way::RawTracepoint, "tcp_destroy_sock", "5.10"),
    ],
    without: "an end to what is known of a socket",
    repeatable: true,
};
pub static SEED: Hook = Hook {
    name: "connections before",
    rungs: &[rung("seed", Way::Iterator, "tcp", "5.10")],
    without: "connections that were there before",
    repeatable: false,
};
pub static UNDER_WAY: Hook = Hook {
    name: "turns under way",
    rungs: &[rung("under_way", Way::Iterator, "tcp", "5.10")],
    without: "how many turns are under way",
    repeatable: false,
};

/// What being called costs by itself: no way but the cheapest.
static EMPTY_SEND: Hook = Hook {
    name: "send",
    rungs: &[rung("empty_send", Way::BtfTracepoint, "net_dev_queue", "5.10")],
    without: "what an empty program costs there",
    repeatable: false,
};
static EMPTY_RECEIVE: Hook = Hook {
    name: "receive",
    rungs: &[rung("empty_receive", Way::BtfTracepoint, "sock_recv_length", "6.3")],
    without: "what an empty program costs there",
    repeatable: false,
};
static EMPTY_READY: Hook = Hook {
    name: "data ready",
    rungs: &[rung("empty_ready", Way::BtfTracepoint, "sk_data_ready", "6.3")],
    without: "what an empty program costs there",
    repeatable: false,
};

pub static ALL: [&Hook; 11] = [
    &SET_STATE,
    &SEND,
    &RECEIVE,
    &DATA_READY,
    &RETRANSMIT,
    &DROP,
    &TLS_INGRESS,
    &TLS_EGRESS,
    &DESTROY,
    &SEED,
    &UNDER_WAY,
];

/// What the probes need, and whether they can't do without.
pub fn wanted(probes: Probes, empty: bool) -> Vec<(&'static Hook, bool)> {
    if empty {
        return vec![(&EMPTY_SEND, false), (&EMPTY_RECEIVE, false), (&EMPTY_READY, false)];
    }
    let turns = probes.latency || probes.connections;
    let all = [
        // First: what is known of a socket goes with it.
        (&DESTROY, turns || probes.drops, true),
        // Then: what comes after it finds the state that it makes.
        (&SET_STATE, turns || probes.drops, turns),
        (&SEND, turns, true),
        (&RECEIVE, turns, true),
        (&DATA_READY, probes.latency, false),
        (&RETRANSMIT, probes.connections, false),
        (&TLS_INGRESS, probes.connections, false),
        (&TLS_EGRESS, probes.connections, false),
        (&DROP, probes.drops, true),
        (&SEED, turns, false),
        (&UNDER_WAY, turns, false),
    ];
    all.into_iter().filter_map(|(hook, wanted, required)| wanted.then_some((hook, required))).collect()
}
