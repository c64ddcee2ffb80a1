//! Programs `send`, `receive`, `data_ready`: as many requests as were made, and as long as they took.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    probe::{Probe, of, program},
    traffic::{Server, drive},
    world::{VERSIONS, World, inside},
};

/// Drives requests past a probe with these arguments; what it saw, and what the server says.
fn past(
    world: &World,
    version: u8,
    arguments: &[&str],
    connections: usize,
    requests: usize,
    wait: Duration,
) -> (Value, Vec<u64>) {
    let probe = Probe::attach(arguments, &world.targets());
    let server = Server::start(&world.far, world.far_address(version), connections, wait);
    drive(&world.near, world.far_address(version), connections, requests);
    let worked = server.end();
    (probe.stop(), worked)
}

fn check_counts(report: &Value, requests: u64) {
    let (client, server) =
        (&of(report, "near")["latency"]["client"], &of(report, "far")["latency"]["server"]);
    for side in [client, server] {
        assert_eq!(side["turn"]["count"], requests, "{side}");
        assert_eq!(side["discarded"], 0);
        assert_eq!(side["connectionsBefore"], 0);
        let buckets = side["turn"]["buckets"].as_array().expect("buckets");
        assert_eq!(buckets.iter().map(|bucket| bucket[2].as_u64().expect("a count")).sum::<u64>(), requests);
    }
    for nobody in [&of(report, "near")["latency"]["server"], &of(report, "far")["latency"]["client"]] {
        assert_eq!(nobody["turn"]["count"], 0);
        assert_eq!(nobody["turn"]["mean"], Value::Null);
    }
}

#[test]
fn as_many_requests_as_were_made() {
    let world = World::new();
    for version in VERSIONS {
        let (report, worked) = past(&world, version, &["latency"], 8, 500, Duration::ZERO);
        assert_eq!(worked.len(), 4_000);
        check_counts(&report, 4_000);
    }
}

#[test]
fn whatever_the_way_to_see_them() {
    let world = World::new();
    let ways: [(&[&str], &str, &str, &str); 4] = [
        (&["latency"], "send_btf", "receive_btf", "data_ready_btf"),
        (&["latency", "--without", "receive_btf"], "send_btf", "receive_piece_btf", "data_ready_btf"),
        (&["latency", "--state", "hash"], "send_btf", "receive_btf", "data_ready_btf"),
        (
            &[
                "latency",
                "--state",
                "hash",
                "--without",
                "send_btf",
                "--without",
                "receive_btf",
                "--without",
                "receive_piece_btf",
                "--without",
                "data_ready_btf",
                "--without",
                "set_state_btf",
                "--without",
                "destroy_btf",
            ],
            "send_raw",
            "receive_piece_raw",
            "data_ready_raw",
        ),
    ];
    for (arguments, send, receive, data_ready) in ways {
        let probe = Probe::attach(arguments, &world.targets());
        let found = ["send", "receive", "data ready"].map(|hook| program(&probe.ready, hook).to_owned());
        assert_eq!(found, [send, receive, data_ready].map(str::to_owned));
        drop(probe);
        let (report, _) = past(&world, 4, arguments, 4, 250, Duration::ZERO);
        check_counts(&report, 1_000);
    }
}

/// As from kernel 7 on, where a task may be put aside in the middle of a program: of two copies the second finds that all is
/// done, and no more is counted than by one.
#[test]
fn two_copies_count_once() {
    let world = World::new();
    for state in ["sockets", "hash"] {
        let arguments = ["latency", "connections", "--follow", "--twice", "--state", state];
        let mut probe = Probe::attach(&arguments, &world.targets());
        probe.send(&json!({ "op": "cost", "on": true }));
        let server = Server::start(&world.far, world.far_address(4), 4, Duration::ZERO);
        drive(&world.near, world.far_address(4), 4, 250);
        server.end();
        let report = probe.stop();
        check_counts(&report, 1_000);
        for (target, role) in [("near", "client"), ("far", "server")] {
            let seen = of(&report, target);
            assert_eq!(seen["latency"][role]["receiveQueue"]["count"], 1_000);
            // Of 250 on each connection 32 are followed, where state has places.
            let followed = if state == "sockets" { json!(4 * 32) } else { json!(null) };
            assert_eq!(seen["latency"][role]["wire"]["count"], followed);
            let connections = &seen["connections"][role];
            assert_eq!([&connections["opened"], &connections["closed"]], [4, 4], "{connections}");
        }
        assert_eq!(of(&report, "near")["connections"]["client"]["attempts"], 4);
        let programs = report["cost"]["programs"].as_array().expect("programs");
        let sends = programs.iter().find(|program| program["hook"] == "send").expect("it sends");
        assert!(sends["runs"].as_u64().expect("runs") >= 4_000, "both ran: {sends}");
    }
}

/// A server that works for a known time: what the probe says lies within a bucket (1/16) of what the server says, and the
/// way into the kernel and out of it.
#[test]
fn as_long_as_the_server_took() {
    const INTO_THE_KERNEL: f64 = 25_000.0;
    let world = World::new();
    for (wait, requests) in [(100, 400), (1_000, 200), (10_000, 50)] {
        let (report, mut worked) = past(&world, 4, &["latency"], 1, requests, Duration::from_micros(wait));
        worked.sort_unstable();
        let turn = &of(&report, "far")["latency"]["server"]["turn"];
        let (mean, median) =
            (turn["mean"].as_f64().expect("a mean"), turn["p50"].as_f64().expect("a median"));
        let own_mean = worked.iter().sum::<u64>() as f64 / worked.len() as f64;
        let own_median = worked[worked.len() / 2] as f64;
        println!(
            "wait {wait} µs: server's own mean {own_mean:.0} ns, probe's {mean:.0} ns; medians {own_median:.0}, {median:.0}"
        );
        // Between the kernel and the server's own clock another task may run: the mean has that, the median has not.
        assert!(mean >= own_mean, "mean {mean}, the server's {own_mean}");
        assert!(
            (median - own_median).abs() < own_median / 16.0 + INTO_THE_KERNEL,
            "median {median}, the server's {own_median}"
        );
        let wait = of(&report, "near")["latency"]["client"]["turn"]["mean"].as_f64().expect("a mean");
        assert!(wait > mean, "the client waits for longer than the server works: {wait}, {mean}");
    }
}

/// Until the program takes it, not until more of it comes: the kernel's own look at the clock is only taken for the program's
/// where it is that.
#[test]
fn data_waits_until_it_is_taken() {
    const UNTIL_MORE: Duration = Duration::from_millis(50);
    const AFTERWARDS: Duration = Duration::from_millis(70);
    let world = World::new();
    for state in ["sockets", "hash"] {
        let probe = Probe::attach(&["latency", "--state", state], &world.targets());
        let address = SocketAddr::new(world.far_address(4), 7_778);
        let listener = inside(&world.far, || TcpListener::bind(address).expect("the port is free"));
        let mut client = inside(&world.near, || TcpStream::connect(address).expect("it listens"));
        client.set_nodelay(true).expect("a socket");
        let (mut server, _) = listener.accept().expect("a client comes");
        client.write_all(b"a").expect("it is sent");
        thread::sleep(UNTIL_MORE);
        client.write_all(b"b").expect("it is sent");
        thread::sleep(AFTERWARDS);
        let mut both = [0; 2];
        server.read_exact(&mut both).expect("both are there");
        server.write_all(&both).expect("it is sent");
        client.read_exact(&mut both).expect("it is answered");
        let report = probe.stop();
        let queue = &of(&report, "far")["latency"]["server"]["receiveQueue"];
        assert_eq!(queue["count"], 1);
        let waited = Duration::from_secs_f64(queue["sum"].as_f64().expect("a sum") / 1e9);
        assert!(waited >= UNTIL_MORE + AFTERWARDS, "{waited:?}");
    }
}

/// What the server keeps is in no count, and said to be under way; once it is answered, it is a request like all others.
#[test]
fn a_request_that_has_no_answer_yet() {
    let world = World::new();
    let address = SocketAddr::new(world.far_address(4), 7_779);
    let seen = |report: &Value| {
        [("near", "client"), ("far", "server")].map(|(target, role)| {
            let [latency, connections] =
                ["latency", "connections"].map(|probe| &of(report, target)[probe][role]);
            assert_eq!(latency["underWay"], connections["underWay"]);
            assert_eq!(latency["turn"]["count"], connections["requests"]);
            [&latency["turn"]["count"], &latency["underWay"]].map(|count| count.as_u64().expect("a count"))
        })
    };
    for state in ["sockets", "hash"] {
        let mut probe = Probe::attach(&["latency", "connections", "--state", state], &world.targets());
        let answering = Server::start(&world.far, world.far_address(4), 2, Duration::ZERO);
        drive(&world.near, world.far_address(4), 2, 5);
        answering.end();
        assert_eq!(seen(&probe.ask("snapshot")), [[10, 0], [10, 0]]);
        let listener = inside(&world.far, || TcpListener::bind(address).expect("the port is free"));
        let ask = || {
            let mut client = inside(&world.near, || TcpStream::connect(address).expect("it listens"));
            let (mut server, _) = listener.accept().expect("a client comes");
            client.write_all(&[7]).expect("the server listens");
            server.read_exact(&mut [0]).expect("the client has sent");
            (client, server)
        };
        let (mut client, mut server) = ask();
        assert_eq!(seen(&probe.ask("snapshot")), [[10, 1], [10, 1]]);
        server.write_all(&[7]).expect("the client listens");
        client.read_exact(&mut [0]).expect("the server has answered");
        assert_eq!(seen(&probe.ask("snapshot")), [[11, 0], [11, 0]]);
        let _kept = ask();
        // This one's client does not wait for the answer.
        let (client, _server) = ask();
        drop(client);
        assert_eq!(seen(&probe.stop()), [[11, 1], [11, 2]]);
    }
}

/// The parts of the client's wait add up to it: queues and work, and the way between, which is not negative.
#[test]
fn the_parts_are_no_more_than_the_whole() {
    let world = World::new();
    let (report, _) = past(&world, 4, &["latency"], 1, 2_000, Duration::from_micros(20));
    let sum = |target: &str, role: &str, what: &str| {
        of(&report, target)["latency"][role][what]["sum"].as_f64().expect("a sum")
    };
    let count = |target: &str, role: &str| {
        of(&report, target)["latency"][role]["receiveQueue"]["count"].as_u64().expect("a count")
    };
    assert_eq!((count("near", "client"), count("far", "server")), (2_000, 2_000));
    let parts = sum("far", "server", "turn")
        + sum("far", "server", "receiveQueue")
        + sum("near", "client", "receiveQueue");
    let whole = sum("near", "client", "turn");
    println!("parts {:.0} ns of {:.0} ns a request", parts / 2e3, whole / 2e3);
    assert!(parts < whole, "{parts} of {whole}");
    // By the moments, what lies between is the two ways, each of which takes some time.
    let moment = |target: &str, role: &str, which: &str| {
        of(&report, target)["latency"][role]["moments"][which].as_f64().expect("a moment")
    };
    let there = moment("far", "server", "readyNs") - moment("near", "client", "sentNs");
    let back = moment("near", "client", "readyNs") - moment("far", "server", "sentNs");
    println!("there {there:.0} ns, back {back:.0} ns");
    assert!(there > 0.0 && back > 0.0, "there {there}, back {back}");
    assert!(
        (parts / 2e3 + there + back - whole / 2e3).abs() < 1.0,
        "{parts} and {there} + {back} of {whole}"
    );
}
