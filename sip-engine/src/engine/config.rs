//! How an engine is set up.

use super::names::Names;
use domain::{Clock, Ids};
use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    sync::Arc,
    time::Duration,
};

/// Says of an address that a peer names, and of where its SIP comes from, whether sound may be sent there.
pub type Hearable = Arc<dyn Fn(SocketAddr, Option<IpAddr>) -> bool + Send + Sync>;

/// Settings of an engine; they hold until it is shut down.
#[derive(Clone)]
pub struct EngineConfig {
    /// Where SIP is listened to, by UDP and TCP; at least one. Port 0 takes any; `0.0.0.0` alone listens on IPv6 as well
    /// where there is any.
    pub sip_listen: Vec<SocketAddr>,
    /// TCP connections one address, or one /64 of IPv6, may have; the next one is closed and counted.
    pub connections_per_peer: usize,
    /// The address put into SDP, Via and Contact where ours is behind a 1:1 NAT.
    pub advertise: Option<IpAddr>,
    /// Ports for RTP and RTCP; `0..=0` lets the system choose.
    pub rtp_ports: RangeInclusive<u16>,
    /// A peer that sends no more RTP for this long is asked whether it is still there; after ten times as long one that is
    /// on hold or never sent any.
    pub rtp_timeout: Duration,
    /// The node's name, as calls are claimed by it.
    pub node: String,
    /// Calls at once; further ones are refused with 503.
    pub max_calls: usize,
    /// Legs with sound at once, those of calls for help besides: each has two open files.
    pub max_legs: usize,
    /// SIP connections over TCP at once, at most.
    pub connections: usize,
    /// Whether calls may be sent to an address. Customers configure where their trunks are, so it is asked about every
    /// address a trunk's host has.
    pub reachable: Arc<dyn Fn(SocketAddr) -> bool + Send + Sync>,
    /// Whether sound may be sent to the address a session description names, by a peer whose SIP comes from there.
    pub hearable: Hearable,
    /// Answers what the host names of trunks mean.
    pub names: Arc<dyn Names>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes identifiers and secrets.
    pub ids: Arc<dyn Ids>,
}
