//! What this machine must have before anything begins: the parts below would panic without it.

use std::fs::File;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::cli::UsageError;

/// The most files that the lab has open at once, with its sandbox, its terminal and a recording.
const FILES: usize = 40;

/// 9999-12-31T00:00:00Z in seconds since 1970: dates end a day later.
const LAST_DAY: u64 = 253_402_214_400;

/// Whether the lab can begin on this machine.
///
/// # Errors
/// When the clock is impossible, or too few files may be open.
pub fn check() -> Result<(), UsageError> {
    check_clock(SystemTime::now())?;
    #[cfg(unix)]
    check_files()?;
    Ok(())
}

fn check_clock(now: SystemTime) -> Result<(), UsageError> {
    let is = match now.duration_since(UNIX_EPOCH) {
        Ok(since) if since.as_secs() < LAST_DAY => return Ok(()),
        Ok(_) => "after the year 9998",
        Err(_) => "before the year 1970",
    };
    let fix = "set the clock by the network (on Linux: timedatectl set-ntp true)";
    Err(UsageError::new(format!(
        "this machine's clock shows a date {is}, and a signature must carry the time\n  {fix}"
    )))
}

#[cfg(unix)]
fn check_files() -> Result<(), UsageError> {
    use rustix::io::Errno;

    let mut opened = Vec::new();
    while opened.len() < FILES {
        match File::open("/") {
            Ok(file) => opened.push(file),
            Err(error) if [Some(Errno::MFILE), Some(Errno::NFILE)].contains(&Errno::from_io_error(&error)) => {
                let more = opened.len();
                return Err(UsageError::new(format!(
                    "kmslab can open only {more} more files, and it needs {FILES}\n  raise the limit, for example: \
                     ulimit -n 256"
                )));
            }
            // Some systems let nobody read that folder, which says nothing of the limit.
            Err(_) => break,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_outside_of_all_dates_is_refused() {
        let at =
            |seconds| check_clock(UNIX_EPOCH + Duration::from_secs(seconds)).map_err(|refused| refused.to_string());
        assert!(at(0).is_ok() && at(LAST_DAY - 1).is_ok());
        assert!(at(LAST_DAY).unwrap_err().contains("after the year 9998"));
        assert!(
            check_clock(UNIX_EPOCH - Duration::from_secs(1)).unwrap_err().to_string().contains("before the year 1970")
        );
    }
}
