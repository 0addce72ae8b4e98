-- What names a project to an app (publishable: the key itself), and under what a backend proves users (hmac: sealed).
create table client_api_keys (
    project_id text not null,
    key_id text not null,
    kind text not null,
    name text not null,
    prefix text not null,
    material text not null,
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
