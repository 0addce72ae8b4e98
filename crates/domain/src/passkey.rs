//! Passkeys: keys that stay with a user's authenticator, by which the user signs in with nothing to type (WebAuthn).

use std::{fmt, str::FromStr, time::Duration};

use crate::{
    clock::Timestamp,
    id::{PasskeyId, ProjectId, UserId},
    proof::Method,
    text::{InvalidText, Name},
};

/// How many passkeys one user may have.
pub const MOST: usize = 20;
/// How long a challenge is good.
pub const CHALLENGE_LIFETIME: Duration = Duration::from_mins(5);
/// In bytes (WebAuthn §4, *Credential ID*).
pub const LONGEST_CREDENTIAL_ID: usize = 1023;

/// A passkey of a user. The key itself, of which only the public half is here, isn't part of the noun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Where.
    pub project: ProjectId,
    /// Its own identifier.
    pub id: PasskeyId,
    /// Whose it is.
    pub user: UserId,
    /// What its user calls it.
    pub name: Name,
    /// Where the private key is kept. It never changes.
    pub kept: Kept,
    /// How often the authenticator says that it has signed. One that doesn't count says 0 for ever; of one that does, each number must be
    /// higher than the last, or two of them hold the key (WebAuthn §6.1.1).
    pub sign_count: u32,
    /// Since when there is known to be another copy.
    pub backed_up_at: Option<Timestamp>,
    /// When the user gained it.
    pub created_at: Timestamp,
    /// When the user last signed in with it.
    pub last_used_at: Option<Timestamp>,
    /// When it was last shown, whether or not it was taken.
    pub last_attempted_at: Option<Timestamp>,
    /// Since when it proves nobody.
    pub revoked_at: Option<Timestamp>,
    /// What the program called itself that showed it last, or made it.
    pub user_agent: String,
}

/// Where a private key is kept, as its authenticator says (WebAuthn §6.1.3, *backup eligibility*). Nobody attests to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In one authenticator, which gives it to no other.
    OnDevice,
    /// With an account, whose devices all have it.
    Synced,
}

impl Kept {
    /// The name in the database and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnDevice => "on_device",
            Self::Synced => "synced",
        }
    }

    /// As `amr` has it (RFC 8176 §2): what can be copied is held by software.
    const fn possession(self) -> &'static str {
        match self {
            Self::OnDevice => "hwk",
            Self::Synced => "swk",
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kept {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        match text {
            "on_device" => Ok(Self::OnDevice),
            "synced" => Ok(Self::Synced),
            _ => Err(InvalidText("must be `on_device` or `synced`")),
        }
    }
}

impl Passkey {
    /// How a user was proved who signed in with it: by a key that the user holds, was present at, and opened by what only the user knows or
    /// is. Authenticators don't say by which of the two.
    pub fn methods(&self) -> Vec<Method> {
        [self.kept.possession(), "user", "mfa"].into_iter().filter_map(|method| method.parse().ok()).collect()
    }
}

/// What a passkey is called whose user gave it no name: by the browser and the system that it was made with, as far as those can be read.
pub fn name_from(user_agent: &str) -> Name {
    let first = |known: &[(&str, &'static str)]| {
        known.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    // Each browser names those before it, too, to be served what they are.
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("CrOS", "ChromeOS"),
        ("Windows", "Windows"),
        ("Macintosh", "Mac"),
        ("Linux", "Linux"),
    ]);
    let said: Vec<&str> = [browser, system].into_iter().flatten().collect();
    if said.is_empty() { Name::empty() } else { said.join(", ").parse().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passkey_without_a_name_goes_by_where_it_was_made() {
        let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0";
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
        let names = [chrome, edge, safari, firefox, "app/1", ""].map(|it| name_from(it).as_str().to_owned());
        assert_eq!(names, ["Chrome, Windows", "Edge, Windows", "Safari, iPhone", "Firefox, Linux", "", ""]);
    }

    #[test]
    fn where_a_key_is_kept_reads_back() {
        for kept in [Kept::OnDevice, Kept::Synced] {
            assert_eq!(kept.as_str().parse(), Ok(kept));
        }
        assert!("cloud".parse::<Kept>().is_err());
    }

    #[test]
    fn a_key_that_can_be_copied_is_no_hardware() {
        let methods = |kept| {
            let passkey = Passkey {
                project: "p1".parse().unwrap(),
                id: PasskeyId::from_bytes([1; 16]),
                user: UserId::from_bytes([2; 16]),
                name: Name::empty(),
                kept,
                sign_count: 0,
                backed_up_at: None,
                created_at: Timestamp::EPOCH,
                last_used_at: None,
                last_attempted_at: None,
                revoked_at: None,
                user_agent: String::new(),
            };
            passkey.methods().iter().map(|method| method.as_str().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!([methods(Kept::OnDevice), methods(Kept::Synced)], ["hwk user mfa", "swk user mfa"]);
    }
}
