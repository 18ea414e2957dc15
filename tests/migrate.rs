//! `notesferry migrate` as a user calls it.
