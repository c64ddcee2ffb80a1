//! Connections that were there before: the kernel lists them, per network namespace of the thread that asks.

use std::{io::Read, path::PathBuf, thread};

use aya::{Ebpf, programs::Iter};

use crate::{
    hooks::SEED,
    namespace,
    problem::{Problem, Trying},
};

/// What could not be looked at, in sentences. Namespaces that ended meanwhile have no connections.
pub fn seed(ebpf: &mut Ebpf, namespaces: &[PathBuf]) -> Result<Vec<String>, Problem> {
    let mut warnings = Vec::new();
    let program: &mut Iter = ebpf
        .program_mut(SEED.rungs[0].program)
        .ok_or_else(|| Problem::new("the eBPF object has no program seed"))?
        .try_into()
        .trying("taking the program seed")?;
    for path in namespaces {
        let id = program.attach().trying("starting an iterator over sockets")?;
        let link = program.take_link(id).trying("starting an iterator over sockets")?;
        let listed = thread::scope(|scope| {
            scope
                .spawn(|| {
                    if let Err(error) = namespace::enter(path) {
                        return if path.exists() { Err(error.to_string()) } else { Ok(()) };
                    }
                    let mut file = link.into_file().map_err(|error| error.to_string())?;
                    // The program writes nothing; reading makes it run.
                    file.read_to_end(&mut Vec::new()).map_err(|error| error.to_string()).map(drop)
                })
                .join()
                .unwrap_or_else(|_| Err("the thread broke".into()))
        });
        if let Err(error) = listed {
            warnings.push(format!(
                "the connections that were in {} before could not be listed ({error}): they are not counted",
                path.display()
            ));
        }
    }
    Ok(warnings)
}
