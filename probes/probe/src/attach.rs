//! Up the ladder: the first way that the kernel lets a program be loaded *and* attached.

use std::{any::Any, fs::File};

use aya::{
    Btf, Ebpf,
    programs::{
        BtfTracePoint, CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, FEntry, Iter, KProbe, ProgramError,
        RawTracePoint,
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
    pub link: Option<Link>,
}

pub struct Ladder<'a> {
    pub types: &'a KernelTypes,
    pub btf: &'a Btf,
    pub cgroup: Option<&'a File>,
    /// State lies with sockets: only programs that reach it are of use.
    pub in_sockets: bool,
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
                Ok(link) => return Attached { hook, rung: Some(rung), refused, link },
                Err(reason) => refused.push(Refusal {
                    program: rung.program,
                    rung: rung.way.name(),
                    on: rung.on,
                    since: rung.since,
                    reason,
                }),
            }
        }
        Attached { hook, rung: None, refused, link: None }
    }

    /// An iterator is attached only when it is run.
    pub fn step(&self, ebpf: &mut Ebpf, rung: &'static Rung) -> Result<Option<Link>, String> {
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
