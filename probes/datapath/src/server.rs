//! The Unix socket: a thread for each client, requests one after another.

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Write},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

use crate::{
    address::Prefix,
    data_path::DataPath,
    endpoints::NewEndpoint,
    events::{self, lock},
    kernel,
    load::{CGROUP_HOOKS, CLASSIFIERS},
    problem::{Problem, Trying},
    protocol::{PolicyState, Request},
    signals,
};

/// Until SIGTERM or SIGINT. Prints a line when clients may come.
pub fn serve(socket: &Path, data_path: DataPath) -> Result<(), Problem> {
    let _ = fs::remove_file(socket);
    let listener = UnixListener::bind(socket).trying(&format!("listening on {}", socket.display()))?;
    fs::set_permissions(socket, Permissions::from_mode(0o600)).trying("protecting the socket")?;
    let attach = data_path.attachment.name();
    let data_path = Arc::new(Mutex::new(data_path));
    events::start(&data_path)?;
    let shared = Arc::clone(&data_path);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let shared = Arc::clone(&shared);
            thread::spawn(move || talk(client, &shared));
        }
    });
    let programs: Vec<&str> =
        CLASSIFIERS.into_iter().filter(|name| *name != "clock").chain(CGROUP_HOOKS).collect();
    let ready = json!({
        "ready": true,
        "kernel": kernel::release(),
        "attach": attach,
        "programs": programs,
        "socket": socket.display().to_string(),
    });
    println!("{ready}");
    signals::wait();
    // Programs are detached in order; what is asked at this moment is not answered any more.
    lock(&data_path).endpoints.clear();
    let _ = fs::remove_file(socket);
    Ok(())
}

fn talk(client: UnixStream, data_path: &Mutex<DataPath>) {
    let Ok(mut writer) = client.try_clone() else { return };
    let mut reader = BufReader::new(client);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
        let mut id = Value::Null;
        let request = parse(&line, &mut id);
        line.clear();
        // Locked until the answer is on its way: it comes before the first event.
        let mut locked = lock(data_path);
        let (text, listens) = match request.and_then(|request| act(request, &mut locked)) {
            Ok(Outcome::Done(ok)) => (json!({ "id": id, "ok": ok }), false),
            Ok(Outcome::Listens) => (json!({ "id": id, "ok": {} }), true),
            Err(Problem(sentence)) => (json!({ "id": id, "error": sentence }), false),
        };
        let text = format!("{text}\n");
        if listens {
            let Ok(stream) = writer.try_clone() else { break };
            locked.listen(stream);
        }
        if !locked.events.listeners.answer(&writer, &text) && writer.write_all(text.as_bytes()).is_err() {
            break;
        }
    }
    lock(data_path).unlisten(&writer);
}

/// Of a request that could be done.
enum Outcome {
    Done(Value),
    /// From now on the client is sent events.
    Listens,
}

fn parse(line: &str, id: &mut Value) -> Result<Request, Problem> {
    let mut value: Value = serde_json::from_str(line).trying("the request is no JSON")?;
    let fields = value.as_object_mut().ok_or_else(|| Problem::new("the request is no JSON object"))?;
    *id = fields.remove("id").unwrap_or(Value::Null);
    let operation = fields.get("op").and_then(Value::as_str).unwrap_or("(none)").to_owned();
    serde_json::from_value(value).trying(&format!("the request's op is {operation}"))
}

fn act(request: Request, data_path: &mut DataPath) -> Result<Outcome, Problem> {
    let done = match request {
        Request::EndpointAdd { device, endpoint, identity, addresses, world } => {
            let prefixes = addresses.iter().map(|text| Prefix::parse(text)).collect::<Result<_, _>>()?;
            data_path
                .add_endpoint(NewEndpoint { device, endpoint, identity, prefixes, world })
                .map(|()| json!({ "attach": data_path.attachment.name() }))
        }
        Request::EndpointRemove { endpoint } => data_path.remove_endpoint(endpoint).map(|()| json!({})),
        Request::PolicyApply { identities, sets, endpoints, proxy } => {
            data_path.apply_policy(&PolicyState { identities, sets, endpoints, proxy })
        }
        Request::ServiceSet { address, port, protocol, backends } => {
            data_path.set_service(address, port, protocol, &backends).map(|()| json!({}))
        }
        Request::ServiceRemove { address, port, protocol } => {
            data_path.remove_service(address, port, protocol).map(|()| json!({}))
        }
        Request::Counters {} => data_path.counters(),
        Request::Drops {} => Ok(data_path.events.drops()),
        Request::Maps {} => Ok(data_path.map_pressure()),
        Request::Programs {} => data_path.programs(),
        Request::Stats { on } => data_path.count_run_time(on),
        Request::Conntrack { limit } => data_path.conntrack(limit),
        Request::Flows {} => return Ok(Outcome::Listens),
    };
    done.map(Outcome::Done)
}
