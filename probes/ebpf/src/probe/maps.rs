//! Every map of the probes. The loader sets the sizes that depend on the targets.

use aya_ebpf::{
    bindings::{BPF_F_MMAPABLE, BPF_F_NO_PREALLOC},
    btf_maps::SkStorage,
    macros::{btf_map, map},
    maps::{Array, HashMap, LruHashMap, PerCpuArray},
};
use meshmark_common::probe::{
    AddressKey, ConnectFailure, DropKey, DropService, Histogram, Listener, LocalPorts, Namespace, SockState,
    Tally,
};

use crate::{own::Look, places::Place, wire::Meeting};

/// State of sockets, by place; values begin at a page, so that none lies across two lines of the cache.
#[map]
pub static PLACES: Array<Place> = Array::with_max_entries(meshmark_common::probe::PLACES, BPF_F_MMAPABLE);

/// Whose each place is.
#[map]
pub static TAKEN: HashMap<u32, u64> =
    HashMap::with_max_entries(meshmark_common::probe::PLACES, BPF_F_NO_PREALLOC);

/// Ends of connections whose other ends are not known yet, by the client's address and port.
#[map]
pub static MEETINGS: LruHashMap<AddressKey, Meeting> = LruHashMap::with_max_entries(1_024, 0);

/// State of those that found their place taken, with the socket itself.
#[btf_map]
pub static SOCKETS: SkStorage<SockState> = SkStorage::new();

/// The same by the socket's address.
#[map]
pub static SOCKETS_BY_ADDRESS: HashMap<u64, SockState> = HashMap::with_max_entries(65_536, BPF_F_NO_PREALLOC);

/// By target; values begin at a page, as those of `PLACES`.
#[map]
pub static LOOKS: Array<Look> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// But for latency's, by `first[measure] + target * 2 + role`.
#[map]
pub static HISTOGRAMS: PerCpuArray<Histogram> = PerCpuArray::with_max_entries(1, 0);

/// `target * 2 + role`.
#[map]
pub static TALLIES: PerCpuArray<Tally> = PerCpuArray::with_max_entries(2, 0);

/// Network namespace, and user, to target.
#[map]
pub static NAMESPACES: HashMap<Namespace, u32> = HashMap::with_max_entries(1_024, 0);

/// cgroup to target.
#[map]
pub static CGROUPS: HashMap<u64, u32> = HashMap::with_max_entries(4_096, BPF_F_NO_PREALLOC);

#[map]
pub static ADDRESSES: HashMap<AddressKey, u32> = HashMap::with_max_entries(1_024, 0);

#[map]
pub static LISTENERS: HashMap<Listener, u32> = HashMap::with_max_entries(8_192, BPF_F_NO_PREALLOC);

/// Of the network namespace whose sockets are listed.
#[map]
pub static LOCAL_PORTS: Array<LocalPorts> = Array::with_max_entries(1, 0);

#[map]
pub static DROPS: HashMap<DropKey, u64> = HashMap::with_max_entries(8_192, BPF_F_NO_PREALLOC);

#[map]
pub static DROP_SERVICES: HashMap<DropService, u64> = HashMap::with_max_entries(8_192, BPF_F_NO_PREALLOC);

#[map]
pub static CONNECT_FAILURES: HashMap<ConnectFailure, u64> =
    HashMap::with_max_entries(4_096, BPF_F_NO_PREALLOC);

/// What did not fit into a map: sockets, drops, services of drops, connect failures, listeners.
#[map]
pub static OVERFLOWS: PerCpuArray<u64> = PerCpuArray::with_max_entries(8, 0);
