//! Connections that were there before.

use std::path::PathBuf;

use aya::Ebpf;

use crate::{hooks::SEED, iterate, problem::Problem};

/// What could not be looked at, in sentences.
pub fn seed(ebpf: &mut Ebpf, namespaces: &[PathBuf]) -> Result<Vec<String>, Problem> {
    let listed = iterate::over(ebpf, &SEED, namespaces)?;
    let unlisted = listed.into_iter().filter_map(|each| Some((each.path, each.written.err()?)));
    Ok(unlisted
        .map(|(path, error)| {
            format!(
                "the connections that were in {} before could not be listed ({error}): they are not counted",
                path.display()
            )
        })
        .collect())
}
