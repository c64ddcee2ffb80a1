//! Programs and maps as the kernel has them.

use aya::{
    programs::Program,
    sys::{Stats, enable_stats},
};
use serde_json::{Value, json};

use crate::{
    data_path::DataPath,
    load::{CGROUP_HOOKS, CLASSIFIERS},
    problem::{Problem, Trying},
};

impl DataPath {
    /// Run time and runs are counted only while statistics are on.
    pub fn programs(&self) -> Result<Value, Problem> {
        let mut rows = Vec::new();
        for name in CLASSIFIERS.into_iter().chain(CGROUP_HOOKS).filter(|name| *name != "clock") {
            let program: &Program =
                self.ebpf.program(name).ok_or_else(|| Problem(format!("there is no program {name}")))?;
            let info = program.info().trying(&format!("asking about {name}"))?;
            let attach = if CGROUP_HOOKS.contains(&name) { "cgroup" } else { self.attachment.name() };
            rows.push(json!({
                "name": name,
                "id": info.id(),
                "attach": attach,
                "run_time_ns": info.run_time().as_nanos() as u64,
                "run_cnt": info.run_count(),
                "translatedBytes": info.size_translated(),
                "jitedBytes": info.size_jitted(),
                "verifiedInstructions": info.verified_instruction_count(),
            }));
        }
        Ok(json!({ "programs": rows }))
    }

    /// On as long as this process lives, or until it is told otherwise.
    ///
    /// # Minimum kernel version
    /// 5.8
    pub fn count_run_time(&mut self, on: bool) -> Result<Value, Problem> {
        self.statistics = if on {
            Some(enable_stats(Stats::RunTime).trying("turning on the kernel's program statistics")?)
        } else {
            None
        };
        Ok(json!({ "on": on }))
    }

    /// How full they are. Those that the kernel fills by itself are counted now, which takes some time.
    pub fn map_pressure(&self) -> Value {
        let [services, backends] = self.service_entries();
        let rows = [
            ("IPCACHE", self.identities.len()),
            ("ENDPOINTS", self.endpoints.len()),
            ("POLICY", self.sets.entries()),
            ("FLOWS4", self.maps.flows4.keys().flatten().count()),
            ("FLOWS6", self.maps.flows6.keys().flatten().count()),
            ("SERVICES", services),
            ("BACKENDS", backends),
            ("ORIGINS", self.maps.origins.keys().flatten().count()),
        ];
        let rows: Vec<Value> = rows
            .into_iter()
            .map(|(name, entries)| {
                json!({ "name": name, "entries": entries, "maxEntries": self.maps.sizes.of(name) })
            })
            .collect();
        json!({ "maps": rows })
    }
}
