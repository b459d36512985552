//! `kmslab why`: reads what decides, and writes what follows. Nothing is changed.

use std::io::{self, Write};

use crate::aws::Clients;
use crate::aws::inventory::Unusable;
use crate::lab::mask::{self, Masker};
use crate::lab::redact::clean;
use crate::lab::why::{Case, Report, json, text};
use crate::ui::spelt;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// One JSON document instead of lines.
    pub json: bool,
    /// Only ASCII signs.
    pub ascii: bool,
    /// Pseudonyms instead of account numbers and names.
    pub mask: bool,
}

/// Judges a case by what the clients can read.
///
/// # Errors
/// When the backend can't be reached or refuses the credentials.
pub async fn judge(case: Case, clients: &Clients) -> Result<Report, Unusable> {
    match case.query() {
        Some(query) => {
            let evidence = clients.evidence(&query).await?;
            Ok(Report::judged(case, evidence))
        }
        None => Ok(Report::of_text(case, Some("the text names no caller, or no table and no key".to_owned()))),
    }
}

/// Writes a report.
///
/// # Errors
/// When it can't be written.
pub fn write(report: &Report, looks: Looks, out: &mut impl Write) -> io::Result<()> {
    let mut masker = looks.mask.then(Masker::default);
    for name in report.names() {
        masker.iter_mut().for_each(|masker| masker.add_name(name));
    }
    if looks.json {
        let mut document = json::document(report);
        if let Some(masker) = &mut masker {
            masker.value(&mut document);
        }
        writeln!(out, "{document:#}")?;
        return out.flush();
    }
    for line in text::lines(report, looks.ascii) {
        let line = clean(&mask::written(&mut masker, &line));
        let line = if looks.ascii { spelt(&line) } else { line };
        writeln!(out, "{line}")?;
    }
    out.flush()
}
