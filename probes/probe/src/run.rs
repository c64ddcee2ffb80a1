//! From the command line: watch for a time, then say what was seen.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use crate::{
    arguments::{Format, Options},
    drops::Names,
    output::{Output, print},
    problem::{Problem, Trying},
    reasons::Reasons,
    report::{Report, report},
    session::Session,
    signals,
    symbols::Symbols,
    table, targets,
};

/// Clears the terminal and goes to its first line.
const CLEAR: &str = "\x1b[H\x1b[2J";
/// A program that is running when its link is cut may still count.
pub const SETTLE: Duration = Duration::from_millis(2);

pub fn run(options: &Options) -> Result<(), Problem> {
    signals::block();
    signals::end_with_parent();
    let output = Output::open(options.output.as_deref())?;
    match watch(options, output.is_standard()) {
        Ok(text) => output.write(&text),
        Err(problem) => {
            output.discard();
            Err(problem)
        }
    }
}

fn watch(options: &Options, standard: bool) -> Result<String, Problem> {
    let targets = targets::resolve(&options.targets)?;
    let mut session = Session::begin(options.probes, targets, &options.ladder)?;
    session.count_cost(options.cost)?;
    let names = names(&session);
    let terminal = std::io::stdout().is_terminal();
    let by_itself = |is_terminal| if is_terminal { Format::Table } else { Format::Json };
    // What is shown in between is for standard output, wherever the result goes.
    let shown = options.format.unwrap_or(by_itself(terminal));
    let format = options.format.unwrap_or(by_itself(standard && terminal));
    let end = Instant::now() + options.duration;
    let mut stopped = false;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let pause = options.interval.map_or(left, |interval| interval.min(left));
        if signals::wait(pause) {
            stopped = true;
            break;
        }
        if Instant::now() >= end {
            break;
        }
        if options.interval.is_some() {
            show(&report(&mut session, &names, true)?, terminal, shown)?;
        }
    }
    session.end();
    std::thread::sleep(SETTLE);
    render(&report(&mut session, &names, stopped)?, format)
}

pub fn names(session: &Session) -> Names {
    let drops = session.probes.drops;
    Names {
        reasons: Reasons::read(&session.types),
        symbols: if drops { Symbols::read() } else { Symbols::none() },
    }
}

/// In between: a table, on a terminal drawn over, or one line of JSON.
fn show(report: &Report, terminal: bool, format: Format) -> Result<(), Problem> {
    let text = render(report, format)?;
    match format {
        Format::Json => print(&format!("{text}\n")),
        Format::Table if terminal => print(&format!("{CLEAR}{text}\n")),
        Format::Table => print(&format!("{text}\n\n")),
    }
}

fn render(report: &Report, format: Format) -> Result<String, Problem> {
    match format {
        Format::Json => serde_json::to_string(report).trying("writing JSON"),
        Format::Table => Ok(table::render(report)),
    }
}
