//! The data path with real traffic: network namespaces, veth pairs and sockets of its own, and the real loader. Needs root.
//! Files are named for the programs whose work they try.

mod connect;
mod conntrack;

mod events;
mod from_pod;
mod getpeername;
mod icmp;
mod kernel;
mod lab;
mod loader;
mod namespace;
mod policy;
mod process;
mod proxy;
mod recent;
mod sendmsg;
mod socket;
mod to_pod;
mod traffic;
