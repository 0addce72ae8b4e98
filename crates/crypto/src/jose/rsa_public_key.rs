//! RSA public keys as numbers: `RSAPublicKey` in DER (RFC 8017 §A.1.1) and back, since a JWK has the numbers and the library the DER.

/// Two numbers, big-endian, without zeros in front.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RsaPublicKey {
    pub(super) modulus: Vec<u8>,
    pub(super) exponent: Vec<u8>,
}

impl RsaPublicKey {
    /// Reads a sequence of two positive integers, and nothing after it.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        let (sequence, rest) = element(0x30, der)?;
        let (modulus, more) = integer(sequence)?;
        let (exponent, none) = integer(more)?;
        (rest.is_empty() && none.is_empty()).then(|| Self { modulus: modulus.to_vec(), exponent: exponent.to_vec() })
    }

    /// How many bits the modulus has.
    pub(super) fn bits(&self) -> usize {
        let first = self.modulus.first().map_or(0, |byte| 8 - byte.leading_zeros() as usize);
        self.modulus.len().saturating_sub(1) * 8 + first
    }
}

fn integer(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (number, rest) = element(0x02, der)?;
    let positive = number.strip_prefix(&[0]).unwrap_or(number);
    (!positive.is_empty()).then_some((positive, rest))
}

/// What an element of this tag holds, and what comes after it (X.690 §8.1.3).
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    if *found != tag {
        return None;
    }
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f)).filter(|(bytes, _)| bytes.len() <= 4)?;
        (bytes.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte)), rest)
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        rsa::KeySize,
        signature::{KeyPair, RsaKeyPair},
    };

    use super::*;

    #[test]
    fn the_numbers_of_a_key_are_read_from_its_der() {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = pair.public_key().as_ref();
        let key = RsaPublicKey::from_der(der).unwrap();
        assert_eq!((key.modulus.len(), key.bits(), key.exponent.as_slice()), (256, 2048, &[1, 0, 1][..]));
        for length in 0..der.len() {
            assert_eq!(RsaPublicKey::from_der(&der[..length]), None);
        }
        assert_eq!(RsaPublicKey::from_der(&[der, &[0]].concat()), None);
        assert_eq!(RsaPublicKey::from_der(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
