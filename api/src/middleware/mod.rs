//! What stands in front of every endpoint.

mod bodies;
mod dialect;
mod head;
mod headers;
mod limits;
mod observe;
mod problems;

pub(crate) use dialect::Dialect;
pub(crate) use head::bodiless;
pub(crate) use headers::secured;
pub(crate) use limits::{bounded, completed};
pub(crate) use observe::{Traffic, observed};
pub(crate) use problems::{Routes, described, worded};
