//! The number of files that the process may have open. Every connection is one or more of them.

/// Raises the limit as far as the system allows and we may ever need; what it is now.
#[cfg(unix)]
pub fn raise() -> u64 {
    use crate::base::limits::OPEN_FILES;
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(OPEN_FILES, |maximum| maximum.min(OPEN_FILES));
    let now = current.unwrap_or(u64::MAX);
    if now >= wanted {
        return now;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }) {
        Ok(()) => wanted,
        Err(_) => now,
    }
}

/// Sockets are not counted among the files here.
#[cfg(not(unix))]
pub fn raise() -> u64 {
    crate::base::limits::OPEN_FILES
}

/// Whether this many more files can be opened at this moment.
#[cfg(unix)]
pub(super) fn are_left(count: usize) -> bool {
    let probes: Result<Vec<_>, _> = (0..count).map(|_| std::fs::File::open("/dev/null")).collect();
    probes.is_ok()
}

#[cfg(not(unix))]
pub(super) fn are_left(_: usize) -> bool {
    true
}
