//! A media thread.

use std::{io, sync::Arc, time::Duration};

use mio::{Events, Poll, Token, Waker};

use super::command::{Command, Inbox};

const WAKE: Token = Token(usize::MAX);

/// Starts thread `number` and returns its inbox.
pub(super) fn start(number: usize, _rtp_timeout: Duration) -> io::Result<Arc<Inbox>> {
    let mut poll = Poll::new()?;
    let inbox = Arc::new(Inbox::new(Waker::new(poll.registry(), WAKE)?));
    let shared = Arc::clone(&inbox);
    std::thread::Builder::new().name(format!("media-{number}")).spawn(move || {
        let (mut events, mut batch) = (Events::with_capacity(256), Vec::<Command>::new());
        while !shared.is_stopped() {
            if poll.poll(&mut events, None).is_err() {
                continue;
            }
            shared.take(&mut batch);
            batch.clear();
        }
    })?;
    Ok(inbox)
}
