//! The kit of sources, once for each kind.
