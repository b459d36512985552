//! Parses the values of options. Errors are usage errors that show what a value looks like.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use ratatui::layout::Size;

use super::exit::UsageError;
use crate::lab::{Drill, Experiment, Stage};

/// The default address of `kmslab serve`.
pub const SERVE_ADDRESS: &str = "127.0.0.1:4599";

/// Parses columns and rows: at least one pane, at most what anyone can see.
pub(super) fn size(text: &str) -> Result<Size, UsageError> {
    let parsed = text
        .split_once(['x', '×'])
        .and_then(|(columns, rows)| Some(Size { width: columns.parse().ok()?, height: rows.parse().ok()? }));
    let fits = |size: &Size| (60..=400).contains(&size.width) && (18..=200).contains(&size.height);
    parsed.filter(fits).ok_or_else(|| UsageError::new("a size looks like 100x28, from 60x18 to 400x200"))
}

/// Parses an address with its port.
pub(super) fn listen(text: &str) -> Result<SocketAddr, UsageError> {
    let usage = || UsageError::new(format!("an address and a port look like {SERVE_ADDRESS}; port 0 is any free one"));
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(usage)?;
    let port: u16 = port.parse().map_err(|_| usage())?;
    if host.eq_ignore_ascii_case("localhost") {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(|_| usage())?.collect();
    addresses.iter().find(|address| address.is_ipv4()).or(addresses.first()).copied().ok_or_else(usage)
}

/// Where a class is reached unless another address is given.
pub const CLASS_ADDRESS: &str = "0.0.0.0:4190";

/// Where phones join unless told otherwise: on every network of this machine.
pub const AUDIENCE_ADDRESS: &str = "0.0.0.0:4180";

/// Parses the address that phones reach.
pub(super) fn audience(text: &str) -> Result<SocketAddr, UsageError> {
    let usage =
        || UsageError::new(format!("an address and a port look like {AUDIENCE_ADDRESS}; port 0 is any free one"));
    text.parse().map_err(|_| usage())
}

/// Parses the name of a stage.
pub(super) fn stage(text: &str) -> Result<Stage, UsageError> {
    let wrong = || UsageError::new(format!("the stages are: {}", Stage::ALL.map(Stage::key).join(", ")));
    Stage::ALL.into_iter().find(|stage| stage.key() == text).ok_or_else(wrong)
}

/// Parses the id of an experiment.
pub(super) fn experiment(text: &str) -> Result<Experiment, UsageError> {
    let wrong = || UsageError::new(format!("the experiments are: {}", Experiment::ALL.map(Experiment::id).join(", ")));
    Experiment::ALL.into_iter().find(|experiment| experiment.id() == text).ok_or_else(wrong)
}

/// Parses how many times as fast a film is, into percent.
pub(super) fn speed(text: &str) -> Result<u32, UsageError> {
    let wrong = || UsageError::new("a speed looks like 1.5: from 0.25 to 4");
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() <= 2;
    if !is_number(whole) || !is_number(rest) || (whole.is_empty() && rest.is_empty()) {
        return Err(wrong());
    }
    let whole: u32 = whole.parse().unwrap_or(0);
    let hundredths: u32 = format!("{rest:0<2}").parse().unwrap_or(0);
    Some(whole * 100 + hundredths).filter(|percent| (25..=400).contains(percent)).ok_or_else(wrong)
}

/// How many drills, or which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drills {
    /// So many, shuffled.
    Count(usize),
    /// This one.
    Only(Drill),
}

/// Parses a number of drills, or the id of one.
pub(super) fn drills(text: &str) -> Result<Drills, UsageError> {
    let all = Drill::ALL.len();
    match (text.parse::<usize>(), Drill::of(text)) {
        (Ok(count), _) if (1..=all).contains(&count) => Ok(Drills::Count(count)),
        (_, Some(drill)) => Ok(Drills::Only(drill)),
        (Ok(_), _) => Err(UsageError::new(format!("a number from 1 to {all}, or a drill's id such as alias_arn"))),
        _ => {
            let near: Vec<&str> = Drill::ALL.into_iter().map(Drill::id).filter(|id| id.contains(text)).collect();
            let ids = if near.is_empty() { Drill::ALL.map(Drill::id).to_vec() } else { near };
            Err(UsageError::new(format!("a number from 1 to {all}, or a drill's id: {}", ids.join(", "))))
        }
    }
}

/// Parses the level of a drill.
pub(super) fn level(text: &str) -> Result<u8, UsageError> {
    let level = text.parse().ok().filter(|level| (1..=3).contains(level));
    level.ok_or_else(|| UsageError::new("a level is 1, 2 or 3"))
}

/// Parses a seed.
pub(super) fn seed(text: &str) -> Result<u64, UsageError> {
    text.parse().map_err(|_| UsageError::new("a seed is a whole number, for example 7"))
}

/// Checks an account's number.
pub(super) fn account(text: &str) -> Result<String, UsageError> {
    let fits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(text.to_owned()) } else { Err(UsageError::new("an account's number has twelve digits")) }
}

/// Parses a time to wait into seconds: `90`, `90s` or `3m`.
pub(super) fn wait(text: &str) -> Result<u32, UsageError> {
    let (number, unit) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (text.strip_suffix('s').unwrap_or(text), 1),
    };
    let seconds = number.parse::<u32>().ok().and_then(|number| number.checked_mul(unit));
    seconds
        .filter(|seconds| (1..=3_600).contains(seconds))
        .ok_or_else(|| UsageError::new("a time looks like 90, 90s or 3m: from one second to one hour"))
}

/// Checks a region's name, which goes into ARNs and host names.
pub(super) fn region(text: &str) -> Result<String, UsageError> {
    let fits = !text.is_empty()
        && text.len() <= 32
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits { Ok(text.to_owned()) } else { Err(UsageError::new("a region looks like us-east-1")) }
}

/// Checks a run's id, which goes into names.
pub(super) fn run_id(text: &str) -> Result<String, UsageError> {
    let fits = !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits { Ok(text.to_owned()) } else { Err(UsageError::new("a run's id looks like 1a2b3c4d")) }
}

/// Checks a person's name: one line, and not a long one.
pub(super) fn name(text: &str) -> Result<String, UsageError> {
    let text = text.trim();
    let fits = (1..=80).contains(&text.chars().count()) && !text.contains(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(UsageError::new("a name has 1 to 80 characters in one line")) }
}

/// Parses a time span: `30m`, `2h` or `7d`.
pub(super) fn age(text: &str) -> Result<Duration, UsageError> {
    let wrong = || UsageError::new("an age looks like 30m, 2h or 7d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    // At most a century: longer ones are typing errors.
    let number =
        text[..text.len() - 1].parse::<u32>().ok().filter(|number| u64::from(*number) * seconds < 3_200_000_000);
    number.map(|number| Duration::from_secs(u64::from(number) * seconds)).ok_or_else(wrong)
}

/// Checks a language, which is a folder of the lesson.
///
/// # Errors
/// A usage error that shows what a language looks like.
pub fn language(text: &str) -> Result<String, UsageError> {
    let fits = (2..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if fits { Ok(text.to_ascii_lowercase()) } else { Err(UsageError::new("a language looks like en or de")) }
}
