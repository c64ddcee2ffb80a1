//! The data path between the world's two ends: its real loader, in a namespace of its own through which every packet goes.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::IpAddr,
    os::unix::{net::UnixStream, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    probe::PROGRAM,
    world::{Namespace, World, cgroup2, enter, run},
};

/// Endpoints' addresses, nearest first.
const ADDRESSES: [[&str; 2]; 2] = [["10.246.0.11", "fd00:10:246::11"], ["10.246.0.12", "fd00:10:246::12"]];
/// Of the node's side of each cable.
const MAC: &str = "ee:ee:ee:ee:ee:ee";

pub struct DataPath {
    pub node: Namespace,
    child: Child,
    socket: PathBuf,
    cgroup: PathBuf,
    reader: BufReader<UnixStream>,
    writer: UnixStream,
}

impl DataPath {
    /// Near is its endpoint 1 and has identity 256, far is 2 and 257. Everything passes until there is a policy.
    pub fn between(world: &World) -> Self {
        let id = std::process::id();
        let node = Namespace::new(format!("mmpr-{id}-node"));
        for (index, pod) in [&world.near, &world.far].into_iter().enumerate() {
            cable(&node.name, pod, index);
        }
        // Nobody is in it: service addresses are not tried here.
        let cgroup = cgroup2().join(format!("mmpr-{id}-none"));
        fs::create_dir_all(&cgroup).expect("a cgroup directory");
        let socket = std::env::temp_dir().join(format!("mmpr-{id}.sock"));
        let mut command = Command::new(program());
        command.arg("--socket").arg(&socket).arg("--cgroup").arg(&cgroup).stdout(Stdio::piped());
        let namespace = node.name.clone();
        // SAFETY: between fork and exec it opens a file and enters the namespace.
        unsafe {
            command.pre_exec(move || {
                enter(&namespace);
                Ok(())
            });
        }
        let mut child = command.spawn().expect("the data path's loader starts");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("a pipe"))
            .read_line(&mut line)
            .expect("it says that it is ready");
        let writer =
            UnixStream::connect(&socket).unwrap_or_else(|error| panic!("the loader listens: {error} {line}"));
        writer.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        let reader = BufReader::new(writer.try_clone().expect("a descriptor"));
        let mut path = Self { node, child, socket, cgroup, reader, writer };
        for (index, addresses) in ADDRESSES.iter().enumerate() {
            path.ask(&json!({
                "op": "endpoint.add", "device": device(index), "endpoint": index + 1, "identity": 256 + index,
                "addresses": addresses,
            }));
        }
        path
    }

    pub fn far_address(version: u8) -> IpAddr {
        ADDRESSES[1][usize::from(version == 6)].parse().expect("an address")
    }

    /// What comes to the far end, and is not denied by a rule, is let in at one UDP port only.
    pub fn allow_and_deny(&mut self, allowed: u16, denied: u16) {
        let entry = |port: u16, verdict: &str, rule: u32| {
            json!({
                "direction": "ingress", "identity": 256, "protocol": 17, "port": port, "portBits": 16,
                "verdict": verdict, "rule": rule,
            })
        };
        self.ask(&json!({
            "op": "policy.apply", "identities": [],
            "sets": [{ "name": "in", "entries": [entry(allowed, "allow", 1), entry(denied, "deny", 2)] }],
            "endpoints": [{ "endpoint": 2, "ingress": "in", "egress": null }],
        }));
    }

    /// Its own counters of what came for the far end.
    pub fn counted(&mut self) -> Value {
        self.ask(&json!({ "op": "counters" }))["endpoints"][1]["ingress"].clone()
    }

    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.writer, "{request}").expect("the loader listens");
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("the loader answers");
        let answer: Value = serde_json::from_str(&line).expect("it is JSON");
        assert_eq!(answer.get("error"), None, "{request}: {answer}");
        answer["ok"].clone()
    }
}

impl Drop for DataPath {
    fn drop(&mut self) {
        // SAFETY: our own child, not waited for yet.
        unsafe { libc::kill(self.child.id().cast_signed(), libc::SIGTERM) };
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.socket);
        let _ = fs::remove_dir(&self.cgroup);
    }
}

fn device(index: usize) -> String {
    format!("veth{}", index + 1)
}

/// As the lab lays them: a pod knows no neighbour but the node, and the node is told where each pod is.
fn cable(node: &str, pod: &str, index: usize) {
    let (device, mac, [v4, v6]) =
        (device(index), format!("02:00:00:00:00:{:02x}", index + 1), ADDRESSES[index]);
    run(&format!(
        "ip -n {node} link add {device} address {MAC} type veth peer name eth0 address {mac} netns {pod}"
    ));
    run(&format!("ip -n {node} link set {device} addrgenmode none up"));
    for address in [v4, v6] {
        run(&format!("ip -n {node} route add {address} dev {device}"));
        run(&format!("ip -n {node} neigh add {address} lladdr {mac} dev {device} nud permanent"));
    }
    run(&format!("ip -n {pod} addr add {v4}/32 dev eth0"));
    run(&format!("ip -n {pod} addr add {v6}/128 dev eth0 nodad"));
    run(&format!("ip -n {pod} link set eth0 addrgenmode none up"));
    for (gateway, subnet) in [("169.254.1.1", "10.246.0.0/24"), ("fe80::1", "fd00:10:246::/64")] {
        run(&format!("ip -n {pod} neigh add {gateway} lladdr {MAC} dev eth0 nud permanent"));
        run(&format!("ip -n {pod} route add {subnet} via {gateway} dev eth0 onlink"));
    }
}

/// `MESHMARK_DATAPATH`, as the data path's own tests have it; else the one that was built like the probe; else what
/// `setup/bootstrap/probes.mjs` built.
fn program() -> PathBuf {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let prebuilt =
        format!("{}/../prebuilt/linux-{architecture}/meshmark-datapath", env!("CARGO_MANIFEST_DIR"));
    let places = [
        std::env::var_os("MESHMARK_DATAPATH").map(PathBuf::from),
        Some(Path::new(PROGRAM).with_file_name("meshmark-datapath")),
        Some(PathBuf::from(prebuilt)),
    ];
    let found = places.into_iter().flatten().find(|place| place.exists());
    found.expect(
        "meshmark-datapath is built: node setup/bootstrap/probes.mjs, or cargo build -p meshmark-datapath",
    )
}
