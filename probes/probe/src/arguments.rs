use std::{path::PathBuf, time::Duration};

use crate::{duration, problem::Problem, targets::TargetSpec};

pub const USAGE: &str = "\
usage: meshmark-probe latency|drops|connections [more of them] [options]
       meshmark-probe verify [--format json|table]

  --duration TIME     how long to watch (default 10s); Ctrl-C ends it before, and what was seen is written
  --output FILE       where the result goes (default: standard output)
  --format FORMAT     json or table (default: json into a file or pipe, table on a terminal)
  --interval TIME     shows what was seen so far, every so often
  --target [NAME=]WHAT  what to watch, any number of times (default: every network namespace, each for itself):
                      netns:NAME or netns:/run/netns/NAME or netns:/proc/PID/ns/net (with @UID: only what that user has
                      there), cgroup:DIR (with all below it), address:IP[:PORT] ([IP6]:PORT); names and paths may have * and ?
                      (quote them): what matches is one target, also what is made while it is watched
  --follow            follows one request in eight of each connection (latency): how long it was on the way, where both ends
                      are on this machine, and how long a proxy worked on it itself; costs a tenth more
  --no-cost           do not count the programs' own time (which itself costs 40 to 80 ns a run)
  --state WHERE       sockets or hash: where the state of connections is kept (default: sockets, where the kernel lets)
  --without PROGRAM   takes the next way on the ladder, any number of times (the names: verify --format json)
  --empty             attaches programs that do nothing where the latency probe's are: what being there costs by itself
  --twice             attaches two copies of each program that may be left for another task in the middle, as is done by
                      itself from kernel 7 on: the second does what the kernel leaves out of the first
  --object FILE       another eBPF object than the built-in one, for working on it
  --first PROGRAM     tries this way before the others of its hook, any number of times, in this order
  --control           for programs: one JSON request a line on standard input, see docs/probes.md";

/// What is watched.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says whether something is watched")]
pub struct Probes {
    pub latency: bool,
    pub drops: bool,
    pub connections: bool,
    /// Of latency: one request in `LOOKED_INTO` is followed.
    pub follow: bool,
}

impl Probes {
    pub fn names(self) -> Vec<&'static str> {
        [(self.latency, "latency"), (self.drops, "drops"), (self.connections, "connections")]
            .into_iter()
            .filter_map(|(on, name)| on.then_some(name))
            .collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Json,
    Table,
}

/// What the command line says.
#[derive(Debug)]
pub struct Options {
    pub probes: Probes,
    pub duration: Duration,
    pub output: Option<PathBuf>,
    pub format: Option<Format>,
    pub interval: Option<Duration>,
    pub targets: Vec<TargetSpec>,
    pub cost: bool,
    pub ladder: LadderOptions,
}

/// Which ways are to be tried first, and which are not.
#[derive(Debug, Default, Clone)]
pub struct LadderOptions {
    /// `Some(true)`: only in places and with the sockets; `Some(false)`: only in a hash map.
    pub in_sockets: Option<bool>,
    pub without: Vec<String>,
    /// Programs that do nothing instead.
    pub empty: bool,
    /// Two copies of each program, whatever the kernel.
    pub twice: bool,
    pub first: Vec<String>,
    /// Another eBPF object than the built-in one.
    pub object: Option<PathBuf>,
}

#[derive(Debug)]
pub enum Command {
    Help,
    Verify(Options),
    Run(Options),
    Control(Options),
}

pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Command, Problem> {
    let mut options = Options {
        probes: Probes::default(),
        duration: Duration::from_secs(10),
        output: None,
        format: None,
        interval: None,
        targets: Vec::new(),
        cost: true,
        ladder: LadderOptions::default(),
    };
    let (mut verify, mut control) = (false, false);
    let mut arguments = arguments.flat_map(|argument| match argument.split_once('=') {
        // --duration=5 as well, but the = in --target's value is its own.
        Some((name, value)) if name.starts_with("--") => vec![name.to_owned(), value.to_owned()],
        _ => vec![argument],
    });
    while let Some(argument) = arguments.next() {
        let mut value =
            || arguments.next().ok_or_else(|| Problem(format!("{argument} has no value\n{USAGE}")));
        match argument.as_str() {
            "latency" => options.probes.latency = true,
            "drops" => options.probes.drops = true,
            "connections" => options.probes.connections = true,
            "verify" => verify = true,
            "--follow" => options.probes.follow = true,
            "--control" => control = true,
            "--empty" => options.ladder.empty = true,
            "--twice" => options.ladder.twice = true,
            "--no-cost" => options.cost = false,
            "--help" | "-h" | "help" => return Ok(Command::Help),
            "--duration" => options.duration = duration::parse("--duration", &value()?)?,
            "--interval" => options.interval = Some(duration::parse("--interval", &value()?)?),
            "--output" => options.output = Some(PathBuf::from(value()?)),
            "--target" => options.targets.push(TargetSpec::parse(&value()?)?),
            "--without" => options.ladder.without.push(value()?),
            "--object" => options.ladder.object = Some(PathBuf::from(value()?)),
            "--first" => options.ladder.first.push(value()?),
            "--state" => {
                options.ladder.in_sockets = Some(match value()?.as_str() {
                    "sockets" => true,
                    "hash" => false,
                    other => return Err(Problem(format!("--state is sockets or hash, not {other:?}"))),
                });
            }
            "--format" => {
                options.format = Some(match value()?.as_str() {
                    "json" => Format::Json,
                    "table" => Format::Table,
                    other => return Err(Problem(format!("--format is json or table, not {other:?}"))),
                });
            }
            other => return Err(Problem(format!("there is no {other}\n{USAGE}"))),
        }
    }
    if verify {
        return Ok(Command::Verify(options));
    }
    if options.probes.names().is_empty() {
        return Err(Problem(format!("which probe? latency, drops or connections\n{USAGE}")));
    }
    if options.probes.follow && !options.probes.latency {
        return Err(Problem::new("--follow is of the latency probe"));
    }
    Ok(if control { Command::Control(options) } else { Command::Run(options) })
}
