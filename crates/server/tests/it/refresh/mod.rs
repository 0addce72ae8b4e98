//! The refresh rule, row by row.
