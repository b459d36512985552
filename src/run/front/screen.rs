//! The lab on a screen: a key becomes an intent, the driver updates the state, and the state is drawn.

use std::io::{self, Write};
use std::task::Poll;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::lab::remote::{self, KeyAnswer, KeyOutcome};
use crate::lab::{Event, Keymap, Mode, State};
use crate::run::driver::{self, Arrival, Ended, Front};
use crate::run::effects::EffectHandler;
use crate::run::input::{self, Input, attend};
use crate::run::inputs::{AT_ONCE, Came, Inputs, Wanted};
use crate::run::notes::server::{NotesServer, Pressed};
use crate::run::presentation::{Due, Presentation, area, key};
#[cfg(unix)]
use crate::run::shell::terminal;
use crate::ui;
use crate::ui::desk::Typist;
use crate::ui::terminal::Screen;

/// The message after a paste.
const PASTED: &str = "pasted text is ignored here: press the keys that the last line shows";

/// A key from the notes that waited so long has been given up there.
const TOO_LATE: Duration = Duration::from_secs(1);

/// From here on a wait is so long that people look elsewhere.
const LONG: Duration = Duration::from_secs(5);

/// Runs the lab on `screen` until the person leaves, the input ends, or a signal's number comes from `stop`. `state` is
/// up to date whatever ends it: what has been created is known even if the terminal fails.
///
/// # Errors
/// If the terminal can't be read or written.
pub async fn interactive<W: Write, I: Into<Input>>(
    state: &mut State,
    effects: &EffectHandler,
    events: UnboundedReceiver<Event>,
    input: impl Stream<Item = io::Result<I>> + Unpin,
    screen: &mut Screen<W>,
    manner: &mut Presentation,
    stop: impl Stream<Item = u8> + Unpin,
) -> io::Result<Ended> {
    let teacher = manner.audience.as_ref().map(|audience| audience.invitation().teacher.clone());
    let (notes, mut remote) = NotesServer::new(teacher);
    let mut input = input.map(|input| input.map(Into::into));
    // It ends with the terminal, even if somebody follows.
    let input = stream::poll_fn(move |context| match remote.poll_recv(context) {
        Poll::Ready(Some(pressed)) => Poll::Ready(Some(Ok(Input::Remote(pressed)))),
        _ => input.poll_next_unpin(context),
    });
    let mut front = OnScreen {
        screen,
        manner,
        effects,
        notes,
        began: Instant::now(),
        waits_since: None,
        not_followed: None,
        no_shell: None,
        next: None,
        more: 0,
        #[cfg(unix)]
        shell: None,
        #[cfg(unix)]
        stopped: None,
        typist: Typist::default(),
    };
    let ended = driver::run(state, Some(effects), &mut front, Inputs::new(events, input, stop)).await;
    if matches!(ended, Ok(Ended::Finished)) {
        front.notes.close(state).await;
    }
    ended
}

struct OnScreen<'a, W: Write> {
    screen: &'a mut Screen<W>,
    manner: &'a mut Presentation,
    effects: &'a EffectHandler,
    notes: NotesServer,
    began: Instant,
    /// Since when calls are in progress.
    waits_since: Option<Instant>,
    /// Why `kmslab notes` can't follow, until it is shown.
    not_followed: Option<String>,
    /// Why no shell could be opened, likewise.
    no_shell: Option<String>,
    /// The event that arrived, while the clock goes first.
    next: Option<Event>,
    /// How much more input is handled before the next frame.
    more: usize,
    /// The shell or editor that has the terminal.
    #[cfg(unix)]
    shell: Option<terminal::Open>,
    /// The shell that is stopped.
    #[cfg(unix)]
    stopped: Option<terminal::Open>,
    /// Writes in the editor.
    typist: Typist,
}

impl<W: Write> Front for OnScreen<'_, W> {
    type Input = Input;

    async fn show(&mut self, state: &State) -> io::Result<()> {
        self.notes.tell(state).await;
        if let Some(audience) = &mut self.manner.audience {
            audience.tell(state);
        }
        if self.has_shell() {
            return Ok(());
        }
        self.draw(state)?;
        self.ring(state)?;
        // After the first frame, which waits for nothing.
        if let Some(place) = self.effects.place()
            && let Err(error) = self.notes.listen(place)
            && let Some(path) = &place.socket
        {
            let columns = usize::from(self.screen.size().width);
            self.not_followed = Some(not_followed(&path.display().to_string(), &error, columns));
        }
        Ok(())
    }

    async fn next(&mut self, state: &State, inputs: &mut Inputs<'_, Input>) -> io::Result<Arrival> {
        if let Some(why) = self.no_shell.take().or_else(|| self.not_followed.take()) {
            return Ok(Arrival::Event(Event::Say(why)));
        }
        if self.has_shell() {
            return self.next_beside_shell(state, inputs).await;
        }
        self.manner.looks.ask(self.screen)?;
        let Due { key, write, trouble, ended } = self.manner.upcoming(state);
        let seconds = Duration::from_secs(self.began.elapsed().as_secs() + 1);
        let wanted = Wanted {
            urgent: (trouble.is_some() || ended).then(Instant::now),
            input: true,
            due: key.map(|(at, _)| at).into_iter().chain(write).min(),
            ticks: true,
            second: state.needs_seconds().then(|| self.began + seconds),
        };
        self.next = match inputs.next(state, wanted).await {
            Came::Signal(signal) => return Ok(Arrival::Signal(signal)),
            Came::Urgent => trouble.map(Event::Say),
            Came::Event(event) => Some(event),
            Came::Input(None) => return Ok(Arrival::End(Ended::InputClosed)),
            Came::Input(Some(input)) => self.understand(input?, state)?,
            Came::Due => {
                let due = key.filter(|(at, _)| *at <= Instant::now());
                due.and_then(|(_, code)| self.play(code, state))
            }
            Came::Tick => Some(Event::Tick),
            Came::Second => None,
        };
        self.more = AT_ONCE;
        // The time that has passed was spent on what was shown until now.
        Ok(Arrival::Event(Event::Clock(self.began.elapsed().as_secs())))
    }

    fn at_hand(&mut self, state: &State, inputs: &mut Inputs<'_, Input>) -> io::Result<Option<Event>> {
        if let Some(event) = self.next.take().or_else(|| inputs.events.try_recv().ok()) {
            if matches!(event, Event::ShellClosed | Event::Edited(_)) {
                self.take_terminal_back(inputs)?;
            }
            return Ok(Some(event));
        }
        while self.more > 0 && !self.has_shell() {
            self.more -= 1;
            // The end of the input comes again.
            let Some(input) = inputs.at_hand() else { break };
            if let Some(event) = self.understand(input?, state)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn keeps_events(&self) -> bool {
        self.manner.is_logged()
    }

    fn happened(&mut self, state: &State, event: Event) -> io::Result<()> {
        self.manner.log(state, &event);
        Ok(())
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.screen.copy(text)
    }

    #[cfg(unix)]
    fn open_shell(&mut self, state: &State) -> io::Result<Option<Event>> {
        let effects = self.effects;
        let opened = match self.stopped.take() {
            Some(mut stopped) => self.give_terminal_to(|| stopped.go_on().map(|()| stopped))?,
            None => self.give_terminal_to(|| effects.open_shell(state))?,
        };
        Ok(match opened {
            Ok(()) => None,
            Err(error) => {
                self.no_shell = Some(format!("no shell here: {}", ui::clean(&error.to_string())));
                Some(Event::ShellClosed)
            }
        })
    }

    #[cfg(unix)]
    fn open_editor(&mut self, state: &State) -> io::Result<Option<Event>> {
        let (effects, Some(draft)) = (self.effects, state.draft()) else { return Ok(None) };
        let opened = self.give_terminal_to(|| effects.open_editor(draft))?;
        Ok(opened.err().map(|error| Event::Say(format!("no editor here: {}", ui::clean(&error.to_string())))))
    }
}

impl<W: Write> OnScreen<'_, W> {
    /// Gives the terminal to the program that `open` starts, or keeps it and returns why.
    #[cfg(unix)]
    fn give_terminal_to(&mut self, open: impl FnOnce() -> io::Result<terminal::Open>) -> io::Result<io::Result<()>> {
        input::hold();
        self.screen.pause()?;
        let opened = open();
        if opened.is_err() {
            input::release();
            self.screen.resume()?;
        }
        Ok(opened.map(|open| self.shell = Some(open)))
    }

    /// Whether a shell or an editor has the terminal.
    fn has_shell(&self) -> bool {
        #[cfg(unix)]
        return self.shell.is_some();
        #[cfg(not(unix))]
        return false;
    }

    /// Takes the terminal back from a program that has ended or is stopped, if one had it.
    fn take_terminal_back(&mut self, inputs: &mut Inputs<'_, Input>) -> io::Result<()> {
        #[cfg(unix)]
        if let Some(mut shell) = self.shell.take() {
            if shell.is_stopped() {
                shell.leave_stopped();
                self.stopped = Some(shell);
            } else {
                shell.ended();
            }
            self.screen.resume()?;
            input::release();
            // What was typed before the shell had the terminal.
            while inputs.at_hand().is_some() {}
        } else if let Some(shell) = self.stopped.take() {
            // Somebody has ended it from elsewhere.
            shell.ended();
        }
        #[cfg(not(unix))]
        let _ = inputs;
        Ok(())
    }

    /// Waits for anything that arrives while a shell has the terminal: nothing is read from it, and nothing drawn.
    async fn next_beside_shell(&mut self, state: &State, inputs: &mut Inputs<'_, Input>) -> io::Result<Arrival> {
        let wanted = Wanted { ticks: true, ..Wanted::default() };
        self.next = match inputs.next(state, wanted).await {
            Came::Signal(signal) => return Ok(Arrival::Signal(signal)),
            Came::Event(event) => Some(event),
            Came::Tick => Some(Event::Tick),
            _ => None,
        };
        Ok(Arrival::Event(Event::Clock(self.began.elapsed().as_secs())))
    }

    /// Draws the state; the frame is recorded, too.
    fn draw(&mut self, state: &State) -> io::Result<()> {
        let now = self.manner.now();
        self.manner.key_cast.playing = self.manner.playing(state);
        let Presentation { looks, key_cast, recording, autoplay, .. } = &mut *self.manner;
        let theme = &looks.theme_after(state.themes());
        self.screen.paint_seen(
            |frame| ui::view(state, theme, key_cast, frame),
            |shown| {
                if let Some(autoplay) = autoplay {
                    autoplay.saw(ui::contents(shown), ui::layout::has_more(state, shown.area));
                }
                if let Some(recording) = recording {
                    recording.see(now, state, theme, key_cast, shown);
                }
            },
        )?;
        Ok(())
    }

    /// Rings the bell when a long wait has ended, if a person wants that. Nobody waits for a play.
    fn ring(&mut self, state: &State) -> io::Result<()> {
        if state.is_running() {
            self.waits_since.get_or_insert_with(Instant::now);
            return Ok(());
        }
        let waited = self.waits_since.take().map(|since| since.elapsed());
        let is_long = waited.is_some_and(|waited| waited >= LONG);
        if is_long && self.manner.rings && self.manner.autoplay.is_none() { self.screen.ring() } else { Ok(()) }
    }

    /// Handles an autoplay key, with the default keymap: autoplay doesn't know this person's.
    fn play(&mut self, code: KeyCode, state: &State) -> Option<Event> {
        let event = self.translate(Input::Key(key(code)), state, &Keymap::default());
        self.manner.played(state, code);
        event
    }

    /// Returns the event that an input means now.
    fn understand(&mut self, input: Input, state: &State) -> io::Result<Option<Event>> {
        let Some(input) = attend(input, self.screen)? else { return Ok(None) };
        if let Some(code) = self.manner.stands_in(&input, state) {
            return Ok(self.play(code, state));
        }
        if input.is_press() {
            self.manner.taken_over();
        }
        Ok(match input {
            Input::Remote(pressed) => self.remote(&pressed, state),
            Input::Mouse(mouse) => ui::mouse::intent(mouse, state, area(self.screen.size())).map(Event::Intent),
            Input::Paste(text) => Some(self.paste(&text, state)),
            Input::Background { light } => {
                self.manner.looks.told(light);
                None
            }
            input => self.translate(input, state, &state.view().keys),
        })
    }

    /// Returns the event of a key, which the key cast shows.
    fn translate(&mut self, input: Input, state: &State, keymap: &Keymap) -> Option<Event> {
        let Input::Key(key) = input else { return None };
        let keys = ui::keys::Fit::new(state, area(self.screen.size())).with_keys(keymap);
        self.manner.key_cast.press(ui::keys::named(key, &keys));
        let now = self.manner.now();
        if let Some(recording) = &mut self.manner.recording {
            recording.typed(now, state, key);
        }
        match keys.pressed(key) {
            None if state.mode() == Mode::Writing => self.typist.press(key, state.draft()?).map(Event::Edited),
            intent => intent.map(Event::Intent),
        }
    }

    /// Returns the event of a key from the notes' window, and answers it.
    fn remote(&mut self, pressed: &Pressed, state: &State) -> Option<Event> {
        if pressed.at.elapsed() > TOO_LATE {
            return None;
        }
        let (code, modifiers) = ui::keys::Chord::parse(&pressed.key.key).ok()?.pressed();
        let key = KeyEvent::new(code, modifiers);
        let intent = ui::keys::intent(key, state, area(self.screen.size()));
        let outcome = intent.map_or(KeyOutcome::NotNow, |intent| remote::outcome(state, intent));
        self.notes.answer(KeyAnswer { number: pressed.key.number, outcome });
        if intent.is_none() || outcome == KeyOutcome::OnlyInLab {
            return None;
        }
        self.manner.taken_over();
        self.translate(Input::Key(key), state, &state.view().keys)
    }

    /// Pasted text is an edit in the editor, and nothing elsewhere.
    fn paste(&mut self, text: &str, state: &State) -> Event {
        let draft = state.draft().filter(|_| state.mode() == Mode::Writing && !text.is_empty());
        let edit = draft.and_then(|draft| self.typist.paste(text, draft));
        edit.map_or_else(|| Event::Say(PASTED.to_owned()), Event::Edited)
    }
}

/// Why `kmslab notes` finds nothing at `path`, in at most `columns` columns: the path is cut, not the reason.
fn not_followed(path: &str, error: &io::Error, columns: usize) -> String {
    let (before, after) = ("`kmslab notes` can't follow: ", format!(": {}", ui::clean(&error.to_string())));
    // A space before it and one after it.
    let room = columns.saturating_sub(before.len() + after.chars().count() + 2).max(12);
    format!("{before}{}{after}", ui::shortened(&ui::clean(path), room))
}
