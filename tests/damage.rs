//! Cut and altered databases: no panic, no hang, no allocation beyond what the file holds.
