use crate::assert_size;

/// State lies in places, and with sockets that find theirs taken.
pub const STORE_SOCKET: u32 = 0;
/// State lies in a hash map by the socket's address, where programs may not use the other.
pub const STORE_HASH: u32 = 1;

pub const NO_TARGET: u32 = u32::MAX;
pub const NOT_MEASURED: u32 = u32::MAX;
pub const MEASURES: usize = 9;
/// So many of them, the first, lie with the counters.
pub const TALLIED_MEASURES: usize = 3;
/// So many of them, the first, are those of latency.
pub const LATENCY_MEASURES: usize = 5;
/// Of every so many requests of a connection one, the first, is looked into further: how long it was on the way, and how long a proxy
/// worked on it itself.
pub const LOOKED_INTO: u32 = 8;

/// What there are histograms of, for every target and role.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// Client: first send to first receive. Server: first receive to next send.
    Turn = 0,
    /// Data there to first receive.
    Queue = 1,
    /// Smoothed round-trip time, whenever it is looked at (`round_trip.rs`).
    SmoothedRtt = 2,
    /// Sent by the other end to data there: one way.
    Wire = 3,
    /// Server: its turn without the one as a client that it had meanwhile.
    Own = 4,
    /// Client: SYN to established. Server: SYN seen to established.
    Connect = 5,
    Tls = 6,
    /// Established to closed.
    Lifetime = 7,
    /// Not a time: requests that a connection had carried when it closed.
    RequestsPerConnection = 8,
}

/// Where fields are in the running kernel's structures, in bytes.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Offsets {
    pub sock_net: u32,
    pub sock_family: u32,
    pub sock_state: u32,
    pub sock_local_port: u32,
    pub sock_remote_port: u32,
    pub sock_local4: u32,
    pub sock_remote4: u32,
    pub sock_local6: u32,
    pub sock_remote6: u32,
    pub sock_protocol: u32,
    /// Functions of its protocol, and those that it was made with (0: not there): others are put in their place for what is more than
    /// plain TCP.
    pub sock_functions: u32,
    pub sock_first_functions: u32,
    pub functions_receive: u32,
    pub sock_error: u32,
    pub sock_cgroup: u32,
    pub sock_user: u32,
    /// What a program has of it; null where no program has it any more.
    pub sock_socket: u32,
    pub tcp_segments_out: u32,
    /// When the kernel last looked at the clock for this socket; 0: not there.
    pub tcp_clock: u32,
    pub tcp_srtt: u32,
    pub tcp_lowest_rtt: u32,
    pub net_inum: u32,
    pub cgroup_node: u32,
    pub cgroup_parent: u32,
    pub node_id: u32,
    pub skb_sock: u32,
    pub skb_device: u32,
    pub skb_head: u32,
    pub skb_network: u32,
    pub skb_protocol: u32,
    /// Bytes outside of its first piece of memory, in which TCP has headers only (but for data with a SYN, before 6.5).
    pub skb_data_length: u32,
    /// When it is to leave.
    pub skb_time: u32,
    /// Of TCP's own part of it: segments that it is sent as.
    pub skb_segments: u32,
    pub device_net: u32,
}
assert_size!(Offsets, 136);

/// Fixed before the programs are loaded, which hold each of them as a constant (`placeholders.rs`): the verifier leaves out what they
/// rule out.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Settings {
    /// Number of `struct tcp_sock` among the running kernel's types, for `AS_TCP`.
    pub tcp_type: u32,
    /// The target of what belongs to no other, or `NO_TARGET`.
    pub fallback: u32,
    /// Not 0: there are targets by address.
    pub addresses: u32,
    /// Not 0: there are targets by cgroup.
    pub cgroups: u32,
    /// Not 0: there are targets by user.
    pub users: u32,
    /// `STORE_SOCKET` or `STORE_HASH`.
    pub store: u32,
    /// Not 0: `tcp_recvmsg()` looks at the clock for what it hands over.
    pub clocked_receive: u32,
    /// Not 0: programs of one kind may interrupt each other, so that sums need atomic additions.
    pub atomic: u32,
    /// Index of the last slot, which the compiler is not to know.
    pub last_slot: u32,
    /// Where the histograms of each measure begin (0 for those that lie with the counters), or `NOT_MEASURED`.
    pub first: [u32; MEASURES],
    /// So many arguments `kfree_skb` has: the third is the reason (5.17), the fourth the receiving socket (6.11).
    pub drop_arguments: u32,
    /// Not 0: `tcp_retransmit_skb` is run for attempts that failed, too, and tells the error (6.18).
    pub retransmit_error: u32,
    pub offsets: Offsets,
}
assert_size!(Settings, 36 + 36 + 8 + 136);
