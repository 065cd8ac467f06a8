//! For aggregates of tests whose events nobody tells apart by their kind.

use domain::EventKind;
use std::str::FromStr;

/// No kind of event at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoKind {}

impl EventKind for NoKind {
    const ALL: &'static [NoKind] = &[];
}

impl FromStr for NoKind {
    type Err = ();
    fn from_str(_: &str) -> Result<NoKind, ()> {
        Err(())
    }
}

impl From<NoKind> for &'static str {
    fn from(none: NoKind) -> &'static str {
        match none {}
    }
}
