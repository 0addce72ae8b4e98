//! Between the door's JSON and the use cases.

use countersign_domain::message::Destination;
use countersign_service::{
    code_sign_in::CodeFor,
    token::TokenPair,
    vouch::{Authentication, Vouch},
};
use countersign_wire::vouch::{code, sign_in, tokens::VouchedTokens};

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

pub(super) fn code_for(read: code::CodeFor) -> CodeFor {
    CodeFor { project: read.project, client: read.client, destination: destination(read.destination) }
}

pub(super) fn destination(read: code::Destination) -> Destination {
    match read {
        code::Destination::Email(address) => Destination::Email(address),
        code::Destination::Phone(number) => Destination::Phone(number),
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
