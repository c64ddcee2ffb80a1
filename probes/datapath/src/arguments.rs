use std::path::PathBuf;

use meshmark_common::datapath::{DIRECTIONS, FORWARDED_SLOTS};

use crate::problem::Problem;

const USAGE: &str = "usage: meshmark-datapath --socket PATH --cgroup DIR [--conntrack-entries N] [--policy-entries N] \
                     [--identity-entries N] [--endpoint-entries N] [--rule-entries N] [--service-entries N] [--tcp-seconds N] \
                     [--other-seconds N] [--closing-seconds N] [--object FILE]";

/// What the command line says.
pub struct Options {
    /// Unix socket to listen on; a file that is there is replaced.
    pub socket: PathBuf,
    /// The run's own cgroup2 directory: sockets of the processes in it may use service addresses.
    pub cgroup: PathBuf,
    /// Another eBPF object than the built-in one, for working on it.
    pub object: Option<PathBuf>,
    /// Sizes of maps other than the built-in ones: the option that sets it, the map, how many entries.
    pub sizes: Vec<(&'static str, u32)>,
    pub timeouts: Timeouts,
}

/// How long conntrack keeps a flow without a packet, in seconds.
pub struct Timeouts {
    pub tcp: u32,
    pub other: u32,
    /// A TCP connection after a RST, or a FIN from each side.
    pub closing: u32,
}

/// As long as Cilium's.
const TIMEOUTS: Timeouts = Timeouts { tcp: 21_600, other: 60, closing: 10 };
/// In jiffies it has to be less than 2^31.
const LONGEST_TIMEOUT: u32 = 1_000_000;

/// The maps that an option sizes.
pub const SIZE_OPTIONS: [(&str, &[&str]); 6] = [
    ("--conntrack-entries", &["FLOWS4", "FLOWS6"]),
    ("--policy-entries", &["POLICY"]),
    ("--identity-entries", &["IPCACHE"]),
    ("--endpoint-entries", &["ENDPOINTS", "ENDPOINT_DROPS", "FORWARDED"]),
    ("--rule-entries", &["RULE_COUNTERS"]),
    ("--service-entries", &["SERVICES"]),
];

pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, Problem> {
    let (mut socket, mut cgroup, mut object, mut sizes) = (None, None, None, Vec::new());
    let mut timeouts = TIMEOUTS;
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| Problem(format!("{name} has no value; {USAGE}")))?;
        match name.as_str() {
            "--socket" => socket = Some(PathBuf::from(value)),
            "--cgroup" => cgroup = Some(PathBuf::from(value)),
            "--object" => object = Some(PathBuf::from(value)),
            "--tcp-seconds" => timeouts.tcp = number(&name, &value, LONGEST_TIMEOUT)?,
            "--other-seconds" => timeouts.other = number(&name, &value, LONGEST_TIMEOUT)?,
            "--closing-seconds" => timeouts.closing = number(&name, &value, LONGEST_TIMEOUT)?,
            _ => {
                let (_, maps) = SIZE_OPTIONS
                    .iter()
                    .find(|(option, _)| *option == name)
                    .ok_or_else(|| Problem(format!("there is no option {name}; {USAGE}")))?;
                let entries = number(&name, &value, 1 << 24)?;
                sizes.extend(maps.iter().map(|map| (*map, values_of(map, entries))));
            }
        }
    }
    let missing = |option: &str| Problem(format!("{option} is missing; {USAGE}"));
    Ok(Options {
        socket: socket.ok_or_else(|| missing("--socket"))?,
        cgroup: cgroup.ok_or_else(|| missing("--cgroup"))?,
        object,
        sizes,
        timeouts,
    })
}

fn number(name: &str, value: &str, most: u32) -> Result<u32, Problem> {
    let number = value.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| Problem(format!("{name} wants a number from 1 to {most}, not {value:?}")))
}

/// How many values a map has for so many entries.
fn values_of(map: &str, entries: u32) -> u32 {
    match map {
        // Drops of an endpoint lie at two indices, one for each direction.
        "ENDPOINT_DROPS" => entries * DIRECTIONS,
        "FORWARDED" => entries.div_ceil(FORWARDED_SLOTS as u32),
        _ => entries,
    }
}
