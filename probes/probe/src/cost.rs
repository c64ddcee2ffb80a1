//! What the probes themselves cost.

use std::{
    fs,
    os::fd::{AsRawFd, BorrowedFd},
    time::Duration,
};

use serde::Serialize;

use crate::{
    problem::{Problem, Trying},
    raw::Raw,
    session::Session,
    sockets::Reader,
};

/// What the kernel counts of a program. Runs and time only while statistics are on; what it left out since the same
/// program was already running on the CPU, always (from 5.12 on).
#[derive(Clone, Copy, Default, Debug)]
pub struct ProgramCounts {
    pub runs: u64,
    pub nanoseconds: u64,
    pub missed: u64,
}

impl ProgramCounts {
    pub const fn since(self, before: Self) -> Self {
        Self {
            runs: self.runs - before.runs,
            nanoseconds: self.nanoseconds - before.nanoseconds,
            missed: self.missed - before.missed,
        }
    }

    /// Of all copies of one program. Missed is what none of them has seen: at most what the one that missed least did.
    pub fn together(copies: &[Self]) -> Self {
        Self {
            runs: copies.iter().map(|copy| copy.runs).sum(),
            nanoseconds: copies.iter().map(|copy| copy.nanoseconds).sum(),
            missed: copies.iter().map(|copy| copy.missed).min().unwrap_or(0),
        }
    }
}

/// From `/proc/self/fdinfo`.
pub fn program_counts(program: BorrowedFd<'_>) -> Result<ProgramCounts, Problem> {
    let path = format!("/proc/self/fdinfo/{}", program.as_raw_fd());
    let text = fs::read_to_string(&path).trying(&format!("reading {path}"))?;
    let field = |name: &str| number(&text, name).unwrap_or(0);
    Ok(ProgramCounts {
        runs: field("run_cnt:"),
        nanoseconds: field("run_time_ns:"),
        missed: field("recursion_misses:"),
    })
}

fn number(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// Memory of all maps that this process has open, in bytes.
fn map_bytes() -> u64 {
    let files = fs::read_dir("/proc/self/fdinfo").into_iter().flatten().flatten();
    files
        .filter_map(|file| fs::read_to_string(file.path()).ok())
        .filter(|text| text.contains("map_type:"))
        .filter_map(|text| number(&text, "memlock:"))
        .sum()
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Whether runs and their time were counted.
    pub counted: bool,
    pub programs: Vec<ProgramCost>,
    /// Share of one CPU that the programs took.
    pub cpu_share: Option<f64>,
    /// Time of all programs by requests; a request of which both ends are watched is one.
    pub ns_per_request: Option<f64>,
    pub map_bytes: u64,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct ProgramCost {
    pub program: &'static str,
    pub hook: &'static str,
    pub runs: u64,
    /// With the two looks at the clock of the kernel's statistics, and the call: 40 to 80 ns, by the machine.
    pub ns_per_run: Option<f64>,
    pub missed: u64,
}

pub fn cost(session: &Session, raw: &Raw, elapsed: Duration) -> Cost {
    let programs: Vec<ProgramCost> = session
        .attached
        .iter()
        .filter_map(|attached| {
            let rung = attached.rung?;
            let counts = ProgramCounts::together(raw.programs.get(rung.program)?);
            Some(ProgramCost {
                program: rung.program,
                hook: attached.hook.name,
                runs: counts.runs,
                ns_per_run: (counts.runs > 0).then(|| counts.nanoseconds as f64 / counts.runs as f64),
                missed: counts.missed,
            })
        })
        .collect();
    let counted = session.counts_cost();
    let nanoseconds: u64 = raw.programs.values().flatten().map(|counts| counts.nanoseconds).sum();
    let side = |role: usize| -> u64 {
        (0..session.targets.list.len() as u32)
            .map(|target| Reader { session, raw, target }.requests(role))
            .sum()
    };
    let requests = side(0).max(side(1));
    Cost {
        counted,
        programs,
        cpu_share: counted.then(|| nanoseconds as f64 / elapsed.as_nanos().max(1) as f64),
        ns_per_request: (counted && requests > 0).then(|| nanoseconds as f64 / requests as f64),
        map_bytes: map_bytes(),
    }
}
