//! kmslab: a lab for AWS KMS in the terminal. It shows the same call by two identities, side by side, on a sandbox that
//! really denies.
//!
//! ```text
//!  key ─▶ ui::keys ─▶ Intent ─┐                                            ┌─▶ ui::screen ─▶ terminal, recording
//!                             ├─▶ Event ─▶ State::update ─▶ State ─▶ front ─┤
//!  run::effects ──▶ Event ────┘              └─▶ Vec<Effect> ─▶ run::effects └─▶ run::front::headless: lines, JSONL
//!  (AWS calls, timers, files)
//! ```
//!
//! # From a key press to the screen
//! `Enter` on a stage that hasn't run yet, step by step:
//! 1. [`run::front::screen`] reads the key. [`ui::keys`] finds its row in [`ui::keys::KEYS`]; the row names
//!    [`lab::Intent::Advance`].
//! 2. `run/driver.rs`, the one loop, passes it to [`lab::State::update`]. [`lab::State::permit`] decides whether the
//!    intent is allowed now; footer, help and plain mode ask the same function.
//! 3. [`lab::kernel`] begins a run. For each batch that it wants, the router (`lab/session/update.rs`) takes the calls
//!    from the stage's definition in [`lab::stages`] and returns an [`lab::Effect::Call`] for each.
//! 4. [`run::effects::EffectHandler::perform`] sends each call with [`aws::Clients::call`] in a task of its own and
//!    returns at once. The driver shows the state: the call is pending.
//! 5. The response arrives as [`lab::Event::CallFinished`]. The kernel keeps it with its verdict and emits domain
//!    events, which the features handle. After the last batch the definition's `expect` judges the stage. The driver
//!    shows the state again.
//!
//! # Layout
//! - [`lab`]: the lesson. Pure: [`lab::State::update`] takes an event and returns effects. Read this first.
//! - [`run`]: the driver and its fronts, the only place that awaits, and what performs effects.
//! - [`ui`]: the screen: keys to intents, state to frames. It reads the state and never changes it.
//! - [`aws`]: the only place with SDK types: clients for two identities, and the tap on the wire.
//! - [`sandbox`]: an AWS-compatible server with KMS, DynamoDB, IAM and STS. It knows nothing about the lab, which
//!   reaches it through the SDK over HTTP like any other backend.
//! - [`policy`]: policy evaluation with reasons. Pure; the sandbox enforces with it.
//! - [`record`]: recordings of the screen, in all their file formats.
//! - [`export`]: what you can take home: a write-up of the saved session, and a script.
//! - [`disk`]: reads files within limits and replaces them as a whole. Use it for every file that a person or another
//!   program can touch.
//! - [`cli`] and [`app`]: arguments, and the parts put together for each command; `app/interactive.rs` for the lab.
//!
//! `CONTRIBUTING.md` has the layers and a recipe for each common change; `tests/it/architecture` enforces the layers.
//!
//! # How AWS behaves
//! Comments name their source for AWS behavior: the developer guides of DynamoDB and KMS, the IAM user guide, the
//! managed policy reference, behavior observed on AWS, or error texts seen in public issue threads. What is marked "not
//! proven" is a belief, stated in one place; the lesson doesn't teach it.

pub mod app;
pub mod aws;
pub mod cli;
pub mod disk;
pub mod export;
pub mod lab;
pub mod policy;
pub mod record;
pub mod run;
pub mod sandbox;
pub mod ui;
