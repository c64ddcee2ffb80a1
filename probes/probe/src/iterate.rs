//! Programs that the kernel runs for every TCP socket, per network namespace of the thread that asks.

use std::{
    io::Read,
    path::{Path, PathBuf},
    thread,
};

use aya::{
    Ebpf,
    programs::Iter,
};

use crate::{
    hooks::Hook,
    namespace,
    problem::{Problem, Trying},
};

/// What became of it in one namespace: what the program wrote, or why it could not be run.
pub struct Listed<'a> {
    pub path: &'a Path,
    pub written: Result<Vec<u8>, String>,
}

/// Runs the hook's program in each of the namespaces. Those that ended meanwhile have no sockets.
pub fn over<'a>(
    ebpf: &mut Ebpf,
    hook: &Hook,
    namespaces: &'a [PathBuf],
) -> Result<Vec<Listed<'a>>, Problem> {
    let name = hook.rungs[0].program;
    let program: &mut Iter = ebpf
        .program_mut(name)
        .ok_or_else(|| Problem(format!("the eBPF object has no program {name}")))?
        .try_into()
        .trying(&format!("taking the program {name}"))?;
    namespaces
        .iter()
        .map(|path| {
            let id = program.attach().trying("starting an iterator over sockets")?;
            let link = program.take_link(id).trying("starting an iterator over sockets")?;
            let read = || {
                if let Err(error) = namespace::enter(path) {
                    return if path.exists() { Err(error.to_string()) } else { Ok(Vec::new()) };
                }
                let mut file = link.into_file().map_err(|error| error.to_string())?;
                let mut written = Vec::new();
                // Reading makes it run.
                file.read_to_end(&mut written).map_err(|error| error.to_string())?;
                Ok(written)
            };
            let written = thread::scope(|scope| {
                scope.spawn(read).join().unwrap_or_else(|_| Err("the thread broke".into()))
            });
            Ok(Listed { path, written })
        })
        .collect()
}
