//! The smallest ratatui program, which the lab is measured against. It draws a line and waits for keys; with `--full` it
//! fills the screen. `q` ends it, and any other key turns each letter over.

use crossterm::event::{Event, KeyCode, read};
use ratatui::widgets::{Paragraph, Wrap};

fn main() -> std::io::Result<()> {
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    if has("--bench") || has("--test") {
        return Ok(()); // cargo runs it as if it measured something; `speed` starts it in a terminal
    }
    let mut text = if has("--full") { "ten lines ".repeat(10_000) } else { "ten lines".to_owned() };
    let mut other = text.to_uppercase();
    let mut terminal = ratatui::init();
    loop {
        let line = Paragraph::new(text.as_str()).wrap(Wrap { trim: false });
        terminal.draw(|frame| frame.render_widget(line, frame.area()))?;
        match read()? {
            Event::Key(key) if key.code == KeyCode::Char('q') => break,
            _ => std::mem::swap(&mut text, &mut other),
        }
    }
    ratatui::restore();
    Ok(())
}
