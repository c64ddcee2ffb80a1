//! Service addresses and their backends.

use std::{collections::HashMap, net::IpAddr};

use meshmark_common::datapath::{Backend, BackendKey, Service, ServiceKey};

use crate::{
    address::to_map,
    data_path::DataPath,
    grace::wait_for_running_programs,
    problem::{Problem, Trying},
    protocol::ServiceBackend,
};

/// Slots of a service at most: weights are scaled down to them.
const MOST_SLOTS: u32 = 256;

#[derive(Default)]
pub struct Services {
    current: HashMap<ServiceKey, Service>,
    last_id: u32,
}

impl DataPath {
    /// The new backends are written beside the old ones, then the service is switched to them by one write. The old ones are there
    /// until no `connect()` is left that has seen the service as it was.
    pub fn set_service(
        &mut self,
        address: IpAddr,
        port: u16,
        protocol: u8,
        backends: &[ServiceBackend],
    ) -> Result<(), Problem> {
        let key = service_key(address, port, protocol)?;
        if let Some(backend) = backends.iter().find(|backend| backend.address.is_ipv4() != address.is_ipv4())
        {
            return Err(Problem(format!(
                "backend {} is not of the IP version of {address}",
                backend.address
            )));
        }
        let slots = expand(backends);
        let size = slots.len() as u32;
        if !self.services.current.contains_key(&key) {
            self.maps.sizes.check("SERVICES", self.services.current.len() + 1)?;
        }
        let used: u32 = self.services.current.values().map(|service| service.slots).sum();
        self.maps.sizes.check("BACKENDS", (used + size) as usize)?;
        self.services.last_id += 1;
        let service = Service { id: self.services.last_id, slots: size };
        for (slot, backend) in slots.into_iter().enumerate() {
            let key = BackendKey { service: service.id, slot: slot as u32 };
            self.maps.backends.insert(key, backend, 0).trying("writing to BACKENDS")?;
        }
        self.maps.services.insert(key, service, 0).trying("writing to SERVICES")?;
        if let Some(old) = self.services.current.insert(key, service) {
            wait_for_running_programs();
            self.remove_backends(old);
        }
        Ok(())
    }

    pub fn remove_service(&mut self, address: IpAddr, port: u16, protocol: u8) -> Result<(), Problem> {
        let key = service_key(address, port, protocol)?;
        let old = self.services.current.remove(&key).ok_or_else(|| {
            Problem(format!("there is no service {address}, port {port}, protocol {protocol}"))
        })?;
        self.maps.services.remove(&key).trying("removing from SERVICES")?;
        self.remove_backends(old);
        Ok(())
    }

    /// How many entries SERVICES and BACKENDS have.
    pub fn service_entries(&self) -> [usize; 2] {
        let slots: u32 = self.services.current.values().map(|service| service.slots).sum();
        [self.services.current.len(), slots as usize]
    }

    fn remove_backends(&mut self, service: Service) {
        for slot in 0..service.slots {
            let _ = self.maps.backends.remove(&BackendKey { service: service.id, slot });
        }
    }
}

fn service_key(address: IpAddr, port: u16, protocol: u8) -> Result<ServiceKey, Problem> {
    if !matches!(protocol, 6 | 17) {
        return Err(Problem(format!("a service's protocol is 6 (TCP) or 17 (UDP), not {protocol}")));
    }
    Ok(ServiceKey { address: to_map(address), port: port.to_be(), protocol, padding: 0 })
}

/// As many slots for each backend as its weight says, in the lowest terms; 0 is none.
fn expand(backends: &[ServiceBackend]) -> Vec<Backend> {
    let total: u64 = backends.iter().map(|backend| u64::from(backend.weight)).sum();
    let divisor = backends.iter().fold(0, |divisor, backend| gcd(divisor, u64::from(backend.weight))).max(1);
    let share = |weight: u64| {
        if weight == 0 {
            0
        } else if total / divisor <= u64::from(MOST_SLOTS) {
            weight / divisor
        } else {
            (weight * u64::from(MOST_SLOTS) / total).max(1)
        }
    };
    backends
        .iter()
        .flat_map(|backend| {
            let slot = Backend { address: to_map(backend.address), port: backend.port.to_be(), padding: 0 };
            std::iter::repeat_n(slot, share(u64::from(backend.weight)) as usize)
        })
        .collect()
}

const fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
