use serde_json::{Value, json};

use crate::{
    lab::Lab,
    traffic::{connect, echo_tcp, tcp},
};

pub fn service(address: &str, port: u16, protocol: u8, backends: &Value) -> Value {
    json!({ "op": "service.set", "address": address, "port": port, "protocol": protocol, "backends": backends })
}

#[test]
fn connections_to_a_service_are_spread_by_weight() {
    let mut lab = Lab::new(3);
    for pod in &lab.pods[1..] {
        echo_tcp(&pod.namespace, pod.v4, 8080);
    }
    let [a, b] = [lab.pods[1].v4, lab.pods[2].v4];
    let backends =
        json!([{ "address": a, "port": 8080, "weight": 90 }, { "address": b, "port": 8080, "weight": 10 }]);
    lab.loader.ask(service("10.98.0.10", 80, 6, &backends));
    let address = "10.98.0.10".parse().expect("an address");
    for _ in 0..200 {
        assert!(tcp(&lab.pods[0].namespace, address, 80));
    }
    let packets = |value: Value| value["packets"].as_f64().expect("a number");
    let (many, few) = (packets(lab.counters(2, "ingress")), packets(lab.counters(3, "ingress")));
    let share = few / (many + few);
    // 10 %; further away than 0.03 to 0.2 is less likely than one in ten thousand.
    assert!((0.03..0.2).contains(&share), "{share}");
}

#[test]
fn ipv6_sockets_find_services_of_both_ip_versions() {
    let mut lab = Lab::new(2);
    let [v4, v6] = lab.pods[1].both();
    for address in [v4, v6] {
        echo_tcp(&lab.pods[1].namespace, address, 8080);
    }
    lab.loader.ask(service("fd00:10:98::10", 80, 6, &json!([{ "address": v6, "port": 8080, "weight": 1 }])));
    lab.loader.ask(service("10.98.0.10", 80, 6, &json!([{ "address": v4, "port": 8080, "weight": 1 }])));
    for text in ["fd00:10:98::10", "10.98.0.10", "::ffff:10.98.0.10"] {
        let address = text.parse().expect("an address");
        let stream = connect(&lab.pods[0].namespace, address, 80).expect(text);
        assert_eq!(stream.peer_addr().expect("a peer"), (address, 80).into());
    }
}

#[test]
fn a_service_without_backends_refuses_and_an_unknown_one_goes_nowhere() {
    let mut lab = Lab::new(1);
    lab.loader.ask(service("10.98.0.10", 80, 6, &json!([])));
    let [none, unknown] = ["10.98.0.10", "10.98.0.11"].map(|text| text.parse().expect("an address"));
    let error = connect(&lab.pods[0].namespace, none, 80).expect_err("no backend");
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    assert!(!tcp(&lab.pods[0].namespace, unknown, 80));
    assert_eq!(
        lab.loader
            .refused(json!({ "op": "service.remove", "address": "10.98.0.11", "port": 80, "protocol": 6 })),
        "there is no service 10.98.0.11, port 80, protocol 6"
    );
}
