//! Secrets of ours at other people's servers: from the environment, or from a file of their own.

use std::path::Path;

use countersign_crypto::secret::SecretText;

use crate::{data_dir::check_mode, error::Failure};

/// The one that is given, if any; its file without the line's end that editors add.
pub(super) fn read(name: &str, given: Option<&String>, file: Option<&Path>) -> Result<Option<SecretText>, Failure> {
    let secret = match (given, file) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(Failure::Usage(format!("{name} and {name}_file are given both: one is enough")));
        }
        (Some(text), None) => text.clone(),
        (None, Some(file)) => {
            let failed = |problem| Failure::failed(&format!("can't read {name}_file, {}", file.display()), problem);
            let text = std::fs::read_to_string(file).map_err(failed)?;
            check_mode(file)?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        }
    };
    if secret.is_empty() || secret.chars().any(char::is_control) {
        return Err(Failure::Usage(format!("{name} must be one line of text, and not empty")));
    }
    Ok(Some(SecretText::new(secret)))
}
