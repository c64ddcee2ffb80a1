//! To a pod's device: by tcx where the kernel has it, by a clsact filter else.

use std::ffi::CString;

use aya::{
    Ebpf,
    programs::{
        LinkOrder, SchedClassifier, TcAttachType,
        tc::{NlOptions, SchedClassifierLink, TcAttachOptions, qdisc_add_clsact, qdisc_detach_program},
    },
    util::KernelVersion,
};

use crate::{
    load::program,
    problem::{Problem, Trying},
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Attachment {
    /// Links, which end with the process: then nothing delivers packets, since the namespace does not forward any.
    Tcx,
    /// Filters, which stay until the device goes, and go on enforcing what they were told.
    Clsact,
}

/// Both programs of a device. Dropping it detaches them.
pub struct Links {
    _from_pod: SchedClassifierLink,
    _to_pod: SchedClassifierLink,
}

impl Attachment {
    /// tcx came with 6.6.
    pub fn for_kernel() -> Self {
        match KernelVersion::current() {
            Ok(version) if version >= KernelVersion::new(6, 6, 0) => Self::Tcx,
            _ => Self::Clsact,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
        }
    }

    pub fn attach(self, ebpf: &mut Ebpf, device: &str) -> Result<Links, Problem> {
        if self == Self::Clsact {
            // There may be one, and filters in it that a loader left which was killed.
            let _ = qdisc_add_clsact(device);
            let _ = qdisc_detach_program(device, TcAttachType::Ingress, "from_pod");
            let _ = qdisc_detach_program(device, TcAttachType::Egress, "to_pod");
        }
        // What enforces comes first.
        let to_pod = self.attach_one(ebpf, device, "to_pod", TcAttachType::Egress)?;
        let from_pod = self.attach_one(ebpf, device, "from_pod", TcAttachType::Ingress)?;
        Ok(Links { _from_pod: from_pod, _to_pod: to_pod })
    }

    fn attach_one(
        self,
        ebpf: &mut Ebpf,
        device: &str,
        name: &str,
        at: TcAttachType,
    ) -> Result<SchedClassifierLink, Problem> {
        let options = match self {
            Self::Tcx => TcAttachOptions::TcxOrder(LinkOrder::default()),
            Self::Clsact => TcAttachOptions::Netlink(NlOptions { priority: 1, ..NlOptions::default() }),
        };
        let what = format!("attaching {name} to {device} by {}", self.name());
        let classifier: &mut SchedClassifier = program(ebpf, name)?;
        let link = classifier.attach_with_options(device, at, options).trying(&what)?;
        classifier.take_link(link).trying(&what)
    }
}

/// Index of a device in this namespace.
pub fn device_index(device: &str) -> Result<u32, Problem> {
    let name = CString::new(device).map_err(|_| Problem(format!("{device:?} is no name of a device")))?;
    // SAFETY: a string that ends with 0.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(Problem(format!("there is no device {device} in the data path's network namespace"))),
        index => Ok(index),
    }
}
