//! Documents in, message text out: the rules of conversion, by their ids.
