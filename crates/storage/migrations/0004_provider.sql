-- What a confidential client and the server both know: the SHA-256 of 256 random bits.
create table client_secrets (
    project_id text not null,
    secret_id text not null,
    client_id text not null,
    prefix text not null,
    secret_hash text not null,
    created_at bigint not null,
    expires_at bigint,
    revoked_at bigint,
    primary key (project_id, secret_id)
);

-- Codes that users were sent back with. A row never changes: that a code was used stands in the table spent. It is kept for a while after its
-- minute, so that a second use still finds the session that the first one opened.
create table authorization_codes (
    project_id text not null,
    code_hash text not null,
    client_id text not null,
    user_id text not null,
    session_id text not null,
    redirect_uri text not null,
    redirect_uri_asked_at bigint,
    scope text not null,
    nonce text,
    code_challenge text,
    dpop_jkt text,
    amr text not null,
    acr text not null,
    auth_time bigint not null,
    user_generation bigint not null,
    client_generation bigint not null,
    project_generation bigint not null,
    created_at bigint not null,
    expires_at bigint not null,
    primary key (project_id, code_hash)
) /* clustered */;
create index authorization_codes_by_expiry on authorization_codes (expires_at);
