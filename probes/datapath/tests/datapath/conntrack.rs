use std::{
    io::{Read, Write},
    net::{Shutdown, UdpSocket},
    thread::sleep,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    lab::{Lab, entry},
    socket::{ACK, raw, segment},
    traffic::{alive, connect, connected, echo_tcp, run_on},
};

/// The third pod sends datagrams until nothing of TCP is left in a small conntrack. From one CPU after the other, since each has
/// some entries to itself.
pub fn forget(lab: &mut Lab) {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    for round in 0..50 {
        for address in lab.pods[0].both() {
            lab.pods[2].namespace.enter(|| {
                run_on(round % cpus);
                let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(any).expect("a socket");
                (0..50).for_each(|port| drop(socket.send_to(b"x", (address, 10_000 + port))));
            });
        }
        if flows(lab).iter().all(|flow| flow["protocol"] != "tcp") {
            return;
        }
    }
    panic!("conntrack does not forget");
}

fn flows(lab: &mut Lab) -> Vec<Value> {
    lab.loader.ask(json!({ "op": "conntrack" }))["flows"].as_array().expect("flows").clone()
}

fn in_set(identity: u32, port: u16) -> Value {
    json!([
        { "name": "in", "entries": [entry("ingress", identity, port, "allow", 1)] },
        { "name": "none", "entries": [] },
    ])
}

/// A client that nobody may connect to, and a server that may connect to nobody.
fn one_way() -> Value {
    json!([{ "endpoint": 2, "ingress": "in", "egress": "none" }, { "endpoint": 1, "ingress": "none", "egress": null }])
}

/// The map holds fewer flows than there are: those that were forgotten are judged again when their client sends.
#[test]
fn a_flow_that_was_forgotten_goes_on() {
    let mut lab = Lab::with(2, &["--conntrack-entries", "16"]);
    let server = &lab.pods[1];
    for address in server.both() {
        echo_tcp(&server.namespace, address, 80);
    }
    lab.apply(in_set(256, 80), one_way());
    for address in lab.pods[1].both() {
        let mut flows: Vec<_> =
            (0..200).map(|_| connect(&lab.pods[0].namespace, address, 80).expect("connected")).collect();
        for flow in &mut flows {
            assert!(alive(flow), "a flow is cut");
        }
    }
}

#[test]
fn flows_are_shown_with_who_opened_them() {
    let mut lab = Lab::new(2);
    echo_tcp(&lab.pods[1].namespace, lab.pods[1].v4, 80);
    let mut flow = connect(&lab.pods[0].namespace, lab.pods[1].v4, 80).expect("connected");
    assert!(alive(&mut flow));
    let flows = lab.loader.ask(json!({ "op": "conntrack" }))["flows"].clone();
    assert_eq!(flows.as_array().map(Vec::len), Some(1), "{flows}");
    assert_eq!(flows[0]["source"], lab.pods[0].v4.to_string());
    assert_eq!(flows[0]["destinationPort"], 80);
    assert_eq!(flows[0]["closing"], false);
    assert!(flows[0]["idleSeconds"].as_f64() < Some(5.0), "{flows}");
}

/// Whichever of the two ports is lower.
#[test]
fn a_segment_of_no_known_connection_is_judged_as_its_senders() {
    let mut lab = Lab::new(2);
    lab.apply(in_set(999, 8080), json!([{ "endpoint": 2, "ingress": "in", "egress": null }]));
    for address in lab.pods[1].both() {
        raw(&lab.pods[0].namespace, libc::IPPROTO_TCP, address, &segment(1024, 8080, ACK));
    }
    assert_eq!(lab.dropped(2, "ingress", "default deny"), 2);
    assert_eq!(lab.counters(2, "ingress")["packets"], 0);
}

#[test]
fn a_revoked_flow_stays_cut_when_it_is_forgotten() {
    let mut lab = Lab::with(3, &["--conntrack-entries", "16"]);
    let on_server = || json!([{ "endpoint": 2, "ingress": "in", "egress": null }]);
    for version in 0..2 {
        lab.apply(in_set(256, 8080), on_server());
        let [mut client, mut server] = connected(&lab, version, 8080);
        client.write_all(b"x").expect("sent");
        server.read_exact(&mut [0]).expect("the flow is open");
        sleep(Duration::from_millis(200));
        lab.apply(in_set(999, 8080), on_server());
        forget(&mut lab);
        let before = lab.dropped(2, "ingress", "default deny");
        client.write_all(b"x").expect("sent");
        server.set_read_timeout(Some(Duration::from_millis(700))).expect("a timeout");
        server.read_exact(&mut [0]).expect_err("the flow goes on");
        // The first, and what is sent again.
        assert!(lab.dropped(2, "ingress", "default deny") > before + 1);
    }
}

/// Its entry still tells who opened it.
#[test]
fn a_server_may_answer_after_its_flow_has_expired() {
    let mut lab = Lab::with(2, &["--tcp-seconds", "1"]);
    lab.apply(in_set(256, 60_001), one_way());
    for version in 0..2 {
        let [mut client, mut server] = connected(&lab, version, 60_001);
        sleep(Duration::from_millis(1_500));
        server.write_all(b"x").expect("sent");
        client.read_exact(&mut [0]).expect("the server's byte");
        let flow = &flows(&mut lab)[version];
        assert_eq!([&flow["sourcePort"], &flow["destinationPort"]], [7001, 60_001], "{flow}");
    }
}

/// As with `ssh host command < /dev/null`: the client has said all, the server thinks.
#[test]
fn a_flow_that_is_half_closed_lives_on() {
    let mut lab = Lab::with(2, &["--closing-seconds", "1"]);
    lab.apply(in_set(256, 60_001), one_way());
    for version in 0..2 {
        let [mut client, mut server] = connected(&lab, version, 60_001);
        client.shutdown(Shutdown::Write).expect("a FIN");
        assert_eq!(server.read(&mut [0]).expect("the end"), 0);
        sleep(Duration::from_millis(1_500));
        server.write_all(b"x").expect("sent");
        client.read_exact(&mut [0]).expect("the server's byte");
    }
    // Expired, the flow would have been opened again, and counted.
    let rules = lab.loader.ask(json!({ "op": "counters" }))["rules"].clone();
    assert_eq!(rules, json!([{ "rule": 1, "allowed": 2, "denied": 0, "droppedPackets": 0 }]));
}
