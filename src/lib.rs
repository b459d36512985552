//! kmslab: a lab for AWS KMS in the terminal. The same call as two identities, side by side, on a sandbox that really
//! denies.
//!
//! ```text
//!  key ─▶ ui::keys ─▶ Intent ─┐                                           ┌─▶ Screen ─▶ terminal
//!                             ├─▶ Event ─▶ State::update ─▶ State ─▶ view ─┤
//!  World ─▶ Event ────────────┘              └─▶ Vec<Effect> ─▶ World      └─▶ run::headless: lines, JSONL
//!           (aws, timers)
//! ```
//!
//! # From a key to the screen
//! `Enter` on a stage that has not begun, in the order of reading:
//! 1. [`run::interactive`] waits for whatever comes first. A key goes to `ui::keys`: [`ui::keys::KEYS`] says what it asks
//!    for, here [`lab::Intent::Advance`], and [`lab::State::permit`] whether that is allowed now.
//! 2. [`lab::State::update`] takes that in and says, in [`lab::state`], whose it is: here the stage's. `lab/batch.rs`
//!    starts it, asks [`lab::script`] what it sends, and gives an [`lab::Effect::Call`] for each call.
//! 3. [`run::world::World::perform`] sends it with [`aws::Clients::call`] in a task of its own, and returns at once. The loop
//!    goes on: [`ui::view`] draws the state, in which the call is under way.
//! 4. The answer arrives as [`lab::Event::CallFinished`]. `update` keeps it with its verdict; after the stage's last one
//!    [`lab::check`] says whether its expectation is met. The loop draws again.
//!
//! # Layout
//! - [`lab`]: the lesson. Pure: [`lab::State::update`] takes an event and gives effects. Read this first.
//! - [`run`]: the driver, the only place that awaits: the loop, the world that performs effects, the lines.
//! - [`ui`]: the screen: keys to intents, state to a picture. It reads the state and never writes it.
//! - [`aws`]: the only place with SDK types: clients for two identities, and the tap on the wire.
//! - [`sandbox`]: an AWS-compatible server with KMS, DynamoDB, IAM and STS. It knows nothing of the lab; the lab reaches
//!   it through the SDK over HTTP like any other backend.
//! - [`policy`]: policy evaluation with its reasons. Pure; the sandbox enforces with it.
//! - [`record`]: pictures and films of the screen, and the files they become.
//! - [`export`]: the lab to take home: a write-up of the kept session, and a script.
//! - [`disk`]: files are read within limits, and replaced as a whole. Use it for each file that a person or another program can touch.
//! - [`cli`] and [`app`]: arguments, and the parts put together for each command; `app/interactive.rs` for the lab.
//!
//! Who may know whom is a table in `tests/it/architecture/layers.rs`, and a test.
//!
//! # How AWS behaves
//! Comments name the source of what they say about AWS: the developer guides of DynamoDB and KMS, the IAM user guide, the
//! managed policy reference, behaviour observed on AWS, or error texts seen in public issue threads. What is marked "not
//! proven" is believed and kept in one place; the lesson does not teach it.

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
