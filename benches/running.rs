//! A program a benchmark runs beside itself.

use crate::own_port::{self, State};
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

    /// Starts one that has to be told its port; returns when it has it.
    pub fn on_a_port(command: impl Fn(u16) -> Command) -> (Running, u16) {
        own_port::started(|port| Running::start(&mut command(port)), Running::state, drop)
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn state(&mut self) -> State {
        match self.child.try_wait().unwrap() {
            None => State::Runs(self.id()),
            Some(_) => State::Failed,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}
