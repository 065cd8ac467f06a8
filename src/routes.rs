//! Whose calls from a source to a number are, and moving them to another carrier: the operator's, at the machine.

use crate::app::Trouble;
use domain::{
    Actor, Clock, Kind, Log, Meta, Number, Sid, Tenant,
    phone_number::{PhoneNumber, PhoneNumberCommand},
    route::{RouteClaim, shared},
    trunk::canonical,
};
use ipnet::IpNet;
use projections::{PhoneNumberRow, Projections, TrunkRow};
use reactors::DirectoryMirror;
use std::{net::IpAddr, time::Duration};
use store::{Store, SystemClock};

/// How long the tables may take to know what was moved.
const SETTLE: Duration = Duration::from_secs(5);

/// What is asked: whose calls from `source` to `number` are, or to give them to `carrier`.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// An address, or a network.
    pub source: IpNet,
    /// The number, as its digits tell.
    pub number: Number,
    /// The short code it is where somebody has such a one: up to ten digits tell nothing.
    pub code: Option<Number>,
    /// Who shall have them.
    pub carrier: Option<Sid>,
}

impl Order {
    /// Reads `203.0.113.7`, `+855…` and, perhaps, `VC…`.
    ///
    /// # Errors
    /// When one of them is not what it should be.
    pub fn read<'t>(mut words: impl Iterator<Item = &'t str>) -> Result<Order, Trouble> {
        let mut word = |what: &str| words.next().ok_or_else(|| format!("give {what}"));
        let source = word("a source")?;
        let source = source.parse().or_else(|_| source.parse::<IpAddr>().map(IpNet::from));
        let source = canonical(source.map_err(|_| "the source is an address or a network")?);
        let text = word("a number")?;
        let code = Number::short_code(text).ok();
        let number = text.parse::<Number>().or_else(|error| code.clone().ok_or(error))?;
        let carrier = word("a carrier").ok().map(|text| Sid::parse_as(Kind::Carrier, text)).transpose();
        let carrier = carrier.map_err(|_| "a carrier's SID is VC and 32 hex digits")?;
        Ok(Order { source, number, code, carrier })
    }

    /// The same of the number that somebody has: a longer short code is one when it is in an inventory.
    async fn known(&self, projections: &Projections) -> Result<Order, Trouble> {
        let number = match &self.code {
            Some(code) if !projections.system().phone_numbers(code).await?.is_empty() => code,
            _ => &self.number,
        };
        Ok(Order { number: number.clone(), ..self.clone() })
    }
}

impl std::fmt::Display for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.source, self.code.as_ref().unwrap_or(&self.number))?;
        self.carrier.iter().try_for_each(|carrier| write!(f, " {carrier}"))
    }
}

/// Does what is asked, and says who has the calls then, a line a carrier, the one that gets them first. The next call to the
/// server whose directory `mirror` is goes the new way.
///
/// # Errors
/// When the carrier has no such number or is not called from there, the store fails, or the new way is not known in time.
pub async fn carry_out(
    store: &Store,
    projections: &Projections,
    mirror: Option<&DirectoryMirror>,
    order: &Order,
) -> Result<Vec<String>, Trouble> {
    let order = &order.known(projections).await?;
    let Order { source, number, carrier, .. } = order;
    if let Some(carrier) = carrier {
        let position = move_to(store, holders(projections, source, number).await?, order, carrier).await?;
        projections.reached(Log::Core, position, SETTLE).await.map_err(|behind| behind.to_string())?;
        if let Some(mirror) = mirror
            && !mirror.reached(position, SETTLE).await
        {
            return Err(
                "the calls are moved, but this server still routes them as before: see its log".into()
            );
        }
    }
    let holders = holders(projections, source, number).await?;
    let line = |(_, row, trunk): &(RouteClaim, PhoneNumberRow, TrunkRow)| {
        let moved =
            if row.claims.granted(source.addr()).is_some() { ", moved here by an operator" } else { "" };
        format!(
            "{} trunk {} ({}), number since {}{moved}",
            row.carrier, trunk.sid, trunk.name, row.created_at
        )
    };
    if holders.is_empty() {
        return Ok(vec![format!("nobody has {number} and a trunk with {source}")]);
    }
    Ok(holders.iter().map(line).collect())
}

/// Gives the carrier the calls; the position of the log where that is. Both sides find it in their audit: who gets them, and
/// who has had them until now.
async fn move_to(
    store: &Store,
    holders: Vec<(RouteClaim, PhoneNumberRow, TrunkRow)>,
    Order { source, number, .. }: &Order,
    carrier: &Sid,
) -> Result<i64, Trouble> {
    let taker = holders.iter().find(|(_, row, _)| row.carrier == *carrier);
    let (_, taker, _) =
        taker.ok_or_else(|| format!("{carrier} does not have {number} and a trunk with {source}"))?;
    let granted = told(store, taker, PhoneNumberCommand::GrantRoute { source: *source }).await?;
    let giver = holders.first().map(|(_, row, _)| row).filter(|row| row.carrier != *carrier);
    match giver {
        Some(giver) => told(store, giver, PhoneNumberCommand::LoseRoute { source: *source }).await,
        None => Ok(granted),
    }
}

/// Writes into the log what the operator did with a carrier's number.
async fn told(store: &Store, row: &PhoneNumberRow, command: PhoneNumberCommand) -> Result<i64, Trouble> {
    let tenant = Tenant { carrier: row.carrier.clone(), account: row.account.clone() };
    let meta = Meta::new(tenant, Actor::system("operator"), SystemClock.now());
    let done = store.execute::<PhoneNumber>(&row.sid, command, &meta).await;
    Ok(done.map_err(|error| error.to_string())?.position)
}

/// Every carrier that has both, with its claim; whose calls they are first.
async fn holders(
    projections: &Projections,
    source: &IpNet,
    number: &Number,
) -> Result<Vec<(RouteClaim, PhoneNumberRow, TrunkRow)>, Trouble> {
    let system = projections.system();
    let (numbers, trunks) = (system.phone_numbers(number).await?, system.trunks().await?);
    let has =
        |trunk: &TrunkRow| trunk.claims.sources.iter().any(|(own, _)| shared(*own, *source) == Some(*source));
    let claim = |row: PhoneNumberRow| {
        let mut own = trunks.iter().filter(|trunk| trunk.carrier == row.carrier && has(trunk));
        let trunk = own.next()?.clone();
        let claim = RouteClaim::new(&trunk.claims, &row.claims, source.addr(), false)?;
        Some((claim, row, trunk))
    };
    let mut holders: Vec<_> = numbers.into_iter().filter_map(claim).collect();
    holders.sort_by_key(|(claim, ..)| std::cmp::Reverse(*claim));
    Ok(holders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_short_code_is_one_of_the_two_things_its_digits_may_be() {
        for (text, number, code) in [
            ("1234567", "+1234567", Some("1234567")),
            ("0123456", "0123456", Some("0123456")),
            ("1234", "1234", Some("1234")),
            ("+1234567", "+1234567", None),
            ("85512345678", "+85512345678", None),
        ] {
            let order = Order::read(["::1", text].into_iter()).unwrap();
            let read = (order.number.to_string(), order.code.map(|code| code.to_string()));
            assert_eq!(read, (number.into(), code.map(Into::into)), "{text}");
        }
    }

    #[test]
    fn an_order_is_read_as_it_is_written() {
        let carrier = format!("VC{:032x}", 1);
        for text in
            ["203.0.113.7/32 +85512345678", "::1/128 1234567", &format!("203.0.113.0/24 1234 {carrier}")]
        {
            assert_eq!(Order::read(text.split(' ')).unwrap().to_string(), text);
        }
        assert_eq!(
            Order::read("::ffff:203.0.113.7 1234".split(' ')).unwrap().to_string(),
            "203.0.113.7/32 1234"
        );
        for bad in ["", "203.0.113.7", "nowhere 1234", "203.0.113.7 x", "203.0.113.7 1234 AC1"] {
            assert!(Order::read(bad.split_whitespace()).is_err(), "{bad}");
        }
    }
}
