//! `meshmark-probe`: loads the probes, watches for as long as it is told, and says what it saw.

mod arguments;
mod attach;
mod btf;
mod control;
mod cost;
mod discover;
mod drops;
mod duration;
mod hooks;
mod iterate;
mod namespace;
mod offsets;
mod output;
mod patterns;
mod placeholders;
mod raw;
mod reasons;
mod report;
mod run;
mod seed;
mod session;
mod signals;
mod sockets;
mod summary;
mod symbols;
mod table;
mod targets;
mod under_way;
mod verify;
mod watcher;

use std::process::ExitCode;

use arguments::Command;
use meshmark_common::{
    kernel,
    problem::{self, Problem},
};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Problem(sentence)) => {
            eprintln!("meshmark-probe: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Problem> {
    match arguments::parse(std::env::args().skip(1))? {
        Command::Help => {
            println!("{}", arguments::USAGE);
            Ok(())
        }
        Command::Verify(options) => verify::verify(&options),
        Command::Run(options) => run::run(&options),
        Command::Control(options) => control::control(&options),
    }
}
