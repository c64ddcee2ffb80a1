//! Every rung of the ladder that this kernel has: as much counted by each as was done. What it prints, a line of JSON for
//! each rung, is the table of the kernels (probes/kernels).

use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    probe::{Probe, of},
    traffic::{PORT, Server, ask, connect, drive},
    world::{VERSIONS, World, inside, run},
};

/// The programs of each hook, as in `src/hooks.rs`.
pub const RUNGS: [(&str, &[&str]); 11] = [
    ("connection state", &["set_state_btf", "set_state_raw"]),
    ("send", &["send_btf", "send_raw", "send_fentry", "send_kprobe"]),
    ("receive", &["receive_btf", "receive_piece_btf", "receive_piece_raw", "receive_piece_kprobe"]),
    ("data ready", &["data_ready_btf", "data_ready_raw", "data_ready_fentry", "data_ready_kprobe"]),
    ("retransmit", &["retransmit_btf", "retransmit_raw"]),
    ("drop", &["drop_btf", "drop_raw"]),
    ("TLS in", &["tls_ingress"]),
    ("TLS out", &["tls_egress"]),
    ("socket end", &["destroy_btf", "destroy_raw"]),
    ("connections before", &["seed"]),
    ("turns under way", &["under_way"]),
];

/// Connections of each IP version, and requests on each.
const CONNECTIONS: usize = 2;
const REQUESTS: usize = 250;
/// Connections that are there before the probes, and requests on each afterwards.
const BEFORE: usize = 2;
const REQUESTS_BEFORE: usize = 50;
/// Connects of each IP version to a port that nobody listens at.
const REFUSED: usize = 30;
const HANDSHAKES: usize = 10;
const TLS_PORT: u16 = 7_443;
/// Connections with a request that the server has taken and not answered when it is counted.
const HELD: usize = 1;
const HELD_PORT: u16 = 7_444;
/// In the far end's network, but nobody's.
const NOBODY: &str = "10.77.0.9";

/// At each end: a handshake is two turns.
const TURNS: usize = VERSIONS.len() * CONNECTIONS * REQUESTS + BEFORE * REQUESTS_BEFORE + 2 * HANDSHAKES;
const OPENED: usize = VERSIONS.len() * CONNECTIONS + HANDSHAKES;

/// What the kernel itself counted meanwhile.
struct Counted {
    retransmits: u64,
}

/// First what the program takes by itself; then, with the hash map that all programs reach, at each hook the next one that
/// the kernel lets in, until there is none left.
#[test]
fn every_rung_counts_what_was_done() {
    let world = World::new();
    // So that a SYN goes out to nobody.
    run(&format!("ip -n {} neigh add {NOBODY} lladdr {} dev veth0 nud permanent", world.near, mac(&world)));
    let mut left: BTreeSet<&str> = RUNGS.iter().flat_map(|(_, programs)| programs.iter().copied()).collect();
    let mut wrong = Vec::new();
    let mut by_itself = true;
    loop {
        // The most that there is of it.
        let mut arguments = vec!["latency", "--follow"];
        for (probe, hooks) in [
            ("drops", &["drop"][..]),
            ("connections", &["connection state", "retransmit", "TLS in", "TLS out"]),
        ] {
            // Starting them takes most of the time where a kernel is emulated.
            let of_use = RUNGS.iter().any(|(hook, programs)| {
                hooks.contains(hook) && programs.iter().any(|program| left.contains(program))
            });
            if of_use {
                arguments.push(probe);
            }
        }
        if !by_itself {
            arguments.extend(["--state", "hash"]);
            let next = RUNGS
                .iter()
                .flat_map(|(_, programs)| programs.iter())
                .filter(|program| left.contains(**program));
            arguments.extend(next.flat_map(|program| ["--first", *program]));
        }
        let (report, counted) = watched(&world, &arguments);
        let mut news = 0;
        for hook in report["hooks"].as_array().expect("hooks") {
            for refusal in hook["refused"].as_array().expect("refusals") {
                left.remove(refusal["program"].as_str().expect("a name"));
            }
            let Some(program) = hook["program"].as_str() else { continue };
            // What it counts is of the connections probe.
            if hook["hook"] == "connection state" && !arguments.contains(&"connections") {
                continue;
            }
            let mut row = row(&report, hook, &counted);
            row["byItself"] = by_itself.into();
            if row["ok"] != true {
                wrong.push(row.clone());
            }
            // By what the program takes without being told, the others are not yet tried.
            let is_new = by_itself || left.remove(program);
            if is_new {
                println!("ladder {row}");
                news += 1;
            }
        }
        if news == 0 || (!by_itself && left.is_empty()) {
            break;
        }
        by_itself = false;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Before 6.15 a server's socket has its listener's address, which may be every, until it is established.
#[test]
fn by_address_though_the_server_listens_at_every_one() {
    const CONNECTIONS: usize = 3;
    const REQUESTS: usize = 10;
    let world = World::new();
    let everywhere: [IpAddr; 2] = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
    // The last takes IPv4, too.
    let cases: [(_, &[u8], &[&str], _); 3] = [
        (everywhere[0], &[4], &[], true),
        (everywhere[1], &VERSIONS, &[], false),
        (everywhere[1], &VERSIONS, &["--state", "hash"], true),
    ];
    for (listens_at, versions, arguments, with_rest) in cases {
        let service = |version| SocketAddr::new(world.far_address(version), PORT);
        let mut targets: Vec<String> =
            VERSIONS.iter().map(|version| format!("service=address:{}", service(*version))).collect();
        if with_rest {
            targets.push(format!("rest=netns:{}", world.far));
        }
        let probe = Probe::attach(&[&["connections"], arguments].concat(), &targets);
        let server = Server::start(&world.far, listens_at, CONNECTIONS * versions.len(), Duration::ZERO);
        for version in versions {
            drive(&world.near, world.far_address(*version), CONNECTIONS, REQUESTS);
        }
        server.end();
        let report = probe.end();
        let missed = report["lost"]["missed"].as_u64().expect("a count");
        let connections = (CONNECTIONS * versions.len()) as u64;
        for role in ["client", "server"] {
            let seen = &of(&report, "service")["connections"][role];
            for (field, done) in [
                ("/opened", connections),
                ("/connect/count", connections),
                ("/closed", connections),
                ("/requests", connections * REQUESTS as u64),
            ] {
                let counted = seen.pointer(field).and_then(Value::as_u64).expect("a count");
                assert!(
                    counted <= done && counted + missed * REQUESTS as u64 >= done,
                    "{listens_at}, {role}: {field} {counted} of {done}, {missed} missed"
                );
            }
        }
        if with_rest {
            assert_eq!(of(&report, "rest")["connections"]["server"]["opened"], 0);
        }
    }
}

/// Of the far end.
fn mac(world: &World) -> String {
    let text = run(&format!("ip -n {} -o link show veth0", world.far));
    let rest = text.split("link/ether ").nth(1).unwrap_or_else(|| panic!("{text}"));
    rest.split(' ').next().expect("a word").to_owned()
}

/// Does all that the probes count, past a probe with these arguments.
fn watched(world: &World, arguments: &[&str]) -> (Value, Counted) {
    let servers = VERSIONS.map(|version| {
        let before = if version == 4 { BEFORE } else { 0 };
        Server::start(&world.far, world.far_address(version), CONNECTIONS + before, Duration::ZERO)
    });
    let mut before: Vec<TcpStream> =
        (0..BEFORE).map(|_| connect(&world.near, world.far_address(4))).collect();
    for stream in &mut before {
        ask(stream, 1);
    }
    let retransmits_before = retransmits(world);

    let mut probe = Probe::attach(arguments, &world.targets());
    probe.send(&json!({ "op": "cost", "on": true }));
    thread::scope(|scope| {
        let lost = scope.spawn(|| inside(&world.near, lose_a_syn));
        turns(world, before);
        handshakes(world);
        for version in VERSIONS {
            refuse(world, world.far_address(version));
        }
        lost.join().expect("it ends");
    });
    for server in servers {
        server.end();
    }
    let retransmits = retransmits(world) - retransmits_before;
    let _held = hold(world);
    (probe.end(), Counted { retransmits })
}

/// Both ends of a connection with a request that has no answer yet.
fn hold(world: &World) -> [TcpStream; 2] {
    let address = SocketAddr::new(world.far_address(4), HELD_PORT);
    let listener = inside(&world.far, || TcpListener::bind(address).expect("the port is free"));
    let mut client = inside(&world.near, || TcpStream::connect(address).expect("the server listens"));
    let (mut server, _) = listener.accept().expect("a client comes");
    client.write_all(&[7]).expect("the server listens");
    server.read_exact(&mut [0]).expect("the client has sent");
    [client, server]
}

/// Requests on the connections that were there and on new ones, all at the same time.
fn turns(world: &World, before: Vec<TcpStream>) {
    let new = VERSIONS.iter().flat_map(|version| vec![*version; CONNECTIONS]);
    let new: Vec<(TcpStream, usize)> =
        new.map(|version| (connect(&world.near, world.far_address(version)), REQUESTS)).collect();
    let all = before.into_iter().map(|stream| (stream, REQUESTS_BEFORE)).chain(new);
    let threads: Vec<_> =
        all.map(|(mut stream, requests)| thread::spawn(move || ask(&mut stream, requests))).collect();
    for thread in threads {
        thread.join().expect("it is answered");
    }
}

/// TLS as it looks from outside, which is all that is looked at: hello, hello, the client's end of the handshake, data.
fn handshakes(world: &World) {
    const CLIENT_HELLO: [u8; 9] = [22, 3, 1, 0, 4, 1, 0, 0, 0];
    const SERVER_HELLO: [u8; 9] = [22, 3, 3, 0, 4, 2, 0, 0, 0];
    const CHANGE_AND_FINISHED: [u8; 12] = [20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 1, 0];
    const DATA: [u8; 6] = [23, 3, 3, 0, 1, 0];
    let address = SocketAddr::new(world.far_address(4), TLS_PORT);
    let listener = inside(&world.far, || TcpListener::bind(address).expect("the port is free"));
    let server = thread::spawn(move || {
        for _ in 0..HANDSHAKES {
            let (mut stream, _) = listener.accept().expect("a client comes");
            stream.read_exact(&mut [0; CLIENT_HELLO.len()]).expect("the client's hello");
            stream.write_all(&SERVER_HELLO).expect("the client listens");
            stream.read_exact(&mut [0; CHANGE_AND_FINISHED.len()]).expect("the client's end");
            stream.write_all(&DATA).expect("the client listens");
            let _ = stream.read(&mut [0]);
        }
    });
    inside(&world.near, || {
        for _ in 0..HANDSHAKES {
            let mut stream = TcpStream::connect(address).expect("the server listens");
            stream.write_all(&CLIENT_HELLO).expect("the server listens");
            stream.read_exact(&mut [0; SERVER_HELLO.len()]).expect("the server's hello");
            stream.write_all(&CHANGE_AND_FINISHED).expect("the server listens");
            stream.read_exact(&mut [0; DATA.len()]).expect("the server's data");
        }
    });
    server.join().expect("it ends");
}

fn refuse(world: &World, address: IpAddr) {
    inside(&world.near, || {
        for _ in 0..REFUSED {
            TcpStream::connect(SocketAddr::new(address, 9)).expect_err("nobody listens there");
        }
    });
}

/// Sent again after a second, then given up.
fn lose_a_syn() {
    let to = SocketAddr::new(NOBODY.parse().expect("an address"), 9);
    TcpStream::connect_timeout(&to, Duration::from_millis(1_500)).expect_err("nobody is there");
}

/// Segments that were sent again.
fn retransmits(world: &World) -> u64 {
    counter(world, "snmp", "Tcp:", "RetransSegs")
}

/// A counter of the near namespace.
fn counter(world: &World, file: &str, group: &str, name: &str) -> u64 {
    let path = format!("/proc/thread-self/net/{file}");
    let text = inside(&world.near, || fs::read_to_string(&path).expect("/proc is mounted"));
    let mut lines = text.lines().filter(|line| line.starts_with(group)).map(|line| line.split(' '));
    let (mut names, mut values) = (lines.next().expect("names"), lines.next().expect("values"));
    let place = names.position(|each| each == name).expect("it is counted");
    values.nth(place).expect("a value").parse().expect("a number")
}

/// What was counted by one hook's program, and what was to be.
fn row(report: &Value, hook: &Value, kernel: &Counted) -> Value {
    let name = hook["hook"].as_str().expect("a name");
    let (client, server) = (["near", "client"], ["far", "server"]);
    let number = |[target, role]: [&str; 2], what: &str, field: &str| {
        let value = &of(report, target)[what][role];
        value.pointer(field).unwrap_or(value).as_u64().unwrap_or(0)
    };
    let both = |what: &str, field: &str| number(client, what, field) + number(server, what, field);
    let missed = |hook: &str| missed(report, hook);
    let runs = || {
        let programs = report["cost"]["programs"].as_array().expect("programs");
        programs
            .iter()
            .find(|program| program["hook"] == name)
            .map_or(0, |program| program["runs"].as_u64().unwrap_or(0))
    };
    let ends = |count: usize| 2 * count as u64;
    // Either of the two leaves out a turn. Where a turn lacks both, less is left out than was missed.
    let turn = missed("send") + missed("receive");
    // A connection whose beginning was missed is not watched at all.
    let whole = |each: usize| missed("connection state") * each as u64;
    let (counted, done, left_out, unseen) = match name {
        "connection state" => (both("connections", "/opened"), ends(OPENED + HELD), missed(name), 0),
        "send" | "receive" => (both("latency", "/turn/count"), ends(TURNS), turn, whole(REQUESTS)),
        "data ready" => {
            (both("latency", "/receiveQueue/count"), ends(TURNS), turn + missed(name), whole(REQUESTS))
        }
        "retransmit" => {
            let again = ["/retransmits", "/synRetransmits"].map(|field| number(client, "connections", field));
            (again.iter().sum(), kernel.retransmits, missed(name), whole(1))
        }
        "drop" => (dropped(report), (VERSIONS.len() * REFUSED) as u64, missed(name), 0),
        "TLS in" | "TLS out" => (both("connections", "/tls/count"), ends(HANDSHAKES), missed(name), whole(1)),
        "connections before" => (both("latency", "/connectionsBefore"), ends(BEFORE), missed(name), 0),
        "turns under way" => (both("latency", "/underWay"), ends(HELD), turn, whole(1)),
        // It takes out what is left, and counts nothing: it ran for each socket, those of other programs too.
        "socket end" => {
            let sockets = ends(OPENED + BEFORE) + (VERSIONS.len() * REFUSED) as u64 + 1;
            (runs().min(sockets), sockets, missed(name), 0)
        }
        other => panic!("what does {other} count?"),
    };
    let nothing_else_lost =
        report["lost"].as_object().expect("lost").iter().all(|(what, count)| what == "missed" || count == 0);
    json!({
        "hook": name, "rung": hook["rung"], "on": hook["on"], "program": hook["program"], "state": report["state"],
        "counted": counted, "done": done, "missed": left_out, "beginningsMissed": missed("connection state"),
        "ok": done > 0 && counted <= done && counted + left_out + unseen >= done && nothing_else_lost,
    })
}

/// Runs that the kernel left out, by its own count.
fn missed(report: &Value, hook: &str) -> u64 {
    let programs = report["cost"]["programs"].as_array().expect("programs").iter();
    programs
        .filter(|program| program["hook"] == hook)
        .map(|program| program["missed"].as_u64().unwrap_or(0))
        .sum()
}

/// SYNs at the closed port, whatever this kernel calls the reason.
fn dropped(report: &Value) -> u64 {
    let rows = of(report, "far")["drops"]["services"].as_array().expect("rows");
    rows.iter()
        .filter(|row| row["port"] == 9 && row["address"] != NOBODY)
        .map(|row| row["count"].as_u64().expect("a count"))
        .sum()
}
