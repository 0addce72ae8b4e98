//! The integration guides' listings, run as they stand but for the mends that are listed here.
