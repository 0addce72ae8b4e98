//! `DPoP` headers.
#![no_main]

use countersign_crypto::dpop::SignedProof;
use countersign_fuzz::{assert_tells_no_secret, issued::PROOFS};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &[u8]| {
    match SignedProof::read(header) {
        Err(refused) => assert_tells_no_secret(&refused.to_string()),
        // Nobody here can sign, so whatever is taken says what one of the seeds says.
        Ok(proof) => {
            let known = PROOFS.iter().map(|text| SignedProof::read(text.as_bytes()).unwrap());
            let is_known = |known: SignedProof| known.hash() == proof.hash() && known.expires_at() == proof.expires_at();
            assert!(known.into_iter().any(is_known), "nobody made it");
            assert!(header.len() <= 4 * 1024);
        }
    }
});
