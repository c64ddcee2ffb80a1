//! What is watched: parsed, and looked up on this machine.

use std::{
    collections::HashSet,
    fs::File,
    mem::MaybeUninit,
    net::{IpAddr, SocketAddr},
    os::{fd::AsRawFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
};

use meshmark_common::probe::AddressKey;

use crate::{
    discover, namespace,
    patterns::{Found, Kind, Pattern, is_pattern},
    problem::{Problem, Trying},
};

/// Everything that belongs to no other target.
const REST: &str = "other";
/// More become part of the rest.
pub const MOST: usize = 512;

#[derive(Debug, Clone)]
pub struct TargetSpec {
    name: String,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    /// All of it, or what one user has in it.
    Namespace(PathBuf, Option<u32>),
    Cgroup(PathBuf),
    Address(IpAddr, u16),
}

/// A target, and what the kernel knows it by.
#[derive(Default, Clone)]
pub struct Target {
    pub name: String,
    /// As it was named, or found.
    pub watches: Vec<String>,
    pub namespaces: Vec<Place>,
    pub cgroups: Vec<Cgroup>,
    pub addresses: Vec<AddressKey>,
}

/// A network namespace, and the user whose sockets are meant.
#[derive(Clone)]
pub struct Place {
    pub number: u32,
    pub path: PathBuf,
    pub user: Option<u32>,
}

/// The number of its directory.
#[derive(Clone)]
pub struct Cgroup {
    pub number: u64,
    pub path: PathBuf,
}

pub struct Targets {
    pub list: Vec<Target>,
    /// Those that are named by a pattern: what matches is looked up when they are watched.
    pub patterns: Vec<Pattern>,
    /// Index of the target for the rest, if the rest is watched.
    pub rest: Option<u32>,
}

impl TargetSpec {
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let bad = |why: &str| {
            Problem(format!(
                "--target {text}: {why}; it wants [NAME=]netns:NAME|FILE[@USER], [NAME=]cgroup:DIR or [NAME=]address:IP[:PORT]"
            ))
        };
        let (name, what) = match text.split_once('=') {
            Some((name, what)) if !name.contains(':') => (Some(name), what),
            _ => (None, text),
        };
        let (kind, value) = what.split_once(':').ok_or_else(|| bad("it does not say what kind it is"))?;
        if value.is_empty() || name == Some("") {
            return Err(bad("something is empty"));
        }
        let (default, what) = match kind {
            "netns" => {
                let (value, user) = match value.split_once('@') {
                    Some((value, user)) => {
                        (value, Some(user.parse().map_err(|_| bad("a user is a number"))?))
                    }
                    None => (value, None),
                };
                let path = if value.contains('/') {
                    PathBuf::from(value)
                } else {
                    Path::new("/run/netns").join(value)
                };
                (value.rsplit('/').next().unwrap_or(value).to_owned(), What::Namespace(path, user))
            }
            "cgroup" => (
                value.trim_end_matches('/').rsplit('/').next().unwrap_or(value).to_owned(),
                What::Cgroup(value.into()),
            ),
            "address" => {
                let (address, port) = parse_address(value).ok_or_else(|| bad("that is no address"))?;
                (value.to_owned(), What::Address(address, port))
            }
            _ => return Err(bad(&format!("there is no kind {kind:?}"))),
        };
        Ok(Self { name: name.map_or(default, str::to_owned), what })
    }
}

/// `a.b.c.d`, `a.b.c.d:port`, `::1`, `[::1]:port`.
fn parse_address(text: &str) -> Option<(IpAddr, u16)> {
    if let Ok(address) = text.trim_start_matches('[').trim_end_matches(']').parse() {
        return Some((address, 0));
    }
    text.parse::<SocketAddr>().ok().map(|both| (both.ip(), both.port()))
}

/// Looks up what is to be watched. Targets of one name are one target.
pub fn resolve(specs: &[TargetSpec]) -> Result<Targets, Problem> {
    if specs.is_empty() {
        return Ok(everything());
    }
    let mut list: Vec<Target> = Vec::new();
    let mut patterns = Vec::new();
    for TargetSpec { name, what } in specs {
        let index = list.iter().position(|target| target.name == *name).unwrap_or_else(|| {
            list.push(Target { name: name.clone(), ..Target::default() });
            list.len() - 1
        });
        let target = &mut list[index];
        match what {
            What::Namespace(path, _) | What::Cgroup(path) if is_pattern(path) => {
                let kind =
                    if let What::Namespace(_, user) = what { Kind::Namespace(*user) } else { Kind::Cgroup };
                let pattern = Pattern { path: path.clone(), kind, target: index as u32 };
                target.watches.push(pattern.name(path));
                patterns.push(pattern);
            }
            What::Namespace(path, user) => {
                target.namespaces.push(Place {
                    number: namespace::number(path)?,
                    path: path.clone(),
                    user: *user,
                });
                let user = user.map_or_else(String::new, |user| format!("@{user}"));
                target.watches.push(format!("netns:{}{user}", path.display()));
            }
            What::Cgroup(path) => {
                target.cgroups.push(Cgroup { number: cgroup_number(path)?, path: path.clone() });
                target.watches.push(format!("cgroup:{}", path.display()));
            }
            What::Address(address, port) => {
                let bytes = match address {
                    IpAddr::V4(four) => four.to_ipv6_mapped().octets(),
                    IpAddr::V6(six) => six.octets(),
                };
                target.addresses.push(AddressKey { address: bytes, port: u32::from(*port) });
                target.watches.push(if *port == 0 {
                    format!("address:{address}")
                } else {
                    format!("address:{}", SocketAddr::new(*address, *port))
                });
            }
        }
    }
    if list.len() > MOST {
        return Err(Problem(format!("{} targets are too many: at most {MOST}", list.len())));
    }
    Ok(Targets { list, patterns, rest: None })
}

/// Every network namespace that can be found, each for itself, and one target for the rest.
fn everything() -> Targets {
    let mut list: Vec<Target> = discover::namespaces()
        .into_iter()
        .take(MOST - 1)
        .map(|namespace| Target {
            watches: vec![format!("netns:{}", namespace.path.display())],
            namespaces: vec![Place { number: namespace.number, path: namespace.path, user: None }],
            name: namespace.name,
            ..Target::default()
        })
        .collect();
    let rest = u32::try_from(list.len()).ok();
    list.push(Target { name: REST.into(), watches: vec!["everything else".into()], ..Target::default() });
    Targets { list, patterns: Vec::new(), rest }
}

impl Targets {
    /// Names of those of which a network namespace is no more, of which a cgroup is no more.
    pub fn ended(&self) -> [Vec<&str>; 2] {
        let namespace = |place: &Place| namespace::number(&place.path).ok() != Some(place.number);
        let cgroup = |cgroup: &Cgroup| cgroup_number(&cgroup.path).ok() != Some(cgroup.number);
        let names = |gone: &dyn Fn(&Target) -> bool| {
            self.list.iter().filter(|target| gone(target)).map(|target| target.name.as_str()).collect()
        };
        [
            names(&|target| target.namespaces.iter().any(namespace)),
            names(&|target| target.cgroups.iter().any(cgroup)),
        ]
    }

    /// Are there any by cgroup, now or by a pattern?
    pub fn by_cgroup(&self) -> bool {
        self.list.iter().any(|target| !target.cgroups.is_empty())
            || self.patterns.iter().any(|pattern| matches!(pattern.kind, Kind::Cgroup))
    }

    /// Are there any by user?
    pub fn by_user(&self) -> bool {
        self.list.iter().flat_map(|target| &target.namespaces).any(|place| place.user.is_some())
            || self.patterns.iter().any(|pattern| matches!(pattern.kind, Kind::Namespace(Some(_))))
    }

    /// Files of the namespaces in which watched connections may be, one of each.
    pub fn namespaces(&self) -> Vec<PathBuf> {
        if self.rest.is_some()
            || self.by_cgroup()
            || self.list.iter().any(|target| !target.addresses.is_empty())
        {
            return discover::namespaces().into_iter().map(|namespace| namespace.path).collect();
        }
        let mut found = Found::default();
        self.patterns.iter().for_each(|pattern| pattern.look(&mut found));
        let named = self.list.iter().flat_map(|target| &target.namespaces).map(|place| place.path.clone());
        let mut paths: Vec<PathBuf> = named.chain(found.matches.into_iter().map(|(path, _)| path)).collect();
        // Two names may be of one namespace.
        let mut seen = HashSet::new();
        paths.retain(|path| namespace::number(path).ok().is_none_or(|number| seen.insert(number)));
        paths
    }
}

/// A cgroup's number is that of its directory. Those below belong to it, whenever they are made: the kernel side looks upwards.
fn cgroup_number(path: &Path) -> Result<u64, Problem> {
    let what = format!("opening the cgroup {}", path.display());
    let directory = File::open(path).trying(&what)?;
    let mut filesystem = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the descriptor is open, the structure ours; it is read only if the call filled it.
    let is_cgroup2 = unsafe {
        libc::fstatfs(directory.as_raw_fd(), filesystem.as_mut_ptr()) == 0
            && filesystem.assume_init().f_type == libc::CGROUP2_SUPER_MAGIC
    };
    let metadata = directory.metadata().trying(&what)?;
    if is_cgroup2 && metadata.is_dir() {
        Ok(metadata.ino())
    } else {
        Err(Problem(format!("{} is no directory of a cgroup2 file system", path.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::TargetSpec;

    fn parsed(text: &str) -> String {
        match TargetSpec::parse(text) {
            Ok(TargetSpec { name, what }) => format!("{name} = {what:?}"),
            Err(problem) => problem.0,
        }
    }

    #[test]
    fn specs() {
        assert_eq!(parsed("netns:a"), r#"a = Namespace("/run/netns/a", None)"#);
        assert_eq!(parsed("p=netns:/proc/7/ns/net"), r#"p = Namespace("/proc/7/ns/net", None)"#);
        assert_eq!(parsed("p=netns:a@1337"), r#"p = Namespace("/run/netns/a", Some(1337))"#);
        assert_eq!(parsed("cgroup:/sys/fs/cgroup/x/"), r#"x = Cgroup("/sys/fs/cgroup/x/")"#);
        assert_eq!(parsed("netns:mm-*"), r#"mm-* = Namespace("/run/netns/mm-*", None)"#);
        assert_eq!(parsed("address:10.0.0.1"), "10.0.0.1 = Address(10.0.0.1, 0)");
        assert_eq!(parsed("db=address:[fd00::1]:80"), "db = Address(fd00::1, 80)");
        assert_eq!(parsed("address:fd00::1"), "fd00::1 = Address(fd00::1, 0)");
        let wants = "it wants [NAME=]netns:NAME|FILE[@USER], [NAME=]cgroup:DIR or [NAME=]address:IP[:PORT]";
        assert_eq!(
            parsed("address:nowhere"),
            format!("--target address:nowhere: that is no address; {wants}")
        );
        assert_eq!(parsed("pod:a"), format!("--target pod:a: there is no kind \"pod\"; {wants}"));
        assert_eq!(parsed("a"), format!("--target a: it does not say what kind it is; {wants}"));
        assert_eq!(parsed("netns:"), format!("--target netns:: something is empty; {wants}"));
    }
}
