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
