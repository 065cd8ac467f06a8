//! What this node says about itself on `/readyz` and `/metrics`.

use crate::disk;
use api::{Figure, Figures};
use domain::Sid;
use futures_util::future::BoxFuture;
use reactors::Reactors;
use sip_engine::{EngineHandle, Refused, net::Counters};
use std::{
    net::IpAddr,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The parts that have something to say.
pub struct NodeHealth {
    /// Calls and sockets.
    pub engine: EngineHandle,
    /// Facts on their way.
    pub reactors: Reactors,
    /// Where a proxy that is not trusted is noted, for `doctor`.
    pub proxy_note: PathBuf,
}

/// The note's name in the data directory.
pub const PROXY_NOTE: &str = "untrusted-proxy";

impl api::Health for NodeHealth {
    fn routed_by(&self, position: i64, within: Duration) -> BoxFuture<'_, bool> {
        Box::pin(async move { self.reactors.directory().reached(position, within).await })
    }

    fn checks(&self) -> Vec<api::Check> {
        let trouble =
            self.engine.is_draining().then(|| "no more calls are taken: it is about to stop".to_owned());
        let kept = self.reactors.state().keeps_nothing;
        let full = kept.then(|| {
            let disk = self.proxy_note.parent().is_some_and(disk::is_full);
            let cause = if disk { "; the disk of data_dir is full" } else { "" };
            format!("neither log nor spool takes facts: calls that arrive get 503{cause}")
        });
        vec![api::Check { name: "engine", trouble }, api::Check { name: "recording", trouble: full }]
    }

    fn turned_away(&self, trunk: &Sid) -> Vec<api::TurnedAway> {
        let told = self.engine.turned_away(trunk).into_iter();
        let told = told.map(|Refused { what, count, last }| api::TurnedAway {
            source: what.source,
            code: what.code,
            method: what.method,
            reason: what.reason,
            count,
            last,
        });
        told.collect()
    }

    fn proxy_seen(&self, proxy: IpAddr) {
        if let Err(error) = std::fs::write(&self.proxy_note, proxy.to_string()) {
            tracing::warn!(%error, "doctor will not know of it");
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "none of these comes near 2^52")]
    fn figures(&self) -> Vec<Figure> {
        let state = self.reactors.state();
        let own = [
            ("trunkline_live_calls", "Calls this node has now.", self.engine.live() as f64),
            ("trunkline_spooled_facts", "Facts that wait for the store.", state.spooled as f64),
            (
                "trunkline_clock_difference_seconds",
                "The database's clock less this machine's.",
                state.clock_difference,
            ),
            (
                "trunkline_directory_lag",
                "Events the engine's directory does not know yet.",
                state.directory_lag as f64,
            ),
        ];
        let dropped = (
            "trunkline_evidence_dropped_total",
            "SIP messages not kept since the start.",
            state.evidence_dropped as f64,
        );
        let counters = self.engine.counters();
        let read =
            |(name, help, counter): (_, _, &AtomicU64)| (name, help, counter.load(Ordering::Relaxed) as f64);
        let counted = sip(&counters).map(read).into_iter().chain([dropped]).map(figure(Figures::Counter));
        counted.chain(own.into_iter().map(figure(Figures::Gauge))).collect()
    }
}

fn figure(kind: Figures) -> impl Fn((&'static str, &'static str, f64)) -> Figure {
    move |(name, help, value)| Figure { kind, name, help, value }
}

/// What the SIP sockets and the endpoint behind them count. All of it since the start.
fn sip(counters: &Counters) -> [(&'static str, &'static str, &AtomicU64); 13] {
    [
        (
            "trunkline_sip_unknown_source_total",
            "Datagrams and connections from addresses of no trunk, dropped since the start.",
            &counters.unknown_source,
        ),
        ("trunkline_sip_received_total", "SIP messages received since the start.", &counters.received),
        ("trunkline_sip_sent_total", "SIP messages sent since the start.", &counters.sent),
        (
            "trunkline_sip_send_failed_total",
            "SIP messages that could not be sent since the start.",
            &counters.send_failed,
        ),
        (
            "trunkline_sip_connections_refused_total",
            "SIP connections beyond the limits since the start.",
            &counters.connections_refused,
        ),
        (
            "trunkline_sip_connections_over_peer_total",
            "Those of them whose peer had as many as one address may have, since the start.",
            &counters.connections_over_peer,
        ),
        (
            "trunkline_sip_connections_broken_total",
            "SIP connections closed since the start because what came was no SIP, too slow or too long.",
            &counters.connections_broken,
        ),
        (
            "trunkline_sip_traces_dropped_total",
            "SIP messages not shown to their calls since the start because too many waited.",
            &counters.traces_dropped,
        ),
        (
            "trunkline_sip_malformed_total",
            "Messages that were no SIP, or could not be answered, since the start.",
            &counters.malformed,
        ),
        (
            "trunkline_sip_stray_responses_total",
            "Responses to nothing we asked, dropped since the start.",
            &counters.stray_responses,
        ),
        (
            "trunkline_sip_unknown_callers_total",
            "Requests outside a call from whom we only called, dropped since the start.",
            &counters.unknown_callers,
        ),
        (
            "trunkline_sip_overloaded_total",
            "Requests refused with 503 since the start.",
            &counters.overloaded,
        ),
        (
            "trunkline_sip_panics_total",
            "Messages the SIP endpoint failed on since the start.",
            &counters.panics,
        ),
    ]
}
