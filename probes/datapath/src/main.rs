//! `meshmark-datapath`: loads the lab's eBPF data path, holds it while the lab is up, and is told over a Unix socket
//! which endpoints, policies and services there are.

mod address;
mod arguments;
mod attach;
mod clock;
mod config_map;
mod conntrack;
mod counters;
mod data_path;
mod endpoints;
mod events;
mod grace;
mod identities;
mod listeners;
mod load;
mod maps;
mod policy;
mod policy_sets;
mod programs;
mod protocol;
mod server;
mod services;
mod signals;
mod single;

use std::process::ExitCode;

use meshmark_common::{
    kernel,
    problem::{self, Problem},
};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Problem(sentence)) => {
            eprintln!("meshmark-datapath: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Problem> {
    let options = arguments::parse(std::env::args().skip(1))?;
    signals::block();
    let _single = single::claim()?;
    let data_path = load::load(&options)?;
    server::serve(&options.socket, data_path)
}
