//! Loads and attaches every program in every way, and says which ones this kernel takes.

use std::io::IsTerminal;

use aya::Ebpf;
use serde::Serialize;

use crate::{
    arguments::{Format, LadderOptions, Options, Probes},
    hooks::{self, Hook},
    iterate, kernel,
    output::{Output, print},
    problem::{Problem, Trying},
    session::{Ground, PLANS, Plan},
    table::columns,
    targets,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Verification {
    schema: &'static str,
    kernel: String,
    rungs: Vec<Tried>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tried {
    hook: &'static str,
    rung: &'static str,
    on: &'static str,
    program: &'static str,
    since: &'static str,
    /// With state in places and socket storage, and in a hash map: `null` works, a sentence says why not. Absent: not of use.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_sockets: Option<Answer>,
    in_hash_map: Answer,
}

#[derive(Serialize, Clone)]
#[serde(rename_all = "camelCase")]
struct Answer {
    works: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

const EVERYTHING: Probes = Probes { latency: true, drops: true, connections: true, follow: true };

pub fn verify(options: &Options) -> Result<(), Problem> {
    let ground = Ground::survey(options.ladder.object.as_deref())?;
    let targets = targets::resolve(&[])?;
    let [in_sockets, _, in_hash_map] = PLANS;
    let [mut with_sockets, mut with_hash_map] = [
        ground.prepare(EVERYTHING, &targets, in_sockets)?,
        ground.prepare(EVERYTHING, &targets, in_hash_map)?,
    ];
    let rows: Vec<Tried> = hooks::ALL
        .iter()
        .flat_map(|hook| hook.rungs.iter().map(move |rung| (hook, rung)))
        .map(|(hook, rung)| {
            let answer = |ebpf, plan| try_one(&ground, ebpf, plan, hook, rung);
            Tried {
                hook: hook.name,
                rung: rung.way.name(),
                on: rung.on,
                program: rung.program,
                since: rung.since,
                in_sockets: rung.way.reaches_socket_storage().then(|| answer(&mut with_sockets, in_sockets)),
                in_hash_map: answer(&mut with_hash_map, in_hash_map),
            }
        })
        .collect();
    let hopeless: Vec<&str> =
        hooks::ALL.iter().map(|hook| hook.name).filter(|name| !works(&rows, name)).collect();
    let verification =
        Verification { schema: "meshmark/probe-verify/1", kernel: kernel::release(), rungs: rows };
    let format =
        options.format.unwrap_or(if std::io::stdout().is_terminal() { Format::Table } else { Format::Json });
    let text = match format {
        Format::Json => serde_json::to_string(&verification).trying("writing JSON")?,
        Format::Table => render(&verification),
    };
    match options.output.as_deref() {
        Some(path) => Output::open(Some(path))?.write(&text)?,
        None => print(&format!("{text}\n"))?,
    }
    if hopeless.is_empty() {
        return Ok(());
    }
    Err(Problem(format!("kernel {} has no way to: {}", kernel::release(), hopeless.join(", "))))
}

fn works(rows: &[Tried], hook: &str) -> bool {
    rows.iter()
        .filter(|row| row.hook == hook)
        .any(|row| row.in_hash_map.works || row.in_sockets.as_ref().is_some_and(|answer| answer.works))
}

fn try_one(ground: &Ground, ebpf: &mut Ebpf, plan: Plan, hook: &Hook, rung: &'static hooks::Rung) -> Answer {
    let tried = ground.ladder(plan, &LadderOptions::default()).step(ebpf, rung).and_then(|link| {
        drop(link);
        if rung.way == hooks::Way::Iterator {
            let own = std::path::Path::new("/proc/self/ns/net");
            return iterate::over(ebpf, hook, own).map(drop).map_err(|problem| problem.0);
        }
        Ok(())
    });
    Answer { works: tried.is_ok(), reason: tried.err() }
}

fn render(verification: &Verification) -> String {
    let word = |answer: &Answer| if answer.works { "works" } else { "refused" }.to_owned();
    let mut rows = vec![
        ["hook", "rung", "on", "since", "state in sockets", "in a hash map"].map(str::to_owned).to_vec(),
    ];
    let mut reasons = Vec::new();
    for tried in &verification.rungs {
        rows.push(vec![
            tried.hook.into(),
            tried.rung.into(),
            tried.on.into(),
            tried.since.into(),
            tried.in_sockets.as_ref().map_or_else(|| "–".into(), word),
            word(&tried.in_hash_map),
        ]);
        for answer in tried.in_sockets.iter().chain([&tried.in_hash_map]) {
            if let Some(reason) = &answer.reason {
                let line = format!("{} by {} {}: {reason}", tried.hook, tried.rung, tried.on);
                if !reasons.contains(&line) {
                    reasons.push(line);
                }
            }
        }
    }
    let text = format!("kernel {}\n\n{}", verification.kernel, columns(&rows));
    if reasons.is_empty() { text } else { format!("{text}\nrefused:\n  {}", reasons.join("\n  ")) }
}
