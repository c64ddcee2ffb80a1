//! Connections that were there before.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
};

use aya::{
    Ebpf,
    maps::{Array, MapData},
};
use meshmark_common::probe::LocalPorts;

use crate::{
    hooks::SEED,
    iterate, namespace,
    problem::{Problem, Trying},
};

/// Where nobody knows: every port may be a client's.
const ANY: LocalPorts = LocalPorts { low: 0, high: u16::MAX as u32 };

/// What could not be looked at, in sentences.
pub fn seed(ebpf: &mut Ebpf, namespaces: &[PathBuf]) -> Result<Vec<String>, Problem> {
    let mut warnings = Vec::new();
    for path in namespaces {
        let map = ebpf.map_mut("LOCAL_PORTS").ok_or_else(|| Problem::new("there is no map LOCAL_PORTS"))?;
        let mut map: Array<&mut MapData, LocalPorts> =
            map.try_into().trying("opening the map LOCAL_PORTS")?;
        map.set(0, local_ports(path), 0).trying("filling the map LOCAL_PORTS")?;
        if let Err(Problem(sentence)) = iterate::over(ebpf, &SEED, path) {
            warnings.push(format!(
                "the connections that were in {} before are not counted: {sentence}",
                path.display()
            ));
        }
    }
    Ok(warnings)
}

fn local_ports(namespace: &Path) -> LocalPorts {
    let read = || -> io::Result<String> {
        namespace::enter(namespace)?;
        fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
    };
    let text = thread::scope(|scope| scope.spawn(read).join().ok()).and_then(Result::ok).unwrap_or_default();
    let mut ports = text.split_ascii_whitespace().map(str::parse);
    match (ports.next(), ports.next()) {
        (Some(Ok(low)), Some(Ok(high))) => LocalPorts { low, high },
        _ => ANY,
    }
}
