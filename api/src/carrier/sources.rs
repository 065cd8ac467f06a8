//! Whose calls are whose where carriers share sources and numbers: what a carrier is told, and how wide networks it
//! may name, and how many. The rules are [`domain::route`]'s and [`domain::trunk`]'s.

use crate::{App, fields::Fields};
use domain::{
    Sid,
    route::{Holding, shared},
    trunk::{Inbound, too_wide},
};
use ipnet::IpNet;
use projections::{PhoneNumberRow, ReadError, TrunkRow};

/// Numbers a warning names at most.
const NAMED: u64 = 20;

/// Notes in `fields` the first of `networks` that is wider than this carrier may name and is not one of `held`.
pub(super) fn check_widths(app: &App, fields: &mut Fields, field: &str, networks: &[IpNet], held: &[IpNet]) {
    if let Some((at, fault)) = too_wide(networks, held, &app.config.wide_networks) {
        fields.wrong(format!("{field}.{at}"), fault);
    }
}

/// Notes in `fields` that this carrier would name more sources than it may, over all its trunks. What there is may stay:
/// a trunk's list may be replaced by one that is no longer.
pub(super) async fn check_count(
    app: &App,
    fields: &mut Fields,
    carrier: &Sid,
    (new, held): (Option<&Inbound>, Option<&Inbound>),
) -> Result<(), ReadError> {
    let count = |side: Option<&Inbound>| side.map_or(0, |side| side.sources.len());
    let (new, held) = (count(new), count(held));
    if new <= held {
        return Ok(());
    }
    let trunks = app.projections.system().trunks_of(std::slice::from_ref(carrier)).await?;
    let all: usize = trunks.iter().map(|trunk| count(trunk.inbound.as_ref())).sum();
    let most = app.config.sources_per_carrier;
    if all.saturating_sub(held) + new > most {
        let fault = format!(
            "a carrier names at most {most} networks in all its trunks together; the operator of this installation can \
             allow more (sip.sources_per_carrier)"
        );
        fields.wrong("inbound.sources", fault);
    }
    Ok(())
}

/// Calls to this number that go to another carrier, which claimed source and number earlier.
pub(super) async fn lost_by_number(app: &App, row: &PhoneNumberRow) -> Result<Vec<String>, ReadError> {
    let system = app.projections.system();
    let mut rivals = system.phone_numbers(&row.number).await?;
    rivals.retain(|rival| rival.carrier != row.carrier);
    if rivals.is_empty() {
        return Ok(Vec::new());
    }
    let carriers: Vec<Sid> = rivals.iter().chain([row]).map(|rival| rival.carrier.clone()).collect();
    let trunks = system.trunks_of(&carriers).await?;
    let own = trunks.iter().filter(|trunk| trunk.carrier == row.carrier);
    Ok(own.flat_map(|trunk| lost(trunk, row, &trunks, &rivals)).collect())
}

/// Calls through this trunk that go to another carrier, which claimed source and number earlier.
pub(super) async fn lost_by_trunk(app: &App, row: &TrunkRow) -> Result<Vec<String>, ReadError> {
    let system = app.projections.system();
    let mut trunks = system.trunks_near(&row.claims).await?;
    trunks.retain(|other| other.carrier != row.carrier && meets(row, other));
    let mut carriers: Vec<Sid> = trunks.iter().map(|trunk| trunk.carrier.clone()).collect();
    carriers.sort();
    carriers.dedup();
    if carriers.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = system.common_numbers(&row.carrier, &carriers, NAMED).await?;
    let (own, rivals): (Vec<_>, Vec<_>) =
        numbers.into_iter().partition(|number| number.carrier == row.carrier);
    Ok(own.iter().flat_map(|number| lost(row, number, &trunks, &rivals)).collect())
}

fn meets(one: &TrunkRow, other: &TrunkRow) -> bool {
    let sources = |row: &TrunkRow| row.claims.sources.iter().map(|(source, _)| *source).collect::<Vec<_>>();
    let theirs = sources(other);
    sources(one).into_iter().any(|own| theirs.iter().any(|other| shared(own, *other).is_some()))
}

/// Who has the calls instead is not told.
fn lost(
    trunk: &TrunkRow,
    number: &PhoneNumberRow,
    trunks: &[TrunkRow],
    rivals: &[PhoneNumberRow],
) -> Vec<String> {
    let own = Holding { trunk: &trunk.claims, number: &number.claims };
    let rivals = rivals.iter().filter(|rival| rival.number == number.number);
    let mut sources: Vec<IpNet> = rivals
        .flat_map(|rival| {
            let theirs = trunks.iter().filter(move |trunk| trunk.carrier == rival.carrier);
            theirs
                .flat_map(move |trunk| own.loses_to(&Holding { trunk: &trunk.claims, number: &rival.claims }))
        })
        .collect();
    sources.sort();
    sources.dedup();
    let told = |source: IpNet| {
        format!(
            "Calls from {source} to {} go to another carrier, which has had both for longer. The operator of this \
             installation can move them.",
            number.number
        )
    };
    sources.into_iter().map(told).collect()
}
