//! Writes the seeds that must be authentic: everything in `issued.rs`, as text. Needed when a format changes.

use std::{fs, io, path::Path};

use countersign_crypto::entropy::Entropy;
use countersign_fuzz::issued::{ACCESS_TOKENS, MASTER_KEY, PLACE, PROOFS, REFRESH_TOKENS, SEALED, SIGNER};

fn main() -> io::Result<()> {
    let refresh_tokens = REFRESH_TOKENS.iter().map(|(_, text)| text.clone());
    let access_tokens = ACCESS_TOKENS.iter().map(|token| token.sign(&SIGNER, &Entropy::system()));
    let sealed = SEALED.into_iter().map(|secret| MASTER_KEY.seal(PLACE, secret.as_bytes()));
    write("refresh_token", refresh_tokens)?;
    write("access_token", access_tokens)?;
    write("sealed", sealed)?;
    write("dpop", PROOFS.iter().cloned())?;
    write("master_key", std::iter::once(MASTER_KEY.to_text().danger_expose().to_owned()))
}

fn write(target: &str, texts: impl Iterator<Item = String>) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    for (number, text) in texts.enumerate() {
        fs::write(folder.join(format!("issued_{number}")), text)?;
    }
    Ok(())
}
