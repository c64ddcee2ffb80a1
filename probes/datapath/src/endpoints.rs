//! Pods (and the world) at their node-side devices.

use meshmark_common::datapath::{DIRECTIONS, Endpoint, EndpointDrops, Forwarded, NO_SLOT};

use crate::{
    address::Prefix,
    attach::{Links, device_index},
    data_path::DataPath,
    problem::{Problem, Trying},
};

pub struct EndpointState {
    pub device: String,
    pub index: u32,
    pub identity: u32,
    /// What it may send from, and is sent: addresses of a pod, prefixes of the world.
    pub prefixes: Vec<Prefix>,
    /// Its prefixes' identities are those of the policies' prefixes where there are such.
    pub world: bool,
    pub slot: u16,
    /// What its slot had forwarded before it came. Not set to 0 there, since others are counted in the same value meanwhile.
    pub forwarded_before: [Forwarded; DIRECTIONS as usize],
    /// Names of its sets, egress first.
    pub sets: [Option<String>; 2],
    /// What `ENDPOINTS` has of it.
    pub value: Endpoint,
    _links: Links,
}

pub struct NewEndpoint {
    pub device: String,
    pub endpoint: u32,
    pub identity: u32,
    pub prefixes: Vec<Prefix>,
    pub world: bool,
}

impl DataPath {
    pub fn add_endpoint(&mut self, new: NewEndpoint) -> Result<(), Problem> {
        let id = new.endpoint;
        if id == 0 || new.identity == 0 {
            return Err(Problem::new("an endpoint's id and its identity are numbers from 1 on"));
        }
        if self.endpoints.contains_key(&id) {
            return Err(Problem(format!("there is an endpoint {id} already: remove it first")));
        }
        let index = device_index(&new.device)?;
        for (other, endpoint) in &self.endpoints {
            if endpoint.index == index {
                return Err(Problem(format!("{} is the device of endpoint {other} already", new.device)));
            }
            if let Some(prefix) = new.prefixes.iter().find(|prefix| endpoint.prefixes.contains(prefix)) {
                return Err(Problem(format!("{prefix} is endpoint {other}'s already")));
            }
        }
        self.maps.sizes.check("ENDPOINTS", self.endpoints.len() + 1)?;
        let slot = self.free_slot()?;
        self.clear_drops(slot)?;
        let forwarded_before = self.forwarded(slot)?;
        let value = Endpoint { id, slot: u32::from(slot), sets: [0; 2], shapes: [0; 2] };
        self.maps.endpoints.insert(index, value, 0).trying("writing to ENDPOINTS")?;
        let links = match self.attachment.attach(&mut self.ebpf, &new.device) {
            Ok(links) => links,
            Err(problem) => {
                let _ = self.maps.endpoints.remove(&index);
                return Err(problem);
            }
        };
        let NewEndpoint { device, identity, prefixes, world, .. } = new;
        let state = EndpointState {
            device,
            index,
            identity,
            prefixes,
            world,
            slot,
            forwarded_before,
            sets: [None, None],
            value,
            _links: links,
        };
        self.endpoints.insert(id, state);
        if let Err(problem) = self.update_identities() {
            self.remove_endpoint(id)?;
            return Err(problem);
        }
        self.maps.config.next_revision();
        Ok(())
    }

    /// Its flows end: their packets find no device that may send them.
    pub fn remove_endpoint(&mut self, id: u32) -> Result<(), Problem> {
        let state =
            self.endpoints.remove(&id).ok_or_else(|| Problem(format!("there is no endpoint {id}")))?;
        self.update_identities()?;
        self.maps.config.next_revision();
        self.maps.endpoints.remove(&state.index).trying("removing from ENDPOINTS")
    }

    fn free_slot(&self) -> Result<u16, Problem> {
        let slots = (self.maps.sizes.of("ENDPOINT_DROPS") / DIRECTIONS).min(u32::from(NO_SLOT));
        (0..slots)
            .map(|slot| slot as u16)
            .find(|slot| self.endpoints.values().all(|endpoint| endpoint.slot != *slot))
            .ok_or_else(|| {
                Problem(format!("the map ENDPOINT_DROPS is full: it has room for {slots} endpoints"))
            })
    }

    fn clear_drops(&mut self, slot: u16) -> Result<(), Problem> {
        let zero = EndpointDrops { drops: [0; _] };
        for direction in 0..DIRECTIONS {
            let index = u32::from(slot) * DIRECTIONS + direction;
            let mut values = self.maps.endpoint_drops.get(&index, 0).trying("reading ENDPOINT_DROPS")?;
            let zeros = vec![zero; values.len()];
            values = aya::maps::PerCpuValues::try_from(zeros).trying("making counters")?;
            self.maps.endpoint_drops.set(index, values, 0).trying("clearing ENDPOINT_DROPS")?;
        }
        Ok(())
    }
}
