//! Calls of a process that is gone: their phones are told by us, a few at a time. What is said is evidence of the call.

use super::{registry::Address, shared::Shared};
use crate::{
    outside::CallRef,
    sip::{Command, Credentials, Farewell, LegKey},
};
use domain::{
    Sid, Steady,
    call::{Direction, SipDialog},
};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

/// Dialogs that wait for their end; further ones are left to the peers' own timers.
pub(super) const WAITING: usize = 16_384;
/// BYEs that leave at once, and the pause after them: 1,600 a second, so that those of a full node are out within 3 s and
/// those of nobody are a flood to a peer.
const AT_ONCE: usize = 8;
const PAUSE: Duration = Duration::from_millis(5);
/// How long a leg is known to be the call's: longer than its BYE is repeated.
const KNOWN: Duration = Duration::from_secs(40);

/// A dialog to end, and whose call it was.
pub(super) struct Goodbye {
    call: CallRef,
    farewell: Farewell,
}

impl Goodbye {
    /// One to a peer that is still an address of the trunk's: where its calls come from, or where calls through it may go.
    pub(super) fn to(
        shared: &Shared,
        call: CallRef,
        direction: Direction,
        trunk: &Sid,
        dialog: Box<SipDialog>,
    ) -> Option<Goodbye> {
        let directory = shared.directory.load();
        let trunk = directory.trunk(trunk)?;
        let networks = shared.networks_of(trunk);
        let peer = dialog.peer.ip().to_canonical();
        let outbound = trunk.outbound.as_ref();
        let goes_there = || outbound.is_some() && (shared.config.reachable)(dialog.peer);
        if !networks.iter().any(|network| network.contains(&peer)) && !goes_there() {
            return None;
        }
        let named = outbound.and_then(|outbound| outbound.username.clone()).zip(trunk.password.clone());
        let credentials = named
            .filter(|_| direction != Direction::Inbound)
            .map(|(username, password)| Credentials { username, password: password.to_string() });
        let (leg, networks) = (shared.next_leg(), networks.into());
        Some(Goodbye { call, farewell: Farewell { leg, dialog, networks, credentials, local: None } })
    }
}

/// Says what waits, until `stop`.
pub(super) async fn run(shared: Arc<Shared>, mut waiting: mpsc::Receiver<Goodbye>, stop: CancellationToken) {
    let saying = async {
        let (mut said, mut next) = (VecDeque::new(), Vec::new());
        loop {
            let forget = said.front().map(|(at, _)| *at);
            tokio::select! {
                count = waiting.recv_many(&mut next, AT_ONCE) => if count == 0 { return },
                () = until(forget) => {}
            }
            for Goodbye { call, farewell } in next.drain(..) {
                said.push_back((Instant::now() + KNOWN, farewell.leg));
                let nobody = Address::nobody(Steady::begin(&*shared.config.clock));
                shared.registry.add_leg(farewell.leg, nobody, call);
                shared.command(Command::Farewell(Box::new(farewell))).await;
            }
            forget_old(&shared, &mut said);
            tokio::time::sleep(PAUSE).await;
        }
    };
    stop.run_until_cancelled(saying).await;
}

fn forget_old(shared: &Shared, said: &mut VecDeque<(Instant, LegKey)>) {
    while let Some((_, leg)) = said.pop_front_if(|(at, _)| *at <= Instant::now()) {
        shared.registry.remove(&[leg], &[]);
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
