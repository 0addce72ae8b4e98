//! Keys of 32 bytes in PEM (RFC 7468), as RFC 8410 has them. Their DER is a fixed beginning and the key, so there is one spelling of each.

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// A kind of key in DER: what stands before its 32 bytes, and what the block is called.
pub(super) struct Form {
    label: &'static str,
    before: &'static [u8],
}

/// `SubjectPublicKeyInfo` of id-Ed25519, 1.3.101.112.
pub(super) const ED25519_PUBLIC: Form =
    Form { label: "PUBLIC KEY", before: &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00] };
/// `SubjectPublicKeyInfo` of id-X25519, 1.3.101.110.
pub(super) const X25519_PUBLIC: Form =
    Form { label: "PUBLIC KEY", before: &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00] };
/// `PrivateKeyInfo` of id-Ed25519.
pub(super) const ED25519_PRIVATE: Form = Form {
    label: "PRIVATE KEY",
    before: &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20],
};
/// `PrivateKeyInfo` of id-X25519.
pub(super) const X25519_PRIVATE: Form = Form {
    label: "PRIVATE KEY",
    before: &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20],
};

impl Form {
    pub(super) fn write(&self, key: &[u8; 32]) -> Zeroizing<String> {
        let label = self.label;
        let der = Zeroizing::new([self.before, key].concat());
        // 48 bytes at most, so one line (RFC 7468 §2).
        let line = Zeroizing::new(STANDARD.encode(&*der));
        Zeroizing::new(format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", *line))
    }

    /// None: it is no block of this kind, or more than that.
    pub(super) fn read(&self, pem: &str) -> Option<Zeroizing<[u8; 32]>> {
        let label = self.label;
        let mut lines = pem.trim().lines().map(str::trim);
        if lines.next()? != format!("-----BEGIN {label}-----") || lines.next_back()? != format!("-----END {label}-----")
        {
            return None;
        }
        let text = Zeroizing::new(lines.collect::<String>());
        let der = Zeroizing::new(STANDARD.decode(&*text).ok()?);
        let key: &[u8; 32] = der.strip_prefix(self.before)?.try_into().ok()?;
        Some(Zeroizing::new(*key))
    }
}
