//! One data path per network namespace: abstract Unix sockets are the namespace's own, and end with their process.

use std::os::{
    linux::net::SocketAddrExt,
    unix::net::{SocketAddr, UnixListener},
};

use crate::problem::{Problem, Trying};

pub fn claim() -> Result<UnixListener, Problem> {
    let address = SocketAddr::from_abstract_name("meshmark-datapath").trying("naming the lock")?;
    UnixListener::bind_addr(&address).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AddrInUse {
            Problem::new(
                "another meshmark-datapath runs in this network namespace: end it first, or use a namespace of its own",
            )
        } else {
            Problem(format!("taking the namespace's lock: {error}"))
        }
    })
}
