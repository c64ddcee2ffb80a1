//! Turns that are under way: a turn is counted when it ends, so that these are in no count.

use std::path::PathBuf;

use aya::Ebpf;

use crate::{hooks::UNDER_WAY, iterate, problem::Problem};

/// How many, by `target * 2 + role`. `None`: some namespace could not be looked at.
pub fn under_way(
    ebpf: &mut Ebpf,
    namespaces: &[PathBuf],
    targets: usize,
) -> Result<Option<Vec<u64>>, Problem> {
    let mut counts = vec![0; targets * 2];
    for each in iterate::over(ebpf, &UNDER_WAY, namespaces)? {
        let Ok(written) = each.written else { return Ok(None) };
        let (places, _) = written.as_chunks();
        for place in places {
            if let Some(count) = counts.get_mut(u32::from_ne_bytes(*place) as usize) {
                *count += 1;
            }
        }
    }
    Ok(Some(counts))
}
