//! Program `set_state`: as many connections as were opened, refused and closed.

use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::{AsRawFd, FromRawFd},
    time::Duration,
};

use serde_json::json;

use crate::{
    probe::{Probe, of},
    traffic::{PORT, Server, drive},
    world::{VERSIONS, World, inside},
};

#[test]
fn as_many_connections_as_were_opened() {
    let world = World::new();
    for version in VERSIONS {
        let probe = Probe::attach(&["connections"], &world.targets());
        let server = Server::start(&world.far, world.far_address(version), 40, Duration::ZERO);
        for _ in 0..4 {
            drive(&world.near, world.far_address(version), 10, 5);
        }
        server.end();
        let report = probe.stop();
        let (client, server) =
            (&of(&report, "near")["connections"]["client"], &of(&report, "far")["connections"]["server"]);
        for side in [client, server] {
            assert_eq!(side["opened"], 40, "{side}");
            assert_eq!(side["closed"], 40);
            assert_eq!(side["failed"], 0);
            assert_eq!(side["requests"], 200);
            assert_eq!(side["firstRequests"], 40);
            assert_eq!(side["reuseRate"], 0.8);
            assert_eq!(side["connect"]["count"], 40);
            assert_eq!(side["lifetime"]["count"], 40);
            assert_eq!(side["requestsPerConnection"]["buckets"], json!([[5, 6, 40]]));
        }
        assert_eq!(client["attempts"], 40);
        assert_eq!(server["attempts"], 0);
    }
}

#[test]
fn as_many_connects_as_were_refused() {
    let world = World::new();
    for version in VERSIONS {
        let address = world.far_address(version);
        let probe = Probe::attach(&["connections"], &world.targets());
        inside(&world.near, || {
            for _ in 0..25 {
                TcpStream::connect(SocketAddr::new(address, 9)).expect_err("nobody listens there");
            }
        });
        let report = probe.stop();
        let client = &of(&report, "near")["connections"]["client"];
        assert_eq!(
            (client["attempts"].clone(), client["opened"].clone(), client["failed"].clone()),
            (json!(25), json!(0), json!(25))
        );
        assert_eq!(
            client["failures"],
            json!([{ "cause": "refused", "address": address.to_string(), "port": 9, "count": 25 }])
        );
    }
}

/// What a user has in a namespace, apart from the rest of it: so a sidecar is told from its app.
#[test]
fn by_user() {
    let world = World::new();
    let targets = [format!("rest=netns:{}", world.near), format!("proxy=netns:{}@1337", world.near)];
    let probe = Probe::attach(&["connections"], &targets);
    let address = world.far_address(4);
    let server = Server::start(&world.far, address, 15, Duration::ZERO);
    drive(&world.near, address, 10, 3);
    inside(&world.near, || {
        // SAFETY: of this thread only, and it ends.
        unsafe { libc::setfsuid(1_337) };
        for _ in 0..5 {
            TcpStream::connect(SocketAddr::new(address, PORT)).expect("the server listens");
        }
    });
    server.end();
    let report = probe.stop();
    let opened = |target: &str| of(&report, target)["connections"]["client"]["opened"].clone();
    assert_eq!((opened("rest"), opened("proxy")), (json!(10), json!(5)));
}

/// By address instead of namespace: the same connections, seen from each end.
#[test]
fn by_address() {
    let world = World::new();
    for version in VERSIONS {
        let address = SocketAddr::new(world.far_address(version), PORT);
        let probe = Probe::attach(&["connections"], &[format!("service=address:{address}")]);
        let server = Server::start(&world.far, address.ip(), 10, Duration::ZERO);
        drive(&world.near, address.ip(), 10, 3);
        server.end();
        let report = probe.stop();
        let both = &of(&report, "service")["connections"];
        assert_eq!(
            (both["client"]["opened"].clone(), both["server"]["opened"].clone()),
            (json!(10), json!(10))
        );
        assert_eq!(
            (both["client"]["requests"].clone(), both["server"]["requests"].clone()),
            (json!(30), json!(30))
        );
    }
}

/// The same socket: what was known of it is of where it was going before.
#[test]
fn a_socket_that_goes_elsewhere_is_nobodys() {
    let world = World::new();
    let [watched, other] = [PORT, PORT + 1].map(|port| SocketAddr::new(world.far_address(4), port));
    let probe = Probe::attach(&["connections"], &[format!("service=address:{watched}")]);
    let listener = inside(&world.far, || TcpListener::bind(other).expect("the port is free"));
    inside(&world.near, || {
        // SAFETY: takes numbers; owned at once.
        let socket = unsafe { TcpStream::from_raw_fd(libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0)) };
        assert_eq!(connect(&socket, watched), Some(libc::ECONNREFUSED));
        assert_eq!(connect(&socket, other), None);
    });
    drop(listener);
    let report = probe.stop();
    let client = &of(&report, "service")["connections"]["client"];
    assert_eq!([&client["attempts"], &client["failed"], &client["opened"]], [1, 1, 0], "{client}");
}

/// The error, where there is one.
fn connect(socket: &TcpStream, to: SocketAddr) -> Option<i32> {
    let SocketAddr::V4(to) = to else { panic!("{to} is not IPv4") };
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: to.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(to.ip().octets()) },
        sin_zero: [0; 8],
    };
    // SAFETY: an open socket, an address of that length.
    let result = unsafe {
        libc::connect(socket.as_raw_fd(), (&raw const address).cast(), size_of_val(&address) as u32)
    };
    (result != 0).then(|| io::Error::last_os_error().raw_os_error().expect("an error of the kernel's"))
}
