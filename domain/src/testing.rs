//! Given, when, then: the test kit of cqrs-es with shorter names, and samples of what commands carry.

use crate::{Kind, Sid, Stream, name::Name};
use cqrs_es::test::TestFramework;

/// History `events`, then `command`.
pub(crate) fn given<A: Stream>(
    events: Vec<A::Event>,
    command: A::Command,
) -> cqrs_es::test::AggregateResultValidator<A> {
    TestFramework::<A>::with(()).given(events).when(command)
}

/// The nth identifier of a kind.
pub(crate) fn sid(kind: Kind, n: u128) -> Sid {
    Sid::from_uuid(kind, uuid::Uuid::from_u128(n))
}

/// A name.
pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}
