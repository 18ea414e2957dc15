//! The kit of destinations, once for each kind.
