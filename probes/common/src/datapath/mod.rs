//! The lab's data path: identities, policy, conntrack, services, counters and flow events.

mod config;
mod counters;
mod endpoint;
mod event;
mod flow;
mod policy;
mod reason;
mod service;

pub use config::{Config, MARK_FROM_PROXY, MARK_MASK, MARK_TO_PROXY};
pub use counters::{
    DIRECTIONS, EGRESS, EndpointDrops, FORWARDED_SLOTS, Forwarded, ForwardedChunk, INGRESS, NO_RULE, NO_SLOT,
    RuleCounters,
};
pub use endpoint::{Address, Destination, Endpoint, HOST, WORLD, map_ipv4};
pub use event::{EventBudget, FlowEvent, KIND_DROP, KIND_FLAGS, KIND_INTERVAL, KIND_NEW};
pub use flow::{
    Ends, FLOW_CLOSING, FLOW_PROXY, FLOW_UPSTREAM, Flow, FlowKey4, FlowKey6, LEG_NORMAL, LEG_UPSTREAM,
    RECENT_FLOWS, elapsed,
};
pub use policy::{
    ANY_IDENTITY, ANY_PROTOCOL, PolicyKey, PolicyValue, VERDICT_ALLOW, VERDICT_DENY, VERDICT_NONE,
    VERDICT_PROXY,
};
pub use reason::{DropReason, REASONS};
pub use service::{Backend, BackendKey, OriginKey, Service, ServiceKey};
