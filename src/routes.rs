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

/// A carrier's claim, its number and its trunk.
type Holder = (RouteClaim, PhoneNumberRow, TrunkRow);

/// What is asked: whose calls from `source` to `number` are, or to give them to `carrier`.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// An address, or a network.
    pub source: IpNet,
    /// The number, as its digits tell.
    pub number: Number,
    /// The short code it may be as well: up to ten digits tell nothing.
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

    /// What its digits may mean.
    fn readings(&self) -> Vec<&Number> {
        let mut readings: Vec<&Number> = self.code.iter().chain([&self.number]).collect();
        readings.dedup();
        readings
    }

    /// What nobody has who would have to.
    fn missing(&self) -> String {
        let readings: Vec<String> = self.readings().into_iter().map(Number::to_string).collect();
        format!("{} and a trunk with {}", readings.join(" or "), self.source)
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
    if let Some(carrier) = &order.carrier {
        let position = move_to(store, held(projections, order).await?, order, carrier).await?;
        projections.reached(Log::Core, position, SETTLE).await.map_err(|behind| behind.to_string())?;
        if let Some(mirror) = mirror
            && !mirror.reached(position, SETTLE).await
        {
            return Err(
                "the calls are moved, but this server still routes them as before: see its log".into()
            );
        }
    }
    Ok(lines(order, &held(projections, order).await?))
}

/// A line a carrier. Where the digits are two numbers, it says which, and how to ask for one of them.
fn lines(order: &Order, held: &[(Number, Vec<Holder>)]) -> Vec<String> {
    let line = |number: &Number, (_, row, trunk): &Holder| {
        let moved = match row.claims.granted(order.source.addr()) {
            Some(_) => ", moved here by an operator",
            None => "",
        };
        let which = if held.len() > 1 { format!("{number}: ") } else { String::new() };
        format!(
            "{which}{} trunk {} ({}), number since {}{moved}",
            row.carrier, trunk.sid, trunk.name, row.created_at
        )
    };
    let of = |(number, holders): &(Number, Vec<Holder>)| -> Vec<String> {
        holders.iter().map(|holder| line(number, holder)).collect()
    };
    let mut lines: Vec<String> = held.iter().flat_map(of).collect();
    match held.len() {
        0 => lines.push(format!("nobody has {}", order.missing())),
        1 => {}
        _ => lines
            .push(format!("the digits are a short code and a number; {} is the number alone", order.number)),
    }
    lines
}

/// Gives the carrier the calls to what it has; the position of the log where that is. Both sides find it in their audit: who
/// gets them, and who has had them until now. Of a short code and a number of the same digits, digits alone are the code.
async fn move_to(
    store: &Store,
    held: Vec<(Number, Vec<Holder>)>,
    order: &Order,
    carrier: &Sid,
) -> Result<i64, Trouble> {
    let (source, mut held) = (order.source, held.into_iter());
    let of = |holders: &[Holder]| holders.iter().position(|(_, row, _)| row.carrier == *carrier);
    let found = held.find_map(|(_, holders)| Some((of(&holders)?, holders)));
    let (taker, holders) = found.ok_or_else(|| format!("{carrier} does not have {}", order.missing()))?;
    let granted = told(store, &holders[taker].1, PhoneNumberCommand::GrantRoute { source }).await?;
    match holders.first() {
        Some((_, giver, _)) if taker > 0 => {
            told(store, giver, PhoneNumberCommand::LoseRoute { source }).await
        }
        _ => Ok(granted),
    }
}

/// Writes into the log what the operator did with a carrier's number.
async fn told(store: &Store, row: &PhoneNumberRow, command: PhoneNumberCommand) -> Result<i64, Trouble> {
    let tenant = Tenant { carrier: row.carrier.clone(), account: row.account.clone() };
    let meta = Meta::new(tenant, Actor::system("operator"), SystemClock.now());
    let done = store.execute::<PhoneNumber>(&row.sid, command, &meta).await;
    Ok(done.map_err(|error| error.to_string())?.position)
}

/// Of each number that the digits may be, every carrier that has it and the source, as long as there is one.
async fn held(projections: &Projections, order: &Order) -> Result<Vec<(Number, Vec<Holder>)>, Trouble> {
    let system = projections.system();
    let (trunks, mut held) = (system.trunks().await?, Vec::new());
    for number in order.readings() {
        let holders = holders(&order.source, system.phone_numbers(number).await?, &trunks);
        held.extend((!holders.is_empty()).then(|| (number.clone(), holders)));
    }
    Ok(held)
}

/// Every carrier that has both, with its claim; whose calls they are first.
fn holders(source: &IpNet, numbers: Vec<PhoneNumberRow>, trunks: &[TrunkRow]) -> Vec<Holder> {
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
    holders
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::trunk::{Inbound, Trunk, TrunkCommand};
    use store::testing::{sid, sqlite};
    use tokio_util::{sync::CancellationToken, task::TaskTracker};

    const SOURCE: &str = "203.0.113.7";

    /// Gives a carrier this number, and a trunk with the source.
    async fn give(store: &Store, carrier: &Sid, number: Number) {
        let meta = Meta::new(Tenant::carrier(carrier.clone()), Actor::system("test"), SystemClock.now());
        let create =
            PhoneNumberCommand::Create { carrier: carrier.clone(), number, enabled: true, account: None };
        store.execute::<PhoneNumber>(&sid(Kind::PhoneNumber), create, &meta).await.unwrap();
        let sources = vec![SOURCE.parse::<IpAddr>().unwrap().into()];
        let create = TrunkCommand::Create {
            carrier: carrier.clone(),
            name: "Shared".parse().unwrap(),
            inbound: Some(Inbound { sources, ..Inbound::default() }),
            outbound: None,
        };
        store.execute::<Trunk>(&sid(Kind::Trunk), create, &meta).await.unwrap();
    }

    #[tokio::test]
    async fn digits_that_are_one_carriers_short_code_are_anothers_number_all_the_same() {
        let (store, stop, tasks) = (sqlite().await, CancellationToken::new(), TaskTracker::new());
        let projections = Projections::start((*store).clone(), tasks.clone(), stop.clone()).await.unwrap();
        let (coded, numbered) = (sid(Kind::Carrier), sid(Kind::Carrier));
        give(&store, &coded, Number::short_code("1234567").unwrap()).await;
        give(&store, &numbered, "+1234567".parse().unwrap()).await;
        let head = store.head(Log::Core).await.unwrap();
        projections.reached(Log::Core, head, SETTLE).await.unwrap();
        let asked = async |words: &[&str]| {
            let order = Order::read([SOURCE].iter().chain(words).copied()).unwrap();
            carry_out(&store, &projections, None, &order).await
        };

        let both = asked(&["1234567"]).await.unwrap();
        assert!(both[0].starts_with(&format!("1234567: {coded} ")), "{both:?}");
        assert!(both[1].starts_with(&format!("+1234567: {numbered} ")), "{both:?}");
        assert!(both[2].contains("+1234567 is the number alone"), "{both:?}");
        let alone = asked(&["+1234567"]).await.unwrap();
        assert!(alone.len() == 1 && alone[0].starts_with(numbered.as_str()), "{alone:?}");
        for carrier in [&coded, &numbered] {
            let moved = asked(&["1234567", carrier.as_str()]).await.unwrap();
            let own = moved.iter().find(|line| line.contains(carrier.as_str())).unwrap();
            assert!(own.ends_with("moved here by an operator"), "{moved:?}");
        }
        let nobody = asked(&["7654321"]).await.unwrap();
        assert_eq!(nobody, [format!("nobody has 7654321 or +7654321 and a trunk with {SOURCE}/32")]);
        stop.cancel();
        tasks.close();
        tasks.wait().await;
    }

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
