//! A program a benchmark runs beside itself.

use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    os::unix::process::CommandExt as _,
    process::{Child, Command},
};

/// A running program; it ends with its owner, and its workers with it.
pub struct Running {
    pub child: Child,
}

impl Running {
    /// Starts it in a process group of its own: a peer that leads workers would leave them behind when only it is killed.
    pub fn start(command: &mut Command) -> Running {
        Running { child: command.process_group(0).spawn().unwrap() }
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}
