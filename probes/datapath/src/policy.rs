//! From one desired state to the next, without a moment in which an allowed flow is cut or a denied one let in.

use std::{collections::BTreeMap, time::Instant};

use meshmark_common::datapath::{Endpoint, PolicyKey};
use serde_json::{Value, json};

use crate::{
    address::{Prefix, to_map},
    data_path::DataPath,
    grace::wait_for_running_programs,
    policy_sets::{Entries, PolicySet, compile, shapes},
    problem::{Problem, Trying},
    protocol::{PolicyState, Proxy},
};

/// A set of the new state: the one that is there already, or one to write.
enum Source {
    Kept,
    New(PolicySet),
}

impl DataPath {
    /// New sets are written beside the old ones, the endpoints switched to them one by one (each by one write), identities
    /// changed, and only when no program is left that has read an old one are the old sets removed. After each step that changes
    /// a verdict, flows are judged again.
    pub fn apply_policy(&mut self, wanted: &PolicyState) -> Result<Value, Problem> {
        let started = Instant::now();
        let named = named(wanted)?;
        self.check_endpoints(wanted)?;
        let rules = self.maps.sizes.of("RULE_COUNTERS");
        let mut sources = BTreeMap::new();
        let mut fresh = 0;
        for set in &wanted.sets {
            let entries = compile(&set.name, &set.entries, rules)?;
            let source = if self.sets.by_name.get(&set.name).is_some_and(|old| old.entries == entries) {
                Source::Kept
            } else {
                fresh += entries.len();
                self.sets.last_id += 1;
                Source::New(PolicySet { id: self.sets.last_id, shapes: shapes(&entries), entries })
            };
            if sources.insert(set.name.clone(), source).is_some() {
                return Err(Problem(format!("sets: there are two sets {:?}", set.name)));
            }
        }
        self.maps.sizes.check("POLICY", self.sets.entries() + fresh)?;
        self.check_identities(&named)?;

        self.write_sets(&sources)?;
        self.set_proxy(wanted.proxy.as_ref());
        let old = self.replace_sets(sources);
        self.switch_endpoints(wanted)?;
        self.maps.config.next_revision();
        if self.identities.named != named {
            self.identities.named = named;
            self.update_identities()?;
            self.maps.config.next_revision();
        }
        if !old.is_empty() {
            wait_for_running_programs();
        }
        for set in old {
            self.remove_entries(set.id, &set.entries);
        }
        Ok(json!({
            "revision": self.maps.config.revision(),
            "milliseconds": started.elapsed().as_secs_f64() * 1_000.0,
            "entries": self.sets.entries(),
        }))
    }

    fn check_endpoints(&self, wanted: &PolicyState) -> Result<(), Problem> {
        for (index, row) in wanted.endpoints.iter().enumerate() {
            if !self.endpoints.contains_key(&row.endpoint) {
                return Err(Problem(format!("endpoints[{index}]: there is no endpoint {}", row.endpoint)));
            }
            for name in [&row.ingress, &row.egress].into_iter().flatten() {
                if !wanted.sets.iter().any(|set| set.name == *name) {
                    return Err(Problem(format!("endpoints[{index}]: there is no set {name:?}")));
                }
            }
        }
        Ok(())
    }

    fn write_sets(&mut self, sources: &BTreeMap<String, Source>) -> Result<(), Problem> {
        let new: Vec<_> = sources
            .values()
            .filter_map(|source| if let Source::New(set) = source { Some(set) } else { None })
            .collect();
        for (done, set) in new.iter().enumerate() {
            for (key, value) in &set.entries {
                let Err(error) = self.maps.policy.insert(PolicyKey { set: set.id, ..*key }, value, 0) else {
                    continue;
                };
                for set in &new[..=done] {
                    self.remove_entries(set.id, &set.entries);
                }
                return Err(error).trying("writing to POLICY; nothing was changed");
            }
        }
        Ok(())
    }

    /// Returns the sets that are no more.
    fn replace_sets(&mut self, sources: BTreeMap<String, Source>) -> Vec<PolicySet> {
        let mut old = std::mem::take(&mut self.sets.by_name);
        for (name, source) in sources {
            let set = match source {
                Source::New(set) => Some(set),
                Source::Kept => old.remove(&name),
            };
            if let Some(set) = set {
                self.sets.by_name.insert(name, set);
            }
        }
        old.into_values().collect()
    }

    /// Endpoints that the new state does not name have no policy. A value that stays is not written: the map would put a new one in its
    /// place and use the old one's for the next, under the eyes of a program that reads it.
    fn switch_endpoints(&mut self, wanted: &PolicyState) -> Result<(), Problem> {
        for (id, endpoint) in &mut self.endpoints {
            let row = wanted.endpoints.iter().find(|row| row.endpoint == *id);
            endpoint.sets = row.map_or([None, None], |row| [row.egress.clone(), row.ingress.clone()]);
            let mut value =
                Endpoint { id: *id, slot: u32::from(endpoint.slot), sets: [0; 2], shapes: [0; 2] };
            for (direction, name) in endpoint.sets.iter().enumerate() {
                if let Some(set) = name.as_ref().and_then(|name| self.sets.by_name.get(name)) {
                    value.sets[direction] = set.id;
                    value.shapes[direction] = set.shapes[direction];
                }
            }
            if value != endpoint.value {
                self.maps.endpoints.insert(endpoint.index, value, 0).trying("writing to ENDPOINTS")?;
                endpoint.value = value;
            }
        }
        Ok(())
    }

    fn remove_entries(&mut self, set: u32, entries: &Entries) {
        for key in entries.keys() {
            // One that was never written is not there to be removed.
            let _ = self.maps.policy.remove(&PolicyKey { set, ..*key });
        }
    }

    fn set_proxy(&self, proxy: Option<&Proxy>) {
        let (address4, address6, port) = proxy.map_or((0, [0; 4], 0), |proxy| {
            let [.., address4] = to_map(proxy.address4.into());
            (address4, to_map(proxy.address6.into()), proxy.port.to_be())
        });
        self.maps.config.set_proxy(address4, address6, port);
    }
}

fn named(wanted: &PolicyState) -> Result<BTreeMap<Prefix, u32>, Problem> {
    let mut named = BTreeMap::new();
    for (index, row) in wanted.identities.iter().enumerate() {
        let at = |why: String| Problem(format!("identities[{index}]: {why}"));
        let prefix = Prefix::parse(&row.prefix).map_err(|Problem(why)| at(why))?;
        if row.identity == 0 {
            return Err(at("identity 0 means any, no prefix can have it".into()));
        }
        if named.insert(prefix, row.identity).is_some() {
            return Err(at(format!("{prefix} is there twice")));
        }
    }
    Ok(named)
}
