use std::{collections::BTreeMap, os::fd::OwnedFd};

use aya::Ebpf;

use crate::{
    attach::Attachment, endpoints::EndpointState, events::Events, identities::Identities, maps::Maps,
    policy_sets::PolicySets, services::Services,
};

/// All of it: what is in the kernel, and what we know of it.
pub struct DataPath {
    pub ebpf: Ebpf,
    pub maps: Maps,
    pub events: Events,
    pub attachment: Attachment,
    /// Jiffies per second.
    pub hertz: u32,
    /// By id.
    pub endpoints: BTreeMap<u32, EndpointState>,
    pub identities: Identities,
    pub sets: PolicySets,
    pub services: Services,
    /// Run-time statistics are counted as long as it is open.
    pub statistics: Option<OwnedFd>,
}

impl DataPath {
    pub fn new(ebpf: Ebpf, maps: Maps, events: Events, attachment: Attachment, hertz: u32) -> Self {
        Self {
            ebpf,
            maps,
            events,
            attachment,
            hertz,
            endpoints: BTreeMap::new(),
            identities: Identities::default(),
            sets: PolicySets::default(),
            services: Services::default(),
            statistics: None,
        }
    }
}
