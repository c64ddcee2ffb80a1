//! `probe-name --duration SECONDS [--port N] [--output FILE] [--format json|table]`: how long connecting took.

mod options;
mod report;

use std::{error::Error, fs, thread::sleep, time::Instant};

use aya::{EbpfLoader, include_bytes_aligned, maps::PerCpuArray, programs::RawTracePoint, sys::Stats};

use crate::{options::Options, report::Report};

static OBJECT: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/probe.o"));

fn main() {
    if let Err(error) = run() {
        eprintln!("probe-name: {error}");
        std::process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(std::env::args().skip(1))?;
    // Before anything is watched: nobody should wait for what can't be written.
    if let Some(file) = &options.output {
        fs::write(file, "").map_err(|error| format!("{} can't be written: {error}", file.display()))?;
    }
    let mut ebpf = EbpfLoader::new()
        .override_global("PORT", &options.port, true)
        .load(OBJECT)
        .map_err(|error| format!("the kernel refuses the probe's maps (this needs root): {error}"))?;
    let program: &mut RawTracePoint =
        ebpf.program_mut("set_state").ok_or("the object has no program set_state")?.try_into()?;
    program.load().map_err(|error| format!("the kernel refuses the program: {error}"))?;
    program.attach("inet_sock_set_state")?;
    // The kernel counts the programs' own time while this is open.
    let _counting = aya::sys::enable_stats(Stats::RunTime)?;
    eprintln!("attached");
    let begun = Instant::now();
    sleep(options.duration);
    let info = program.info()?;
    let seconds = begun.elapsed().as_secs_f64();
    let slots: PerCpuArray<_, u64> = ebpf.map("SLOTS").ok_or("the object has no map SLOTS")?.try_into()?;
    let sum: PerCpuArray<_, u64> = ebpf.map("SUM").ok_or("the object has no map SUM")?.try_into()?;
    let total =
        |map: &PerCpuArray<_, u64>, index: u32| map.get(&index, 0).map(|values| values.iter().sum::<u64>());
    let report = Report {
        seconds,
        slots: (0..64).map(|index| total(&slots, index)).collect::<Result<_, _>>()?,
        sum_ns: total(&sum, 0)?,
        runs: info.run_count(),
        run_ns: u64::try_from(info.run_time().as_nanos())?,
    };
    let text = if options.json { report.json() } else { report.table() };
    match &options.output {
        Some(file) => fs::write(file, text)?,
        None => print!("{text}"),
    }
    Ok(())
}
