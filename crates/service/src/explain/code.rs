//! What Explain can say: a code for programs, which never changes, and what to do, for people.

use std::borrow::Cow;

use crate::proof::client_call::Flaw;

macro_rules! codes {
    ($($name:ident = $text:literal, $message:literal;)+) => {
        /// A reason, as a word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the message of each says what it is")]
        pub enum Code {
            $($name,)+
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// What it means, and what to do.
            pub const fn message(self) -> &'static str {
                match self {
                    $(Self::$name => $message,)+
                }
            }
        }
    };
}

/// Why a call is refused or accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// As a word.
    pub code: Code,
    /// For people. Names, lengths and times of the caller's own project; never what was sent, never what would have been right.
    pub message: Cow<'static, str>,
}

impl From<Code> for Reason {
    fn from(code: Code) -> Self {
        Self { code, message: Cow::Borrowed(code.message()) }
    }
}

impl From<Flaw> for Reason {
    fn from(flaw: Flaw) -> Self {
        Code::from(flaw).into()
    }
}

impl Code {
    /// The reason with something added to its message.
    pub(super) fn adding(self, more: impl AsRef<str>) -> Reason {
        Reason { code: self, message: Cow::Owned(format!("{} {}", self.message(), more.as_ref())) }
    }
}

/// Each flaw has a code of its own name.
impl From<Flaw> for Code {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::KeyMissing => Self::KeyMissing,
            Flaw::HeaderRepeated => Self::HeaderRepeated,
            Flaw::KeyUnknown => Self::KeyUnknown,
            Flaw::KeyEnded => Self::KeyEnded,
            Flaw::OtherProject => Self::OtherProject,
            Flaw::IdMissing => Self::IdMissing,
            Flaw::IdUnreadable => Self::IdUnreadable,
            Flaw::HmacMissing => Self::HmacMissing,
            Flaw::HmacMalformed => Self::HmacMalformed,
            Flaw::HmacWrong => Self::HmacWrong,
            Flaw::HmacVersion => Self::HmacVersion,
            Flaw::HmacExpired => Self::HmacExpired,
            Flaw::HmacTooFarAhead => Self::HmacTooFarAhead,
            Flaw::NoSuchUser => Self::NoSuchUser,
            Flaw::TooManyUsers => Self::TooManyUsers,
            Flaw::UserDisabled => Self::UserDisabled,
            Flaw::TicketUnknown => Self::TicketUnknown,
            Flaw::TicketExpired => Self::TicketExpired,
            Flaw::TicketSpent => Self::TicketSpent,
            Flaw::MixedCredentials => Self::MixedCredentials,
        }
    }
}

codes! {
    // What the door itself finds.
    KeyMissing = "key_missing", "There is no publishable key. The app must send it in X-PROFICIENT-API-KEY; it begins with pk_.";
    HeaderRepeated = "header_repeated", "A header stands there more than once, perhaps under both of its names. Send it once.";
    KeyUnknown = "key_unknown", "The publishable key isn't one of this server. Copy it again, whole, from pk_ to its end.";
    KeyEnded = "key_ended", "The publishable key no longer works: it was revoked, or its time is over. Give the app a live one.";
    OtherProject = "other_project", "Not all of the call names this project: host, publishable key and credential must agree.";
    IdMissing = "id_missing", "There is no user id, or an empty one. Send your own id of the user in X-PROFICIENT-USER-EXTERNAL-ID.";
    IdUnreadable = "id_unreadable", "The user id can't be read: it must be 1 to 255 bytes without control characters, and ASCII where no HMAC proves it.";
    HmacMissing = "hmac_missing", "There is no HMAC. Compute it in your backend, and send it in X-PROFICIENT-USER-HMAC.";
    HmacMalformed = "hmac_malformed", "The HMAC isn't spelt as one: it must be 44 characters of padded standard base64, or v2.<expires>.<mac>.";
    HmacWrong = "hmac_wrong", "The HMAC isn't that of this user id under a live HMAC secret of the project.";
    HmacVersion = "hmac_version", "The HMAC is right, but the project doesn't take this version: see its setting `hmac.versions`.";
    HmacExpired = "hmac_expired", "The HMAC is right, but its time is over. The app must ask your backend for a new one before the old one ends.";
    HmacTooFarAhead = "hmac_too_far_ahead", "The HMAC is right, but ends further ahead than the project's `hmac.lifetime` allows. Make `expires` nearer, and look at your backend's clock.";
    NoSuchUser = "no_such_user", "There is no such user, and the project's `users.create` is off. Make the user first, by POST /users.";
    TooManyUsers = "too_many_users", "The call would make a user, and as many were made as `users.per_hour` or, for calls without proof, `users.unproved` allows.";
    UserDisabled = "user_disabled", "The user is disabled. `countersign user enable` lets them in again.";
    MixedCredentials = "mixed_credentials", "The call shows more than one of ticket, bearer token and user id. Send one.";
    ForeignOrigin = "foreign_origin", "Pages of this origin may not call. Add it to the project's `origins`.";
    ProjectClosed = "project_closed", "The project is disabled. `countersign project enable` opens it again.";

    // What a call is accepted by.
    ProvedV1 = "proved_v1", "The user is proved by an HMAC that is good for ever.";
    ProvedV2 = "proved_v2", "The user is proved by an HMAC that expires.";
    Unproved = "unproved", "Nothing proves the user. The call is accepted only because the project's `hmac` doesn't require a proof.";
    WouldBeRefused = "would_be_refused", "With `hmac=required` the call would be refused, for the reasons that follow.";
    AccessToken = "access_token", "The user is proved by a live access token.";
    SecretKey = "secret_key", "The backend is proved by a live secret key.";
    OldSecret = "old_secret", "The HMAC was made under a secret that has a successor. Give your backend the new one before the old one ends.";
    UserNew = "user_new", "No call has named this user before. The first that is accepted makes the user.";
    SecretKeyNetworks = "secret_key_networks", "The key works from some networks only. Explain doesn't know from where the call came.";

    // Headers.
    HeaderMisspelt = "header_misspelt", "A header looks like the one that is missing, under another name. Names have hyphens, no underscores.";
    HeaderUnsendable = "header_unsendable", "A value has a line end or another control character, which no header can carry. Cut it off before it is sent.";
    HeaderJoined = "header_joined", "A value is several with commas between, as a proxy joins a header that was sent twice. Send it once.";
    AuthorizationIgnored = "authorization_ignored", "The Authorization header isn't `Bearer` or `DPoP` with something after it, so it counts for nothing.";
    HostOtherProject = "host_other_project", "The host name is that of another project of this server.";

    // Publishable keys.
    KeyOtherProject = "key_other_project", "The publishable key is of another project of this server.";
    KeyWhitespace = "key_whitespace", "White space or quotes stand around the publishable key. Without them it is right.";
    KeyOtherCase = "key_other_case", "The publishable key is right but for upper and lower case, which count.";
    KeyCutOff = "key_cut_off", "What was sent is only a part of a publishable key of this project, or more than one.";
    KeyIsSecretKey = "key_is_secret_key", "A secret key stands where the publishable key belongs. Whoever has the app can read it: rotate it at once.";
    KeyIsHmacSecret = "key_is_hmac_secret", "An HMAC secret stands where the publishable key belongs. Whoever has the app can read it: rotate it at once.";

    // User ids, as they were sent.
    IdTooLong = "id_too_long", "The user id is longer than 255 bytes of UTF-8.";
    IdControlCharacters = "id_control_characters", "The user id has a control character in it.";
    IdNotAscii = "id_not_ascii", "The user id has letters outside ASCII, and without a right HMAC nobody can say in which encoding it came.";
    IdBeyondLatin1 = "id_beyond_latin1", "The header is there and empty. Some clients send that for an id with letters beyond U+00FF: use an id of ASCII.";

    // How the HMAC is written.
    HmacHexEncoded = "hmac_hex_encoded", "The HMAC is written in hex. Write it in base64: digest('base64'), not digest('hex').";
    HmacHexInBase64 = "hmac_hex_in_base64", "The HMAC was written in hex and that text in base64. Take base64 of the bytes: digest('base64').";
    HmacUrlSafeBase64 = "hmac_url_safe_base64", "The HMAC is written in the URL-safe alphabet of base64. Use the standard one, with + and /.";
    HmacUnpaddedBase64 = "hmac_unpadded_base64", "The HMAC has lost its padding. Keep the = at its end.";
    HmacStandardBase64 = "hmac_standard_base64", "The MAC of a v2 proof is written in standard or padded base64. There it must be base64url without padding.";
    HmacWhitespace = "hmac_whitespace", "White space stands around the HMAC. Cut it off.";
    HmacQuoted = "hmac_quoted", "Quotes stand around the HMAC. Send it without: read the JSON that your backend answers.";
    HmacPercentEncoded = "hmac_percent_encoded", "The HMAC is percent-encoded. A header needs no encoding: send it as it is.";
    HmacPlusLost = "hmac_plus_lost", "Each + of the HMAC has become a space, as in the query of a URL. Encode it there, or hand it over in a body.";
    HmacPrefixed = "hmac_prefixed", "The name of the hash stands before the HMAC. Send the base64 alone.";
    HmacOtherSpelling = "hmac_other_spelling", "The HMAC is right but for its spelling. Each proof has exactly one: send what the base64 encoder gave.";

    // The secret that it was made under.
    HmacPreviousSecret = "hmac_previous_secret", "The HMAC was made under a secret of this project that no longer works. Give your backend the live one.";
    HmacSecretWithoutPrefix = "hmac_secret_without_prefix", "The HMAC was made under the secret without its prefix. The key is the whole text, hsec_ and all.";
    HmacSecretWhitespace = "hmac_secret_whitespace", "The HMAC was made under the secret with white space around it, perhaps the line end of a file. Cut it off.";
    HmacSecretQuoted = "hmac_secret_quoted", "The HMAC was made under the secret with quotes around it. Take them away where your backend is configured.";
    HmacSecretDecoded = "hmac_secret_decoded", "The HMAC was made under what comes of decoding the secret as base64. The key is the text itself, as UTF-8.";
    HmacSecretCutOff = "hmac_secret_cut_off", "The HMAC was made under the first characters of the secret, as `key list` shows them. The key is the whole text.";
    HmacSecretMissing = "hmac_secret_missing", "The HMAC was made under an empty or undefined secret: your backend isn't configured where it runs.";
    HmacPublishableKeyUsed = "hmac_publishable_key_used", "The HMAC was made under a publishable key. Use the HMAC secret, which begins with hsec_.";
    HmacSecretKeyUsed = "hmac_secret_key_used", "The HMAC was made under your secret key. Use the HMAC secret, which begins with hsec_.";
    HmacOtherProject = "hmac_other_project", "The HMAC was made under a secret of another project of this server.";

    // The id that it was made of.
    IdWhitespace = "id_whitespace", "The HMAC is of the user id with white space around it, or the id came with some. Cut it off in your backend and in the app.";
    IdOtherCase = "id_other_case", "The HMAC is of the user id in upper case, lower case or title case. Ids are compared byte for byte: spell it alike in both places.";
    IdOtherEncoding = "id_other_encoding", "The HMAC is of the user id in another encoding. Take it of the id's UTF-8 bytes.";
    IdNotNormalized = "id_not_normalized", "The HMAC is of the user id in another normal form of Unicode (NFC or NFD). Normalize it once, before both uses.";
    IdQuoted = "id_quoted", "The HMAC is of the user id with quotes around it, as JSON writes it, or the id came with some. Use the bare text.";
    IdPercentEncoded = "id_percent_encoded", "The HMAC is of the percent-encoded user id, or the id came percent-encoded. Use the plain text.";
    IdUndefined = "id_undefined", "The HMAC is of an empty or undefined id: your backend read the id where the app doesn't send it.";
    IdIsUid = "id_is_uid", "The HMAC is of our uid of the user, u_…. Take it of your own id, which the app sends.";
    HmacOtherUser = "hmac_other_user", "The HMAC is that of another user of this project, who was seen lately. Ask the backend for a new one when the user changes; don't cache it.";

    // The function that made it.
    HmacSwapped = "hmac_swapped", "Key and message are swapped. The secret is the key, the user id is the message.";
    HmacSha1 = "hmac_sha1", "The HMAC was made with SHA-1. Use SHA-256.";
    HmacSha384 = "hmac_sha384", "The HMAC was made with SHA-384. Use SHA-256.";
    HmacSha512 = "hmac_sha512", "The HMAC was made with SHA-512. Use SHA-256.";
    HmacPlainHash = "hmac_plain_hash", "It is a plain SHA-256 of the id, with or without the secret, and no HMAC. Use your language's HMAC function, with the secret as its key.";

    // Proofs that expire.
    V2FromV1 = "v2_from_v1", "The MAC in the v2 proof is the v1 HMAC of the id. A v2 proof needs a MAC of its own, over version, expires, project and id.";
    V2KeyNotDerived = "v2_key_not_derived", "The v2 proof was made under the secret itself. Its key is HMAC-SHA256 of the whole secret under the key `countersign user proof v2`.";
    V2KeySwapped = "v2_key_swapped", "The key of the v2 proof was derived the wrong way round: the label is the key, the secret is the message.";
    V2OtherProjectId = "v2_other_project_id", "The v2 proof names another project in what its MAC is over. Take the id of this project.";
    V2ExpiresMilliseconds = "v2_expires_milliseconds", "`expires` of the v2 proof is in milliseconds. Write seconds since 1970.";
    V2ExpiresSpan = "v2_expires_span", "`expires` of the v2 proof is a span of time. Write the moment at which it ends, in seconds since 1970.";
    V2UpperCase = "v2_upper_case", "The version of the proof is written in upper case. Write v2 or v2k, in the header and under the MAC.";
    V2kNotBound = "v2k_not_bound", "The MAC of the v2k proof isn't over the key's thumbprint. Put it between expires and project.";
    V2kOtherKey = "v2k_other_key", "The v2k proof and the DPoP header name different keys. The thumbprint must be that of the key that signs the DPoP header.";

    // Where no mistake that people make explains it.
    HmacNoSecret = "hmac_no_secret", "The project has no live HMAC secret, so no HMAC can be right. Make one: `countersign key create --kind hmac`.";
    HmacUnexplained = "hmac_unexplained", "None of the usual mistakes explains the HMAC. Compare secret and id byte for byte where it is computed.";
    OtherUsersUnknown = "other_users_unknown", "Whether it is the HMAC of another user isn't known here: only a running server remembers who was seen. Ask it by POST /v1/explain.";

    // Access tokens.
    TokenNotOurs = "token_not_ours", "The token isn't an access token of this project.";
    TokenExpired = "token_expired", "The access token has expired. The app must refresh.";
    TokenRevoked = "token_revoked", "The access token was revoked before its time. The user must sign in again.";
    TokenIsPublishableKey = "token_is_publishable_key", "A publishable key stands where the token belongs. Send it in X-PROFICIENT-API-KEY.";
    TokenIsHmacSecret = "token_is_hmac_secret", "An HMAC secret stands where the token belongs. It is never sent anywhere: rotate it.";
    TokenIsRefreshToken = "token_is_refresh_token", "A refresh token stands where the access token belongs.";
    TokenUnreadable = "token_unreadable", "It isn't a signed token as this server makes them. An ID token, or a token of somebody else, is none.";
    TokenWhitespace = "token_whitespace", "White space or quotes stand in or around the token.";
    TokenOtherProject = "token_other_project", "The token was signed by another project of this server.";
    TokenUnknownSigner = "token_unknown_signer", "No key of this server has signed it, or one that is there no more.";
    TokenBadSignature = "token_bad_signature", "It names a key of this project, but that key didn't sign it: it was cut off or changed.";
    TokenOtherAddress = "token_other_address", "It was issued for another address or audience than the project has now: see `host` and `audience`, and the server's `public_url`.";
    TokenSessionEnded = "token_session_ended", "The session was ended: signed out, replaced, or revoked.";
    TokenUserRevoked = "token_user_revoked", "The user's sessions were ended, or the user disabled.";
    TokenClientRevoked = "token_client_revoked", "The client's sessions were ended, or the client disabled.";
    TokenKeyRevoked = "token_key_revoked", "The key that vouched was revoked, and all that it vouched for.";
    TokenBound = "token_bound", "The access token is bound to a key. Show it as `DPoP`, not as `Bearer`, with a proof of the key in the DPoP header.";
    TokenNotBound = "token_not_bound", "The access token is bound to no key. Show it as `Bearer`.";
    DpopMissing = "dpop_missing", "The access token is bound to a key, and there is no proof of it, or more than one. Send one DPoP header.";
    DpopInvalid = "dpop_invalid", "The DPoP header isn't a proof.";
    DpopOtherKey = "dpop_other_key", "The DPoP header is a proof of another key than the one to which the access token is bound.";
    DpopNotJudged = "dpop_not_judged", "Whether the DPoP header was made for its call, in time, with a nonce and only once, isn't judged: the call isn't among its headers.";
    TokenProjectRevoked = "token_project_revoked", "The project's sessions were ended.";
    PublicUrlUnknown = "public_url_unknown", "This command wasn't told the server's `http.public_url`, which is part of every token. Give it the server's --config.";

    // Secret keys.
    SecretKeyUnknown = "secret_key_unknown", "The secret key isn't one of this server. Copy it again, whole, from sk_ to its end.";
    SecretKeyOtherProject = "secret_key_other_project", "The secret key is of another project of this server.";
    SecretKeyRevoked = "secret_key_revoked", "The secret key was revoked. Give your backend a live one.";
    SecretKeyExpired = "secret_key_expired", "The time of the secret key is over. Give your backend a live one.";
    SecretKeyFromBrowser = "secret_key_from_browser", "The call has an Origin header: a page in a browser sent the secret key, where anybody can read it. Rotate it, and call from a backend.";
    SecretKeySpelling = "secret_key_spelling", "White space or quotes stand around the secret key, or another word than Bearer before it. Send `Bearer sk_…`.";

    // Tickets.
    Ticket = "ticket", "The caller is named by a ticket, which is judged by what it was made of. Explain doesn't use it up.";
    TicketUnknown = "ticket_unknown", "The ticket isn't one of this server, or was cut off or changed.";
    TicketExpired = "ticket_expired", "The time of the ticket is over. Ask for one by POST /v1/tickets right before it is used.";
    TicketSpent = "ticket_spent", "The ticket was used before. Each opens one stream: ask for a new one by POST /v1/tickets.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_flaw_has_the_name_that_metrics_give_it() {
        for flaw in Flaw::ALL {
            assert_eq!(Code::from(*flaw).as_str(), flaw.as_str());
        }
    }

    #[test]
    fn every_code_is_a_word_of_its_own_and_says_something() {
        let words: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        for code in Code::ALL {
            let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            assert!(code.as_str().bytes().all(is_word), "{}", code.as_str());
            assert!(code.message().ends_with('.'), "{}", code.as_str());
        }
    }

    #[test]
    fn the_reference_lists_every_code_and_no_other() {
        let page = include_str!("../../../../docs/reference/explain.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        let listed: Vec<&str> = rows.map(|(code, _)| code).collect();
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(listed, codes);
    }
}
