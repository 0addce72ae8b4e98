//! Between the door's JSON and the use cases.

use countersign_service::{
    token::TokenPair,
    vouch::{Authentication, Vouch},
};
use countersign_wire::vouch::{sign_in, tokens::VouchedTokens};

pub(super) fn vouch(read: sign_in::Vouch) -> Vouch {
    Vouch {
        project: read.project,
        client: read.client,
        email: read.email,
        email_verified: read.email_verified,
        external_id: read.external_id,
        phone: read.phone,
        device: read.device,
        authentication: Authentication { methods: read.methods, level: read.level, at: read.auth_time },
    }
}

pub(super) fn tokens(pair: TokenPair) -> VouchedTokens {
    let refresh_expires_in = pair.refresh_expires_in.as_secs();
    VouchedTokens {
        uid: pair.user.to_string(),
        auth_token: pair.access_token,
        refresh_token: pair.refresh_token.danger_expose().to_owned(),
        auth_token_expires_in: pair.access_expires_in.as_secs(),
        expires_in: refresh_expires_in,
        refresh_token_expires_in: refresh_expires_in,
    }
}
