//! From netlink messages to events.
