//! Connects that fail: each with its cause, as often as it happened.

use std::{
    net::{SocketAddr, TcpStream},
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::json;

use crate::{
    probe::{Probe, of},
    traffic::{PORT, Server, connect as opened},
    world::{VERSIONS, World, enter, inside},
};

/// So many at the same time: some of them take seconds.
fn connect(namespace: &str, to: SocketAddr, times: usize) -> Vec<JoinHandle<i32>> {
    (0..times)
        .map(|_| {
            let namespace = namespace.to_owned();
            thread::spawn(move || {
                enter(&namespace);
                let error = TcpStream::connect(to).expect_err("nobody can be reached there");
                error.raw_os_error().expect("the kernel's")
            })
        })
        .collect()
}

#[test]
fn each_with_its_cause() {
    let world = World::new();
    // Two SYNs, a second apart; then it is given up.
    inside(&world.near, || {
        std::fs::write("/proc/sys/net/ipv4/tcp_syn_retries", "1").expect("it can be set");
    });
    // As many answers as are asked for.
    inside(&world.far, || {
        for limit in ["ipv4/icmp_ratelimit", "ipv6/icmp/ratelimit"] {
            std::fs::write(format!("/proc/sys/net/{limit}"), "0").expect("it can be set");
        }
    });
    world.in_far("nft add table inet t");
    world.in_far("nft add chain inet t in { type filter hook input priority 0 ; }");
    world.in_far("nft add rule inet t in tcp dport 10 drop");
    world.in_far("nft add rule inet t in tcp dport 11 reject with icmpx type host-unreachable");
    world.in_far("nft add rule inet t in tcp dport 12 reject with icmpx type no-route");
    let causes = [
        (12, 9, libc::ENETUNREACH, "network unreachable"),
        (11, 8, libc::EHOSTUNREACH, "host unreachable"),
        (10, 7, libc::ETIMEDOUT, "timed out"),
        (9, 6, libc::ECONNREFUSED, "refused"),
    ];
    for version in VERSIONS {
        let address = world.far_address(version);
        let probe = Probe::attach(&["connections", "drops"], &world.targets());
        let connects =
            causes.map(|(port, times, ..)| connect(&world.near, SocketAddr::new(address, port), times));
        for (threads, (port, _, expected, _)) in connects.into_iter().zip(causes) {
            for thread in threads {
                assert_eq!(thread.join().expect("it ends"), expected, "IPv{version}, port {port}");
            }
        }
        let report = probe.stop();
        let rows = json!(causes.map(|(port, count, _, cause)| {
            json!({ "cause": cause, "address": address.to_string(), "port": port, "count": count })
        }));
        let near = of(&report, "near");
        assert_eq!(near["connections"]["client"]["failures"], rows);
        assert_eq!(near["drops"]["failedConnects"], rows);
        let client = &near["connections"]["client"];
        assert_eq!([&client["attempts"], &client["failed"], &client["opened"]], [30, 30, 0]);
    }
}

/// Two local ports, and more connects than that to the same place: the kernel looks for one when the socket is in `SYN_SENT`
/// already.
#[test]
fn without_a_local_port() {
    const TOO_MANY: usize = 3;
    let world = World::new();
    for (version, ports) in VERSIONS.into_iter().zip(["40000 40001", "40010 40011"]) {
        inside(&world.near, || {
            std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", ports).expect("it can be set");
        });
        let address = world.far_address(version);
        let probe = Probe::attach(&["connections", "drops"], &world.targets());
        let server = Server::start(&world.far, address, 2, Duration::ZERO);
        let held = [opened(&world.near, address), opened(&world.near, address)];
        for connect in connect(&world.near, SocketAddr::new(address, PORT), TOO_MANY) {
            assert_eq!(connect.join().expect("it ends"), libc::EADDRNOTAVAIL);
        }
        drop(held);
        server.end();
        let report = probe.stop();
        let rows = json!([{
            "cause": "no SYN was sent", "address": address.to_string(), "port": PORT, "count": TOO_MANY
        }]);
        let near = of(&report, "near");
        assert_eq!(near["connections"]["client"]["failures"], rows);
        assert_eq!(near["drops"]["failedConnects"], rows);
        let client = &near["connections"]["client"];
        assert_eq!([&client["attempts"], &client["failed"], &client["opened"]], [2 + TOO_MANY, TOO_MANY, 2]);
    }
}
