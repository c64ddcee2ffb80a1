//! The maps of the data path, typed, with their sizes.

use aya::{
    Ebpf,
    maps::{HashMap, LpmTrie, Map, MapData, PerCpuArray, RingBuf},
};
use meshmark_common::datapath::{
    Address, Backend, BackendKey, Destination, Endpoint, EndpointDrops, EventBudget, Flow, FlowKey4,
    FlowKey6, ForwardedChunk, OriginKey, PolicyKey, PolicyValue, RuleCounters, Service, ServiceKey,
};

use crate::{
    arguments::SIZE_OPTIONS,
    config_map::ConfigMap,
    problem::{Problem, Trying},
};

pub struct Maps {
    pub config: ConfigMap,
    pub ipcache: LpmTrie<MapData, Address, Destination>,
    pub endpoints: HashMap<MapData, u32, Endpoint>,
    pub policy: HashMap<MapData, PolicyKey, PolicyValue>,
    pub flows4: HashMap<MapData, FlowKey4, Flow>,
    pub flows6: HashMap<MapData, FlowKey6, Flow>,
    pub endpoint_drops: PerCpuArray<MapData, EndpointDrops>,
    pub forwarded: PerCpuArray<MapData, ForwardedChunk>,
    pub rule_counters: PerCpuArray<MapData, RuleCounters>,
    pub services: HashMap<MapData, ServiceKey, Service>,
    pub backends: HashMap<MapData, BackendKey, Backend>,
    pub origins: HashMap<MapData, OriginKey, Backend>,
    pub event_budget: PerCpuArray<MapData, EventBudget>,
    pub sizes: Sizes,
}

/// How many entries each map holds at most.
pub struct Sizes(Vec<(&'static str, u32)>);

const NAMES: [&str; 11] = [
    "IPCACHE",
    "ENDPOINTS",
    "POLICY",
    "FLOWS4",
    "FLOWS6",
    "ENDPOINT_DROPS",
    "RULE_COUNTERS",
    "SERVICES",
    "BACKENDS",
    "ORIGINS",
    "EVENTS",
];

impl Sizes {
    pub fn of(&self, name: &str) -> u32 {
        self.0.iter().find(|(map, _)| *map == name).map_or(0, |(_, size)| *size)
    }

    /// Fails when the map can't hold so many entries.
    pub fn check(&self, name: &str, wanted: usize) -> Result<(), Problem> {
        let size = self.of(name);
        if wanted <= size as usize {
            return Ok(());
        }
        let remedy = SIZE_OPTIONS
            .iter()
            .find(|(_, maps)| maps.contains(&name))
            .map_or_else(String::new, |(option, _)| {
                format!("; start meshmark-datapath with a larger {option}")
            });
        Err(Problem(format!(
            "the map {name} is full: it has room for {size} entries, {wanted} are wanted{remedy}. Nothing was changed"
        )))
    }
}

impl Maps {
    /// Takes them out of what was loaded.
    pub fn take(ebpf: &mut Ebpf) -> Result<(Self, RingBuf<MapData>), Problem> {
        let mut sizes = Vec::new();
        for name in NAMES {
            let size = ebpf.map(name).and_then(max_entries).ok_or_else(|| missing(name))?;
            sizes.push((name, size));
        }
        let Some(Map::Array(config)) = ebpf.take_map("CONFIG") else { return Err(missing("CONFIG")) };
        let events = take(ebpf, "EVENTS")?;
        let maps = Self {
            config: ConfigMap::new(&config)?,
            ipcache: take(ebpf, "IPCACHE")?,
            endpoints: take(ebpf, "ENDPOINTS")?,
            policy: take(ebpf, "POLICY")?,
            flows4: take(ebpf, "FLOWS4")?,
            flows6: take(ebpf, "FLOWS6")?,
            endpoint_drops: take(ebpf, "ENDPOINT_DROPS")?,
            forwarded: take(ebpf, "FORWARDED")?,
            rule_counters: take(ebpf, "RULE_COUNTERS")?,
            services: take(ebpf, "SERVICES")?,
            backends: take(ebpf, "BACKENDS")?,
            origins: take(ebpf, "ORIGINS")?,
            event_budget: take(ebpf, "EVENT_BUDGET")?,
            sizes: Sizes(sizes),
        };
        Ok((maps, events))
    }
}

fn take<T>(ebpf: &mut Ebpf, name: &str) -> Result<T, Problem>
where
    T: TryFrom<Map>,
    T::Error: std::error::Error,
{
    T::try_from(ebpf.take_map(name).ok_or_else(|| missing(name))?).trying(&format!("taking the map {name}"))
}

fn missing(name: &str) -> Problem {
    Problem(format!("the eBPF object has no map {name}: build both again (node setup/bootstrap/probes.mjs)"))
}

fn max_entries(map: &Map) -> Option<u32> {
    match map {
        Map::HashMap(data)
        | Map::LruHashMap(data)
        | Map::LpmTrie(data)
        | Map::PerCpuArray(data)
        | Map::Array(data)
        | Map::RingBuf(data) => data.info().ok().map(|info| info.max_entries()),
        _ => None,
    }
}
