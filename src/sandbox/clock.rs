//! The sandbox's time: the wall clock with an offset, or a seeded clock that repeats exactly.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::{datetime, format_description};

/// Where a seeded clock starts.
const SEEDED_START: OffsetDateTime = datetime!(2026-01-01 00:00:00 UTC);

/// The time that resources are stamped with. Signatures are always checked against the wall clock instead, because
/// clients sign with theirs.
#[derive(Debug, Clone)]
pub struct Clock {
    source: Source,
    offset: time::Duration,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Wall,
    Seeded,
}

impl Clock {
    /// The wall clock.
    pub fn wall() -> Self {
        Self { source: Source::Wall, offset: time::Duration::ZERO }
    }

    /// A clock that starts at 2026-01-01T00:00:00Z and moves one second with each changing request. Requests that only
    /// read leave it alone, so reads that run at the same time see the same time whatever order they arrive in.
    pub fn seeded() -> Self {
        Self { source: Source::Seeded, offset: time::Duration::ZERO }
    }

    /// Now, in UTC.
    pub fn now(&self) -> OffsetDateTime {
        let base = match self.source {
            Source::Wall => OffsetDateTime::now_utc(),
            Source::Seeded => SEEDED_START,
        };
        base.checked_add(self.offset).unwrap_or(base)
    }

    /// Now, as CloudTrail and policies write it: `2026-01-01T00:00:00Z`.
    pub fn timestamp(&self) -> String {
        let now = self.now();
        now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default()
    }

    /// Now, in seconds since 1970 with a fraction of milliseconds: the form of a timestamp in AWS's JSON protocols.
    pub fn epoch_seconds(&self) -> f64 {
        let millis = self.now().unix_timestamp_nanos() / 1_000_000;
        // Milliseconds of any year before 9999 are far below 2^53.
        millis as f64 / 1000.0
    }

    /// Moves the clock forward. A step past the year 9999 is ignored.
    pub fn advance(&mut self, by: Duration) {
        let Ok(by) = time::Duration::try_from(by) else { return };
        let Some(offset) = self.offset.checked_add(by) else { return };
        if OffsetDateTime::now_utc().checked_add(offset).is_some() {
            self.offset = offset;
        }
    }

    /// A request changed something: one second on a seeded clock, nothing on the wall clock.
    pub(super) fn tick(&mut self) {
        if matches!(self.source, Source::Seeded) {
            self.advance(Duration::from_secs(1));
        }
    }

    /// The name under which the offset is stored: the two kinds of clock do not share one.
    pub(super) fn name(&self) -> &'static str {
        match self.source {
            Source::Wall => "clock-wall",
            Source::Seeded => "clock-seeded",
        }
    }

    /// How far the clock has been moved, in whole seconds (kept with `--data`).
    pub(super) fn offset_seconds(&self) -> i64 {
        self.offset.whole_seconds()
    }
}

/// Epoch seconds as AWS writes them into messages, `2026-01-01T00:00:00.000Z`. Empty beyond the year 9999.
pub(super) fn timestamp(epoch_seconds: f64) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let nanoseconds = (epoch_seconds * 1000.0) as i128 * 1_000_000;
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds);
    time.ok().and_then(|time| time.format(form).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_clock_stands_still_until_ticked() {
        let mut clock = Clock::seeded();
        assert_eq!(clock.now(), datetime!(2026-01-01 00:00:00 UTC));
        clock.tick();
        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.now(), datetime!(2026-01-01 00:00:02.5 UTC));
        assert_eq!(clock.epoch_seconds(), 1_767_225_602.5);
    }

    #[test]
    fn wall_clock_moves_with_the_wall_and_the_offset() {
        let mut clock = Clock::wall();
        clock.tick();
        clock.advance(Duration::from_secs(3600));
        let ahead = clock.now() - OffsetDateTime::now_utc();
        assert!((ahead.as_seconds_f64() - 3600.0).abs() < 1.0, "{ahead}");
    }

    #[test]
    fn an_absurd_step_is_ignored() {
        let mut clock = Clock::seeded();
        clock.advance(Duration::MAX);
        clock.advance(Duration::from_secs(u64::from(u32::MAX) * 1000));
        assert_eq!(clock.now(), datetime!(2026-01-01 00:00:00 UTC));
    }
}
