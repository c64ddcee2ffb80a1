//! Turns that are under way: a turn is counted when it ends, so that these are in no count.

use std::path::PathBuf;

use aya::Ebpf;

use crate::{hooks::UNDER_WAY, iterate, problem::Problem};

/// How many, by `target * 2 + role`. An error where one of the namespaces can't be looked at.
pub fn under_way(ebpf: &mut Ebpf, namespaces: &[PathBuf], targets: usize) -> Result<Vec<u64>, Problem> {
    let mut counts = vec![0; targets * 2];
    for namespace in namespaces {
        let written = iterate::over(ebpf, &UNDER_WAY, namespace)?;
        let (places, _) = written.as_chunks();
        for place in places {
            if let Some(count) = counts.get_mut(u32::from_ne_bytes(*place) as usize) {
                *count += 1;
            }
        }
    }
    Ok(counts)
}
