//! The same for people.

use crate::{
    cost::Cost,
    drops::Drops,
    report::{Report, TargetReport},
    sockets::{Connections, Latency},
    summary::Summary,
};

pub fn render(report: &Report) -> String {
    let mut parts = vec![format!(
        "{} · {:.1} s{} · kernel {}",
        report.probes.join(", "),
        report.seconds,
        if report.partial { " so far" } else { "" },
        report.kernel
    )];
    parts.extend([latency(report), connections(report), drops(report)].into_iter().flatten());
    if parts.len() == 1 {
        parts.push("nothing was seen".into());
    }
    parts.push(cost(&report.cost, report.lost.total()));
    let ways: Vec<String> = report
        .hooks
        .iter()
        .map(|hook| format!("{} {}", hook.hook, hook.rung.unwrap_or("unavailable")))
        .collect();
    parts.push(format!("seen by: {}", ways.join(" · ")));
    parts.extend(report.warnings.iter().map(|warning| format!("warning: {warning}")));
    parts.join("\n\n")
}

/// Columns of equal width, the first ones to the left.
pub fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| {
                let space = " ".repeat(width - cell.chars().count());
                let number = cell.starts_with(|letter: char| letter.is_ascii_digit());
                if number { format!("{space}{cell}") } else { format!("{cell}{space}") }
            })
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn latency(report: &Report) -> Option<String> {
    let mut rows = vec![words(&["", "", "", "count", "under way", "mean µs", "p50", "p99", "p99.9"])];
    for (name, role, seen) in
        each(report, |target| target.latency.as_ref().map(|both| [&both.client, &both.server]))
    {
        let Latency { turn, receive_queue, smoothed_rtt, wire, own, under_way, .. } = seen;
        if turn.count + under_way.unwrap_or(0) == 0 {
            continue;
        }
        let label = if role == "client" { "wait for the answer" } else { "work on the answer" };
        rows.push(times([name, role, label], turn, &or_dash(*under_way)));
        for (label, summary) in [
            ("receive queue", receive_queue.as_ref()),
            ("smoothed RTT", Some(smoothed_rtt)),
            ("on the way", wire.as_ref()),
            ("own work", own.as_ref()),
        ] {
            rows.extend(
                summary
                    .filter(|summary| summary.count > 0)
                    .map(|summary| times(["", "", label], summary, "")),
            );
        }
    }
    (rows.len() > 1).then(|| columns(&rows))
}

fn connections(report: &Report) -> Option<String> {
    let mut rows = vec![words(&[
        "",
        "",
        "opened",
        "failed",
        "closed",
        "requests",
        "under way",
        "reuse",
        "connect µs",
        "TLS µs",
        "life ms",
        "sent again",
    ])];
    let mut failures = Vec::new();
    for (name, role, seen) in
        each(report, |target| target.connections.as_ref().map(|both| [&both.client, &both.server]))
    {
        let Connections { opened, closed, failed, requests, reuse_rate, connect, tls, lifetime, .. } = seen;
        if opened + closed + failed + requests + seen.attempts + seen.under_way.unwrap_or(0) == 0 {
            continue;
        }
        rows.push(vec![
            name.into(),
            role.into(),
            opened.to_string(),
            failed.to_string(),
            closed.to_string(),
            requests.to_string(),
            or_dash(seen.under_way),
            reuse_rate.map_or_else(|| "–".into(), |rate| format!("{:.2} %", rate * 100.0)),
            microseconds(connect.mean),
            microseconds(tls.as_ref().and_then(|tls| tls.mean)),
            lifetime.mean.map_or_else(|| "–".into(), |mean| format!("{:.1}", mean / 1e6)),
            or_dash(seen.retransmits.map(|count| count + seen.syn_retransmits.unwrap_or(0))),
        ]);
        for row in &seen.failures {
            failures.push(format!(
                "{name}: {} connects to {} port {} {}",
                row.count, row.address, row.port, row.cause
            ));
        }
    }
    (rows.len() > 1).then(|| [columns(&rows), failures.join("\n")].join("\n").trim_end().to_owned())
}

fn drops(report: &Report) -> Option<String> {
    let mut rows = vec![words(&["", "dropped", "per s", "class", "reason", "where"])];
    let mut more = Vec::new();
    for target in &report.targets {
        let Some(Drops { reasons, services, failed_connects, .. }) = &target.drops else { continue };
        let mut name = target.name.as_str();
        for row in reasons {
            rows.push(vec![
                name.into(),
                row.count.to_string(),
                format!("{:.1}", row.per_second),
                row.class.name().into(),
                row.reason.clone(),
                row.location.clone(),
            ]);
            name = "";
        }
        for row in services.iter().filter(|row| row.class != crate::reasons::Class::Teardown).take(10) {
            let port = if row.port == 0 { String::new() } else { format!(" port {}", row.port) };
            more.push(format!(
                "{}: {} to {}{port} ({}) {}",
                target.name, row.count, row.address, row.protocol, row.reason
            ));
        }
        for row in failed_connects {
            more.push(format!(
                "{}: {} connects to {} port {} {}",
                target.name, row.count, row.address, row.port, row.cause
            ));
        }
    }
    if rows.len() == 1 && more.is_empty() {
        return report.probes.contains(&"drops").then(|| "no packet was dropped".into());
    }
    Some([columns(&rows), more.join("\n")].join("\n").trim_end().to_owned())
}

fn cost(cost: &Cost, lost: u64) -> String {
    let memory = format!("{:.1} MB of maps · {lost} events lost", cost.map_bytes as f64 / 1e6);
    if !cost.counted {
        return format!("cost of the probes: not counted · {memory}");
    }
    let programs: Vec<String> = cost
        .programs
        .iter()
        .filter_map(|program| {
            Some(format!("{} {:.0} ns × {}", program.hook, program.ns_per_run?, program.runs))
        })
        .collect();
    format!(
        "cost of the probes: {:.2} % of a CPU{} · {memory}\n  {}",
        cost.cpu_share.unwrap_or(0.0) * 100.0,
        cost.ns_per_request.map_or_else(String::new, |cost| format!(" · {cost:.0} ns a request")),
        programs.join(" · ")
    )
}

/// Target, role and what was seen of it; the name only once.
fn each<'a, T: 'a>(
    report: &'a Report,
    pick: impl Fn(&'a TargetReport) -> Option<[&'a T; 2]>,
) -> Vec<(&'a str, &'static str, &'a T)> {
    report
        .targets
        .iter()
        .filter_map(|target| {
            let [client, server] = pick(target)?;
            Some([(target.name.as_str(), "client", client), (target.name.as_str(), "server", server)])
        })
        .flatten()
        .collect()
}

/// # Arguments
/// `head`: target, role, and what was timed; `under_way`: what is not counted yet
fn times(head: [&str; 3], summary: &Summary, under_way: &str) -> Vec<String> {
    let [name, role, what] = head;
    vec![
        name.into(),
        role.into(),
        what.into(),
        summary.count.to_string(),
        under_way.into(),
        microseconds(summary.mean),
        microseconds(summary.p50),
        microseconds(summary.p99),
        microseconds(summary.p999),
    ]
}

fn or_dash(count: Option<u64>) -> String {
    count.map_or_else(|| "–".into(), |count| count.to_string())
}

fn microseconds(nanoseconds: Option<f64>) -> String {
    nanoseconds.map_or_else(|| "–".into(), |value| format!("{:.1}", value / 1_000.0))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
