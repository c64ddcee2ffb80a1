//! The loader as a process: refusals, its end, its death.

use std::path::Path;

use serde_json::json;

use crate::{
    lab::Lab,
    loader::{Loader, command, refusal},
    traffic::{alive, connect, echo_tcp, tcp},
};

#[test]
fn it_says_what_it_has_loaded() {
    let mut lab = Lab::new(0);
    assert_eq!(lab.loader.ready["programs"].as_array().map(Vec::len), Some(10));
    println!("attach kind: {}", lab.loader.ready["attach"]);
    let programs = lab.loader.ask(json!({ "op": "programs" }))["programs"].clone();
    assert_eq!(programs[0]["name"], "from_pod");
    assert_eq!(programs[0]["attach"], lab.loader.ready["attach"]);
}

#[test]
fn run_time_is_counted_when_it_is_asked_for() {
    let mut lab = Lab::new(2);
    echo_tcp(&lab.pods[1].namespace, lab.pods[1].v4, 80);
    let runs = |lab: &mut Lab| {
        lab.loader.ask(json!({ "op": "programs" }))["programs"][0]["run_cnt"].as_u64().expect("a number")
    };
    lab.loader.ask(json!({ "op": "stats", "on": true }));
    assert!(tcp(&lab.pods[0].namespace, lab.pods[1].v4, 80));
    assert!(runs(&mut lab) >= 6);
    lab.loader.ask(json!({ "op": "stats", "on": false }));
}

#[test]
fn a_second_loader_in_the_namespace_is_refused() {
    let lab = Lab::new(0);
    let sentence = refusal(command(&lab.node.path(), Path::new("/tmp/mmdp-second.sock"), &lab.cgroup.path));
    assert_eq!(
        sentence,
        "meshmark-datapath: another meshmark-datapath runs in this network namespace: end it first, or use a namespace of \
         its own"
    );
}

#[test]
fn a_directory_that_is_no_cgroup2_is_refused() {
    let lab = Lab::new(0);
    let node = crate::namespace::Namespace::new(format!("mmdp-{}-bare", std::process::id()));
    let sentence = refusal(command(&node.path(), Path::new("/tmp/mmdp-second.sock"), Path::new("/proc")));
    assert!(
        sentence.starts_with("meshmark-datapath: /proc is no directory of a cgroup2 file system"),
        "{sentence}"
    );
    let sentence = refusal(command(&node.path(), Path::new("/tmp/mmdp-second.sock"), Path::new("/nowhere")));
    assert_eq!(
        sentence,
        "meshmark-datapath: opening the cgroup /nowhere: No such file or directory (os error 2)"
    );
    drop(lab);
}

#[test]
fn wrong_requests_are_answered_with_a_sentence() {
    let mut lab = Lab::new(1);
    let add = |device: &str, endpoint: u32, address: &str| json!({ "op": "endpoint.add", "device": device, "endpoint": endpoint, "identity": 300, "addresses": [address] });
    let sentences = [
        add("nowhere", 9, "10.0.0.1"),
        add("veth1", 9, "10.0.0.1"),
        add("lo", 1, "10.0.0.1"),
        add("lo", 9, "10.245.0.11"),
        add("lo", 9, "10.0.0.1/8"),
        json!({ "op": "endpoint.remove", "endpoint": 9 }),
        json!({ "op": "endpoint.remove" }),
    ]
    .map(|request| lab.loader.refused(request));
    assert_eq!(
        sentences,
        [
            "there is no device nowhere in the data path's network namespace",
            "veth1 is the device of endpoint 1 already",
            "there is an endpoint 1 already: remove it first",
            "10.245.0.11/32 is endpoint 1's already",
            "\"10.0.0.1/8\" is no address and no prefix: bits after its length are not 0",
            "there is no endpoint 9",
            "the request's op is endpoint.remove: missing field `endpoint`",
        ]
    );
}

/// By tcx nothing passes while it is dead; filters of clsact go on enforcing. Either way the next one starts anew.
#[test]
fn a_loader_that_is_killed_leaves_nothing_open() {
    let mut lab = Lab::new(2);
    echo_tcp(&lab.pods[1].namespace, lab.pods[1].v4, 80);
    lab.apply(
        json!([{ "name": "none", "entries": [] }]),
        json!([{ "endpoint": 2, "ingress": "none", "egress": null }]),
    );
    assert!(!tcp(&lab.pods[0].namespace, lab.pods[1].v4, 80));
    lab.apply(json!([]), json!([]));
    let mut flow = connect(&lab.pods[0].namespace, lab.pods[1].v4, 80).expect("connected");
    assert!(alive(&mut flow));
    let stays = lab.loader.ready["attach"] == "clsact";
    lab.loader.child.kill().expect("it is killed");
    lab.loader.child.wait().expect("it ends");
    assert_eq!(alive(&mut flow), stays);

    lab.loader = Loader::start(&lab.node.path(), &lab.cgroup.path, &[]);
    for (index, pod) in lab.pods.iter().enumerate() {
        lab.loader.ask(pod.as_endpoint(index as u32 + 1));
    }
    assert!(tcp(&lab.pods[0].namespace, lab.pods[1].v4, 80), "the next one takes over");
}

/// The data path's own object, in which connect4 now reads a register that nothing was written to.
fn object_that_no_verifier_takes() -> Vec<u8> {
    const MOVE_R9_TO_R0: [u8; 8] = [0xbf, 0x90, 0, 0, 0, 0, 0, 0];
    let mut object = include_bytes!(concat!(env!("OUT_DIR"), "/datapath.o")).to_vec();
    let start = section(&object, b"cgroup/connect4");
    object[start..start + 8].copy_from_slice(&MOVE_R9_TO_R0);
    object
}

/// Where a section of an ELF64 file begins in it (System V ABI, "Sections").
fn section(elf: &[u8], wanted: &[u8]) -> usize {
    let number = |at: usize, width: usize| {
        elf[at..at + width].iter().rev().fold(0, |sum, byte| (sum << 8) | usize::from(*byte))
    };
    let (headers, size, count, names) = (number(0x28, 8), number(0x3a, 2), number(0x3c, 2), number(0x3e, 2));
    let offset = |index: usize| number(headers + index * size + 0x18, 8);
    let name = |index: usize| &elf[offset(names) + number(headers + index * size, 4)..];
    let found = (0..count).find(|index| name(*index).split(|byte| *byte == 0).next() == Some(wanted));
    offset(found.expect("the section is there"))
}

#[test]
fn what_the_verifier_refuses_is_said_with_its_last_words_and_the_kernel() {
    let lab = Lab::new(0);
    let node = crate::namespace::Namespace::new(format!("mmdp-{}-refused", std::process::id()));
    let file = std::env::temp_dir().join(format!("mmdp-{}-refused.o", std::process::id()));
    std::fs::write(&file, object_that_no_verifier_takes()).expect("a file in the temporary directory");
    let mut command = command(&node.path(), Path::new("/tmp/mmdp-refused.sock"), &lab.cgroup.path);
    command.arg("--object").arg(&file);
    let sentence = refusal(command);
    std::fs::remove_file(&file).expect("it is there");
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("/proc is mounted");
    let begins = format!("meshmark-datapath: kernel {} refuses the program connect4: ", release.trim());
    assert!(sentence.starts_with(&begins), "{sentence}");
    assert!(sentence.contains("R9 !read_ok"), "{sentence}");
}

#[test]
fn without_the_capability_it_says_which_it_needs() {
    let lab = Lab::new(0);
    let mut command = std::process::Command::new("setpriv");
    command
        .args(["--bounding-set=-sys_admin,-bpf,-net_admin,-perfmon", "--"])
        .arg(crate::loader::program())
        .args(["--socket", "/tmp/mmdp-unable.sock", "--cgroup"])
        .arg(&lab.cgroup.path);
    let sentence = refusal(command);
    assert!(
        sentence.starts_with(
            "meshmark-datapath: creating the data path's maps (this needs root, or CAP_BPF and CAP_NET_ADMIN): "
        ),
        "{sentence}"
    );
}
