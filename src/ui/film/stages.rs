//! The screens of the stages. What they show comes from responses; without one, they show less.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;
use serde_json::Value;

use crate::lab::{Denied, Exchange, Identity, Operation, Shot, Stage, State, Verdict};

use super::canvas::{Canvas, MARGIN};
use super::{ladder, lanes, policy};
use crate::ui::denial::short_arn;
use crate::ui::text::width;

/// The call of a screen, and the service that it goes to.
const fn call(shot: Shot) -> (&'static str, &'static str) {
    match shot {
        Shot::Who | Shot::WhoDone | Shot::UserDone => ("sts:GetCallerIdentity", "STS"),
        Shot::Key | Shot::KeyDone => ("kms:CreateKey", "KMS"),
        Shot::Table | Shot::TableDone => ("dynamodb:CreateTable", "DynamoDB"),
        Shot::User => ("iam:CreateUser", "IAM"),
        Shot::CleanUp | Shot::CleanUpDone => ("kms:ScheduleKeyDeletion", "KMS"),
        Shot::Revoke => ("kms:PutKeyPolicy", "KMS"),
        _ => ("dynamodb:Scan", "DynamoDB"),
    }
}

/// Draws the screen of a stage.
pub(super) fn draw(canvas: &mut Canvas<'_>, shot: Shot) {
    let done = (canvas.theme.signs.allowed, canvas.theme.allowed.text);
    let open = ("…", canvas.theme.strong);
    match shot {
        Shot::KeyPolicy => return policy::first(canvas, done),
        Shot::Policy => return policy::change(canvas, shot, open),
        Shot::PolicyDone => return policy::change(canvas, shot, done),
        Shot::Why => return ladder::draw(canvas),
        _ => {}
    }
    let stage = shot.stage().unwrap_or(Stage::Who);
    canvas.stage(stage, &heading(canvas, shot));
    match shot {
        Shot::SameScan | Shot::Again => scans_begin(canvas, shot),
        Shot::Denied | Shot::Allowed => scans_end(canvas, shot),
        Shot::UserDone => principals(canvas),
        Shot::Error => error(canvas),
        Shot::OnBehalf => on_behalf(canvas),
        Shot::ThreeWays | Shot::Revoke => {
            let lane = lanes::single(canvas, Identity::Admin);
            middle(canvas, lane, &listed(canvas, shot));
        }
        Shot::TableDone => keys(canvas, done),
        Shot::ReadDone => read(canvas),
        _ if shot.is_after() => described(canvas, shot, done),
        _ => acts(canvas, shot, open),
    }
}

/// What stands in the row of the call.
fn heading(canvas: &Canvas<'_>, shot: Shot) -> String {
    match shot {
        Shot::OnBehalf => canvas.word("asked"),
        Shot::ThreeWays => canvas.word("ways"),
        Shot::User => {
            let calls = Stage::CreateUser.outline(canvas.state.backend()).map(|(_, call)| call.to_owned());
            let calls: Vec<String> = calls.filter(|call| call.starts_with("iam:") && !call.contains("Key")).collect();
            if calls.is_empty() { "sts:GetCallerIdentity".to_owned() } else { calls.join("  ") }
        }
        _ => call(shot).0.to_owned(),
    }
}

/// A stage that acts: one verb, as large as it gets.
fn acts(canvas: &mut Canvas<'_>, shot: Shot, open: (&'static str, Style)) {
    let theme = canvas.theme;
    let lane = lanes::single(canvas, Identity::Admin);
    let (path, below) = lanes::parts(lane);
    let spans = lanes::to_service(canvas, Identity::Admin, call(shot).1, open);
    canvas.put_within(path, spans);
    let fields = before(canvas, shot);
    let block = canvas.film.block(shot).to_owned();
    let kept = if fields.is_empty() { 0 } else { u16::try_from(fields.len() * 2).unwrap_or(0) };
    let room = Rect { height: below.height.saturating_sub(kept), ..below };
    let lines = crate::ui::block_letters::wide(&block, 2).filter(|lines| {
        lines.len() <= usize::from(room.height) && lines.iter().all(|line| width(line) <= usize::from(room.width))
    });
    let gap = u16::from(lines.is_none() && room.height >= 9) * 2;
    let area = Rect { y: room.y + gap, height: room.height.saturating_sub(gap), ..room };
    let rows = canvas.block(area, &block, theme.strong).rows;
    let y = area.y + rows + 1 + u16::from(gap > 0);
    canvas.fields(Rect { y, height: below.bottom().saturating_sub(y), ..below }, &fields);
}

/// What is known before the call.
fn before(canvas: &Canvas<'_>, shot: Shot) -> Vec<(String, String)> {
    let state = canvas.state;
    match shot {
        Shot::Table => {
            let arn = body(state, Stage::CreateKey, "CreateKey").and_then(|body| find(body, "Arn"));
            let key = arn.map(|arn| ("KMSMasterKeyId".to_owned(), short_arn(&arn)));
            std::iter::once(("SSEType".to_owned(), "KMS".to_owned())).chain(key).collect()
        }
        Shot::Read => vec![("TableName".to_owned(), state.shown_names().table.clone())],
        Shot::User if state.backend().has_managed_policy() && !state.backend().given_user => {
            vec![("+".to_owned(), crate::lab::test_user::MANAGED.to_owned())]
        }
        Shot::CleanUp => vec![(String::new(), canvas.word("clean_order"))],
        _ => Vec::new(),
    }
}

/// What a response describes, member by member.
fn described(canvas: &mut Canvas<'_>, shot: Shot, done: (&'static str, Style)) {
    let lane = lanes::single(canvas, Identity::Admin);
    let (path, _) = lanes::parts(lane);
    let spans = lanes::to_service(canvas, Identity::Admin, call(shot).1, done);
    canvas.put_within(path, spans);
    let state = canvas.state;
    let fields: Vec<(String, String)> = match shot {
        Shot::WhoDone => members(body(state, Stage::Who, "GetCallerIdentity"), &["Arn"]),
        Shot::KeyDone => {
            let described = body(state, Stage::CreateKey, "DescribeKey").or(body(state, Stage::CreateKey, "CreateKey"));
            members(described, &["KeyState", "KeyManager", "KeySpec"])
        }
        _ => {
            let deletion = body(state, Stage::CleanUp, "ScheduleKeyDeletion");
            let days = deletion.and_then(|body| find(body, "PendingWindowInDays"));
            let when = days.map(|days| ("DeletionDate".to_owned(), canvas.film.words.fill("in_days", &[&days])));
            members(deletion, &["KeyState"]).into_iter().chain(when).collect()
        }
    };
    middle(canvas, lane, &fields);
}

/// Draws fields in the middle of a lane.
fn middle(canvas: &mut Canvas<'_>, lane: Rect, fields: &[(String, String)]) {
    let rows = u16::try_from(fields.len() * 2).unwrap_or(0).saturating_sub(1);
    let top = lane.y + (lane.height.saturating_sub(rows)) / 2;
    canvas.fields(Rect { y: top, height: lane.bottom().saturating_sub(top), ..lane }, fields);
}

/// The key policy among the other ways; how fast a change counts.
fn listed(canvas: &Canvas<'_>, shot: Shot) -> Vec<(String, String)> {
    let pair = |label: String, value: &str| (label, canvas.word(value));
    if shot == Shot::Revoke {
        return vec![pair(canvas.word("allow"), "soon"), pair(canvas.word("revoke"), "later")];
    }
    vec![
        pair(format!("▸ {}", canvas.word("key_policy")), "on_key"),
        pair(format!("  {}", canvas.word("iam_policy")), "on_user"),
        pair(format!("  {}", canvas.word("grant")), "for_one"),
    ]
}

/// The keys that protect the items, from ours to the data.
fn keys(canvas: &mut Canvas<'_>, done: (&'static str, Style)) {
    let (state, theme) = (canvas.state, canvas.theme);
    let lane = lanes::single(canvas, Identity::Admin);
    let (path, _) = lanes::parts(lane);
    let spans = lanes::to_service(canvas, Identity::Admin, "DynamoDB", done);
    canvas.put_within(path, spans);
    let items = state.record(Stage::CreateTable).exchanges().filter(|exchange| exchange.operation.name() == "PutItem");
    let items = state.interface().fill("{} items", &[&items.filter(|exchange| exchange.is_allowed()).count()]);
    let names = ["our_key", "table_key", "data_keys"].map(|id| canvas.word(id));
    let names: Vec<String> = names.into_iter().chain([items]).collect();
    let boxes: Vec<u16> = names.iter().map(|name| u16::try_from(width(name)).unwrap_or(0) + 4).collect();
    let gaps = 4 * (u16::try_from(boxes.len()).unwrap_or(1) - 1);
    let y = lane.y + lane.height.saturating_sub(5) / 2;
    if boxes.iter().sum::<u16>() + gaps > lane.width {
        let chain = names.join(" ─▸ ");
        return canvas.text(lane.x, y, &chain, theme.strong);
    }
    let mut x = lane.x;
    let mut places = Vec::new();
    for (name, columns) in names.iter().zip(boxes) {
        if x > lane.x {
            canvas.text(x - 3, y + 1, "─▸", theme.rule);
        }
        canvas.boxed(Rect { x, y, width: columns, height: 3 }, "");
        canvas.text(x + 2, y + 1, name, theme.strong);
        places.push((x, columns));
        x += columns + 4;
    }
    let [(first, _), (second, _), .., (last, columns)] = places[..] else { return };
    let (kept, stored) = (canvas.word("kept"), canvas.word("stored"));
    canvas.text(first + 2, y + 4, &kept, theme.dim);
    let across = usize::from((last + columns).saturating_sub(second + 2));
    let dashes = across.saturating_sub(width(&stored) + 2);
    let bracket = format!("└{} {stored} {}┘", "─".repeat(dashes / 2), "─".repeat(dashes - dashes / 2));
    // The first label may be wider than its box.
    if usize::from(second) > usize::from(first) + 2 + width(&kept) {
        canvas.text(second, y + 4, &bracket, theme.dim);
    }
}

/// A Scan's verdict, with the items below.
fn read(canvas: &mut Canvas<'_>) {
    let (state, theme) = (canvas.state, canvas.theme);
    let lane = lanes::single(canvas, Identity::Admin);
    let Some(exchange) = scan(state, Shot::ReadDone, Identity::Admin) else { return };
    let (path, below) = lanes::parts(lane);
    put_path(canvas, path, exchange);
    let items = items(exchange);
    let kept = u16::try_from(items.len()).unwrap_or(0) + 1;
    let looks = crate::ui::verdict::verdict(&crate::lab::Call::Answered(exchange), theme);
    let rows = canvas.block(Rect { height: below.height.saturating_sub(kept), ..below }, looks.1, looks.2.text).rows;
    let longest = items.iter().map(|(name, _)| width(name)).max().unwrap_or(0) + 3;
    for ((name, what), y) in items.into_iter().zip(below.y + rows + 1..below.bottom()) {
        let name = Span::styled(format!("{name}{}", " ".repeat(longest - width(&name))), theme.strong);
        canvas.put(below.x, y, vec![name, Span::styled(what, theme.base)]);
    }
}

/// Patients and what they have.
fn items(exchange: &Exchange) -> Vec<(String, String)> {
    let items = exchange.body().and_then(|body| body.get("Items")?.as_array());
    let text = |item: &Value, name: &str| item.get(name).and_then(|value| value.get("S")?.as_str()).map(str::to_owned);
    let rows = items.into_iter().flatten().filter_map(|item| Some((text(item, "patient")?, text(item, "diagnosis")?)));
    let mut rows: Vec<(String, String)> = rows.collect();
    rows.sort();
    rows
}

/// Both callers' ARNs.
fn principals(canvas: &mut Canvas<'_>) {
    let (state, theme) = (canvas.state, canvas.theme);
    for (who, lane) in lanes::both(canvas) {
        let (path, below) = lanes::parts(lane);
        let answered = state.record(Stage::CreateUser).exchanges().chain(state.record(Stage::Who).exchanges());
        let mut own =
            answered.filter(|exchange| exchange.identity == who && exchange.operation.name() == "GetCallerIdentity");
        let Some(exchange) = own.next() else { continue };
        let sign = crate::ui::verdict::verdict(&crate::lab::Call::Answered(exchange), theme);
        let spans = lanes::to_service(canvas, who, "STS", (sign.0, sign.2.text));
        canvas.put_within(path, spans);
        let arn = exchange.body().and_then(|body| find(body, "Arn")).unwrap_or_default();
        // Account and name, each in a line: one is the same, one differs.
        let parts =
            arn.rfind(':').map_or((String::new(), arn.clone()), |at| (arn[..=at].to_owned(), arn[at + 1..].to_owned()));
        let top = below.y + below.height.saturating_sub(3) / 3;
        canvas.put_within(Rect { y: top, ..below }, vec![Span::styled(parts.0, theme.dim)]);
        canvas.put_within(Rect { y: top + 1, ..below }, vec![Span::styled(parts.1, theme.strong)]);
    }
}

/// Both send the same Scan.
fn scans_begin(canvas: &mut Canvas<'_>, shot: Shot) {
    let theme = canvas.theme;
    let block = canvas.film.block(shot).to_owned();
    for (who, lane) in lanes::both(canvas) {
        let (path, below) = lanes::parts(lane);
        let spans = lanes::to_service(canvas, who, "DynamoDB", ("…", theme.strong));
        canvas.put_within(path, spans);
        let area = lanes::letters(below);
        canvas.block(Rect { height: area.height.min(5), ..area }, &block, theme.strong);
    }
}

/// Both verdicts; if the same Scan was denied before, that, too.
fn scans_end(canvas: &mut Canvas<'_>, shot: Shot) {
    let state = canvas.state;
    for (who, lane) in lanes::both(canvas) {
        let Some(exchange) = scan(state, shot, who) else { continue };
        let (path, below) = lanes::parts(lane);
        put_path(canvas, path, exchange);
        let earlier = (shot == Shot::Allowed).then(|| scan(state, Shot::Denied, who)).flatten();
        lanes::judged(canvas, lanes::letters(below), exchange, earlier);
    }
}

/// Draws the path of a Scan.
fn put_path(canvas: &mut Canvas<'_>, area: Rect, exchange: &Exchange) {
    if let Some(known) = canvas.state.path_of(exchange) {
        let spans = lanes::of_scan(canvas, &known, area.width);
        canvas.put_within(area, spans);
    }
}

/// The denial, in its parts.
fn error(canvas: &mut Canvas<'_>) {
    let state = canvas.state;
    let lane = lanes::single(canvas, Identity::TestUser);
    let Some(exchange) = scan(state, Shot::Error, Identity::TestUser) else { return };
    let (path, below) = lanes::parts(lane);
    put_path(canvas, path, exchange);
    let Verdict::Denied(Denied { action, resource, reason, .. }) = &exchange.verdict else { return };
    let parts =
        [("action", action.clone()), ("resource", resource.as_deref().map(short_arn)), ("reason", reason.clone())];
    let fields: Vec<(String, String)> =
        parts.into_iter().filter_map(|(label, value)| Some((canvas.word(label), value?))).collect();
    let top = below.y + below.height.saturating_sub(9) / 2;
    let looks = canvas.theme.denied.text;
    let sign = canvas.theme.signs.denied;
    canvas.text(below.x, top, &format!("{sign} DENIED"), looks);
    canvas.fields(Rect { y: top + 2, height: below.bottom().saturating_sub(top + 2), ..below }, &fields);
}

/// Who asked KMS, and for what.
fn on_behalf(canvas: &mut Canvas<'_>) {
    let (state, theme) = (canvas.state, canvas.theme);
    let lane = lanes::single(canvas, Identity::TestUser);
    let Some(exchange) = scan(state, Shot::OnBehalf, Identity::TestUser) else { return };
    let (path, below) = lanes::parts(lane);
    put_path(canvas, path, exchange);
    let Verdict::Denied(Denied { action: Some(action), .. }) = &exchange.verdict else { return };
    let who = canvas.film.words.fill("on_behalf", &[&Identity::TestUser.name()]);
    let top = below.y + below.height.saturating_sub(5) / 2;
    canvas.text(MARGIN, top, &who, theme.strong);
    let sign = theme.signs.denied;
    let spans = vec![
        Span::styled(format!("{action}   "), theme.base),
        Span::styled(format!("{sign} DENIED"), theme.denied.text),
    ];
    canvas.put(MARGIN, top + 2, spans);
}

/// The newest Scan of `who` in the stage of `shot`.
pub(super) fn scan(state: &State, shot: Shot, who: Identity) -> Option<&Exchange> {
    let is_scan =
        |exchange: &&Exchange| exchange.identity == who && matches!(exchange.operation, Operation::Scan { .. });
    state.record(shot.stage()?).exchanges().rev().find(is_scan)
}

/// The newest successful response to `operation` in `stage`.
pub(super) fn body<'a>(state: &'a State, stage: Stage, operation: &str) -> Option<&'a Value> {
    let mut answered = state.record(stage).exchanges().rev();
    answered.find(|exchange| exchange.operation.name() == operation && exchange.is_allowed())?.body()
}

fn members(body: Option<&Value>, names: &[&str]) -> Vec<(String, String)> {
    let found = names.iter().filter_map(|name| Some(((*name).to_owned(), find(body?, name)?)));
    found.collect()
}

/// The first member called `name`, at any depth.
pub(super) fn find(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::Object(members) => {
            let own = members.get(name).map(shown);
            own.or_else(|| members.values().find_map(|value| find(value, name)))
        }
        Value::Array(elements) => elements.iter().find_map(|value| find(value, name)),
        _ => None,
    }
}

/// A value in a line.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(elements) => elements.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
