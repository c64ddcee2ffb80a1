//! Targets by cgroup: what the processes in one do with the network, wherever that is.

use std::{
    fs,
    net::{IpAddr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    probe::{Probe, of},
    traffic::{PORT, Server},
    world::{VERSIONS, World, cgroup2, inside},
};

/// What is made is known to the kernel after so long, on a machine that is busy, too.
const SOON: Duration = Duration::from_millis(50);

/// A cgroup2 directory, which ends with what is in it.
pub struct Cgroup(pub PathBuf);

impl Cgroup {
    pub fn new(name: &str) -> Self {
        Self::at(cgroup2().join(format!("mmpr-{}-{name}", std::process::id())))
    }

    pub fn at(path: PathBuf) -> Self {
        fs::create_dir(&path).expect("a cgroup directory");
        Self(path)
    }

    pub fn below(&self, name: &str) -> Self {
        Self::at(self.0.join(name))
    }

    /// This process is in it meanwhile. A socket stays in the cgroup in which it was made.
    pub fn within<T>(&self, act: impl FnOnce() -> T) -> T {
        join(&self.0);
        let done = act();
        join(&cgroup2());
        done
    }
}

fn join(path: &Path) {
    fs::write(path.join("cgroup.procs"), "0").expect("joining the cgroup");
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        join(&cgroup2());
        let _ = fs::remove_dir(&self.0);
    }
}

fn connect(world: &World, address: IpAddr, times: usize) {
    inside(&world.near, || {
        for _ in 0..times {
            TcpStream::connect(SocketAddr::new(address, PORT)).expect("the server listens");
        }
    });
}

/// What a target's clients and servers have opened.
fn opened(report: &Value, target: &str) -> [u64; 2] {
    ["client", "server"]
        .map(|role| of(report, target)["connections"][role]["opened"].as_u64().expect("a count"))
}

fn target(name: &str, cgroup: &Cgroup) -> String {
    format!("{name}=cgroup:{}", cgroup.0.display())
}

#[test]
fn what_is_in_it_and_nothing_else() {
    let world = World::new();
    let (clients, servers) = (Cgroup::new("clients"), Cgroup::new("servers"));
    for version in VERSIONS {
        let address = world.far_address(version);
        let targets =
            [target("clients", &clients), target("servers", &servers), format!("rest=netns:{}", world.near)];
        let probe = Probe::attach(&["connections", "drops"], &targets);
        let server = servers.within(|| Server::start(&world.far, address, 15, Duration::ZERO));
        clients.within(|| connect(&world, address, 10));
        connect(&world, address, 5);
        server.end();
        clients.within(|| {
            inside(&world.near, || {
                for _ in 0..7 {
                    TcpStream::connect(SocketAddr::new(address, 9)).expect_err("nobody listens there");
                }
            });
        });
        let report = probe.stop();
        assert_eq!(
            [opened(&report, "clients"), opened(&report, "servers"), opened(&report, "rest")],
            [[10, 0], [0, 15], [5, 0]]
        );
        let failed = |target: &str| of(&report, target)["connections"]["client"]["failed"].clone();
        assert_eq!([failed("clients"), failed("servers"), failed("rest")], [7, 0, 0]);
    }
}

/// Of those that lie in each other, the innermost; and it does not matter when it was made.
#[test]
fn with_those_below_it_even_if_they_are_made_later() {
    let world = World::new();
    let outer = Cgroup::new("outer");
    let inner = outer.below("inner");
    let targets = [target("outer", &outer), target("inner", &inner)];
    let probe = Probe::attach(&["connections"], &targets);
    let server = Server::start(&world.far, world.far_address(4), 15, Duration::ZERO);
    let later = outer.below("later");
    let deeper = later.below("deeper");
    let deepest = inner.below("deepest");
    for (cgroup, times) in [(&outer, 1), (&deeper, 2), (&later, 4), (&deepest, 8)] {
        cgroup.within(|| connect(&world, world.far_address(4), times));
    }
    server.end();
    let report = probe.stop();
    drop((deepest, deeper, later, inner));
    assert_eq!([opened(&report, "outer"), opened(&report, "inner")], [[7, 0], [8, 0]]);
}

/// Pods come and go while they are watched: each belongs to the target from when it is made.
#[test]
fn by_a_pattern_whenever_they_are_made() {
    let world = World::new();
    let slice = Cgroup::new("slice");
    let early = slice.below("pod-0");
    let probe = Probe::attach(&["connections"], &[format!("pods=cgroup:{}/pod-?/app*", slice.0.display())]);
    let server = Server::start(&world.far, world.far_address(4), 31, Duration::ZERO);
    let app = early.below("app");
    sleep(SOON);
    app.within(|| connect(&world, world.far_address(4), 1));
    let late = slice.below("pod-1");
    let [late_app, sidecar] = [late.below("app-b"), late.below("sidecar")];
    sleep(SOON);
    late_app.within(|| connect(&world, world.far_address(4), 2));
    for none in [&sidecar, &early, &late] {
        none.within(|| connect(&world, world.far_address(4), 4));
    }
    let paths = [&app, &late_app].map(|cgroup| format!("cgroup:{}", cgroup.0.display()));
    drop((app, late_app));
    let again = early.below("app");
    sleep(SOON);
    again.within(|| connect(&world, world.far_address(4), 16));
    server.end();
    let report = probe.stop();
    drop((again, sidecar, late, early));
    assert_eq!(opened(&report, "pods"), [19, 0]);
    assert_eq!(report["warnings"], json!([]));
    let pattern = format!("cgroup:{}/pod-?/app*", slice.0.display());
    assert_eq!(of(&report, "pods")["watches"], json!([&[pattern][..], &paths[..]].concat()));
}

#[test]
fn one_that_ends_while_it_is_watched() {
    let world = World::new();
    let ended = Cgroup::new("ended");
    let probe = Probe::attach(&["connections"], &[target("ended", &ended)]);
    let server = Server::start(&world.far, world.far_address(4), 3, Duration::ZERO);
    ended.within(|| connect(&world, world.far_address(4), 3));
    server.end();
    drop(ended);
    let report = probe.stop();
    assert_eq!(opened(&report, "ended"), [3, 0]);
    assert_eq!(report["warnings"], json!(["cgroups that ended while they were watched: ended"]));
}
