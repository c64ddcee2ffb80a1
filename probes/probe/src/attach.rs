//! Up the ladder: the first way that the kernel lets a program be loaded *and* attached.

use std::{
    any::Any,
    fs::File,
    os::fd::{AsFd, OwnedFd},
};

use aya::{
    Btf, Ebpf,
    programs::{
        BtfTracePoint, CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, FEntry, Iter, KProbe, Program,
        ProgramError, RawTracePoint,
    },
};
use serde::Serialize;

use crate::{
    arguments::LadderOptions,
    btf::KernelTypes,
    hooks::{Hook, Rung, Way},
};

/// What an attached program hangs on; dropping it detaches.
pub type Link = Box<dyn Any + Send>;

/// A way that was tried, and what the kernel said.
#[derive(Serialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    pub program: &'static str,
    pub rung: &'static str,
    pub on: &'static str,
    pub since: &'static str,
    pub reason: String,
}

pub struct Attached {
    pub hook: &'static Hook,
    /// `None`: there is no way on this kernel.
    pub rung: Option<&'static Rung>,
    pub refused: Vec<Refusal>,
    pub copies: Vec<Loaded>,
}

/// A program as the kernel has it.
pub struct Loaded {
    pub program: OwnedFd,
    /// An iterator has none: it is attached only when it is run.
    pub link: Option<Link>,
}

pub struct Ladder<'a> {
    pub types: &'a KernelTypes,
    pub btf: &'a Btf,
    pub cgroup: Option<&'a File>,
    /// State lies with sockets: only programs that reach it are of use.
    pub in_sockets: bool,
    /// Tracing programs may be left for another task meanwhile: two copies are attached of each that bears it.
    pub twice: bool,
    /// Programs that are to be tried first, and those that are not to be tried.
    pub options: &'a LadderOptions,
}

impl Ladder<'_> {
    pub fn climb(&self, ebpf: &mut Ebpf, hook: &'static Hook) -> Attached {
        let mut refused = Vec::new();
        let mut rungs: Vec<&'static Rung> = hook.rungs.iter().collect();
        rungs.sort_by_key(|rung| {
            let place = self.options.first.iter().position(|program| program == rung.program);
            place.unwrap_or(usize::MAX)
        });
        for rung in rungs {
            if self.in_sockets && !rung.way.reaches_socket_storage() {
                continue;
            }
            let tried = if self.options.without.iter().any(|program| program == rung.program) {
                Err("left out (--without)".into())
            } else {
                self.step(ebpf, rung)
            };
            match tried {
                Ok(first) => {
                    let copies = [Some(first), self.second(ebpf, hook, rung)].into_iter().flatten().collect();
                    return Attached { hook, rung: Some(rung), refused, copies };
                }
                Err(reason) => refused.push(Refusal {
                    program: rung.program,
                    rung: rung.way.name(),
                    on: rung.on,
                    since: rung.since,
                    reason,
                }),
            }
        }
        Attached { hook, rung: None, refused, copies: Vec::new() }
    }

    /// While a task has been put aside in the middle of a program, the kernel leaves that out for everybody else on the CPU.
    /// A second copy of it, which is another program to the kernel, comes after it and then does its work; else it finds that
    /// all is done. Both are put aside at once only where two tasks are.
    fn second(&self, ebpf: &mut Ebpf, hook: &Hook, rung: &'static Rung) -> Option<Loaded> {
        // Nothing interrupts kprobes.
        let wanted = self.twice
            && hook.repeatable
            && matches!(rung.way, Way::BtfTracepoint | Way::RawTracepoint | Way::Fentry);
        if !wanted {
            return None;
        }
        // The first one lives on by its link and its descriptor.
        match ebpf.program_mut(rung.program)? {
            Program::BtfTracePoint(program) => program.unload(),
            Program::RawTracePoint(program) => program.unload(),
            Program::FEntry(program) => program.unload(),
            _ => return None,
        }
        .ok()?;
        self.step(ebpf, rung).ok()
    }

    pub fn step(&self, ebpf: &mut Ebpf, rung: &'static Rung) -> Result<Loaded, String> {
        let link = self.link(ebpf, rung)?;
        let program = ebpf.program(rung.program).ok_or("the eBPF object has no such program")?;
        let descriptor = program.fd().map_err(|error| said(&error))?.as_fd().try_clone_to_owned();
        let program = descriptor.map_err(|error| format!("keeping the program: {error}"))?;
        Ok(Loaded { program, link })
    }

    fn link(&self, ebpf: &mut Ebpf, rung: &'static Rung) -> Result<Option<Link>, String> {
        if matches!(rung.way, Way::BtfTracepoint | Way::RawTracepoint) && !self.types.has_tracepoint(rung.on)
        {
            return Err(format!("this kernel has no tracepoint {} (it came with {})", rung.on, rung.since));
        }
        if matches!(rung.way, Way::Fentry | Way::Kprobe) && !self.types.has_function(rung.on) {
            return Err(format!("this kernel has no function {}", rung.on));
        }
        let program = ebpf.program_mut(rung.program).ok_or("the eBPF object has no such program")?;
        let load = |error| format!("load: {}", said(&error));
        let attach = |error| format!("attach: {}", said(&error));
        Ok(match rung.way {
            Way::BtfTracepoint => {
                let program: &mut BtfTracePoint = program.try_into().map_err(load)?;
                program.load(rung.on, self.btf).map_err(load)?;
                let id = program.attach().map_err(attach)?;
                Some(Box::new(program.take_link(id).map_err(attach)?))
            }
            Way::RawTracepoint => {
                let program: &mut RawTracePoint = program.try_into().map_err(load)?;
                program.load().map_err(load)?;
                let id = program.attach(rung.on).map_err(attach)?;
                Some(Box::new(program.take_link(id).map_err(attach)?))
            }
            Way::Fentry => {
                let program: &mut FEntry = program.try_into().map_err(load)?;
                program.load(rung.on, self.btf).map_err(load)?;
                let id = program.attach().map_err(attach)?;
                Some(Box::new(program.take_link(id).map_err(attach)?))
            }
            Way::Kprobe => {
                let program: &mut KProbe = program.try_into().map_err(load)?;
                program.load().map_err(load)?;
                let id = program.attach(rung.on, 0).map_err(attach)?;
                Some(Box::new(program.take_link(id).map_err(attach)?))
            }
            Way::Cgroup => {
                let cgroup = self.cgroup.ok_or("there is no cgroup2 file system (see /proc/self/mounts)")?;
                let side = if rung.program == "tls_ingress" {
                    CgroupSkbAttachType::Ingress
                } else {
                    CgroupSkbAttachType::Egress
                };
                let program: &mut CgroupSkb = program.try_into().map_err(load)?;
                program.load().map_err(load)?;
                let id = program.attach(cgroup, side, CgroupAttachMode::Single).map_err(attach)?;
                Some(Box::new(program.take_link(id).map_err(attach)?))
            }
            Way::Iterator => {
                let program: &mut Iter = program.try_into().map_err(load)?;
                program.load(rung.on, self.btf).map_err(load)?;
                None
            }
        })
    }
}

/// In one line: the verifier's last word, or the kernel's error.
fn said(error: &ProgramError) -> String {
    if let ProgramError::LoadError { io_error, verifier_log } = error {
        let log = verifier_log.to_string();
        let word = log.lines().map(str::trim).rfind(|line| {
            !line.is_empty()
                && !line.starts_with("processed ")
                && !line.starts_with("verification time")
                && !line.starts_with("stack depth")
        });
        return word.map_or_else(|| io_error.to_string(), |word| format!("{io_error}: {word}"));
    }
    let mut sentence = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !sentence.contains(&text) {
            sentence = format!("{sentence}: {text}");
        }
        cause = inner.source();
    }
    sentence
}
