//! Server configuration: documented defaults, every problem reported at once.
