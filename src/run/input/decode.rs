//! Bytes from a terminal become keys. Pure: the time is an argument.
//!
//! Not crossterm's parser: it knows no OSC, DCS or APC, so the letters of a terminal's reply are keys to it, and it waits
//! for the rest of a sequence for as long as it takes. Here a sequence that stalls is given up, and a reply is never a
//! key, however its bytes are spread over reads.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// An Esc without anything behind it is the key by then.
const ESCAPE_TIME: Duration = Duration::from_millis(50);

/// A gap as long as this does not belong to a key: terminals send a key at once.
const GAP: Duration = Duration::from_millis(250);

/// What may have begun a reply, or be a key, is the key by then.
const DOUBT: Duration = Duration::from_secs(1);

/// A reply may stall for so long between two of its bytes.
const LATE: Duration = Duration::from_secs(5);

/// No reply takes longer than this altogether.
const REPLY_TIME: Duration = Duration::from_secs(10);

/// The most bytes of a sequence that are kept. The rest is read and dropped.
const KEPT: usize = 64;

/// The most bytes of a pasted text that are kept.
const PASTED: usize = 128 * 1024;

/// Ends a bracketed paste.
const PASTE_END: &[u8] = b"\x1b[201~";

/// What bytes have become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A key.
    Key(KeyEvent),
    /// A button of the mouse, or its wheel.
    Mouse(MouseEvent),
    /// Text was pasted: no keys, except for an editor.
    Paste(String),
    /// The terminal's background is light, or dark.
    Background {
        /// Whether it is.
        light: bool,
    },
}

/// Where in a sequence it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Ground,
    /// In a character of several bytes.
    Character,
    /// After an Esc.
    Escape,
    /// After an Esc that was taken for the key: the rest of a reply may follow.
    Escaped,
    /// In a control sequence.
    Csi,
    /// Likewise, and too late for a key.
    CsiLate,
    /// A function key of the Linux console.
    Console,
    /// A function key.
    Ss3,
    /// In the three bytes of a click, which follow its control sequence: a program that was killed may have left the
    /// mouse on.
    Click,
    /// In a string: OSC, DCS, APC, PM, SOS.
    Text,
    /// After an Esc in a string, which may end it.
    TextEscape,
    /// In pasted text.
    Paste,
}

/// What becomes of the byte that was looked at.
enum Step {
    Taken,
    /// It belongs to something new.
    Again,
}

/// Turns bytes into keys.
#[derive(Debug)]
pub struct Decoder {
    at: At,
    /// The sequence's bytes so far, without those that are too many.
    bytes: Vec<u8>,
    /// When the sequence began.
    began: Instant,
    /// When its newest byte came.
    newest: Instant,
    alt: bool,
    /// The newest byte may be a key: it came late, and alone.
    doubtful: bool,
    /// The pasted bytes before those.
    pasted: Vec<u8>,
}

impl Decoder {
    /// At the beginning of the input.
    pub fn new(now: Instant) -> Decoder {
        Decoder {
            at: At::Ground,
            bytes: Vec::new(),
            began: now,
            newest: now,
            alt: false,
            doubtful: false,
            pasted: Vec::new(),
        }
    }

    /// How long to wait for more before [`Decoder::pass`] is to be called; `None` where nothing is under way.
    pub fn patience(&self, now: Instant) -> Option<Duration> {
        let patience = match self.at {
            At::Ground => return None,
            At::Escape => ESCAPE_TIME,
            At::Csi if self.doubtful => DOUBT,
            At::CsiLate | At::Text if self.doubtful => GAP,
            At::Character | At::Csi | At::Console | At::Ss3 | At::Click if !self.is_reply() => GAP,
            _ => LATE,
        };
        Some(patience.saturating_sub(now.saturating_duration_since(self.newest)))
    }

    /// Handles the passing of time.
    pub fn pass(&mut self, now: Instant, items: &mut Vec<Item>) {
        if self.patience(now).is_none_or(|left| !left.is_zero()) {
            return;
        }
        match self.at {
            At::Escape => {
                items.push(key(KeyCode::Esc, KeyModifiers::NONE));
                self.at = At::Escaped;
            }
            At::Csi if self.bytes == b"\x1b[" => self.at = At::CsiLate,
            At::Paste => {
                items.push(self.pasted());
                self.reset();
            }
            _ => self.give_up(items),
        }
    }

    /// Decodes bytes that were read in one go.
    pub fn feed(&mut self, now: Instant, chunk: &[u8], items: &mut Vec<Item>) {
        self.pass(now, items);
        if now.saturating_duration_since(self.newest) >= GAP {
            self.resume(now, chunk, items);
        }
        for (at, byte) in chunk.iter().enumerate() {
            if matches!(self.at, At::Ground) {
                self.began = now;
            }
            let alone = at + 1 == chunk.len();
            // A byte that ends a sequence and belongs to none can begin another.
            while let Step::Again = self.step(*byte, alone, items) {}
            self.newest = now;
        }
    }

    /// Decides whether `chunk`, which comes late, goes on with the sequence that has stalled, or is something new.
    fn resume(&mut self, now: Instant, chunk: &[u8], items: &mut Vec<Item>) {
        let [byte, rest @ ..] = chunk else { return };
        let goes_on = match self.at {
            At::Ground | At::Escaped | At::CsiLate => true,
            At::Text | At::TextEscape if now.saturating_duration_since(self.began) >= REPLY_TIME => false,
            At::TextEscape => *byte == b'\\',
            // The grammar of a color is known. Of others only that a person types one byte at a time, and what.
            At::Text => match self.color() {
                Some(color) => *byte == 0x1b || *byte == 0x07 || continues(color, *byte),
                None => *byte >= b' ' || [0x07, 0x1b].contains(byte),
            },
            At::Csi => matches!(byte, b'0'..=b'9' | b';' | b':' | b'$' | b'c' | b'n' | b'y' | b'u' | b'R'),
            // A key is one byte, or an escape sequence.
            At::Paste => !rest.is_empty() && *chunk != [0x1b, 0x1b],
            _ => false,
        };
        if !goes_on {
            if self.at == At::Paste {
                items.push(self.pasted());
            }
            self.give_up(items);
        }
    }

    fn give_up(&mut self, items: &mut Vec<Item>) {
        if self.doubtful {
            items.extend(self.bytes.last().map(|byte| single(*byte)));
        }
        self.reset();
    }

    fn reset(&mut self) {
        self.at = At::Ground;
        self.bytes.clear();
        (self.alt, self.doubtful) = (false, false);
    }

    fn keep(&mut self, byte: u8) {
        if self.bytes.len() < KEPT {
            self.bytes.push(byte);
        }
    }

    /// Whether the sequence can only be a reply.
    fn is_reply(&self) -> bool {
        self.at == At::Csi && matches!(self.bytes.get(2), Some(b'<'..=b'?'))
    }

    /// What has come of a reply that tells a color.
    fn color(&self) -> Option<&[u8]> {
        let text = self.bytes.strip_prefix(b"\x1b]")?;
        let known = |prefix: &[u8]| text.starts_with(prefix) || prefix.starts_with(text);
        ([&b"10;"[..], b"11;", b"12;", b"4;"].into_iter().any(known)).then_some(text)
    }

    fn step(&mut self, byte: u8, alone: bool, items: &mut Vec<Item>) -> Step {
        match self.at {
            At::Ground => self.begin(byte, items),
            At::Character => return self.character(byte, items),
            At::Escape => return self.escape(byte, items),
            At::Escaped => return self.escaped(byte, alone),
            At::Csi => return self.csi(byte, items),
            At::CsiLate => {
                if !matches!(byte, b'<'..=b'?') {
                    self.give_up(items);
                    return Step::Again;
                }
                self.at = At::Csi;
                self.doubtful = alone;
                self.keep(byte);
            }
            At::Console => {
                let number = byte.wrapping_sub(b'A');
                if number < 5 {
                    items.push(key(KeyCode::F(number + 1), KeyModifiers::NONE));
                }
                self.reset();
            }
            At::Ss3 => return self.ss3(byte, items),
            At::Click => return self.click(byte),
            At::Text => return self.text(byte, items),
            At::TextEscape => return self.text_escape(byte, items),
            At::Paste => self.paste(byte, items),
        }
        Step::Taken
    }

    fn begin(&mut self, byte: u8, items: &mut Vec<Item>) {
        match byte {
            0x1b => {
                self.at = At::Escape;
                self.bytes = vec![byte];
            }
            0xc2..=0xf4 => {
                self.at = At::Character;
                self.bytes.push(byte);
            }
            0x80.. => {}
            _ => items.push(single(byte)),
        }
    }

    fn character(&mut self, byte: u8, items: &mut Vec<Item>) -> Step {
        if byte & 0xc0 != 0x80 {
            self.reset();
            return Step::Again;
        }
        self.keep(byte);
        let whole = match self.bytes[0] {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            _ => 4,
        };
        if self.bytes.len() == whole {
            let modifiers = if self.alt { KeyModifiers::ALT } else { KeyModifiers::NONE };
            let character = std::str::from_utf8(&self.bytes).ok().and_then(|text| text.chars().next());
            items.extend(character.map(|c| key(KeyCode::Char(c), modifiers | shift(c))));
            self.reset();
        }
        Step::Taken
    }

    fn escape(&mut self, byte: u8, items: &mut Vec<Item>) -> Step {
        match byte {
            b'[' => self.at = At::Csi,
            b'O' => self.at = At::Ss3,
            b']' | b'P' | b'_' | b'^' | b'X' => self.at = At::Text,
            // The key, and then another: a Ctrl-C must not be lost.
            ..b' ' | 0x7f => {
                items.push(key(KeyCode::Esc, KeyModifiers::NONE));
                self.reset();
                return Step::Again;
            }
            0x80.. => {
                self.reset();
                self.alt = true;
                self.begin(byte, items);
                return Step::Taken;
            }
            _ => {
                let c = char::from(byte);
                items.push(key(KeyCode::Char(c), KeyModifiers::ALT | shift(c)));
                self.reset();
                return Step::Taken;
            }
        }
        self.keep(byte);
        Step::Taken
    }

    /// The Esc was told as a key. What can only be a reply goes on all the same.
    fn escaped(&mut self, byte: u8, alone: bool) -> Step {
        match byte {
            // These are keys of the lab, too.
            b'[' => (self.at, self.doubtful) = (At::CsiLate, alone),
            b']' => (self.at, self.doubtful) = (At::Text, alone),
            b'_' | b'^' => self.at = At::Text,
            b'P' | b'X' if !alone => self.at = At::Text,
            _ => {
                self.reset();
                return Step::Again;
            }
        }
        self.keep(byte);
        Step::Taken
    }

    fn csi(&mut self, byte: u8, items: &mut Vec<Item>) -> Step {
        self.doubtful &= !byte.is_ascii_digit();
        match byte {
            // The key, and then another.
            _ if self.doubtful => {
                self.give_up(items);
                return Step::Again;
            }
            b' '..=b'?' => self.keep(byte),
            b'[' if self.bytes.len() == 2 => self.at = At::Console,
            b'M' if self.bytes.len() == 2 => {
                self.at = At::Click;
                self.bytes.clear();
            }
            b'~' if self.bytes == b"\x1b[200" => {
                self.at = At::Paste;
                self.bytes.clear();
            }
            b'@'..=b'~' => {
                items.extend(control_sequence(&self.bytes[2..], byte));
                self.reset();
            }
            // Whatever it was, it was not whole.
            _ => {
                self.reset();
                return Step::Again;
            }
        }
        Step::Taken
    }

    fn ss3(&mut self, byte: u8, items: &mut Vec<Item>) -> Step {
        if !byte.is_ascii_graphic() {
            self.reset();
            return Step::Again;
        }
        let code = match byte {
            b'M' => Some(KeyCode::Enter),
            b'P'..=b'S' => Some(KeyCode::F(byte - b'P' + 1)),
            _ => cursor(byte),
        };
        items.extend(code.map(|code| key(code, KeyModifiers::NONE)));
        self.reset();
        Step::Taken
    }

    /// The button, the column and the row. The letter d is a column.
    fn click(&mut self, byte: u8) -> Step {
        if byte < b' ' {
            self.reset();
            return Step::Again;
        }
        self.keep(byte);
        if self.bytes.len() == 3 {
            self.reset();
        }
        Step::Taken
    }

    fn text(&mut self, byte: u8, items: &mut Vec<Item>) -> Step {
        // A reply with a bracket goes on with its number.
        if self.doubtful && !byte.is_ascii_digit() {
            self.give_up(items);
            return Step::Again;
        }
        self.doubtful = false;
        match byte {
            0x1b => self.at = At::TextEscape,
            0x07 if self.bytes.get(1) == Some(&b']') => self.end_text(items),
            // Ctrl-C, Ctrl-X and Ctrl-Z are in no reply.
            0x03 | 0x18 | 0x1a => {
                self.reset();
                return Step::Again;
            }
            _ => self.keep(byte),
        }
        Step::Taken
    }

    fn text_escape(&mut self, byte: u8, items: &mut Vec<Item>) -> Step {
        if byte == b'\\' {
            self.end_text(items);
            return Step::Taken;
        }
        // Another sequence: this one has no end.
        self.at = At::Escape;
        self.bytes = vec![0x1b];
        Step::Again
    }

    fn end_text(&mut self, items: &mut Vec<Item>) {
        let told = self.bytes.strip_prefix(b"\x1b]11;").and_then(is_light);
        items.extend(told.map(|light| Item::Background { light }));
        self.reset();
    }

    /// Of a text that is too long the beginning is kept, and the newest bytes: the end may be among them.
    fn paste(&mut self, byte: u8, items: &mut Vec<Item>) {
        if self.bytes.len() == PASTE_END.len() {
            let oldest = self.bytes.remove(0);
            if self.pasted.len() < PASTED {
                self.pasted.push(oldest);
            }
        }
        self.bytes.push(byte);
        if self.bytes == PASTE_END {
            self.bytes.clear();
            items.push(self.pasted());
            self.reset();
        }
    }

    /// What was pasted.
    fn pasted(&mut self) -> Item {
        let mut bytes = std::mem::take(&mut self.pasted);
        bytes.append(&mut self.bytes);
        Item::Paste(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Item {
    Item::Key(KeyEvent::new(code, modifiers))
}

fn shift(c: char) -> KeyModifiers {
    if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE }
}

/// The key of one byte, as terminals in raw mode send it.
fn single(byte: u8) -> Item {
    let control = |c| key(KeyCode::Char(c), KeyModifiers::CONTROL);
    match byte {
        b'\r' => key(KeyCode::Enter, KeyModifiers::NONE),
        b'\t' => key(KeyCode::Tab, KeyModifiers::NONE),
        0x7f => key(KeyCode::Backspace, KeyModifiers::NONE),
        0 => control(' '),
        0x01..=0x1a => control(char::from(b'a' + byte - 1)),
        0x1b..=0x1f => control(char::from(b'3' + byte - 0x1b)),
        _ => {
            let c = char::from(byte);
            key(KeyCode::Char(c), shift(c))
        }
    }
}

fn cursor(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        _ => return None,
    })
}

/// The key of a control sequence; `None` of a reply, and of keys that mean nothing here.
fn control_sequence(parameters: &[u8], last: u8) -> Option<Item> {
    let parameters = std::str::from_utf8(parameters).ok()?;
    if let Some(place) = parameters.strip_prefix('<') {
        return mouse(place, last).map(Item::Mouse);
    }
    let mut numbers = Vec::new();
    for number in parameters.split(';').filter(|number| !number.is_empty()) {
        numbers.push(number.parse::<u8>().ok()?);
    }
    let code = match (last, numbers.first()) {
        (b'Z', _) => KeyCode::BackTab,
        (b'~', Some(number)) => numbered(*number)?,
        (b'P' | b'Q' | b'S', Some(1)) => KeyCode::F(last - b'P' + 1),
        (_, None | Some(1)) => cursor(last)?,
        _ => return None,
    };
    let pressed = numbers.get(1).map_or(0, |number| number.saturating_sub(1));
    let known = [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)];
    let modifiers = known.into_iter().filter(|(bit, _)| pressed & bit != 0).map(|(_, modifier)| modifier).collect();
    Some(key(code, modifiers))
}

/// A press of the left button, or a notch of the wheel: `0;12;3` with the final byte `M`. Others mean nothing here.
fn mouse(place: &str, last: u8) -> Option<MouseEvent> {
    let mut numbers = place.split(';').map(|number| number.parse::<u16>().ok());
    let (button, column, row) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let kind = match (last, button) {
        (b'M', 0) => MouseEventKind::Down(MouseButton::Left),
        (b'M', 64) => MouseEventKind::ScrollUp,
        (b'M', 65) => MouseEventKind::ScrollDown,
        _ => return None,
    };
    // They count from 1.
    let (column, row) = (column.checked_sub(1)?, row.checked_sub(1)?);
    numbers.next().is_none().then_some(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
}

fn numbered(number: u8) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(number - 10),
        17..=21 => KeyCode::F(number - 11),
        23 | 24 => KeyCode::F(number - 12),
        _ => return None,
    })
}

/// Whether `byte` can be the next one of a color like `11;rgb:ffff/ffff/ffff`.
fn continues(color: &[u8], byte: u8) -> bool {
    let Some(at) = color.iter().position(|byte| *byte == b':') else {
        return b"0123456789;rgba:".contains(&byte);
    };
    // Four parts of four digits at most.
    (byte.is_ascii_hexdigit() || byte == b'/') && color.len() < at + 20
}

/// Whether `rgb:ffff/ffff/ffff`, or with fewer digits or a fourth part, is nearer to white than to black.
fn is_light(color: &[u8]) -> Option<bool> {
    let color = std::str::from_utf8(color).ok()?;
    let parts = color.strip_prefix("rgb:").or_else(|| color.strip_prefix("rgba:"))?;
    let mut luminance = 0.0;
    let mut parts = parts.split('/');
    for weight in [0.2126, 0.7152, 0.0722] {
        let part = parts.next()?;
        let most = 16_u32.checked_pow(u32::try_from(part.len()).ok()?).filter(|_| part.len() <= 4)? - 1;
        let share = f64::from(u32::from_str_radix(part, 16).ok()?) / f64::from(most.max(1));
        luminance += weight * share.powf(2.2);
    }
    // As light as the gray that black and white can be read on equally well.
    Some(luminance > 0.18)
}

#[cfg(test)]
#[path = "decode/tests.rs"]
mod tests;
