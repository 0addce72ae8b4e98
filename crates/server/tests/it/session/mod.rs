//! What an app does with its session, and what ends it.
