//! Whose an address is: the LPM trie `IPCACHE`, computed from the endpoints' addresses and the policies' prefixes.

use std::collections::BTreeMap;

use aya::maps::lpm_trie::Key;
use meshmark_common::datapath::{Destination, HOST, WORLD};

use crate::{
    address::Prefix,
    data_path::DataPath,
    endpoints::EndpointState,
    problem::{Problem, Trying},
};

#[derive(Default)]
pub struct Identities {
    /// That policies name.
    pub named: BTreeMap<Prefix, u32>,
    /// What the map holds.
    written: BTreeMap<Prefix, Destination>,
}

impl Identities {
    pub fn len(&self) -> usize {
        self.written.len()
    }
}

impl DataPath {
    /// Fails where `IPCACHE` has no room for what is new with these prefixes, beside what is there until then.
    pub fn check_identities(&self, named: &BTreeMap<Prefix, u32>) -> Result<(), Problem> {
        let written = &self.identities.written;
        let wanted = destinations(&self.endpoints, named);
        let fresh = wanted.keys().filter(|prefix| !written.contains_key(prefix)).count();
        self.maps.sizes.check("IPCACHE", written.len() + fresh)
    }

    /// Writes what has changed: new and other prefixes, the longest first, then takes away what is no more, the shortest
    /// first. So no address is ever taken for what a shorter prefix says of it, unless that is what holds before or after.
    pub fn update_identities(&mut self) -> Result<(), Problem> {
        self.check_identities(&self.identities.named)?;
        let wanted = destinations(&self.endpoints, &self.identities.named);
        let written = &mut self.identities.written;
        let added: Vec<_> = wanted
            .iter()
            .filter(|(prefix, destination)| written.get(prefix) != Some(*destination))
            .map(|(prefix, destination)| (*prefix, *destination))
            .collect();
        let gone: Vec<_> = written.keys().filter(|prefix| !wanted.contains_key(prefix)).copied().collect();
        for (prefix, destination) in added.into_iter().rev() {
            let key = Key::new(prefix.bits, prefix.to_map());
            self.maps.ipcache.insert(&key, destination, 0).trying("writing to IPCACHE")?;
            written.insert(prefix, destination);
        }
        for prefix in gone {
            let key = Key::new(prefix.bits, prefix.to_map());
            self.maps.ipcache.remove(&key).trying("removing from IPCACHE")?;
            written.remove(&prefix);
        }
        Ok(())
    }
}

/// A pod's address has the pod's identity. A prefix that policies name has theirs, and lies with the endpoint whose
/// prefix holds it (the world's). The world's own prefix has the identity of the longest named one that holds it. Short
/// prefixes of IPv6 hold the mapped addresses of IPv4 only in the map, so these have an entry of their own.
fn destinations(
    endpoints: &BTreeMap<u32, EndpointState>,
    named: &BTreeMap<Prefix, u32>,
) -> BTreeMap<Prefix, Destination> {
    let places: BTreeMap<Prefix, &EndpointState> = endpoints
        .values()
        .flat_map(|endpoint| endpoint.prefixes.iter().map(move |prefix| (*prefix, endpoint)))
        .collect();
    let wide: Vec<_> = places.iter().rev().filter(|(_, endpoint)| endpoint.world).collect();
    let mut all = BTreeMap::new();
    for (prefix, identity) in named {
        let place = wide.iter().find(|(place, _)| *identity != HOST && place.covers(*prefix));
        let device = place.map_or(0, |(_, endpoint)| endpoint.index);
        all.insert(*prefix, Destination { identity: *identity, device });
    }
    for (prefix, endpoint) in &places {
        let mut identity = endpoint.identity;
        if endpoint.world {
            // Ordered by length: the last that holds it is the longest.
            identity = named
                .iter()
                .rfind(|(name, _)| name.covers(*prefix))
                .map_or(endpoint.identity, |(_, identity)| *identity);
        }
        all.insert(*prefix, Destination { identity, device: endpoint.index });
    }
    if all.keys().any(|prefix| prefix.lies_over_ipv4()) {
        all.entry(Prefix::ALL_IPV4).or_insert(Destination { identity: WORLD, device: 0 });
    }
    all
}
