//! `notesferry inspect`: what is in a Notes database, for anyone who has the file and no Notes client.

pub mod facts;
