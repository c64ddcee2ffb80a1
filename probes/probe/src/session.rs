//! The probes in the kernel, from attaching to detaching.

use std::{
    borrow::Cow,
    fs::{self, File},
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use aya::{
    Btf, Ebpf, EbpfLoader, Pod,
    maps::{HashMap, MapData},
    sys::{Stats, enable_stats},
    util::KernelVersion,
};
use meshmark_common::probe::{
    ANY_USER, LATENCY_MEASURES, MEASURES, NO_TARGET, NOT_MEASURED, Namespace, SLOTS, STORE_HASH,
    STORE_SOCKET, Settings, TALLIED_MEASURES,
};

use crate::{
    arguments::{LadderOptions, Probes},
    attach::{Attached, Ladder},
    btf::KernelTypes,
    hooks::{self, Hook, SEED, UNDER_WAY},
    kernel, offsets, placeholders,
    problem::{Problem, Trying},
    raw::Raw,
    seed,
    targets::Targets,
    under_way::under_way,
    watcher::{Watched, watch},
};

pub static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/probe.o"));

/// Numbers of kernels before this one are refused: nothing was tried there.
const OLDEST: KernelVersion = KernelVersion::new(5, 10, 0);
/// From here on tracepoints may be left for another task meanwhile.
const INTERRUPTED_TRACEPOINTS: KernelVersion = KernelVersion::new(7, 0, 0);

/// From here on `tcp_rcv_space_adjust()`, which every receive calls, no longer refreshes the socket's own clock
/// ("tcp: remove one `ktime_get()` from `recvmsg()` fast path").
const RECEIVES_WITHOUT_A_CLOCK: KernelVersion = KernelVersion::new(6, 19, 0);

/// How state is kept and added to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    pub in_sockets: bool,
    pub atomic: bool,
}

/// The cheapest first.
pub const PLANS: [Plan; 3] = [
    Plan { in_sockets: true, atomic: false },
    Plan { in_sockets: true, atomic: true },
    Plan { in_sockets: false, atomic: true },
];

/// What is known of the running kernel before anything is loaded.
pub struct Ground {
    pub types: KernelTypes,
    pub btf: Btf,
    cgroup: Option<File>,
    settings: Settings,
    object: Cow<'static, [u8]>,
}

pub struct Session {
    pub ebpf: Ebpf,
    pub probes: Probes,
    pub targets: Targets,
    pub attached: Vec<Attached>,
    pub plan: Plan,
    pub types: KernelTypes,
    pub warnings: Vec<String>,
    /// What patterns have matched.
    pub watched: Watched,
    pub begun: Instant,
    pub begun_at: SystemTime,
    /// By the kernel's clock (`CLOCK_MONOTONIC`), in nanoseconds.
    pub begun_clock: u64,
    ended: Option<Instant>,
    /// What had been counted when this measurement began.
    pub before: Raw,
    /// Turns that were under way when that was last asked for, by `target * 2 + role`. `None`: nobody knows.
    pub under_way: Option<Vec<u64>>,
    /// While it is open, the kernel counts runs and run time.
    statistics: Option<std::os::fd::OwnedFd>,
}

impl Ground {
    /// # Arguments
    /// `object`: another eBPF object than the built-in one
    pub fn survey(object: Option<&Path>) -> Result<Self, Problem> {
        // SAFETY: takes nothing.
        if unsafe { libc::geteuid() } != 0 {
            return Err(Problem::new(
                "the probes need root (or CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_ADMIN as root has them)",
            ));
        }
        if older_than(OLDEST) {
            return Err(Problem(format!(
                "kernel {} is too old: the probes need 5.10 or later",
                kernel::release()
            )));
        }
        let types = KernelTypes::read()?;
        let offsets = offsets::find(&types)?;
        let clocked = older_than(RECEIVES_WITHOUT_A_CLOCK)
            && [offsets.tcp_clock, offsets.sock_first_functions].iter().all(|offset| *offset != 0);
        let settings = Settings {
            tcp_type: types.structure("tcp_sock").unwrap_or(0),
            fallback: NO_TARGET,
            addresses: 0,
            cgroups: 0,
            users: 0,
            store: STORE_SOCKET,
            clocked_receive: u32::from(clocked),
            atomic: 0,
            last_slot: SLOTS as u32 - 1,
            first: [NOT_MEASURED; MEASURES],
            drop_arguments: types.tracepoint_arguments("kfree_skb").unwrap_or(0),
            retransmit_error: u32::from(types.tracepoint_arguments("tcp_retransmit_skb").unwrap_or(0) > 2),
            offsets,
        };
        let object = match object {
            Some(path) => fs::read(path).trying(&format!("reading {}", path.display()))?.into(),
            None => OBJECT.into(),
        };
        unlimited_memory();
        let btf = types.for_aya()?;
        Ok(Self { types, btf, cgroup: root_cgroup(), settings, object })
    }

    /// Maps and programs for these targets, nothing loaded yet.
    pub fn prepare(&self, probes: Probes, targets: &Targets, plan: Plan) -> Result<Ebpf, Problem> {
        let mut settings = self.settings;
        let count = u32::try_from(targets.list.len()).unwrap_or(u32::MAX).max(1);
        settings.store = if plan.in_sockets { STORE_SOCKET } else { STORE_HASH };
        settings.atomic = u32::from(plan.atomic);
        settings.fallback = targets.rest.unwrap_or(NO_TARGET);
        settings.cgroups = u32::from(targets.by_cgroup());
        settings.users = u32::from(targets.by_user());
        settings.addresses = u32::from(targets.list.iter().any(|target| !target.addresses.is_empty()));
        for measure in 0..MEASURES {
            if let Some(first) = first(probes, measure, count) {
                settings.first[measure] = first;
            }
        }
        // So many as there are before the first of one measure more.
        let histograms =
            (TALLIED_MEASURES..MEASURES).filter_map(|measure| first(probes, measure, count)).max();
        let histograms = histograms.map_or(1, |last| last + count * 2);
        let mut ebpf = EbpfLoader::new()
            .btf(Some(&self.btf))
            .map_max_entries("HISTOGRAMS", histograms)
            .map_max_entries("TALLIES", if probes.latency || probes.connections { count * 2 } else { 1 })
            .map_max_entries("LOOKS", count)
            .load(&placeholders::fill(&self.object, &settings, placeholders::cast(&self.types))?)
            .trying("creating the probes' maps")?;
        for (index, target) in targets.list.iter().enumerate() {
            let index = index as u32;
            for place in &target.namespaces {
                let key = Namespace { number: place.number, user: place.user.unwrap_or(ANY_USER) };
                insert(&mut ebpf, "NAMESPACES", &key, &index)?;
            }
            for cgroup in &target.cgroups {
                insert(&mut ebpf, "CGROUPS", &cgroup.number, &index)?;
            }
            for address in &target.addresses {
                insert(&mut ebpf, "ADDRESSES", address, &index)?;
            }
        }
        Ok(ebpf)
    }

    pub fn ladder<'a>(&'a self, plan: Plan, options: &'a LadderOptions) -> Ladder<'a> {
        Ladder {
            types: &self.types,
            btf: &self.btf,
            cgroup: self.cgroup.as_ref(),
            in_sockets: plan.in_sockets,
            twice: options.twice || !tracepoints_stay(),
            options,
        }
    }
}

/// A program at a tracepoint is not left for another task.
fn tracepoints_stay() -> bool {
    older_than(INTERRUPTED_TRACEPOINTS)
}

fn older_than(version: KernelVersion) -> bool {
    KernelVersion::current().is_ok_and(|current| current < version)
}

/// Where the histograms of a measure begin, for so many targets, where there are any.
const fn first(probes: Probes, measure: usize, targets: u32) -> Option<u32> {
    let measured = if measure < TALLIED_MEASURES {
        probes.latency
    } else if measure < LATENCY_MEASURES {
        probes.latency && probes.follow
    } else {
        probes.connections
    };
    if !measured {
        return None;
    }
    let without = if probes.latency && probes.follow { TALLIED_MEASURES } else { LATENCY_MEASURES };
    Some(measure.saturating_sub(without) as u32 * targets * 2)
}

impl Session {
    pub fn begin(probes: Probes, targets: Targets, options: &LadderOptions) -> Result<Self, Problem> {
        let ground = Ground::survey(options.object.as_deref())?;
        let mut last = Vec::new();
        for plan in PLANS {
            // Without atomic additions, only tracepoints can be used, where these are not left for another task meanwhile.
            if options.in_sockets.is_some_and(|wanted| wanted != plan.in_sockets)
                || !plan.atomic && !tracepoints_stay()
            {
                continue;
            }
            let mut ebpf = ground.prepare(probes, &targets, plan)?;
            let ladder = ground.ladder(plan, options);
            let wanted = hooks::wanted(probes, options.empty);
            let attached: Vec<Attached> =
                wanted.iter().map(|(hook, _)| ladder.climb(&mut ebpf, hook)).collect();
            let stands = attached
                .iter()
                .zip(&wanted)
                .all(|(attached, (_, required))| attached.rung.is_some() || !required);
            let safe = plan.atomic
                || attached.iter().all(|attached| {
                    attached
                        .rung
                        .is_none_or(|rung| !matches!(rung.way, hooks::Way::Fentry | hooks::Way::Kprobe))
                });
            // What hangs on a cgroup fares the same wherever state is.
            let whole = attached.iter().all(|each| each.rung.is_some() || each.hook.is_by_cgroup())
                || !plan.in_sockets
                || options.in_sockets.is_some();
            if !(stands && safe && whole) {
                last = attached;
                continue;
            }
            let mut session = Self {
                ebpf,
                probes,
                targets,
                attached,
                plan,
                types: ground.types,
                warnings: Vec::new(),
                watched: Watched::default(),
                begun: Instant::now(),
                begun_at: SystemTime::now(),
                begun_clock: monotonic(),
                ended: None,
                before: Raw::default(),
                under_way: None,
                statistics: None,
            };
            session.watched = watch(&mut session.ebpf, &session.targets.patterns)?;
            if session.is_attached(&SEED) {
                session.warnings = seed::seed(&mut session.ebpf, &session.targets.namespaces())?;
            }
            session.start_clocks();
            return Ok(session);
        }
        Err(unavailable(&last))
    }

    pub fn is_attached(&self, hook: &Hook) -> bool {
        self.attached.iter().any(|attached| attached.hook.name == hook.name && attached.rung.is_some())
    }

    /// # Minimum kernel version
    /// 5.8
    pub fn count_cost(&mut self, on: bool) -> Result<(), Problem> {
        self.statistics = if on {
            Some(enable_stats(Stats::RunTime).trying("turning on the kernel's statistics of programs")?)
        } else {
            None
        };
        Ok(())
    }

    pub const fn counts_cost(&self) -> bool {
        self.statistics.is_some()
    }

    /// From here on nothing is counted any more.
    pub fn end(&mut self) {
        // Who makes state, and takes it away, goes last.
        for attached in self.attached.iter_mut().rev() {
            for copy in &mut attached.copies {
                copy.link = None;
            }
        }
        self.ended = Some(Instant::now());
    }

    pub fn elapsed(&self) -> Duration {
        self.ended.unwrap_or_else(Instant::now).duration_since(self.begun)
    }

    /// Index of a measure's first histogram.
    pub fn first(&self, measure: usize) -> Option<usize> {
        first(self.probes, measure, self.targets.list.len() as u32).map(|first| first as usize)
    }

    /// What was counted since the measurement began.
    pub fn read(&self) -> Result<Raw, Problem> {
        Ok(Raw::read(self)?.since(&self.before))
    }

    /// How many turns are under way now; that nobody knows is no reason to lose the rest.
    pub fn count_under_way(&mut self) {
        if self.is_attached(&UNDER_WAY) {
            let namespaces = self.targets.namespaces();
            self.under_way = under_way(&mut self.ebpf, &namespaces, self.targets.list.len()).ok();
        }
    }

    /// A new measurement begins.
    pub fn reset(&mut self) -> Result<(), Problem> {
        self.before = Raw::read(self)?;
        self.start_clocks();
        Ok(())
    }

    fn start_clocks(&mut self) {
        self.begun = Instant::now();
        self.begun_at = SystemTime::now();
        self.begun_clock = monotonic();
    }
}

fn monotonic() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is valid; this clock always is.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

fn unavailable(attached: &[Attached]) -> Problem {
    let mut lines = vec![format!("kernel {} does not let the probes in:", kernel::release())];
    for attached in attached.iter().filter(|attached| attached.rung.is_none()) {
        let name = attached.hook.name;
        lines.extend(
            attached
                .refused
                .iter()
                .map(|refusal| format!("  {name} by {} {}: {}", refusal.rung, refusal.on, refusal.reason)),
        );
    }
    Problem(lines.join("\n"))
}

fn insert<K: Pod, V: Pod>(ebpf: &mut Ebpf, name: &str, key: &K, value: &V) -> Result<(), Problem> {
    let map = ebpf.map_mut(name).ok_or_else(|| Problem(format!("the eBPF object has no map {name}")))?;
    let mut map: HashMap<&mut MapData, K, V> = map.try_into().trying(&format!("opening the map {name}"))?;
    map.insert(key, value, 0).trying(&format!("filling the map {name}"))
}

/// Where cgroup2 is mounted.
fn root_cgroup() -> Option<File> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    mounts.lines().find_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (place, kind) = (words.next()?, words.next()?);
        (kind == "cgroup2").then(|| File::open(place).ok()).flatten()
    })
}

/// Before 5.11 maps count as locked memory.
fn unlimited_memory() {
    let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the structure is ours. A refusal shows when maps are created.
    unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use meshmark_common::probe::{LATENCY_MEASURES, MEASURES, TALLIED_MEASURES};

    use super::first;
    use crate::arguments::Probes;

    #[test]
    fn every_measure_has_histograms_of_its_own() {
        const TARGETS: u32 = 3;
        for mode in 0..8 {
            let [latency, connections, follow] = [1, 2, 4].map(|bit| mode & bit != 0);
            let probes = Probes { latency, drops: true, connections, follow };
            let firsts: Vec<_> =
                (TALLIED_MEASURES..MEASURES).filter_map(|measure| first(probes, measure, TARGETS)).collect();
            let followed = if latency && follow { LATENCY_MEASURES - TALLIED_MEASURES } else { 0 };
            let measured = followed + if connections { MEASURES - LATENCY_MEASURES } else { 0 };
            assert_eq!(firsts.len(), measured, "{probes:?}");
            assert_eq!(firsts.iter().collect::<BTreeSet<_>>().len(), measured, "{probes:?}: {firsts:?}");
            assert!(
                firsts
                    .iter()
                    .all(|first| *first < measured as u32 * TARGETS * 2 && first % (TARGETS * 2) == 0)
            );
            assert_eq!(first(probes, 0, TARGETS), latency.then_some(0));
        }
    }
}
