//! What was seen, as it is written.

use std::time::{Duration, UNIX_EPOCH};

use serde::Serialize;

use crate::{
    attach::Refusal,
    cost::{Cost, ProgramCounts, cost},
    drops::{Drops, Names, drops},
    hooks::DESTROY,
    kernel,
    problem::Problem,
    raw::Raw,
    session::Session,
    sockets::{Both, Connections, Latency, Reader},
};

pub const SCHEMA: &str = "meshmark/probe/1";

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub schema: &'static str,
    pub probes: Vec<&'static str>,
    /// It was to go on for longer.
    pub partial: bool,
    /// Milliseconds since 1970.
    pub begun_at: u64,
    pub seconds: f64,
    pub kernel: String,
    pub cpus: usize,
    /// Where the state of connections was kept that found no place of its own, or all of it: with the socket, or in a hash map.
    pub state: &'static str,
    pub hooks: Vec<HookReport>,
    pub targets: Vec<TargetReport>,
    pub cost: Cost,
    pub lost: Lost,
    pub warnings: Vec<String>,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct HookReport {
    pub hook: &'static str,
    /// `null`: this kernel has no way there.
    pub rung: Option<&'static str>,
    pub on: Option<&'static str>,
    pub program: Option<&'static str>,
    /// Better ways that this kernel refused.
    pub refused: Vec<Refusal>,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct TargetReport {
    pub name: String,
    pub watches: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Both<Latency>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drops: Option<Drops>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<Both<Connections>>,
}

/// What is missing in the figures. All zeros: nothing.
#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Lost {
    /// Events for which the kernel did not run a program, since the same one was already running on that CPU.
    pub missed: u64,
    /// What did not fit into a map.
    pub sockets: u64,
    pub drops: u64,
    pub drop_services: u64,
    pub failed_connects: u64,
    pub listeners: u64,
}

impl Lost {
    pub const fn total(&self) -> u64 {
        self.missed + self.sockets + self.drops + self.drop_services + self.failed_connects + self.listeners
    }
}

pub fn report(session: &mut Session, names: &Names, partial: bool) -> Result<Report, Problem> {
    session.count_under_way();
    let session = &*session;
    let raw = session.read()?;
    let elapsed = session.elapsed();
    let targets =
        (0..session.targets.list.len()).map(|index| target(session, &raw, index, names, elapsed)).collect();
    // The end of a socket is in no figure.
    let counting =
        raw.programs.iter().filter(|(name, _)| DESTROY.rungs.iter().all(|rung| rung.program != **name));
    let missed = counting.map(|(_, copies)| ProgramCounts::together(copies).missed).sum();
    let [sockets, drops, drop_services, failed_connects, listeners, ..] = raw.overflows;
    let lost = Lost { missed, sockets, drops, drop_services, failed_connects, listeners };
    let mut warnings = session.warnings.clone();
    if lost.total() > 0 {
        warnings
            .push(format!("{} events were lost: the figures are too low by them (see lost)", lost.total()));
    }
    for (kind, ended) in ["network namespaces", "cgroups"].into_iter().zip(session.targets.ended()) {
        if !ended.is_empty() {
            warnings.push(format!("{kind} that ended while they were watched: {}", ended.join(", ")));
        }
    }
    let refused = session.watched.read(|seen| seen.refused);
    for pattern in &session.targets.patterns {
        if session.watched.read(|seen| !seen.names.contains_key(&pattern.target)) {
            warnings.push(format!("nothing has matched {}", pattern.name(&pattern.path)));
        }
    }
    if refused > 0 {
        warnings.push(format!("{refused} matches of patterns are not watched: there was no room for more"));
    }
    for attached in session.attached.iter().filter(|attached| attached.rung.is_none()) {
        warnings.push(format!("no {}: this kernel has no way to see it", attached.hook.without));
    }
    Ok(Report {
        schema: SCHEMA,
        probes: session.probes.names(),
        partial,
        begun_at: session
            .begun_at
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        seconds: elapsed.as_secs_f64(),
        kernel: kernel::release(),
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
        state: if session.plan.in_sockets { "socket storage" } else { "hash map" },
        hooks: session
            .attached
            .iter()
            .map(|attached| HookReport {
                hook: attached.hook.name,
                rung: attached.rung.map(|rung| rung.way.name()),
                on: attached.rung.map(|rung| rung.on),
                program: attached.rung.map(|rung| rung.program),
                refused: attached.refused.clone(),
            })
            .collect(),
        targets,
        cost: cost(session, &raw, elapsed),
        lost,
        warnings,
    })
}

fn target(session: &Session, raw: &Raw, index: usize, names: &Names, elapsed: Duration) -> TargetReport {
    let target = &session.targets.list[index];
    let number = index as u32;
    let matched = session.watched.read(|seen| seen.names.get(&number).cloned().unwrap_or_default());
    let reader = Reader { session, raw, target: number };
    TargetReport {
        name: target.name.clone(),
        watches: target.watches.iter().cloned().chain(matched).collect(),
        latency: session.probes.latency.then(|| reader.latency()),
        drops: session.probes.drops.then(|| drops(raw, number, names, elapsed.as_secs_f64().max(1e-9))),
        connections: session.probes.connections.then(|| reader.connections()),
    }
}
