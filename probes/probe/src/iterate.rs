//! Programs that the kernel runs for every TCP socket, per network namespace of the thread that asks.

use std::{io::Read, path::Path, thread};

use aya::{Ebpf, programs::Iter};

use crate::{
    hooks::Hook,
    namespace,
    problem::{Problem, Trying},
};

/// Runs the hook's program in a namespace; what it wrote. One that has ended meanwhile has no sockets.
pub fn over(ebpf: &mut Ebpf, hook: &Hook, path: &Path) -> Result<Vec<u8>, Problem> {
    let what = "listing the sockets of a network namespace";
    let name = hook.rungs[0].program;
    let program: &mut Iter = ebpf
        .program_mut(name)
        .ok_or_else(|| Problem(format!("the eBPF object has no program {name}")))?
        .try_into()
        .trying(what)?;
    let id = program.attach().trying(what)?;
    let link = program.take_link(id).trying(what)?;
    let read = || {
        if let Err(error) = namespace::enter(path) {
            return if path.exists() { Err(error).trying(what) } else { Ok(Vec::new()) };
        }
        let mut written = Vec::new();
        // Reading makes it run.
        link.into_file().trying(what)?.read_to_end(&mut written).trying(what)?;
        Ok(written)
    };
    thread::scope(|scope| scope.spawn(read).join().unwrap_or_else(|_| Err(Problem::new("the thread broke"))))
}
