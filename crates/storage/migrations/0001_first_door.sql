-- Columns are text and bigint only, times are microseconds since 1970, facts are `…_at` instead of booleans, bytes are base64url, lists
-- and objects are JSON. Each primary key begins with project_id, so that the schema can be sharded by it. Where a table is marked
-- clustered, SQLite keeps the rows in the primary key itself: one tree to walk instead of two, right for short rows.

create table projects (
    project_id text not null,
    name text not null,
    settings text not null,
    generation bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    disabled_at bigint,
    primary key (project_id)
);

create table clients (
    project_id text not null,
    client_id text not null,
    name text not null,
    kind text not null,
    settings text not null,
    generation bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    disabled_at bigint,
    primary key (project_id, client_id)
);

-- What authenticates a customer's backend. secret_hash is the SHA-256 of a random string of 428 bits.
create table secret_keys (
    project_id text not null,
    key_id text not null,
    name text not null,
    prefix text not null,
    secret_hash text not null,
    scope text not null,
    generation bigint not null,
    created_at bigint not null,
    expires_at bigint,
    revoked_at bigint,
    last_used_at bigint,
    replaced_by text,
    primary key (project_id, key_id)
);
create unique index secret_keys_by_hash on secret_keys (secret_hash);

-- next: activated_at is null. Active: activated_at, but no retired_at. Retired: checks what it signed until expires_at.
create table signing_keys (
    project_id text not null,
    signing_key_id text not null,
    algorithm text not null,
    public_key text not null,
    sealed_private_key text not null,
    created_at bigint not null,
    activated_at bigint,
    retired_at bigint,
    expires_at bigint,
    primary key (project_id, signing_key_id)
);

-- Refresh tokens are authentic under these. The keys themselves are derived from the master key; the newest unrevoked one makes tokens.
create table mac_keys (
    project_id text not null,
    mac_key_id bigint not null,
    created_at bigint not null,
    revoked_at bigint,
    primary key (project_id, mac_key_id)
);

create table users (
    project_id text not null,
    user_id text not null,
    given_name text not null,
    family_name text not null,
    generation bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    disabled_at bigint,
    merged_into text,
    primary key (project_id, user_id)
) /* clustered */;

create table identities (
    project_id text not null,
    kind text not null,
    value text not null,
    user_id text not null,
    source text not null,
    verified_at bigint,
    created_at bigint not null,
    primary key (project_id, kind, value)
) /* clustered */;
create index identities_of_user on identities (project_id, user_id);

create table sessions (
    project_id text not null,
    session_id text not null,
    user_id text not null,
    client_id text not null,
    vouched_by text,
    device_id text,
    amr text not null,
    acr text not null,
    auth_time bigint not null,
    scope text not null,
    user_generation bigint not null,
    client_generation bigint not null,
    key_generation bigint not null,
    project_generation bigint not null,
    secret_hash text not null,
    generation bigint not null,
    rotated_at bigint not null,
    rotated_network text,
    rotated_agent text,
    mac_key_id bigint not null,
    replays bigint not null,
    foreign_run bigint not null,
    foreign_generation bigint not null,
    behind_since bigint,
    revision bigint not null,
    created_at bigint not null,
    idle_expires_at bigint not null,
    expires_at bigint not null,
    access_expires_at bigint not null,
    ended_at bigint,
    end_reason text,
    primary key (project_id, session_id)
);
create index sessions_live on sessions (project_id, user_id, client_id, session_id) where ended_at is null;
create index sessions_by_end on sessions (project_id, ended_at) where ended_at is not null;
create index sessions_by_expiry on sessions (project_id, expires_at);

create table audit_entries (
    project_id text not null,
    audit_id text not null,
    at bigint not null,
    act text not null,
    actor_kind text not null,
    actor_id text,
    user_id text,
    client_id text,
    session_id text,
    key_id text,
    request_id text,
    detail text not null,
    primary key (project_id, audit_id)
) /* clustered */;

-- What every node must know within a second. A row may go once expires_at has passed: nobody can need it any more.
create table changes (
    project_id text not null,
    seq bigint not null,
    kind text not null,
    subject text not null,
    value bigint not null,
    expires_at bigint not null,
    primary key (project_id, seq)
) /* clustered */;
create index changes_by_seq on changes (seq);
create index changes_by_expiry on changes (expires_at);

-- Facts about the deployment as a whole.
create table deployment (
    name text not null,
    value text not null,
    primary key (name)
);
