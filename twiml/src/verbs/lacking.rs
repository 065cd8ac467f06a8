//! A verb that is not there yet and must not be stepped over: the call's path ends at it.

use super::{Flow, Step, Verb};
use crate::element::{Lack, Warning};

#[derive(Debug)]
struct Lacking(Warning);

/// The verb `name`, as its element was written.
pub(super) fn step(name: &'static str, lack: &Lack, details: Vec<(String, String)>) -> Step {
    Step { name, details, verb: Box::new(Lacking(lack.warning())) }
}

impl Verb for Lacking {
    fn needs_answer(&self) -> bool {
        false
    }

    fn begin(&mut self) -> Flow {
        Flow::Fail(self.0.clone())
    }
}
