//! The words of a surface whose clients expect errors in a shape of its own.

use crate::problem::Refusal;
use poem::Response;

/// Where errors are worded differently, and how.
#[derive(Clone, Copy)]
pub(crate) struct Dialect {
    /// Whether whoever asks for this path is spoken to so.
    pub(crate) is_spoken_on: fn(&str) -> bool,
    /// A refusal of what stands in front of the surface, as its clients read it.
    pub(crate) said: fn(&Refusal) -> Response,
}
