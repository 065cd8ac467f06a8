//! Open files: how many the system allows, and how they are shared out, so that no part takes what another was promised.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fmt;

/// Files a bridged call holds: RTP and RTCP of two legs.
const A_CALL: usize = 4;
/// Files of one leg.
const A_LEG: usize = 2;
/// What each part wants at most, and at least.
const WEB: (usize, usize) = (1_024, 32);
const APPLICATIONS: (usize, usize) = (3_840, 64);
const SIP: (usize, usize) = (1_024, 32);
/// Kept for calls for help beyond all others: RTP and RTCP of sixteen legs.
const EMERGENCIES: usize = 32;
/// Kept for the store, the log, name look-ups, speech and health checks.
const THE_REST: usize = 128;

/// How open files are shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// All there are.
    pub files: usize,
    /// Calls at once.
    pub calls: usize,
    /// Connections of browsers and API clients.
    pub web: usize,
    /// Connections to customers' applications.
    pub applications: usize,
    /// SIP connections.
    pub sip: usize,
}

impl Split {
    /// Shares out so many files, for at most so many calls: where they are few, half go to calls.
    pub fn of(files: usize, calls: usize) -> Split {
        let share = |(most, least): (usize, usize), part: usize| (files / part).clamp(least, most);
        let (web, applications, sip) = (share(WEB, 8), share(APPLICATIONS, 5), share(SIP, 16));
        let left = files.saturating_sub(THE_REST + EMERGENCIES + web + applications + sip);
        Split { files, calls: calls.min(left / A_CALL), web, applications, sip }
    }

    /// Legs with sound at once, those of calls for help besides.
    pub fn legs(&self) -> usize {
        self.calls.saturating_mul(A_CALL / A_LEG)
    }

    /// What stands in the way of so many calls, if something does.
    pub fn too_few(&self, calls: usize) -> Option<String> {
        let wanted = [calls.saturating_mul(A_CALL), WEB.0, APPLICATIONS.0, SIP.0, EMERGENCIES, THE_REST];
        let wanted = wanted.into_iter().fold(0, usize::saturating_add);
        (self.calls < calls).then(|| {
            format!(
                "{} open files are allowed, which carry {} calls beside everything else; the {calls} of sip.max_calls \
                 need {wanted}: raise `ulimit -Hn`, or LimitNOFILE= of the service",
                self.files, self.calls
            )
        })
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Split { files, calls, web, applications, sip } = self;
        write!(
            f,
            "{files}: {} for {calls} calls, {web} web, {applications} applications, {sip} SIP connections, {EMERGENCIES} \
             calls for help, {THE_REST} the rest",
            calls * A_CALL
        )
    }
}

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

/// No limit is more than we can count.
fn count(limit: Option<u64>) -> usize {
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_takes_what_another_was_promised() {
        for files in [1_024, 4_096, 8_200, 65_536, usize::MAX] {
            let split = Split::of(files, 2_000);
            let sum =
                split.calls * A_CALL + split.web + split.applications + split.sip + EMERGENCIES + THE_REST;
            assert!(sum <= files && split.calls > 100, "{split}");
        }
        assert_eq!(Split::of(100, 2_000).calls, 0);
    }

    #[test]
    fn calls_beyond_what_open_files_carry_are_not_promised() {
        assert_eq!(Split::of(65_536, 2_000).too_few(2_000), None);
        let split = Split::of(1_024, 2_000);
        let text = split.too_few(2_000).unwrap();
        assert_eq!(
            split.to_string(),
            "1024: 468 for 117 calls, 128 web, 204 applications, 64 SIP connections, 32 calls for help, 128 the rest"
        );
        assert!(
            text.contains("1024 open files") && text.contains("117 calls") && text.contains("14048"),
            "{text}"
        );
    }

    #[test]
    fn all_that_is_allowed_is_taken() {
        let limit = getrlimit(Resource::Nofile);
        let one_less = limit.maximum.map(|most| most - 1);
        setrlimit(Resource::Nofile, Rlimit { current: one_less, ..limit }).unwrap();
        assert_eq!((raise(), count(getrlimit(Resource::Nofile).current)), (most(), most()));
    }
}
