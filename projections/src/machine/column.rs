//! Which Rust types a column can hold, and how: the same on both databases.

use domain::{
    EventKind, Number, Sid, Stream, Timestamp,
    call::{Call, CallEventKind, Direction, EndReason, Status},
    country::Country,
    limits::Limits,
    name::Name,
    phone_number::VoiceConfiguration,
    route::{NumberClaims, SourceClaims},
    trunk::{Inbound, Outbound},
    upcast,
    user::{Email, Role},
    webhook_url::Method,
};
use sea_query::{ColumnDef, Value};
use serde::{Serialize, de::DeserializeOwned};
use store::Row;

/// What the database calls a column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Boolean,
    Double,
}

/// A column's type on both databases, and whether it may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub kind: Kind,
    pub nullable: bool,
}

impl Shape {
    pub(crate) fn define(self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        match self.kind {
            Kind::Text => column.text(),
            Kind::Integer => column.big_integer(),
            Kind::Boolean => column.boolean(),
            Kind::Double => column.double(),
        };
        if !self.nullable {
            column.not_null();
        }
        column
    }
}

/// A type a column can hold.
pub(crate) trait Column: Sized {
    const KIND: Kind;
    const NULLABLE: bool = false;

    /// As the database gets it.
    fn value(&self) -> Value;
    /// An empty column of this type.
    fn null() -> Value;
    /// As the database gave it; `None` when it is empty.
    fn read(row: &Row, index: usize) -> Result<Option<Self>, String>;
    /// What an empty column is, where it may be.
    fn empty() -> Option<Self> {
        None
    }
}

impl<T: Column> Column for Option<T> {
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = true;

    fn value(&self) -> Value {
        self.as_ref().map_or_else(T::null, T::value)
    }
    fn null() -> Value {
        T::null()
    }
    fn read(row: &Row, index: usize) -> Result<Option<Self>, String> {
        T::read(row, index).map(Some)
    }
    fn empty() -> Option<Self> {
        Some(None)
    }
}

macro_rules! plain {
    ($($type:ty => $kind:ident, $variant:ident);+ $(;)?) => { $(
        impl Column for $type {
            const KIND: Kind = Kind::$kind;
            fn value(&self) -> Value { Value::$variant(Some(self.clone())) }
            fn null() -> Value { Value::$variant(None) }
            fn read(row: &Row, index: usize) -> Result<Option<Self>, String> { row.at(index).map_err(words) }
        }
    )+ };
}
plain! { i64 => Integer, BigInt; bool => Boolean, Bool; f64 => Double, Double }

/// PostgreSQL's text has no NUL; a stranger's header must not stop a projection.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Types that live in a text column: how they are written, and read back.
macro_rules! text {
    ($($type:ty => $write:expr, $read:expr);+ $(;)?) => { $(
        impl $crate::machine::column::Column for $type {
            const KIND: $crate::machine::column::Kind = $crate::machine::column::Kind::Text;
            fn value(&self) -> sea_query::Value {
                let write: fn(&$type) -> String = $write;
                sea_query::Value::String(Some($crate::machine::column::clean(&write(self))))
            }
            fn null() -> sea_query::Value { sea_query::Value::String(None) }
            fn read(row: &store::Row, index: usize) -> Result<Option<Self>, String> {
                let read: fn(String) -> Result<$type, String> = $read;
                let Some(text) = row.at::<Option<String>>(index).map_err($crate::machine::column::words)? else {
                    return Ok(None);
                };
                read(text).map(Some)
            }
        }
    )+ };
}
pub(crate) use text;

/// An error in words.
#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
pub(crate) fn words<E: ToString>(error: E) -> String {
    error.to_string()
}

/// A unit variant's serde spelling.
pub(crate) fn spelling<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

/// A unit variant from its serde spelling.
pub(crate) fn spelled<T: DeserializeOwned>(text: String) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::String(text)).map_err(words)
}

/// A row may be of a release that called the event otherwise.
fn event(name: &str) -> Result<CallEventKind, String> {
    upcast::named(Call::UPCASTERS, name).ok_or_else(|| format!("not an event of a call: {name:?}"))
}

text! {
    String => String::clone, Ok;
    Sid => |sid| sid.as_str().to_owned(), |text| text.parse().map_err(words);
    Name => |name| name.as_str().to_owned(), |text| Ok(Name::stored(text));
    Email => |email| email.as_str().to_owned(), |text| text.parse().map_err(words);
    Number => Number::to_string, |text| Number::stored(&text).map_err(words);
    Country => |country| country.code().to_owned(), |text| text.parse().map_err(words);
    Method => |method| method.as_str().to_owned(), |text| text.parse().map_err(words);
    Status => |status| status.as_str().to_owned(), |text| text.parse();
    Role => spelling, spelled;
    Direction => spelling, spelled;
    CallEventKind => |kind| kind.name().to_owned(), |text| event(&text);
    EndReason => spelling, spelled;
}

/// Microseconds since 1970.
impl Column for Timestamp {
    const KIND: Kind = Kind::Integer;
    fn value(&self) -> Value {
        Value::BigInt(Some(self.micros()))
    }
    fn null() -> Value {
        Value::BigInt(None)
    }
    fn read(row: &Row, index: usize) -> Result<Option<Self>, String> {
        Ok(row.at::<Option<i64>>(index).map_err(words)?.map(Timestamp::from_micros))
    }
}

/// Values kept whole as JSON text: nothing is searched by what is in them.
macro_rules! json {
    ($($type:ty),+ $(,)?) => { $(
        impl Column for $type {
            const KIND: Kind = Kind::Text;
            fn value(&self) -> Value { Value::String(serde_json::to_string(self).ok()) }
            fn null() -> Value { Value::String(None) }
            fn read(row: &Row, index: usize) -> Result<Option<Self>, String> {
                let Some(text) = row.at::<Option<String>>(index).map_err(words)? else { return Ok(None) };
                serde_json::from_str(&text).map(Some).map_err(words)
            }
        }
    )+ };
}
json! { serde_json::Value, VoiceConfiguration, Inbound, Outbound, Limits, SourceClaims, NumberClaims }
