//! What we owe the world.

pub mod directory;
pub mod smtp;
