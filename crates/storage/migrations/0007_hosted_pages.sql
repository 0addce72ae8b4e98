-- Sign-ins that are under way, also those that a browser drives, and those that no client asked for. They live for half an hour, so those that
-- are under way begin again. client_id null: it is for the user's own account. user_id: it is known who it is, who has yet to consent.
drop table sign_ins;
create table sign_ins (
    project_id text not null,
    sign_in_id text not null,
    handle_hash text not null,
    client_id text,
    request text,
    kind text,
    value text,
    dpop_jkt text,
    challenge_id text,
    code_hash text,
    link_hash text,
    sent_at bigint,
    tries bigint not null,
    sends bigint not null,
    user_id text,
    created_at bigint not null,
    expires_at bigint not null,
    ended_at bigint,
    primary key (project_id, sign_in_id)
) /* clustered */;
create index sign_ins_by_expiry on sign_ins (expires_at);

-- Browsers in which somebody is signed in. secret_hash is the SHA-256 of 256 random bits, which are in a cookie.
create table browser_sessions (
    project_id text not null,
    browser_session_id text not null,
    secret_hash text not null,
    user_id text not null,
    amr text not null,
    acr text not null,
    auth_time bigint not null,
    user_generation bigint not null,
    project_generation bigint not null,
    user_agent text not null,
    created_at bigint not null,
    expires_at bigint not null,
    ended_at bigint,
    primary key (project_id, browser_session_id)
);
create index browser_sessions_of_user on browser_sessions (project_id, user_id);
create index browser_sessions_by_expiry on browser_sessions (expires_at);

-- What users let clients that are not first-party know and do.
create table consents (
    project_id text not null,
    user_id text not null,
    client_id text not null,
    scope text not null,
    given_at bigint not null,
    primary key (project_id, user_id, client_id)
) /* clustered */;
