use std::{net::UdpSocket, thread, time::Duration};

use serde_json::json;

use crate::{
    lab::{Lab, entry},
    loader::Client,
    traffic::{echo_tcp, tcp},
};

#[test]
fn who_listens_is_told_of_new_flows_and_drops() {
    let mut lab = Lab::new(2);
    echo_tcp(&lab.pods[1].namespace, lab.pods[1].v4, 80);
    lab.apply(
        json!([{ "name": "in", "entries": [entry("ingress", 256, 80, "allow", 7), entry("ingress", 256, 81, "deny", 8)] }]),
        json!([{ "endpoint": 2, "ingress": "in", "egress": null }]),
    );
    let mut listener = Client::new(&lab.loader.socket);
    listener.ask(json!({ "op": "flows" })).expect("listening");
    assert!(tcp(&lab.pods[0].namespace, lab.pods[1].v4, 80));
    let first = listener.line();
    assert_eq!(first["event"], "new");
    assert_eq!(first["rule"], 7);
    assert_eq!([&first["sourceIdentity"], &first["destinationIdentity"]], [256, 257]);
    assert!(!tcp(&lab.pods[0].namespace, lab.pods[1].v4, 81));
    let drop =
        std::iter::repeat_with(|| listener.line()).find(|line| line["event"] == "drop").expect("a drop");
    assert_eq!(
        [&drop["reason"], &drop["rule"], &drop["destinationPort"]],
        [&json!("deny rule"), &json!(8), &json!(81)]
    );
    let kept = lab.loader.ask(json!({ "op": "drops" }));
    assert_eq!(kept["drops"][0]["reason"], "deny rule");
}

const SENT: u64 = 20_000;

#[test]
fn a_flood_loses_events_and_says_how_many() {
    let mut lab = Lab::new(2);
    let mut listener = Client::new(&lab.loader.socket);
    listener.ask(json!({ "op": "flows" })).expect("listening");
    let to = lab.pods[1].v4;
    lab.pods[0].namespace.enter(|| {
        let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        for port in 0..SENT {
            let _ = socket.send_to(b"x", (to, 10_000 + port as u16));
        }
    });
    // Every datagram that left the pod (its queue is short) opened a flow, and every flow is one event: told, or lost.
    thread::sleep(Duration::from_millis(300));
    let flows = lab.counters(1, "egress")["packets"].as_u64().expect("a number");
    let (mut told, mut lost) = (0, 0);
    while told + lost < flows {
        let line = listener.line();
        match line["event"].as_str() {
            Some("lost") => lost += line["count"].as_u64().expect("a number"),
            Some("new") => told += 1,
            _ => {}
        }
    }
    assert_eq!(told + lost, flows);
    assert!(told >= 500 && lost > 0, "{told} told, {lost} lost");
}
