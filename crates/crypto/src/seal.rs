//! Sealing at rest: what must be used again, and must be worthless to whoever holds only the database.
//!
//! `v1.<master key id>.<base64url of nonce, ciphertext and tag>`: AES-256-GCM under a key of the table and column, with the place of the
//! text as associated data, so that a sealed text can't be moved to another row.

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use zeroize::Zeroizing;

use crate::{
    encoding,
    master_key::{MasterKey, MasterKeyId},
};

const VERSION: &str = "v1";

/// Where a sealed text stands.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The primary key of the row, its parts in order.
    pub row: &'a [&'a str],
}

/// Why a sealed text can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotOpen {
    /// Another master key sealed it.
    #[error("it was sealed under the master key {sealed_under}, and this is the master key {this}")]
    OtherMasterKey {
        /// The one that it needs.
        sealed_under: String,
        /// The one at hand.
        this: String,
    },
    /// It isn't what was sealed here: changed, moved from another row, or of a form that this program doesn't know.
    #[error("it is not what was sealed there")]
    Altered,
}

impl MasterKey {
    /// Seals a secret for its place.
    pub fn seal(&self, place: Place<'_>, secret: &[u8]) -> String {
        let id = self.id();
        let mut sealed = secret.to_vec();
        let key = self.sealing_key(place.table, place.column);
        #[expect(clippy::expect_used, reason = "fails only beyond 64 GiB")]
        let nonce = key.seal_in_place_append_tag(aad(&id, place), &mut sealed).expect("a short secret can be sealed");
        let mut bytes = nonce.as_ref().to_vec();
        bytes.append(&mut sealed);
        format!("{VERSION}.{id}.{}", encoding::encode(bytes))
    }

    /// Opens what was sealed for this place.
    pub fn open(&self, place: Place<'_>, sealed: &str) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
        let id = self.id();
        let mut parts = sealed.split('.');
        let (Some(VERSION), Some(sealed_under), Some(text), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(CannotOpen::Altered);
        };
        if sealed_under != id.as_str() {
            // Whoever can write to the database must not write our log as well.
            sealed_under.parse::<MasterKeyId>().map_err(|_| CannotOpen::Altered)?;
            return Err(CannotOpen::OtherMasterKey { sealed_under: sealed_under.to_owned(), this: id.to_string() });
        }
        let mut bytes = Zeroizing::new(encoding::decode(text).ok_or(CannotOpen::Altered)?);
        let nonce = bytes.get(..NONCE_LEN).ok_or(CannotOpen::Altered)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CannotOpen::Altered)?;
        bytes.drain(..NONCE_LEN);
        let key = self.sealing_key(place.table, place.column);
        let opened = key.open_in_place(nonce, aad(&id, place), &mut bytes).map_err(|_| CannotOpen::Altered)?;
        Ok(Zeroizing::new(opened.to_vec()))
    }
}

/// Lengths before texts: no two places have the same associated data.
fn aad(id: &MasterKeyId, place: Place<'_>) -> Aad<Vec<u8>> {
    let mut bytes = Vec::new();
    let parts = [VERSION, id.as_str(), place.table, place.column].into_iter().chain(place.row.iter().copied());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    Aad::from(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Entropy;

    const HERE: Place<'static> = Place { table: "signing_keys", column: "sealed", row: &["p1", "sig_1"] };

    #[test]
    fn a_secret_opens_where_it_was_sealed() {
        let key = MasterKey::generate(&Entropy::system());
        let sealed = key.seal(HERE, b"secret");
        assert_eq!(*key.open(HERE, &sealed).unwrap(), b"secret");
        assert_ne!(key.seal(HERE, b"secret"), sealed, "a nonce is never used twice");
    }

    #[test]
    fn a_secret_moved_to_another_row_column_or_table_doesnt_open() {
        let key = MasterKey::generate(&Entropy::system());
        let sealed = key.seal(HERE, b"secret");
        let elsewhere = [
            Place { row: &["p1", "sig_2"], ..HERE },
            Place { row: &["p1s", "ig_1"], ..HERE },
            Place { row: &["p1"], ..HERE },
            Place { column: "other", ..HERE },
            Place { table: "other", ..HERE },
        ];
        for place in elsewhere {
            assert_eq!(key.open(place, &sealed).unwrap_err(), CannotOpen::Altered);
        }
    }

    #[test]
    fn another_master_key_is_named() {
        let (key, other) = (MasterKey::generate(&Entropy::system()), MasterKey::generate(&Entropy::system()));
        let refused = other.open(HERE, &key.seal(HERE, b"secret")).unwrap_err();
        let expected = CannotOpen::OtherMasterKey { sealed_under: key.id().to_string(), this: other.id().to_string() };
        assert_eq!(refused, expected);
    }

    #[test]
    fn a_forged_log_line_in_place_of_the_key_is_not_repeated() {
        let key = MasterKey::generate(&Entropy::system());
        for name in ["", "forged\nINFO all is well", "\u{1b}[2J", &"A".repeat(300), "AAAAAAA="] {
            assert_eq!(key.open(HERE, &format!("v1.{name}.AAAA")).unwrap_err(), CannotOpen::Altered, "{name:?}");
        }
    }

    #[test]
    fn a_changed_text_doesnt_open() {
        let key = MasterKey::generate(&Entropy::system());
        let sealed = key.seal(HERE, b"secret");
        for position in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(key.open(HERE, &changed).is_err(), "changed at {position}");
        }
        for length in 0..sealed.len() {
            assert!(key.open(HERE, &sealed[..length]).is_err(), "cut to {length}");
        }
    }
}
