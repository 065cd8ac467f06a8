//! What the rest of the program holds of an engine.

use super::{
    farewell::Goodbye,
    registry::Message,
    reservation::{NoRoom, Reservation},
    shared::Shared,
    supervise,
    turned_away::Refused,
};
use crate::{
    call::{LegNo, Machine, Outgoing},
    net::Counters,
    outside::CallRef,
    routing::TrunkEntry,
};
use domain::{
    Sid,
    call::{Direction, EndReason, Ending, Program, Queued, SipDialog, Status},
};
use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long calls may take to say goodbye once they are told to end.
const GOODBYE: Duration = Duration::from_secs(3);

/// An engine that runs. Cheap to clone; dropping all handles does not stop it, [`EngineHandle::shutdown`] does.
#[derive(Clone)]
pub struct EngineHandle {
    pub(super) shared: Arc<Shared>,
    stop: CancellationToken,
    net: TaskTracker,
    counters: Arc<Counters>,
}

impl std::fmt::Debug for EngineHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineHandle").field("sip_addr", &self.sip_addr()).finish_non_exhaustive()
    }
}

impl EngineHandle {
    pub(super) fn new(
        shared: Arc<Shared>,
        stop: CancellationToken,
        net: TaskTracker,
        counters: Arc<Counters>,
    ) -> EngineHandle {
        EngineHandle { shared, stop, net, counters }
    }

    /// Where SIP is listened to.
    #[must_use]
    pub fn sip_addr(&self) -> SocketAddr {
        self.shared.listening.first()
    }

    /// All addresses SIP is listened to, in the order they were named.
    #[must_use]
    pub fn sip_addrs(&self) -> &[SocketAddr] {
        self.shared.listening.all()
    }

    /// What the sockets carried and dropped.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// What came from a trunk's sources, or unread from next to them or to the addresses of its host, and was turned away
    /// before there was a call since the start; newest first. Nothing of a trunk that is not known here, nor what came before
    /// it claimed the source, or from a source that another carrier had earlier.
    #[must_use]
    pub fn turned_away(&self, trunk: &Sid) -> Vec<Refused> {
        let directory = self.shared.directory.load();
        let of = |trunk: &TrunkEntry| {
            let since = |source| directory.told_since(trunk, source);
            let called = self.shared.host_of(trunk);
            self.shared.turned_away.of(&trunk.carrier, trunk.sources(), &called, since)
        };
        directory.trunk(trunk).map(of).unwrap_or_default()
    }

    /// Whether another call would be taken on by whoever has no more than their share.
    #[must_use]
    pub fn has_room(&self) -> bool {
        !self.is_draining() && self.live() < self.shared.most_live()
    }

    /// Whether no more calls are taken because this node is about to stop.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.shared.draining.load(Ordering::Acquire)
    }

    /// Keeps room for a queued call, so that it can be claimed: a place, and one of the calls its account may place.
    /// Emergency calls have room beyond that of all others.
    ///
    /// # Errors
    /// [`NoRoom`]: when to ask again.
    pub fn reserve(&self, queued: &Queued) -> Result<Reservation, NoRoom> {
        Reservation::take(&self.shared, queued)
    }

    /// Whether a queued call is one for help.
    #[must_use]
    pub fn is_emergency(&self, queued: &Queued) -> bool {
        self.shared.directory.load().is_emergency(&queued.account, &queued.to)
    }

    /// Places a call that was queued and that this node has claimed, in the room kept for it. What comes of it arrives as
    /// facts.
    ///
    /// # Errors
    /// How the call ends when it is not taken on because we are shutting down. Whoever asked records that.
    pub fn place(&self, call: CallRef, queued: Queued, room: Reservation) -> Result<(), Ending> {
        if self.shared.is_closing(self.is_emergency(&queued)) {
            return Err(Ending::because(EndReason::ShutDown));
        }
        let machine = Machine::outgoing(self.shared.surroundings(&call.tenant), Outgoing { call, queued });
        let Reservation { place, placed } = room;
        supervise::start(&self.shared, Some(place), machine, |actor| {
            actor.wire(LegNo::MAIN).placed = placed;
        });
        Ok(())
    }

    /// Counts how often room became free. It changes whenever [`EngineHandle::reserve`] may say another thing.
    #[must_use]
    pub fn freed(&self) -> watch::Receiver<u64> {
        self.shared.freed.subscribe()
    }

    /// Runs another program in a live call. `false`: no such call is here.
    pub fn redirect(&self, call: &Sid, program: Program) -> bool {
        let address = self.shared.registry.call(call);
        address.is_some_and(|address| address.tell(Message::Redirect(call.clone(), program)))
    }

    /// Ends a live call as `Canceled` (one that was answered meanwhile is hung up on) or `Completed`. `false`: no such call
    /// is here.
    pub fn end(&self, call: &Sid, status: Status) -> bool {
        let address = self.shared.registry.call(call);
        address.is_some_and(|address| address.tell(Message::End(call.clone(), status)))
    }

    /// Hangs up on the phone of a call whose process is gone: the dialog is one that the log has of it, with a peer of this
    /// trunk. Whoever called us is not told the trunk's login. `false` where the trunk has that address no more, or too many wait.
    pub fn part(&self, call: CallRef, direction: Direction, trunk: &Sid, dialog: Box<SipDialog>) -> bool {
        let goodbye = Goodbye::to(&self.shared, call, direction, trunk, dialog);
        goodbye.is_some_and(|goodbye| self.shared.goodbyes.try_send(goodbye).is_ok())
    }

    /// Whether this call, dialled or not, is here.
    #[must_use]
    pub fn is_live(&self, call: &Sid) -> bool {
        self.shared.registry.call(call).is_some()
    }

    /// Calls that go on, not counting the ones they dialled.
    #[must_use]
    pub fn live(&self) -> usize {
        self.shared.live.load(Ordering::Acquire)
    }

    /// Takes no more calls, but for help, and waits until the live ones have ended, for at most this long. `true`: none is
    /// left.
    pub async fn drain(&self, within: Duration) -> bool {
        self.shared.draining.store(true, Ordering::Release);
        tokio::time::timeout(within, self.quiet()).await.is_ok()
    }

    /// Ends what still lives with the reason `ShutDown`, waits until that is recorded and, for some seconds, until the
    /// peers have heard of it, and closes all sockets.
    pub async fn shutdown(&self) {
        self.shared.draining.store(true, Ordering::Release);
        self.shared.stopping.store(true, Ordering::Release);
        for address in self.shared.registry.calls() {
            address.tell(Message::Stop(EndReason::ShutDown));
        }
        if tokio::time::timeout(GOODBYE, self.quiet()).await.is_err() {
            tracing::warn!(live = self.live(), "calls did not end in time");
        }
        self.shared.tracker.close();
        if tokio::time::timeout(GOODBYE, self.shared.tracker.wait()).await.is_err() {
            tracing::info!(left = self.shared.tracker.len(), "calls were still saying goodbye");
        }
        self.stop.cancel();
        self.net.wait().await;
        self.shared.media.shutdown();
    }

    async fn quiet(&self) {
        loop {
            let quieter = self.shared.quieter.notified();
            tokio::pin!(quieter);
            quieter.as_mut().enable();
            if self.live() == 0 {
                return;
            }
            quieter.await;
        }
    }
}
