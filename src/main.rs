//! The program: arguments, mode, exit code.

fn main() {}
