//! The probes: latency, drops and connections.

mod connect_failure;
mod counters;
mod drop;
mod histogram;
mod placeholders;
mod settings;
mod sock_state;
mod tally;
mod target;

pub use connect_failure::{ConnectFailure, NOT_SENT};
pub use counters::Counters;
pub use drop::{DropKey, DropService};
pub use histogram::{Histogram, SLOTS, STEP_BITS, slot, slot_low};
pub use placeholders::{AS_TCP, SETTING, placeholder};
pub use settings::{
    LATENCY_MEASURES, LOOKED_INTO, MEASURES, Measure, NO_TARGET, NOT_MEASURED, Offsets, STORE_HASH,
    STORE_SOCKET, Settings, TALLIED_MEASURES,
};
pub use sock_state::{
    CLIENT, FLAG_CARRIED, FLAG_CLOSED, FLAG_SEEDED, FLAG_TLS_CLIENT_CHANGED, FLAG_TLS_KEY_SENT, IN_TURN,
    PLACES, SERVER, SockState, TLS_DONE, TLS_HELLO, TLS_NEW, TLS_NONE, TLS_SERVER_HELLO, UNKNOWN_TARGET,
};
pub use tally::Tally;
pub use target::{ANY_USER, AddressKey, Listener, LocalPorts, Namespace};
