//! For a program that holds the probes: one JSON object a line on standard input, one answer a line on standard output.
//! The first line says that everything is attached. The end of the input ends it all.

use std::io::{self, BufRead};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    arguments::Options,
    drops::Names,
    output::print,
    problem::{Problem, Trying},
    report::{Report, report},
    run::names,
    session::Session,
    signals, targets,
};

#[derive(Clone, Copy, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Request {
    /// What was seen since the last reset.
    Snapshot,
    /// Count from here on.
    Reset,
    /// Count the programs' own runs and time, or stop counting.
    Cost { on: bool },
    /// Detach; the answer is what was seen.
    Stop,
}

pub fn control(options: &Options) -> Result<(), Problem> {
    signals::block();
    let mut session = Session::begin(options.probes, targets::resolve(&options.targets)?, &options.ladder)?;
    let names = names(&session);
    let ready = report(&mut session, &names, true)?;
    answer(
        &json!({ "ready": true, "kernel": ready.kernel, "state": ready.state, "hooks": ready.hooks, "warnings": ready.warnings }),
    )?;
    for line in io::stdin().lock().lines() {
        let line = line.trying("reading requests")?;
        let mut value: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
        let id = value.as_object_mut().and_then(|fields| fields.remove("id")).unwrap_or(Value::Null);
        let request: Result<Request, Problem> = serde_json::from_value(value).trying("the request");
        let stop = matches!(request, Ok(Request::Stop));
        match request.and_then(|request| act(request, &mut session, &names)) {
            Ok(report) => answer(&json!({ "id": id, "ok": report }))?,
            Err(Problem(sentence)) => answer(&json!({ "id": id, "error": sentence }))?,
        }
        if stop {
            break;
        }
    }
    Ok(())
}

fn act(request: Request, session: &mut Session, names: &Names) -> Result<Option<Report>, Problem> {
    match request {
        Request::Snapshot => report(session, names, true).map(Some),
        Request::Reset => session.reset().map(|()| None),
        Request::Cost { on } => session.count_cost(on).map(|()| None),
        Request::Stop => {
            session.end();
            std::thread::sleep(crate::run::SETTLE);
            report(session, names, false).map(Some)
        }
    }
}

fn answer(value: &Value) -> Result<(), Problem> {
    print(&format!("{value}\n"))
}
