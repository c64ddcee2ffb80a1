//! Every map of the data path. All are bounded; the loader sets the sizes that its options name.

use aya_ebpf::{
    bindings::{BPF_F_MMAPABLE, BPF_F_NO_PREALLOC},
    macros::map,
    maps::{Array, HashMap, LpmTrie, LruHashMap, PerCpuArray, RingBuf},
};
use meshmark_common::datapath::{
    Address, Backend, BackendKey, Config, Destination, Endpoint, EndpointDrops, EventBudget, Flow, FlowKey4,
    FlowKey6, ForwardedChunk, OriginKey, PolicyKey, PolicyValue, RECENT_FLOWS, RuleCounters, Service,
    ServiceKey,
};

use crate::{
    policy::Answers,
    recent::Line,
    scratch::{Request4, Request6},
};

#[map]
pub static CONFIG: Array<Config> = Array::with_max_entries(1, BPF_F_MMAPABLE);

#[map]
pub static IPCACHE: LpmTrie<Address, Destination> = LpmTrie::with_max_entries(65_536, BPF_F_NO_PREALLOC);

#[map]
pub static ENDPOINTS: HashMap<u32, Endpoint> = HashMap::with_max_entries(256, 0);

#[map]
pub static POLICY: HashMap<PolicyKey, PolicyValue> = HashMap::with_max_entries(131_072, 0);

#[map]
pub static ANSWERS: PerCpuArray<Answers> = PerCpuArray::with_max_entries(1, 0);

#[map]
pub static REQUEST4: PerCpuArray<Request4> = PerCpuArray::with_max_entries(1, 0);

#[map]
pub static REQUEST6: PerCpuArray<Request6> = PerCpuArray::with_max_entries(1, 0);

#[map]
pub static NEW_FLOW: PerCpuArray<Flow> = PerCpuArray::with_max_entries(1, 0);

#[map]
pub static FLOWS4: LruHashMap<FlowKey4, Flow> = LruHashMap::with_max_entries(131_072, 0);

#[map]
pub static FLOWS6: LruHashMap<FlowKey6, Flow> = LruHashMap::with_max_entries(65_536, 0);

/// By CPU; values begin at a page, so that none lies across two lines of the cache.
#[map]
pub static RECENT4: Array<Line> = Array::with_max_entries(RECENT_FLOWS, BPF_F_MMAPABLE);

#[map]
pub static RECENT6: Array<Line> = Array::with_max_entries(RECENT_FLOWS, BPF_F_MMAPABLE);

#[map]
pub static ENDPOINT_DROPS: PerCpuArray<EndpointDrops> = PerCpuArray::with_max_entries(512, 0);

#[map]
pub static FORWARDED: PerCpuArray<ForwardedChunk> = PerCpuArray::with_max_entries(1, 0);

#[map]
pub static RULE_COUNTERS: PerCpuArray<RuleCounters> = PerCpuArray::with_max_entries(65_536, 0);

#[map]
pub static SERVICES: HashMap<ServiceKey, Service> = HashMap::with_max_entries(4_096, 0);

#[map]
pub static BACKENDS: HashMap<BackendKey, Backend> = HashMap::with_max_entries(65_536, BPF_F_NO_PREALLOC);

#[map]
pub static ORIGINS: LruHashMap<OriginKey, Backend> = LruHashMap::with_max_entries(65_536, 0);

#[map]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(1 << 20, 0);

#[map]
pub static EVENT_BUDGET: PerCpuArray<EventBudget> = PerCpuArray::with_max_entries(1, 0);
