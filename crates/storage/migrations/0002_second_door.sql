-- What names a project to an app (publishable: the key itself), and under what a backend proves users (hmac: sealed).
create table client_api_keys (
    project_id text not null,
    key_id text not null,
    kind text not null,
    name text not null,
    prefix text not null,
    material text not null,
    generation bigint not null,
    created_at bigint not null,
    expires_at bigint,
    revoked_at bigint,
    last_used_at bigint,
    replaced_by text,
    primary key (project_id, key_id)
);

-- What happened how often, by the hour; hour 0: ever.
create table counters (
    project_id text not null,
    name text not null,
    hour bigint not null,
    value bigint not null,
    primary key (project_id, name, hour)
) /* clustered */;

-- The thumbprint of the key without which the session's tokens are worthless. Null: whoever holds them may use them.
alter table sessions add column dpop_jkt text;

-- What works once and was used: by project, by what it was for, as a hash. A row may go once expires_at has passed: until then what it stands
-- for could come again.
create table spent (
    project_id text not null,
    purpose text not null,
    value_hash text not null,
    expires_at bigint not null,
    primary key (project_id, purpose, value_hash)
) /* clustered */;
create index spent_by_expiry on spent (expires_at);
