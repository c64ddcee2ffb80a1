//! Program `retransmit`: as many segments sent again as the kernel itself counts.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use serde_json::json;

use crate::{
    probe::{Probe, of},
    traffic::{PORT, Server, drive},
    world::{VERSIONS, World, inside, run},
};

#[test]
fn a_syn_without_an_answer() {
    let world = World::new();
    world.in_far("nft add table inet t");
    world.in_far("nft add chain inet t in { type filter hook input priority 0 ; }");
    world.in_far("nft add rule inet t in tcp dport 9 drop");
    let to = SocketAddr::new(world.far_address(4), 9);
    let probe = Probe::attach(&["connections", "drops"], &world.targets());
    inside(&world.near, || {
        TcpStream::connect_timeout(&to, Duration::from_millis(3_500)).expect_err("nothing answers");
    });
    let again = sent_again(&world.near).sent();
    let report = probe.stop();
    assert!(again > 0);
    let client = &of(&report, "near")["connections"]["client"];
    assert_eq!(client["synRetransmits"], again);
    assert_eq!(client["retransmits"], 0);
    assert_eq!(client["failures"][0]["cause"], "given up");
    // Next to it: what became of them.
    assert_eq!(of(&report, "far")["drops"]["byClass"]["policy"], json!(again + 1));
}

/// Of each connection the first segment with data is lost once, and no other.
#[test]
fn a_request_that_was_lost() {
    let world = World::new();
    world.in_far("nft add table inet t");
    world.in_far("nft add set inet t seen { type inet_service ; flags dynamic ; size 1000 ; }");
    world.in_far("nft add chain inet t in { type filter hook input priority 0 ; }");
    // A SYN is no longer than 80 bytes with IPv6, a request of 64 bytes no shorter than 116.
    let lose = "meta length > 100 tcp sport != @seen add @seen { tcp sport } counter drop";
    world.in_far(&format!("nft add rule inet t in tcp dport {PORT} {lose}"));
    for (round, version) in (1..).zip(VERSIONS) {
        // Ports of the round before may come again.
        world.in_far("nft flush set inet t seen");
        let before = sent_again(&world.near).sent();
        let probe = Probe::attach(&["latency", "connections", "drops"], &world.targets());
        let server = Server::start(&world.far, world.far_address(version), 25, Duration::ZERO);
        drive(&world.near, world.far_address(version), 25, 4);
        server.end();
        let report = probe.stop();
        let rules = world.in_far("nft list chain inet t in");
        assert!(rules.contains(&format!("counter packets {} ", 25 * round)), "{rules}");
        let client = &of(&report, "near")["connections"]["client"];
        assert_eq!(client["retransmits"], 25);
        assert_eq!(sent_again(&world.near).sent() - before, 25);
        assert_eq!(client["synRetransmits"], 0);
        assert_eq!(of(&report, "far")["connections"]["server"]["retransmits"], 0);
        assert_eq!(of(&report, "far")["drops"]["byClass"]["policy"], 25);
        assert_eq!(client["requests"], 100);
        // Its wait began when it was sent the first time.
        let turns = &of(&report, "near")["latency"]["client"]["turn"];
        let long = turns["buckets"]
            .as_array()
            .expect("buckets")
            .iter()
            .filter(|bucket| bucket[0].as_u64() > Some(180_000_000));
        assert_eq!(long.map(|bucket| bucket[2].as_u64().expect("a count")).sum::<u64>(), 25, "{turns}");
        assert_eq!(turns["count"], 100);
    }
}

/// What a client waits for may never come: a server that gives up can't say so where its packets are dropped.
const PATIENCE: Duration = Duration::from_secs(30);

/// By a BTF tracepoint, and by a raw one.
const WAYS: [[&str; 2]; 2] = [["--state", "sockets"], ["--without", "retransmit_btf"]];

/// Half a megabyte into each answer a tenth of one is lost: it is sent again in pieces of many segments. So little that it is all
/// under way at once: what is sent again must not be lost, too, segment by segment until the server gives up.
#[test]
fn a_burst_that_was_lost() {
    let world = World::new();
    world.in_near("nft add table inet t");
    world.in_near("nft add chain inet t in { type filter hook input priority 0 ; }");
    for (version, way) in VERSIONS.into_iter().zip(WAYS) {
        world.in_near("nft flush chain inet t in");
        world.in_near(&format!("nft add rule inet t in tcp sport {PORT} quota until 500 kbytes accept"));
        world.in_near(&format!("nft add rule inet t in tcp sport {PORT} quota until 100 kbytes drop"));
        let (counted, again, runs) = answers(&world, version, 1, way);
        println!("IPv{version}: {counted} segments sent again in {runs} runs; the kernel's count: {again:?}");
        assert_eq!(counted, again.sent());
        assert!(counted > runs, "{counted} segments in {runs} runs");
    }
}

/// Through a queue that is too short and too slow: most of what is to be sent again does not even get into it. Now and then (on
/// 6.18 one of some thousand) the kernel counts an attempt that it has to repeat and neither counts as failed nor tells anybody of.
#[test]
fn what_could_not_be_sent_again() {
    let world = World::new();
    world.in_far("tc qdisc add dev veth0 root tbf rate 50mbit burst 16kb limit 32kb");
    for (version, way) in VERSIONS.into_iter().zip(WAYS) {
        let (counted, again, runs) = answers(&world, version, 8, way);
        println!("IPv{version}: {counted} segments sent again in {runs} runs; the kernel's count: {again:?}");
        assert!(again.failed > again.sent() / 10, "{again:?}");
        assert!(
            counted <= again.sent() && counted + again.sent() / 100 >= again.sent(),
            "{counted}: {again:?}"
        );
    }
}

/// So many answers of two megabytes at once: segments that their server has sent again, what the kernel says of it, and how
/// often the program ran.
fn answers(world: &World, version: u8, connections: usize, way: [&str; 2]) -> (u64, Again, u64) {
    const SIZE: usize = 2 << 20;
    let to = SocketAddr::new(world.far_address(version), PORT);
    let before = sent_again(&world.far);
    let mut probe = Probe::attach(&["connections", way[0], way[1]], &world.targets());
    probe.send(&json!({ "op": "cost", "on": true }));
    let listener = inside(&world.far, || TcpListener::bind(to).expect("the port is free"));
    let server = thread::spawn(move || {
        let answer = |mut stream: TcpStream| {
            stream.read_exact(&mut [0]).expect("the client asks");
            stream.write_all(&vec![7; SIZE]).expect("the client listens");
            // Until the client has closed: it has all of it.
            let _ = stream.read(&mut [0]);
        };
        let accepted = || listener.accept().expect("a client comes").0;
        let threads: Vec<_> = (0..connections)
            .map(|_| accepted())
            .map(|stream| thread::spawn(move || answer(stream)))
            .collect();
        for thread in threads {
            thread.join().expect("it answers");
        }
    });
    let connect = || inside(&world.near, || TcpStream::connect(to).expect("the server listens"));
    // All before the first asks: a SYN-ACK that is sent again is in the kernel's count, and not in the program's.
    let streams: Vec<TcpStream> = (0..connections).map(|_| connect()).collect();
    let clients: Vec<_> = streams
        .into_iter()
        .map(|mut stream| {
            thread::spawn(move || {
                stream.set_read_timeout(Some(PATIENCE)).expect("an option");
                stream.write_all(&[7]).expect("the server listens");
                stream.read_exact(&mut vec![0; SIZE]).expect("the server answers");
            })
        })
        .collect();
    for client in clients {
        client.join().expect("it is answered");
    }
    server.join().expect("it ends");
    let again = sent_again(&world.far).since(before);
    let report = probe.stop();
    let programs = report["cost"]["programs"].as_array().expect("programs");
    let program = programs.iter().find(|each| each["hook"] == "retransmit").expect("it is attached");
    let counted = of(&report, "far")["connections"]["server"]["retransmits"].as_u64().expect("a count");
    (counted, again, program["runs"].as_u64().expect("a count"))
}

/// Segments that the kernel has tried to send again, and those of them that it could not.
#[derive(Clone, Copy, Debug)]
struct Again {
    tried: u64,
    failed: u64,
}

impl Again {
    const fn sent(self) -> u64 {
        self.tried - self.failed
    }

    const fn since(self, before: Self) -> Self {
        Self { tried: self.tried - before.tried, failed: self.failed - before.failed }
    }
}

/// What the kernel counts by itself, for both IP versions.
fn sent_again(namespace: &str) -> Again {
    let counted = run(&format!("ip netns exec {namespace} nstat -asz TcpRetransSegs TcpExtTCPRetransFail"));
    let number = |name: &str| {
        let line = counted.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_ascii_whitespace().nth(1)?.parse().ok()).expect("nstat knows")
    };
    Again { tried: number("TcpRetransSegs"), failed: number("TcpExtTCPRetransFail") }
}
