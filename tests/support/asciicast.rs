//! The rules of asciicast 2 and 3 (docs.asciinema.org/manual/asciicast), as strict as the strictest reader.

use serde_json::Value;

/// An event: when, counted from the beginning, its code, and its data.
pub type Event = (f64, char, String);

/// Reads a recording: its header and its events.
///
/// # Errors
/// The rule that it breaks, with the line.
pub fn read(bytes: &[u8]) -> Result<(Value, Vec<Event>), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    if text.starts_with('\u{feff}') {
        return Err("1: it begins with a byte order mark".to_owned());
    }
    if !text.ends_with('\n') {
        return Err("its last line is not whole".to_owned());
    }
    let mut lines = text.lines().enumerate();
    let (_, first) = lines.next().ok_or("it is empty")?;
    let header: Value = serde_json::from_str(first).map_err(|error| format!("1: {error}"))?;
    let version = header["version"].as_u64().filter(|version| [2, 3].contains(version)).ok_or("1: no version")?;
    check_header(&header, version)?;
    let (mut events, mut now, mut has_ended) = (Vec::new(), 0.0, false);
    for (at, line) in lines {
        let wrong = |what: &str| Err(format!("{}: {what}", at + 1));
        if line.is_empty() || (version == 3 && line.starts_with('#')) {
            continue;
        }
        // The player skips what begins otherwise.
        if !line.starts_with('[') {
            return wrong("it does not begin with [");
        }
        if has_ended {
            return wrong("nothing may follow an exit status");
        }
        let event: Value = serde_json::from_str(line).map_err(|error| format!("{}: {error}", at + 1))?;
        let [Value::Number(time), Value::String(code), Value::String(data)] = event.as_array().map_or(&[][..], |e| e)
        else {
            return wrong("it is not a number and two strings");
        };
        let time = time.as_f64().unwrap_or(-1.0);
        if time < 0.0 || (version == 2 && time < now) {
            return wrong("the time goes back");
        }
        now = if version == 2 { time } else { now + time };
        // Readers take no escape here.
        if !["o", "i", "m", "r", "x"].contains(&code.as_str()) || !line.contains(&format!("\"{code}\"")) {
            return wrong("there is no such code");
        }
        let is_size =
            || data.split_once('x').is_some_and(|(c, r)| c.parse::<u16>().is_ok() && r.parse::<u16>().is_ok());
        match code.as_str() {
            "r" if !is_size() => return wrong("this is no size"),
            "x" if data.parse::<i32>().is_err() => return wrong("this is no exit status"),
            "x" => has_ended = true,
            _ => {}
        }
        events.push((now, code.chars().next().unwrap_or(' '), data.clone()));
    }
    Ok((header, events))
}

fn check_header(header: &Value, version: u64) -> Result<(), String> {
    let term = if version == 2 { header } else { &header["term"] };
    let (columns, rows) = if version == 2 { ("width", "height") } else { ("cols", "rows") };
    for name in [columns, rows] {
        term[name].as_u64().filter(|count| (1..=1_000).contains(count)).ok_or(format!("1: no {name}"))?;
    }
    let optional = |name: &str, fits: fn(&Value) -> bool| match header.get(name) {
        Some(value) if !fits(value) => Err(format!("1: {name} is {value}")),
        _ => Ok(()),
    };
    optional("timestamp", Value::is_u64)?;
    optional("idle_time_limit", |value| value.as_f64().is_some_and(|limit| limit > 0.0))?;
    optional("title", Value::is_string)?;
    optional("command", Value::is_string)?;
    optional("env", |value| value.as_object().is_some_and(|members| members.values().all(Value::is_string)))?;
    let Some(theme) = term.get("theme") else { return Ok(()) };
    let is_color = |text: &str| {
        text.len() == 7 && text.strip_prefix('#').is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    for name in ["fg", "bg"] {
        theme[name].as_str().filter(|color| is_color(color)).ok_or(format!("1: the theme's {name}"))?;
    }
    let palette: Vec<&str> = theme["palette"].as_str().unwrap_or_default().split(':').collect();
    let fits = [8, 16].contains(&palette.len()) && palette.iter().all(|color| is_color(color));
    if fits { Ok(()) } else { Err("1: the theme's palette".to_owned()) }
}
