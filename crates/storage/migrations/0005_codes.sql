-- Codes that were sent to an address, each until it is shown, tried too often, or over.
create table challenges (
    project_id text not null,
    challenge_id text not null,
    purpose text not null,
    kind text not null,
    destination text not null,
    code_hash text not null,
    tries bigint not null,
    created_at bigint not null,
    expires_at bigint not null,
    spent_at bigint,
    primary key (project_id, challenge_id)
) /* clustered */;
create index challenges_by_destination on challenges (project_id, purpose, kind, destination);
create index challenges_by_expiry on challenges (expires_at);

-- Codes with which people may sign up where a project asks for one.
create table activation_codes (
    project_id text not null,
    code_id text not null,
    name text not null,
    prefix text not null,
    code_hash text not null,
    uses bigint not null,
    used bigint not null,
    created_at bigint not null,
    expires_at bigint,
    revoked_at bigint,
    primary key (project_id, code_id)
);
create unique index activation_codes_by_hash on activation_codes (project_id, code_hash);
