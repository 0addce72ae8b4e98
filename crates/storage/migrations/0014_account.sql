-- A passkey is what a user signs in from: a device. revoked_at: it proves nobody until that is taken back. last_attempted_at: somebody showed
-- it, whether or not it was taken. user_agent: what the program called itself that showed it last.
alter table passkeys add column revoked_at bigint;
alter table passkeys add column last_attempted_at bigint;
alter table passkeys add column user_agent text;

-- By which passkey somebody is signed in, in a browser; null: by none.
alter table browser_sessions add column passkey_id text;

-- Which sessions of apps were opened by which passkey. Written with the code that opens the session, and only where a passkey was used.
-- expires_at: when the session is over at the latest, as settings were.
create table device_sessions (
    project_id text not null,
    passkey_id text not null,
    session_id text not null,
    expires_at bigint not null,
    primary key (project_id, passkey_id, session_id)
) /* clustered */;
create index device_sessions_by_expiry on device_sessions (expires_at);

-- Addresses and telephone numbers that users want to be known by from now on, and have yet to prove: one of a kind for each. replaces: what
-- they were known by; null: nothing.
create table contact_changes (
    project_id text not null,
    user_id text not null,
    kind text not null,
    browser_session_id text not null,
    challenge_id text not null,
    value text not null,
    replaces text,
    code_hash text not null,
    tries bigint not null,
    created_at bigint not null,
    expires_at bigint not null,
    primary key (project_id, user_id, kind)
) /* clustered */;
create index contact_changes_by_expiry on contact_changes (expires_at);
