//! What tells two commands apart: the aggregate's type and everything the command says.
//!
//! A client repeats a request for days, across releases, so a command is digested in a form that does not depend on how its
//! type is written down: members in order of their names, and none that is null. For a digest to stay what it was, a new
//! member of a command is an `Option`, or left out while it has its default; a renamed one keeps its name in JSON.

use crate::{DecodeError, Hash};
use domain::Stream;
use ring::digest::{Context, SHA256};
use serde_json::Value;

/// The form in use. Whoever changes it raises the number, and keeps the form before for as long as the ledger remembers.
const FORM: &[u8] = b"command 2\0";

/// The digest of a command.
///
/// # Errors
/// When it cannot be written as JSON.
pub(crate) fn digest<A: Stream>(command: &A::Command) -> Result<Hash, DecodeError> {
    canonical::<A>(command).map_err(|error| DecodeError {
        stream: A::TYPE.to_owned(),
        sequence: 0,
        what: "a command".to_owned(),
        reason: error.to_string(),
    })
}

/// Whether `kept` is the digest of this command, in whatever form it was made.
pub(crate) fn is_same<A: Stream>(command: &A::Command, kept: &Hash) -> bool {
    let forms = [canonical::<A>, as_written::<A>];
    forms.iter().any(|form| form(command).is_ok_and(|digest| digest == *kept))
}

fn canonical<A: Stream>(command: &A::Command) -> serde_json::Result<Hash> {
    let mut said = serde_json::to_value(command)?;
    // Its name stays, whatever it says.
    if let Value::Object(named) = &mut said {
        named.values_mut().for_each(leave_out_nulls);
    }
    Ok(hash([FORM, A::TYPE.as_bytes(), &[0], &serde_json::to_vec(&said)?]))
}

/// The first form, in use until 2026-11-30: the command as it is written. It can go a week after that.
fn as_written<A: Stream>(command: &A::Command) -> serde_json::Result<Hash> {
    Ok(hash([A::TYPE.as_bytes(), &[0], &serde_json::to_vec(command)?]))
}

fn hash<const N: usize>(parts: [&[u8]; N]) -> Hash {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// An absent member and one that is null say the same. The others are in order of their names already: so are
/// `serde_json`'s maps.
fn leave_out_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(leave_out_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Tally, TallyCommand as C};
    use domain::trunk::{Trunk, TrunkCommand};
    use serde_json::json;

    #[test]
    fn null_is_as_good_as_absent_but_in_a_list() {
        let mut said = json!({ "a": null, "b": [{ "c": null, "d": 1 }, null], "e": { "f": null } });
        leave_out_nulls(&mut said);
        assert_eq!(said, json!({ "b": [{ "d": 1 }, null], "e": {} }));
    }

    #[test]
    fn another_command_has_another_digest_in_each_form() {
        let commands = [C::Add(1), C::Add(2), C::Count(1), C::LetGo, C::Nothing];
        for (one, command) in commands.iter().enumerate() {
            let digests = [digest::<Tally>(command).unwrap(), as_written::<Tally>(command).unwrap()];
            for (other, command) in commands.iter().enumerate() {
                for digest in &digests {
                    assert_eq!(is_same::<Tally>(command, digest), one == other, "{one} {other}");
                }
            }
        }
    }

    #[test]
    fn what_takes_something_away_is_told_apart_by_its_name() {
        let digest = |command| digest::<Trunk>(&command).unwrap();
        assert_ne!(
            digest(TrunkCommand::ConfigureInbound(None)),
            digest(TrunkCommand::ConfigureOutbound(None))
        );
    }
}
