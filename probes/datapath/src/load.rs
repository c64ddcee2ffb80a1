//! Into the kernel.

use std::fs::File;

use aya::{
    Ebpf, EbpfLoader,
    programs::{CgroupAttachMode, Program, ProgramError, SchedClassifier},
};
use meshmark_common::datapath::{Config, RECENT_FLOWS};

use crate::{
    arguments::Options,
    attach::Attachment,
    clock,
    data_path::DataPath,
    events::Events,
    kernel,
    maps::Maps,
    problem::{Problem, Trying},
};

static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/datapath.o"));

/// The programs at a pod's device, and the one that only tells the time.
pub const CLASSIFIERS: [&str; 3] = ["from_pod", "to_pod", "clock"];
/// The programs at the run's cgroup.
pub const CGROUP_HOOKS: [&str; 8] =
    ["connect4", "connect6", "sendmsg4", "sendmsg6", "recvmsg4", "recvmsg6", "getpeername4", "getpeername6"];

/// Between two events of an established flow.
const EVENT_SECONDS: u32 = 5;
/// Events per CPU: so many at once, and so many in a second.
const EVENT_BURST: u32 = 1_000;
const EVENTS_PER_SECOND: u32 = 2_000;

/// Loads everything and attaches what belongs to the cgroup.
pub fn load(options: &Options) -> Result<DataPath, Problem> {
    let cgroup = open_cgroup(options)?;
    unlimited_memory();
    let mut loader = EbpfLoader::new();
    for (map, entries) in &options.sizes {
        loader.map_max_entries(map, *entries);
    }
    let numbers = cpu_numbers()?;
    for map in ["RECENT4", "RECENT6"] {
        loader.map_max_entries(map, RECENT_FLOWS * numbers);
    }
    let other = options.object.as_ref().map(std::fs::read).transpose().trying("reading the eBPF object")?;
    let object = other.as_deref().unwrap_or(OBJECT);
    let mut ebpf = loader
        .load(object)
        .trying("creating the data path's maps (this needs root, or CAP_BPF and CAP_NET_ADMIN)")?;
    for name in CLASSIFIERS {
        let program: &mut SchedClassifier = program(&mut ebpf, name)?;
        program.load().map_err(|error| refused(name, error))?;
    }
    for name in CGROUP_HOOKS {
        let program: &mut aya::programs::CgroupSockAddr = program(&mut ebpf, name)?;
        program.load().map_err(|error| refused(name, error))?;
        program
            .attach(&cgroup, CgroupAttachMode::Single)
            .trying(&format!("attaching {name} to the cgroup {}", options.cgroup.display()))?;
    }
    let (maps, events) = Maps::take(&mut ebpf)?;
    let hertz = clock::rate(program(&mut ebpf, "clock")?)?;
    maps.config.initialise(Config {
        revision: 1,
        events: 0,
        proxy_port: 0,
        proxy_address4: 0,
        proxy_address6: [0; 4],
        tcp_timeout: options.timeouts.tcp * hertz,
        other_timeout: options.timeouts.other * hertz,
        closing_timeout: options.timeouts.closing * hertz,
        event_interval: EVENT_SECONDS * hertz,
        event_burst: EVENT_BURST,
        event_nanoseconds: 1_000_000_000 / EVENTS_PER_SECOND,
    });
    Ok(DataPath::new(ebpf, maps, Events::new(events), Attachment::for_kernel(), hertz))
}

/// So many numbers CPUs may have, from 0 on; there can be fewer CPUs.
fn cpu_numbers() -> Result<u32, Problem> {
    const FILE: &str = "/sys/devices/system/cpu/possible";
    let ranges = std::fs::read_to_string(FILE).trying(&format!("reading {FILE}"))?;
    let highest = ranges.trim().rsplit([',', '-']).next().and_then(|number| number.parse::<u32>().ok());
    highest.map(|number| number + 1).ok_or_else(|| Problem(format!("{FILE} says {ranges:?}")))
}

/// A loaded program of the type that its name stands for.
pub fn program<'a, T>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut T, Problem>
where
    &'a mut T: TryFrom<&'a mut Program>,
    <&'a mut T as TryFrom<&'a mut Program>>::Error: std::error::Error,
{
    ebpf.program_mut(name)
        .ok_or_else(|| Problem(format!("the eBPF object has no program {name}")))?
        .try_into()
        .trying(&format!("taking the program {name}"))
}

/// What the verifier said last, with the kernel that said it.
fn refused(name: &str, error: ProgramError) -> Problem {
    const LINES: usize = 15;
    let ProgramError::LoadError { io_error, verifier_log } = error else {
        return Problem(format!("loading {name} into kernel {}: {error}", kernel::release()));
    };
    let log = verifier_log.to_string();
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join("\n  ");
    Problem(format!("kernel {} refuses the program {name}: {io_error}\n  {last}", kernel::release()))
}

fn open_cgroup(options: &Options) -> Result<File, Problem> {
    let path = options.cgroup.display();
    let directory = File::open(&options.cgroup).trying(&format!("opening the cgroup {path}"))?;
    let mut filesystem = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the descriptor is open, the structure ours; it is read only if the call filled it.
    let is_cgroup2 = unsafe {
        libc::fstatfs(std::os::fd::AsRawFd::as_raw_fd(&directory), filesystem.as_mut_ptr()) == 0
            && filesystem.assume_init().f_type == libc::CGROUP2_SUPER_MAGIC
    };
    if is_cgroup2 {
        return Ok(directory);
    }
    Err(Problem(format!(
        "{path} is no directory of a cgroup2 file system: see /proc/self/mounts for where one is, or mount it (mount -t \
         cgroup2 none DIR), and make a directory in it"
    )))
}

/// Before 5.11 maps count as locked memory.
fn unlimited_memory() {
    let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the structure is ours. A refusal shows when maps are created.
    unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) };
}
