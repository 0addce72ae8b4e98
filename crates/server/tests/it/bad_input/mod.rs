//! What attackers, broken clients and broken networks send.
