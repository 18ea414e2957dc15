//! Calls of the API, without HTTP.
