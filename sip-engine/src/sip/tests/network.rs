//! Two endpoints on a network that loses, delays, repeats and reorders, with time moved by hand.

use crate::sip::endpoint::Counts;
use crate::sip::{Command, Endpoint, EndpointConfig, Event, Flow, Input, Output, Tokens, Transport};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::collections::btree_map::OccupiedEntry;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How bad the network is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    /// Of 100 datagrams, so many are lost.
    pub loss: u64,
    /// Of 100 datagrams, so many arrive twice.
    pub twice: u64,
    /// Longest delay, milliseconds; each datagram has its own, so they overtake each other.
    pub delay: u64,
}

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Side {
    A,
    B,
}

impl Side {
    pub fn addr(self) -> SocketAddr {
        match self {
            Side::A => "192.0.2.1:5060".parse().unwrap(),
            Side::B => "192.0.2.2:5060".parse().unwrap(),
        }
    }

    fn other(self) -> Side {
        if self == Side::A { Side::B } else { Side::A }
    }
}

enum Coming {
    Datagram(Side, Bytes),
    Command(Side, Command),
}

/// The two endpoints and what is under way between them.
pub(super) struct Network {
    a: Endpoint,
    b: Endpoint,
    now: Instant,
    start: Instant,
    coming: BTreeMap<(Instant, u64), Coming>,
    count: u64,
    dice: u64,
    weather: Weather,
    pub events: Vec<(Duration, Side, Event)>,
}

impl Network {
    #[expect(clippy::disallowed_methods, reason = "the start of a clock that a test then moves by hand")]
    pub fn new(weather: Weather, seed: u64) -> Network {
        let now = Instant::now();
        let endpoint = |byte| Endpoint::new(EndpointConfig::default(), Tokens::new(&[byte; 32]), now);
        Network {
            a: endpoint(1),
            b: endpoint(2),
            now,
            start: now,
            coming: BTreeMap::new(),
            count: 0,
            dice: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            weather,
            events: Vec::new(),
        }
    }

    /// A number from 0 to `below` - 1 (xorshift).
    pub fn roll(&mut self, below: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % below.max(1)
    }

    /// Gives a command after a while.
    pub fn command(&mut self, side: Side, after: Duration, command: Command) {
        self.schedule(self.now + after, Coming::Command(side, command));
    }

    /// Legs, transactions, INVITEs and tags still held by both.
    pub fn held(&self) -> usize {
        let all = |counts: Counts| counts.legs + counts.transactions + counts.invites + counts.tags;
        [&self.a, &self.b].iter().map(|end| all(end.counts())).sum()
    }

    /// Lets time pass; `react` sees every event and may give commands.
    pub fn run(&mut self, time: Duration, mut react: impl FnMut(&mut Network, Side, &Event)) {
        let until = self.now + time;
        loop {
            let next = self.coming.first_key_value().map(|((at, _), _)| *at);
            let at = [next, self.a.timeout(), self.b.timeout()].into_iter().flatten().min();
            let Some(at) = at.filter(|at| *at <= until) else { break };
            self.now = self.now.max(at);
            let due = self
                .coming
                .first_entry()
                .filter(|first| first.key().0 <= self.now)
                .map(OccupiedEntry::remove);
            match due {
                Some(Coming::Datagram(side, bytes)) => {
                    let flow = flow(side);
                    self.input(side, Input::Datagram { flow, bytes }, &mut react);
                }
                Some(Coming::Command(side, command)) => self.input(side, Input::Command(command), &mut react),
                None => {
                    self.input(Side::A, Input::Tick, &mut react);
                    self.input(Side::B, Input::Tick, &mut react);
                }
            }
        }
        self.now = until;
    }

    fn input(&mut self, side: Side, input: Input, react: &mut impl FnMut(&mut Network, Side, &Event)) {
        let now = self.now;
        let end = if side == Side::A { &mut self.a } else { &mut self.b };
        end.handle(now, input);
        let outputs: Vec<Output> = std::iter::from_fn(|| end.poll()).collect();
        for output in outputs {
            match output {
                Output::Transmit(transmit) => self.carry(side.other(), &transmit.bytes),
                Output::Event(Event::Trace(_)) => {}
                Output::Event(event) => {
                    react(self, side, &event);
                    self.events.push((now - self.start, side, event));
                }
            }
        }
    }

    fn carry(&mut self, to: Side, bytes: &Bytes) {
        let copies = if self.roll(100) < self.weather.twice { 2 } else { 1 };
        for _ in 0..copies {
            if self.roll(100) >= self.weather.loss {
                let delay = Duration::from_millis(1 + self.roll(self.weather.delay));
                self.schedule(self.now + delay, Coming::Datagram(to, bytes.clone()));
            }
        }
    }

    fn schedule(&mut self, at: Instant, coming: Coming) {
        self.count += 1;
        self.coming.insert((at, self.count), coming);
    }
}

fn flow(receiver: Side) -> Flow {
    Flow {
        transport: Transport::Udp,
        peer: receiver.other().addr(),
        local: receiver.addr(),
        connection: None,
    }
}
