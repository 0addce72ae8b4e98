-- Public halves of keys that users' authenticators hold. credential is what the authenticator said of the key when it was made, and never
-- changes; what moves has columns of its own. sign_count: 0 for one that doesn't count.
create table passkeys (
    project_id text not null,
    passkey_id text not null,
    user_id text not null,
    credential_id text not null,
    credential text not null,
    name text not null,
    kept text not null,
    sign_count bigint not null,
    backed_up_at bigint,
    created_at bigint not null,
    last_used_at bigint,
    primary key (project_id, passkey_id)
);
create unique index passkeys_by_credential on passkeys (project_id, credential_id);
create index passkeys_of_user on passkeys (project_id, user_id);
