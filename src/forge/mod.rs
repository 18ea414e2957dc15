//! Our own NSF writer: synthetic databases for demo, rehearsal, benchmarks and tests.
