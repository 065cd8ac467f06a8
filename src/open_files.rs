//! Open files: how many the system allows, and how many calls those carry.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files a bridged call holds: RTP and RTCP of two legs.
const A_CALL: usize = 4;
/// Files kept for everything else: SIP's own sockets, the store, browsers, the log.
const THE_REST: usize = 200;

/// Raises what this process may open to the most the system lets it, and says how much that is.
pub fn raise() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    if let Err(error) = raised {
        tracing::warn!(%error, "no more files may be opened than before");
        return count(limit.current);
    }
    count(limit.maximum)
}

/// The most the system lets a process open.
pub fn most() -> usize {
    count(getrlimit(Resource::Nofile).maximum)
}

/// What stands in the way of so many calls with so many open files, and how many there can be.
pub fn too_few(files: usize, calls: usize) -> Option<(usize, String)> {
    let (needed, room) = (calls.saturating_mul(A_CALL).saturating_add(THE_REST), carried(files));
    let text = format!(
        "{files} open files are allowed, which carry {room} calls; the {calls} of sip.max_calls need {needed}: raise \
         `ulimit -Hn`, or LimitNOFILE= of the service"
    );
    (room < calls).then_some((room, text))
}

/// Calls that so many open files carry.
pub fn carried(files: usize) -> usize {
    files.saturating_sub(THE_REST) / A_CALL
}

/// No limit is more than we can count.
fn count(limit: Option<u64>) -> usize {
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_beyond_what_open_files_carry_are_not_promised() {
        assert_eq!(too_few(8_200, 2_000), None);
        let Some((206, text)) = too_few(1_024, 2_000) else { panic!("{:?}", too_few(1_024, 2_000)) };
        assert!(
            text.contains("1024 open files") && text.contains("206 calls") && text.contains("8200"),
            "{text}"
        );
        assert_eq!(too_few(100, 1).map(|(room, _)| room), Some(0));
        assert_eq!(too_few(usize::MAX, 1_000_000), None);
    }

    #[test]
    fn all_that_is_allowed_is_taken() {
        let limit = getrlimit(Resource::Nofile);
        let one_less = limit.maximum.map(|most| most - 1);
        setrlimit(Resource::Nofile, Rlimit { current: one_less, ..limit }).unwrap();
        assert_eq!((raise(), count(getrlimit(Resource::Nofile).current)), (most(), most()));
    }
}
