use serde_json::json;

use crate::{
    lab::{Lab, entry},
    traffic::{alive, connect, echo_tcp},
};

/// The map holds fewer flows than there are: those that were forgotten are judged again, by the port that was connected
/// to, whichever side sends first.
#[test]
fn a_flow_that_was_forgotten_goes_on() {
    let mut lab = Lab::with(2, &["--conntrack-entries", "16"]);
    let server = &lab.pods[1];
    for address in server.both() {
        echo_tcp(&server.namespace, address, 80);
    }
    lab.apply(
        json!([
            { "name": "in", "entries": [entry("ingress", 256, 80, "allow", 1)] },
            { "name": "none", "entries": [] },
        ]),
        json!([{ "endpoint": 2, "ingress": "in", "egress": "none" }, { "endpoint": 1, "ingress": "none", "egress": null }]),
    );
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
