//! What goes wrong around a Trunkline, made to happen: a full disk, a twin, a stopped process, a stepped clock, a kill.
//! Each prints its figures (`just fault full_disk`); what takes longer than half a minute is ignored here and run by
//! `just faults`.

mod attacks;
mod clock_step;
mod full_disk;
mod hanging;
mod kills;
mod nodes;
