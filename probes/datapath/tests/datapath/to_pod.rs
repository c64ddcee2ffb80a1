use serde_json::json;

use crate::{
    lab::{Lab, NODE4, entry},
    traffic::{echo_tcp, ping, tcp},
};

/// As kubelet's probes are: a policy that allows nobody does not keep the node out, and the pod may answer it.
#[test]
fn the_node_reaches_its_pods_whatever_their_policy_says() {
    let mut lab = Lab::new(1);
    lab.apply(
        json!([{ "name": "none", "entries": [] }]),
        json!([{ "endpoint": 1, "ingress": "none", "egress": "none" }]),
    );
    let pod = &lab.pods[0];
    for address in pod.both() {
        echo_tcp(&pod.namespace, address, 80);
        assert!(tcp(&lab.node, address, 80), "{address}");
        assert!(ping(&lab.node, address), "{address}");
    }
}

#[test]
fn a_pod_reaches_the_node_only_where_its_policy_allows() {
    let mut lab = Lab::new(1);
    let node = NODE4.parse().expect("an address");
    echo_tcp(&lab.node, node, 8000);
    echo_tcp(&lab.node, node, 8001);
    assert!(tcp(&lab.pods[0].namespace, node, 8000));
    lab.apply(
        json!([{ "name": "out", "entries": [entry("egress", 1, 8001, "allow", 1)] }]),
        json!([{ "endpoint": 1, "ingress": null, "egress": "out" }]),
    );
    assert!(!tcp(&lab.pods[0].namespace, node, 8000));
    assert!(tcp(&lab.pods[0].namespace, node, 8001));
}
