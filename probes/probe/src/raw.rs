//! What the maps hold, summed over the CPUs.

use std::{collections::BTreeMap, os::fd::AsFd};

use aya::{
    Ebpf, Pod,
    maps::{HashMap, MapData, PerCpuArray},
};
use meshmark_common::probe::{
    ConnectFailure, Counters, DropKey, DropService, Histogram, MEASURES, SLOTS, TALLIED_MEASURES, Tally,
};

use crate::{
    cost::{ProgramCounts, program_counts},
    hooks::Way,
    problem::{Problem, Trying},
    session::Session,
};

/// What did not fit: sockets, drops, services of drops, connect failures, listeners.
pub const OVERFLOWS: usize = 8;

#[derive(Default, Clone)]
pub struct Raw {
    /// By `Measure`, then by target and role.
    pub histograms: [Vec<Values>; MEASURES],
    pub counters: Vec<Counters>,
    pub drops: BTreeMap<DropKey, u64>,
    pub services: BTreeMap<DropService, u64>,
    pub failures: BTreeMap<ConnectFailure, u64>,
    pub overflows: [u64; OVERFLOWS],
    /// Of each copy.
    pub programs: BTreeMap<&'static str, Vec<ProgramCounts>>,
}

/// A histogram: the sum of all values, and how many are in each slot.
#[derive(Clone)]
pub struct Values {
    pub sum: u64,
    pub slots: Vec<u64>,
}

impl Default for Values {
    fn default() -> Self {
        Self { sum: 0, slots: vec![0; SLOTS] }
    }
}

impl Values {
    fn of<'a>(cpus: impl Iterator<Item = &'a Histogram>, sum: u64) -> Self {
        let mut values = Self { sum, ..Self::default() };
        for cpu in cpus {
            for (all, one) in values.slots.iter_mut().zip(cpu.slots) {
                *all += one;
            }
        }
        values
    }

    pub fn count(&self) -> u64 {
        self.slots.iter().sum()
    }

    fn since(&self, before: Option<&Self>) -> Self {
        let Some(before) = before else { return self.clone() };
        Self {
            sum: self.sum.wrapping_sub(before.sum),
            slots: self
                .slots
                .iter()
                .zip(&before.slots)
                .map(|(now, then)| now.saturating_sub(*then))
                .collect(),
        }
    }
}

impl Raw {
    pub fn read(session: &Session) -> Result<Self, Problem> {
        let ebpf = &session.ebpf;
        let mut raw = Self {
            drops: entries(ebpf, "DROPS")?,
            services: entries(ebpf, "DROP_SERVICES")?,
            failures: entries(ebpf, "CONNECT_FAILURES")?,
            ..Self::default()
        };
        per_cpu(ebpf, "TALLIES", |cpus: &[Tally]| {
            let counters =
                cpus.iter().fold(Counters::default(), |sum, cpu| fold(sum, cpu.counters, u64::wrapping_add));
            for (measure, histograms) in raw.histograms[..TALLIED_MEASURES].iter_mut().enumerate() {
                histograms
                    .push(Values::of(cpus.iter().map(|cpu| &cpu.latency[measure]), counters.sums[measure]));
            }
            raw.counters.push(counters);
        })?;
        let mut others = Vec::new();
        per_cpu(ebpf, "HISTOGRAMS", |cpus: &[Histogram]| others.push(Values::of(cpus.iter(), 0)))?;
        for measure in TALLIED_MEASURES..MEASURES {
            let Some(first) = session.first(measure) else { continue };
            let values = others[first..].iter().zip(&raw.counters);
            raw.histograms[measure] = values
                .map(|(values, counters)| Values { sum: counters.sums[measure], ..values.clone() })
                .collect();
        }
        let mut index = 0;
        per_cpu(ebpf, "OVERFLOWS", |cpus: &[u64]| {
            raw.overflows[index] = cpus.iter().sum();
            index += 1;
        })?;
        for attached in &session.attached {
            // What is run by this program itself, to list sockets, is no cost of watching.
            if let Some(rung) = attached.rung.filter(|rung| rung.way != Way::Iterator) {
                let counts = attached.copies.iter().map(|copy| program_counts(copy.program.as_fd()));
                raw.programs.insert(rung.program, counts.collect::<Result<_, _>>()?);
            }
        }
        Ok(raw)
    }

    pub fn since(&self, before: &Self) -> Self {
        let mut raw = self.clone();
        for (histograms, before) in raw.histograms.iter_mut().zip(&before.histograms) {
            for (index, values) in histograms.iter_mut().enumerate() {
                *values = values.since(before.get(index));
            }
        }
        for (counters, then) in raw.counters.iter_mut().zip(&before.counters) {
            *counters = fold(*counters, *then, u64::wrapping_sub);
        }
        subtract(&mut raw.drops, &before.drops);
        subtract(&mut raw.services, &before.services);
        subtract(&mut raw.failures, &before.failures);
        for (now, then) in raw.overflows.iter_mut().zip(before.overflows) {
            *now -= then;
        }
        for (name, copies) in &mut raw.programs {
            let before = before.programs.get(name).into_iter().flatten();
            for (counts, then) in copies.iter_mut().zip(before) {
                *counts = counts.since(*then);
            }
        }
        raw
    }
}

fn subtract<K: Ord>(now: &mut BTreeMap<K, u64>, then: &BTreeMap<K, u64>) {
    for (key, count) in now.iter_mut() {
        *count -= then.get(key).copied().unwrap_or(0);
    }
    now.retain(|_, count| *count != 0);
}

fn fold(left: Counters, right: Counters, with: impl Fn(u64, u64) -> u64) -> Counters {
    Counters {
        sums: std::array::from_fn(|measure| with(left.sums[measure], right.sums[measure])),
        timed: with(left.timed, right.timed),
        ready_at_sum: with(left.ready_at_sum, right.ready_at_sum),
        lowest_rtt_sum: with(left.lowest_rtt_sum, right.lowest_rtt_sum),
        requests: with(left.requests, right.requests),
        first_requests: with(left.first_requests, right.first_requests),
        attempts: with(left.attempts, right.attempts),
        opened: with(left.opened, right.opened),
        closed: with(left.closed, right.closed),
        seeded: with(left.seeded, right.seeded),
        discarded: with(left.discarded, right.discarded),
        retransmits: with(left.retransmits, right.retransmits),
        syn_retransmits: with(left.syn_retransmits, right.syn_retransmits),
        tls_unfinished: with(left.tls_unfinished, right.tls_unfinished),
    }
}

fn entries<K: Pod + Ord>(ebpf: &Ebpf, name: &str) -> Result<BTreeMap<K, u64>, Problem> {
    let map = ebpf.map(name).ok_or_else(|| Problem(format!("the eBPF object has no map {name}")))?;
    let map: HashMap<&MapData, K, u64> = map.try_into().trying(&format!("opening the map {name}"))?;
    // Nothing is ever taken out, so that none is missed.
    map.iter().collect::<Result<_, _>>().trying(&format!("reading the map {name}"))
}

fn per_cpu<V: Pod>(ebpf: &Ebpf, name: &str, mut each: impl FnMut(&[V])) -> Result<(), Problem> {
    let map = ebpf.map(name).ok_or_else(|| Problem(format!("the eBPF object has no map {name}")))?;
    let map: PerCpuArray<&MapData, V> = map.try_into().trying(&format!("opening the map {name}"))?;
    for values in map.iter() {
        each(&values.trying(&format!("reading the map {name}"))?);
    }
    Ok(())
}
