//! The probes against real traffic, in network namespaces of the test's own. They need root, `ip`, `nft`, `ss` and `openssl`.

mod breakdown;
mod cgroup;
mod command_line;
mod connect_time;
mod drop;
mod failures;
mod faults;
mod ladder;
mod lost;
mod namespace;
mod output;
mod places;
mod retransmit;
mod round_trip;
mod seed;
mod set_state;
mod signals;
mod tls;
mod turns;

mod capture;
mod data_path;
mod folder;
mod packet_socket;
mod probe;
mod relay;
mod slow_cable;
mod traffic;
mod world;
