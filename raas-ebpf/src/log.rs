//! Debug messages, which the feature `log` sends to the agent through aya-log. Without it they are compiled
//! to nothing.

/// Logs a message of the fast path: format string and arguments as for aya-log.
#[cfg(feature = "log")]
macro_rules! debug {
    ($($argument:tt)+) => { aya_log_ebpf::debug!((), $($argument)+) };
}

/// Logs nothing, but has the arguments checked.
#[cfg(not(feature = "log"))]
macro_rules! debug {
    ($format:literal $(, $argument:expr)* $(,)?) => {{ $(let _ = &$argument;)* }};
}

pub(crate) use debug;
