//! What we owe the world.
