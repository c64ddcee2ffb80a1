//! Every program on one load, since under emulation the verifier takes seconds for each: as much seen as was sent. What
//! it prints, a line of JSON for each program, is the table of the kernels (probes/kernels).

use std::{
    net::{IpAddr, UdpSocket},
    sync::Arc,
};

use serde_json::{Value, json};

use crate::{
    connect::service,
    lab::{Lab, entry},
    namespace::Namespace,
    proxy::{Seen, local_routes, proxy, stop},
    traffic::{PATIENCE, alive, connect, echo_tcp, echo_udp, udp},
};

/// Of each IP version.
const DATAGRAMS: usize = 200;
const CALLS: usize = 20;
const OPEN: u16 = 9_000;
const SHUT: u16 = 9_001;

struct Rows {
    attach: Value,
    wrong: Vec<String>,
}

impl Rows {
    fn add(&mut self, program: &str, what: &str, counted: usize, done: usize) {
        let programs = self.attach.as_array().expect("programs");
        let attach =
            programs.iter().find(|row| row["name"] == program).map_or(&Value::Null, |row| &row["attach"]);
        let ok = counted == done;
        let row = json!({ "program": program, "rung": attach, "what": what, "counted": counted, "done": done, "ok": ok });
        println!("datapath {row}");
        if !ok {
            self.wrong.push(row.to_string());
        }
    }
}

#[test]
fn every_program_does_its_work() {
    let mut lab = Lab::new(2);
    let attach = lab.loader.ask(json!({ "op": "programs" }))["programs"].clone();
    let mut rows = Rows { attach, wrong: Vec::new() };
    packets(&mut lab, &mut rows);
    services(&mut lab, &mut rows);
    through_the_proxy(&mut lab, &mut rows);
    after_its_death(&mut lab, &mut rows);
    assert!(rows.wrong.is_empty(), "{:#?}", rows.wrong);
}

/// Datagrams that nobody answers, each of them one packet.
fn packets(lab: &mut Lab, rows: &mut Rows) {
    let open = json!({
        "direction": "ingress", "identity": 256, "protocol": 17, "port": OPEN, "portBits": 16, "verdict": "allow", "rule": 5,
    });
    lab.apply(
        json!([{ "name": "in", "entries": [open] }]),
        json!([{ "endpoint": 2, "ingress": "in", "egress": null }]),
    );
    let addresses = lab.pods[1].both();
    let packets = |lab: &mut Lab, endpoint: usize, direction: &str| {
        lab.counters(endpoint, direction)["packets"].as_u64().expect("a number") as usize
    };
    let (sent, received) = (packets(lab, 1, "egress"), packets(lab, 2, "ingress"));
    let arrived: usize = addresses
        .iter()
        .map(|address| {
            let server =
                lab.pods[1].namespace.enter(|| UdpSocket::bind((*address, OPEN)).expect("a free port"));
            send(&lab.pods[0].namespace, *address, OPEN, || drain(&server))
        })
        .sum();
    let all = addresses.len() * DATAGRAMS;
    rows.add("from_pod", "datagrams counted as sent by the one pod", packets(lab, 1, "egress") - sent, all);
    rows.add("from_pod", "as received by the other", packets(lab, 2, "ingress") - received, all);
    rows.add("from_pod", "and there", arrived, all);
    for address in addresses {
        send(&lab.pods[0].namespace, address, SHUT, || 0);
    }
    rows.add(
        "from_pod",
        "datagrams that no rule allows",
        lab.dropped(2, "ingress", "default deny") as usize,
        all,
    );

    let received = packets(lab, 2, "ingress");
    let arrived: usize = addresses
        .iter()
        .map(|address| {
            let server =
                lab.pods[1].namespace.enter(|| UdpSocket::bind((*address, SHUT)).expect("a free port"));
            send(&lab.node, *address, SHUT, || drain(&server))
        })
        .sum();
    rows.add("to_pod", "the node's datagrams", packets(lab, 2, "ingress") - received, all);
    rows.add("to_pod", "and there", arrived, all);
}

/// So many datagrams, a few at a time so that no queue is full; the sum of what `each` gives in between.
fn send(from: &Namespace, to: IpAddr, port: u16, mut each: impl FnMut() -> usize + Send) -> usize {
    const AT_ONCE: usize = 20;
    from.enter(|| {
        let any: IpAddr = if to.is_ipv4() { [0, 0, 0, 0].into() } else { [0_u16; 8].into() };
        let socket = UdpSocket::bind((any, 0)).expect("a socket");
        (0..DATAGRAMS / AT_ONCE)
            .map(|_| {
                for _ in 0..AT_ONCE {
                    socket.send_to(b"x", (to, port)).expect("sent");
                }
                each()
            })
            .sum()
    })
}

/// What has come.
fn drain(server: &UdpSocket) -> usize {
    server.set_read_timeout(Some(PATIENCE / 10)).expect("a timeout");
    std::iter::from_fn(|| server.recv(&mut [0; 8]).ok()).take(DATAGRAMS / 10).count()
}

/// Service addresses, in both IP versions.
fn services(lab: &mut Lab, rows: &mut Rows) {
    lab.apply(json!([]), json!([]));
    for (version, text) in [(4, "10.98.0.10"), (6, "fd00:10:98::10")] {
        let address: IpAddr = text.parse().expect("an address");
        let backend = lab.pods[1].both()[usize::from(version == 6)];
        echo_tcp(&lab.pods[1].namespace, backend, 8080);
        echo_udp(&lab.pods[1].namespace, backend, 5353);
        for (port, protocol, to) in [(80, 6, 8080), (53, 17, 5353)] {
            let backends = json!([{ "address": backend, "port": to, "weight": 1 }]);
            lab.loader.ask(service(text, port, protocol, &backends));
        }
        let client = &lab.pods[0].namespace;
        let mut streams: Vec<_> = (0..CALLS).filter_map(|_| connect(client, address, 80).ok()).collect();
        let answered = streams.iter_mut().filter_map(|stream| alive(stream).then_some(())).count();
        rows.add(&format!("connect{version}"), "connections to a service that are answered", answered, CALLS);
        let told =
            streams.iter().filter(|stream| stream.peer_addr().ok() == Some((address, 80).into())).count();
        rows.add(&format!("getpeername{version}"), "sockets told the service's address", told, CALLS);
        let from: Vec<_> = (0..CALLS).filter_map(|_| udp(client, address, 53)).collect();
        rows.add(&format!("sendmsg{version}"), "datagrams to a service that are answered", from.len(), CALLS);
        let named = from.iter().filter(|from| **from == (address, 53).into()).count();
        rows.add(&format!("recvmsg{version}"), "answers that come from the service's address", named, CALLS);
    }
}

/// Layer 7: flows are given to a socket of the node.
fn through_the_proxy(lab: &mut Lab, rows: &mut Rows) {
    local_routes(&lab.node);
    let seen = Seen::default();
    let proxies = ["127.0.0.1", "::1"]
        .map(|text| proxy(&lab.node, text.parse().expect("an address"), &Arc::clone(&seen)));
    lab.apply(
        json!([{ "name": "in", "entries": [entry("ingress", 256, 8080, "proxy", 5)] }]),
        json!([{ "endpoint": 2, "ingress": "in", "egress": null }]),
    );
    let addresses = lab.pods[1].both();
    let flows = addresses.iter().flat_map(|address| [*address; CALLS]);
    let answered =
        flows.filter(|address| crate::traffic::tcp(&lab.pods[0].namespace, *address, 8080)).count();
    rows.add("from_pod", "flows with L7 rules that are answered", answered, addresses.len() * CALLS);
    let through = seen.lock().expect("a lock").len();
    rows.add("from_pod", "of them through the proxy", through, addresses.len() * CALLS);
    proxies.iter().for_each(stop);
}

/// Closed: by tcx nothing passes any more, filters of clsact go on enforcing.
fn after_its_death(lab: &mut Lab, rows: &mut Rows) {
    lab.apply(
        json!([{ "name": "in", "entries": [entry("ingress", 256, 8080, "allow", 5)] }]),
        json!([{ "endpoint": 2, "ingress": "in", "egress": null }]),
    );
    let address = lab.pods[1].v4;
    echo_tcp(&lab.pods[1].namespace, address, 8081);
    lab.loader.child.kill().expect("it is killed");
    lab.loader.child.wait().expect("it ends");
    let passes = [8080, 8081].map(|port| crate::traffic::tcp(&lab.pods[0].namespace, address, port));
    let stays = lab.loader.ready["attach"] == "clsact";
    rows.add(
        "from_pod",
        "of two ports, one allowed, passed after its loader was killed",
        passes.iter().filter(|pass| **pass).count(),
        usize::from(stays),
    );
}
