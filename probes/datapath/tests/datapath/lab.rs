//! A node and its pods.

use std::{
    fs,
    net::IpAddr,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use crate::{loader::Loader, namespace::Namespace};

/// One at a time: the process is in the cgroup of one lab.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

pub struct Lab {
    pub loader: Loader,
    pub pods: Vec<Pod>,
    pub node: Namespace,
    pub cgroup: Cgroup,
    _turn: MutexGuard<'static, ()>,
}

pub struct Pod {
    pub namespace: Namespace,
    pub device: String,
    pub v4: IpAddr,
    pub v6: IpAddr,
    pub identity: u32,
}

pub const NODE4: &str = "10.245.0.1";
pub const NODE6: &str = "fd00:10:245::1";
const MAC: &str = "ee:ee:ee:ee:ee:ee";

impl Lab {
    /// With so many pods: endpoints 1, 2, …, identities 256, 257, ….
    pub fn new(pods: u32) -> Self {
        Self::with(pods, &[])
    }

    pub fn with(pods: u32, options: &[&str]) -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let node = Namespace::new(format!("mmdp-{}-node", std::process::id()));
        node.sysctl("ipv4/ip_forward", "0");
        for device in ["all", "default"] {
            node.sysctl(&format!("ipv4/conf/{device}/rp_filter"), "0");
        }
        node.batch(&format!("addr add {NODE4}/32 dev lo\naddr add {NODE6}/128 dev lo\n"));
        let pods: Vec<Pod> = (1..=pods).map(|number| pod(&node, number)).collect();
        let cgroup = Cgroup::new();
        let mut loader = Loader::start(&node.path(), &cgroup.path, options);
        for (index, pod) in pods.iter().enumerate() {
            loader.ask(pod.as_endpoint(index as u32 + 1));
        }
        let mut lab = Self { loader, pods, node, cgroup, _turn: turn };
        lab.apply(json!([]), json!([]));
        lab
    }

    /// Sets of entries, and which endpoints have them.
    #[expect(clippy::needless_pass_by_value, reason = "tests hand over what they have just written down")]
    pub fn apply(&mut self, sets: Value, endpoints: Value) -> Value {
        self.loader.ask(policy(&sets, &endpoints))
    }

    /// The endpoint's counters in one direction.
    pub fn counters(&mut self, endpoint: usize, direction: &str) -> Value {
        self.loader.ask(json!({ "op": "counters" }))["endpoints"][endpoint - 1][direction].clone()
    }

    pub fn dropped(&mut self, endpoint: usize, direction: &str, reason: &str) -> u64 {
        self.counters(endpoint, direction)["drops"][reason].as_u64().unwrap_or(0)
    }
}

pub fn policy(sets: &Value, endpoints: &Value) -> Value {
    let identities = json!([
        { "prefix": format!("{NODE4}/32"), "identity": 1 },
        { "prefix": format!("{NODE6}/128"), "identity": 1 },
    ]);
    let proxy = json!({ "address4": "127.0.0.1", "address6": "::1", "port": 15100 });
    json!({ "op": "policy.apply", "identities": identities, "sets": sets, "endpoints": endpoints, "proxy": proxy })
}

/// One entry of a set for TCP at one port.
pub fn entry(direction: &str, identity: u32, port: u16, verdict: &str, rule: u32) -> Value {
    json!({
        "direction": direction, "identity": identity, "protocol": 6, "port": port, "portBits": 16,
        "verdict": verdict, "rule": rule,
    })
}

impl Pod {
    pub fn as_endpoint(&self, endpoint: u32) -> Value {
        json!({
            "op": "endpoint.add", "device": self.device, "endpoint": endpoint, "identity": self.identity,
            "addresses": [self.v4.to_string(), self.v6.to_string()],
        })
    }

    pub const fn both(&self) -> [IpAddr; 2] {
        [self.v4, self.v6]
    }
}

fn pod(node: &Namespace, number: u32) -> Pod {
    let namespace = Namespace::new(format!("mmdp-{}-p{number}", std::process::id()));
    let device = format!("veth{number}");
    let (v4, v6) = (format!("10.245.0.{}", 10 + number), format!("fd00:10:245::{}", 10 + number));
    let mac = format!("02:00:00:00:00:{number:02x}");
    node.batch(&format!(
        "link add {device} address {MAC} type veth peer name eth0 address {mac} netns {pod}
         link set {device} up
         route add {v4} dev {device}
         neigh add {v4} lladdr {mac} dev {device} nud permanent
         route add {v6} dev {device}
         neigh add {v6} lladdr {mac} dev {device} nud permanent\n",
        pod = namespace.name,
    ));
    namespace.batch(&format!(
        "link set eth0 up
         addr add {v4}/32 dev eth0
         addr add {v6}/128 dev eth0 nodad
         route add 169.254.1.1 dev eth0
         neigh add 169.254.1.1 lladdr {MAC} dev eth0 nud permanent
         route add default via 169.254.1.1
         neigh add fe80::1 lladdr {MAC} dev eth0 nud permanent
         route add default via fe80::1 dev eth0\n",
    ));
    let parse = |text: String| text.parse().expect("an address");
    Pod { namespace, device, v4: parse(v4), v6: parse(v6), identity: 255 + number }
}

/// A cgroup2 directory with this process in it.
pub struct Cgroup {
    pub path: PathBuf,
}

impl Cgroup {
    fn new() -> Self {
        let path = cgroup2_root().join(format!("mmdp-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a cgroup directory");
        fs::write(path.join("cgroup.procs"), "0").expect("joining the cgroup");
        Self { path }
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::write(cgroup2_root().join("cgroup.procs"), "0");
        let _ = fs::remove_dir(&self.path);
    }
}

fn cgroup2_root() -> PathBuf {
    let mounts = fs::read_to_string("/proc/self/mounts").expect("/proc is mounted");
    let mut lines = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let line =
        lines.find(|fields| fields.get(2) == Some(&"cgroup2")).expect("a cgroup2 file system is mounted");
    PathBuf::from(line[1])
}
