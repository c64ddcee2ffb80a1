//! Two network namespaces with a cable between them.

use std::{
    fs::{self, File},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::fd::AsRawFd,
    path::PathBuf,
    process::{Command, Output},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

/// The counts are exact, the machine is one: one test at a time.
static ONE: Mutex<()> = Mutex::new(());

pub struct World {
    pub near: String,
    pub far: String,
    _one: MutexGuard<'static, ()>,
}

/// IP versions that everything is tried with.
pub const VERSIONS: [u8; 2] = [4, 6];

impl World {
    pub fn new() -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let id = std::process::id();
        let world = Self { near: format!("mmpr-{id}-near"), far: format!("mmpr-{id}-far"), _one: one };
        let (near, far) = (&world.near, &world.far);
        add(near);
        add(far);
        run(&format!("ip link add veth0 netns {near} type veth peer name veth0 netns {far}"));
        for (namespace, host) in [(near, 1), (far, 2)] {
            run(&format!("ip -n {namespace} link set lo up"));
            run(&format!("ip -n {namespace} addr add 10.77.0.{host}/24 dev veth0"));
            run(&format!("ip -n {namespace} addr add fd77::{host}/64 dev veth0 nodad"));
            // Nor a link-local address, whose owner looks for routers.
            run(&format!("ip -n {namespace} link set veth0 addrgenmode none"));
            run(&format!("ip -n {namespace} link set veth0 up"));
        }
        // So that no packet waits for, or is lost with, the first look-up of a neighbour.
        world.in_far("ping -q -c1 -W2 10.77.0.1");
        world.in_far("ping -q -c1 -W2 fd77::1");
        world
    }

    #[expect(clippy::unused_self, reason = "an address belongs to a world that is there")]
    pub fn near_address(&self, version: u8) -> IpAddr {
        address(version, 1)
    }

    #[expect(clippy::unused_self, reason = "as above")]
    pub fn far_address(&self, version: u8) -> IpAddr {
        address(version, 2)
    }

    pub fn in_near(&self, command: &str) -> String {
        run(&format!("ip netns exec {} {command}", self.near))
    }

    pub fn in_far(&self, command: &str) -> String {
        run(&format!("ip netns exec {} {command}", self.far))
    }

    /// Both as the probe's targets.
    pub fn targets(&self) -> [String; 2] {
        [format!("near=netns:{}", self.near), format!("far=netns:{}", self.far)]
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for namespace in [&self.near, &self.far] {
            let _ = Command::new("ip").args(["netns", "del", namespace]).status();
        }
    }
}

/// One more network namespace.
pub struct Namespace {
    pub name: String,
}

impl Namespace {
    pub fn new(name: String) -> Self {
        add(&name);
        Self { name }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

fn add(namespace: &str) {
    run(&format!("ip netns add {namespace}"));
    // Reports of multicast groups, which the kernel sends of its own accord for some seconds, go out at once: later ones would
    // be dropped at the other end while a test counts, and be counted as what they are: a packet more.
    let interval = "/proc/sys/net/ipv6/conf/default/mldv2_unsolicited_report_interval";
    inside(namespace, || fs::write(interval, "1").expect("it can be set"));
}

/// Where cgroup2 is mounted.
pub fn cgroup2() -> PathBuf {
    let mounts = fs::read_to_string("/proc/self/mounts").expect("/proc is mounted");
    let mut lines = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let line =
        lines.find(|fields| fields.get(2) == Some(&"cgroup2")).expect("a cgroup2 file system is mounted");
    PathBuf::from(line[1])
}

fn address(version: u8, host: u8) -> IpAddr {
    match version {
        4 => Ipv4Addr::new(10, 77, 0, host).into(),
        _ => Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, u16::from(host)).into(),
    }
}

/// Runs it in a thread of that network namespace.
pub fn inside<T: Send>(namespace: &str, act: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            enter(namespace);
            act()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

pub fn enter(namespace: &str) {
    let file = File::open(format!("/run/netns/{namespace}")).expect("the namespace is there");
    // SAFETY: the descriptor is open.
    assert_eq!(unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) }, 0, "setns {namespace}");
}

/// Words are split at spaces; what fails, fails the test.
pub fn run(command: &str) -> String {
    let mut words = command.split(' ');
    let output = Command::new(words.next().expect("a program")).args(words).output().expect("it can be run");
    text(command, &output)
}

fn text(command: &str, output: &Output) -> String {
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
