//! Trunks are found by where their sources lie, whoever's they are: each is on the list of its part of the Internet
//! ([`domain::route::part`]). What lies in several parts is on a list of its own, a short one: only an operator allows it.

use crate::machine::pieces::{Field, Text};
use domain::{
    Kind, Sid,
    route::{SourceClaims, part},
};
use std::collections::BTreeSet;

/// The list of networks that lie in several parts.
const WIDE: &str = "wide";

/// Whose lists they are: nobody's, so no carrier's search goes through them.
pub(crate) fn nobody() -> Sid {
    Sid::from_uuid(Kind::Carrier, uuid::Uuid::nil())
}

/// The lists a trunk with these sources is on.
pub(crate) fn texts(claims: &SourceClaims) -> impl Iterator<Item = Text> {
    let places: BTreeSet<String> = claims
        .sources
        .iter()
        .map(|(source, _)| part(*source).map_or_else(|| WIDE.to_owned(), |part| part.to_string()))
        .collect();
    places.into_iter().map(|text| Text { carrier: nobody(), field: Field::Place, text })
}

/// The lists that have every trunk with an address of these sources; none where that may be any trunk.
pub(crate) fn lists(claims: &SourceClaims) -> Option<Vec<String>> {
    let parts: Option<BTreeSet<_>> = claims.sources.iter().map(|(source, _)| part(*source)).collect();
    let mut places: Vec<String> = parts?.iter().map(ToString::to_string).collect();
    if !places.is_empty() {
        places.push(WIDE.to_owned());
    }
    Some(places.iter().map(|place| Field::Place.whole(place)).collect())
}
