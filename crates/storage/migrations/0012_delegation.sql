-- Our own pairs for delegated calls, sealed; a service provider is given the public halves of one of them.
create table idp_keys (
    project_id text not null,
    key_id text not null,
    sealed_signing_key text not null,
    sealed_opening_key text not null,
    created_at bigint not null,
    revoked_at bigint,
    primary key (project_id, key_id)
) /* clustered */;

-- The public halves of service providers' pairs.
create table delegation_keys (
    project_id text not null,
    key_id text not null,
    client_id text not null,
    idp_key_id text not null,
    verifying_key text not null,
    sealing_key text not null,
    created_at bigint not null,
    expires_at bigint,
    revoked_at bigint,
    replaced_by text,
    primary key (project_id, key_id)
) /* clustered */;

-- Second factors that a service provider wants its user to have, until the user's code comes. change_id: what the code is bound to. sealed_seed: what
-- an authenticator app counts its codes from; code_hash: of the code that was sent instead.
create table mfa_changes (
    project_id text not null,
    change_id text not null,
    user_id text not null,
    client_id text not null,
    method text not null,
    contact text,
    sealed_seed text,
    code_hash text,
    tries bigint not null,
    created_at bigint not null,
    expires_at bigint not null,
    primary key (project_id, change_id)
) /* clustered */;
create index mfa_changes_by_user on mfa_changes (project_id, user_id);
create index mfa_changes_by_expiry on mfa_changes (expires_at);
